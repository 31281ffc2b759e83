"""What a citizen code is made of, and how a device without a network reads it. Pure: keys, bytes and instants in.

Inside: version, a random number, the instant, subject and name in fixed places, signed by the district (ES256); around it
HPKE (RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305) to the key that all enrolled devices share in an epoch. Outside there is
nothing: no prefix, no epoch, no number; two codes of one person have nothing in common. 165 bytes as Base45: QR version 9.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

LIFE, SKEW = dt.timedelta(seconds=60), dt.timedelta(seconds=30)
VERSION = 1
NUMBER, INSTANT, SUBJECT, NAME, SIGNATURE = 12, 4, 12, 24, 64
BODY = 1 + NUMBER + INSTANT + SUBJECT + NAME
SIZE = 32 + BODY + SIGNATURE + 16
INFO = b"chengshu citizen code 1"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class CodeRefusal(Exception):
    """Why a device does not accept a code; ``code`` is one of ``WORDS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


WORDS: Mapping[str, Mapping[str, str]] = {
    "unreadable": {"zh": "读不出：不是市民码，或本机没有密钥", "en": "No citizen code, or this device lacks the key"},
    "forged": {"zh": "不是本区签发的市民码", "en": "This district has not signed it"},
    "over": {"zh": "市民码已过期，请刷新后再出示", "en": "The code is over: have it renewed"},
    "early": {"zh": "市民码的时间在将来：请校准本机时钟", "en": "The code is of the future: set this device's clock"},
    "seen": {"zh": "这个码刚用过，请刷新后再出示", "en": "This code was just used: have it renewed"},
    "device-over": {"zh": "本机的授权已到期，请联网同步", "en": "This device's enrolment is over: synchronise it"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What a code says: its own random number, when it was made, who shows it."""

    number: str
    at: dt.datetime
    subject_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Signer:
    """A public key that codes are signed with, from when to when."""

    key: ec.EllipticCurvePublicKey
    since: dt.datetime
    until: dt.datetime
    compromised_at: dt.datetime | None = None

    def counts_at(self, at: dt.datetime) -> bool:
        """Return whether what was signed at an instant counts."""
        if self.compromised_at is not None and at >= self.compromised_at:
            return False
        return self.since - SKEW <= at <= self.until + SKEW


def make(
    subject_id: str, name: str, signer: ec.EllipticCurvePrivateKey, group: X25519PublicKey, now: dt.datetime
) -> str:
    """Return the text of a new code; no two are alike."""
    body = bytes([VERSION]) + secrets.token_bytes(NUMBER) + int(now.timestamp()).to_bytes(INSTANT, "big")
    body += _fixed(subject_id, SUBJECT) + _fixed(name, NAME)
    # Bound to the group's key: whoever opens a code cannot seal it anew for others.
    r, s = decode_dss_signature(signer.sign(_signed(body, group), ec.ECDSA(hashes.SHA256())))
    sealed = bytearray(_SUITE.encrypt(body + r.to_bytes(32, "big") + s.to_bytes(32, "big"), group, info=INFO))
    # A point of the curve never uses its highest bit: without noise there it would tell a code from chance.
    sealed[31] |= secrets.randbelow(2) << 7
    return base45(bytes(sealed))


def open_code(text: str, groups: Sequence[X25519PrivateKey], signers: Sequence[Signer]) -> Said:
    """Return what a code says to a device with these keys, whatever the time; raises ``CodeRefusal``."""
    try:
        sealed = bytearray(from_base45(text.strip("\r\n")))
    except ValueError as error:
        raise CodeRefusal("unreadable") from error
    if len(sealed) != SIZE:
        raise CodeRefusal("unreadable")
    sealed[31] &= 0x7F
    for group in groups:
        try:
            content = bytes(_SUITE.decrypt(bytes(sealed), group, info=INFO))
        except (InvalidTag, ValueError):
            continue
        return _said(content, group.public_key(), signers)
    raise CodeRefusal("unreadable")


def _said(content: bytes, group: X25519PublicKey, signers: Sequence[Signer]) -> Said:
    body, signature = content[:BODY], content[BODY:]
    number, rest = body[1 : 1 + NUMBER], body[1 + NUMBER :]
    at = dt.datetime.fromtimestamp(int.from_bytes(rest[:INSTANT], "big"), dt.UTC)
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    if body[0] != VERSION or not any(_holds(each, der, _signed(body, group), at) for each in signers):
        raise CodeRefusal("forged")
    subject_id = rest[INSTANT : INSTANT + SUBJECT].rstrip(b"\0").decode("ascii")
    return Said(number.hex(), at, subject_id, rest[INSTANT + SUBJECT :].rstrip(b"\0").decode("utf-8"))


def check_time(at: dt.datetime, now: dt.datetime) -> None:
    """Refuse a code outside its minute, the device's clock being off by half a minute at most, either way."""
    if now < at - SKEW:
        raise CodeRefusal("early")
    if now > at + LIFE + SKEW:
        raise CodeRefusal("over")


def _holds(signer: Signer, der: bytes, signed: bytes, at: dt.datetime) -> bool:
    if not signer.counts_at(at):
        return False
    try:
        signer.key.verify(der, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _signed(body: bytes, group: X25519PublicKey) -> bytes:
    return INFO + group.public_bytes_raw() + body


def _fixed(text: str, size: int) -> bytes:
    """Return a text in a place of fixed size; a name that is too long loses its last characters, never half of one."""
    while len(text.encode()) > size:
        text = text[:-1]
    return text.encode().ljust(size, b"\0")


def base45(content: bytes) -> str:
    """Return bytes in the characters that QR codes keep densest (RFC 9285)."""
    pieces = []
    for place in range(0, len(content) - 1, 2):
        rest, first = divmod(content[place] * 256 + content[place + 1], 45)
        third, second = divmod(rest, 45)
        pieces.append(ALPHABET[first] + ALPHABET[second] + ALPHABET[third])
    if len(content) % 2:
        second, first = divmod(content[-1], 45)
        pieces.append(ALPHABET[first] + ALPHABET[second])
    return "".join(pieces)


def from_base45(text: str) -> bytes:
    """Read Base45; raises ``ValueError`` on what is none."""
    numbers = [ALPHABET.index(each) for each in text]
    if len(numbers) % 3 == 1:
        raise ValueError("not Base45")
    out = bytearray()
    for place in range(0, len(numbers), 3):
        piece = numbers[place : place + 3]
        value = sum(number * 45**power for power, number in enumerate(piece))
        out += value.to_bytes(len(piece) - 1, "big") if value < 256 ** (len(piece) - 1) else _none()
    return bytes(out)


def _none() -> bytes:
    raise ValueError("not Base45")


def signer_of(said: Mapping[str, Any]) -> Signer:
    """Return a signer out of a bundle's JSON."""
    from joserfc.jwk import ECKey

    jwk = said["jwk"] if isinstance(said["jwk"], dict) else json.loads(said["jwk"])
    public: Any = ECKey.import_key(dict(jwk)).public_key
    ends = said.get("compromised_at")
    return Signer(
        public,
        dt.datetime.fromisoformat(said["since"]),
        dt.datetime.fromisoformat(said["until"]),
        dt.datetime.fromisoformat(ends) if ends else None,
    )
