"""W3C Verifiable Credentials 2.0 as JWT (``vc+jwt``) and Bitstring Status Lists. Pure: keys and values in, texts out."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.certificates import data_model, json_ld, suites
from chengshu.kernel.problems import Problem

CONTEXT = "https://www.w3.org/ns/credentials/v2"
TERMS = {"@vocab": "https://chengshu.example/terms#"}
TYPE = "vc+jwt"
PURPOSES = ("revocation", "suspension")
# The recommendation's least length: a bit says nothing of whose it is among so many.
LIST_SIZE = 131_072
LIST_TERM = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Content:
    """What a credential says."""

    id: str
    type: str
    title: Mapping[str, str]
    issuer: str
    issuer_name: Mapping[str, str]
    number: str
    version: int
    holder: str
    holder_id: str
    holder_mark: str
    valid_from: dt.date
    valid_to: dt.date | None
    claims: Mapping[str, Any]
    status_list: str
    status_index: int
    demo: bool


def credential(content: Content, key: suites.Key, now: dt.datetime) -> str:
    """Return the signed credential."""
    subject: dict[str, Any] = {
        "number": content.number,
        "name": content.holder,
        "claims": dict(content.claims),
    }
    if content.holder_id:
        subject["id"] = f"urn:chengshu:subject:{content.holder_id}"
    if content.holder_mark:
        subject["identifierMasked"] = content.holder_mark
    body: dict[str, Any] = {
        "@context": [CONTEXT, TERMS],
        "id": content.id,
        "type": ["VerifiableCredential", content.type],
        "issuer": {"id": content.issuer, "name": _multilingual(content.issuer_name)},
        "name": _multilingual(content.title),
        "validFrom": start_of(content.valid_from),
        "credentialSubject": subject,
        "credentialStatus": [
            {
                "id": f"{content.status_list}/{purpose}#{content.status_index}",
                "type": "BitstringStatusListEntry",
                "statusPurpose": purpose,
                "statusListIndex": str(content.status_index),
                "statusListCredential": f"{content.status_list}/{purpose}",
            }
            for purpose in PURPOSES
        ],
        "version": content.version,
    }
    if content.valid_to is not None:
        body["validUntil"] = end_of(content.valid_to)
    if content.demo:
        body["demo"] = True
    return secure(body, key, now)


def status_credential(
    list_id: str,
    purpose: str,
    indices: Iterable[int],
    issuer: str,
    key: suites.Key,
    now: dt.datetime,
    size: int,
) -> str:
    """Return a signed status list: the bits at ``indices`` are set."""
    body = {
        "@context": [CONTEXT],
        "id": f"{list_id}/{purpose}",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": _instant(now),
        "validUntil": _instant(now + LIST_TERM),
        "credentialSubject": {
            "id": f"{list_id}/{purpose}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encode_bits(indices, size),
        },
    }
    return secure(body, key, now)


def secure(
    body: Mapping[str, Any],
    key: suites.Key,
    now: dt.datetime,
    known: Mapping[str, json_ld.Terms] = json_ld.KNOWN,
) -> str:
    """Return a credential as ``vc+jwt``; raises ``Problem`` where it does not conform to the W3C's data model."""
    try:
        data_model.check(body, known)
    except data_model.Malformed as error:
        raise Problem(
            "credential-malformed",
            "这份凭证不合 W3C 数据模型，未签发",
            detail=error.zh,
            remedy="改正事项包里这份证照的内容，或改正所填的资料",
            status=422,
        ) from error
    return sign(body, key, TYPE, now, cty="vc")


def sign(body: Mapping[str, Any], key: suites.Key, typ: str, now: dt.datetime, *, cty: str = "") -> str:
    """Return a compact JWS over JSON; the instant of signing stands beside the rest as ``iat``."""
    header: dict[str, Any] = {"typ": typ}
    if cty:
        header["cty"] = cty
    said = {**body, "iat": int(now.timestamp())}
    payload = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return suites.compact(header, payload, key)


def header_of(text: str) -> dict[str, Any]:
    """Return the unverified header of a compact JWS; raises ``ValueError`` when it is none."""
    parts = text.split(".")
    if len(parts) != 3:
        raise ValueError("not a compact JWS")
    try:
        found = json.loads(_unpadded(parts[0]))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("not a JWS header")
    return found


def open_signed(text: str, jwk: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload of a compact JWS signed by ``jwk``; raises ``ValueError`` unless the signature holds."""
    body = json.loads(suites.open_compact(text, jwk))
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")
    return body


def encode_bits(indices: Iterable[int], size: int) -> str:
    """Return a bitstring as the recommendation writes it: GZIP, base64url without padding, multibase ``u``."""
    bits = bytearray(size // 8)
    for index in indices:
        bits[index // 8] |= 0x80 >> index % 8
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as out:
        out.write(bytes(bits))
    return "u" + base64.urlsafe_b64encode(packed.getvalue()).decode().rstrip("=")


def read_bit(encoded: str, index: int) -> bool:
    """Return one bit of an encoded list; raises ``ValueError`` when the list is broken or too short."""
    if not encoded.startswith("u"):
        raise ValueError("not multibase base64url")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(_unpadded(encoded[1:]))) as source:
            bits = source.read(2_000_000)
    except (OSError, EOFError) as error:
        raise ValueError("not a compressed bitstring") from error
    if not 0 <= index < len(bits) * 8:
        raise ValueError("the index lies outside the list")
    return bool(bits[index // 8] & 0x80 >> index % 8)


def start_of(day: dt.date) -> str:
    """Return the first instant of a day in China, as credentials write instants."""
    return _instant(dt.datetime.combine(day, dt.time(), dt.timezone(dt.timedelta(hours=8))))


def end_of(day: dt.date) -> str:
    """Return the last second of a day in China."""
    return _instant(dt.datetime.combine(day, dt.time(23, 59, 59), dt.timezone(dt.timedelta(hours=8))))


def read_instant(text: str) -> dt.datetime:
    """Read an instant of a credential; raises ``ValueError`` when it is no ``dateTimeStamp``, as one without a zone."""
    return data_model.read_timestamp(text)


def _instant(at: dt.datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _multilingual(said: Mapping[str, str]) -> list[dict[str, str]]:
    words = [{"@value": said.get("zh", ""), "@language": "zh"}]
    if said.get("en"):
        words.append({"@value": said["en"], "@language": "en"})
    return words


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
