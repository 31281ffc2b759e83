"""A trust list: whom a verifier believes, and how their certificates stood. A JSON file that works without any network. Pure."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chengshu.contexts.certificates import credentials
from chengshu.kernel.problems import Problem, Where

FORMAT = "chengshu-trust/1"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key: whose, for what, from when to when it signed; nothing signed after ``compromised_at`` counts."""

    kid: str
    use: str
    issuer: str
    jwk: Mapping[str, Any]
    certificate: str
    since: dt.datetime
    until: dt.datetime
    retired_at: dt.datetime | None
    compromised_at: dt.datetime | None

    def signed_in_time(self, at: dt.datetime) -> bool:
        """Return whether the key was in use at an instant; ten minutes of clock skew are allowed."""
        slack = dt.timedelta(minutes=10)
        if at < self.since - slack or at > min(self.until, self.retired_at or self.until) + slack:
            return False
        return self.compromised_at is None or at < self.compromised_at


@dataclass(frozen=True, slots=True)
class Status:
    """What the status lists say of one issue; ``as_of`` when, ``fresh`` whether the list's own term still ran."""

    revoked: bool
    suspended: bool
    as_of: dt.datetime
    fresh: bool


@dataclass(frozen=True, slots=True)
class TrustList:
    """Issuers, keys and status lists, as read from a file or made from this installation's database."""

    district: Mapping[str, str]
    made_at: dt.datetime
    names: Mapping[str, Mapping[str, str]]
    ids: Mapping[str, str]
    keys: Mapping[str, TrustedKey]
    statuses: Mapping[str, str]

    def authorities(self) -> list[str]:
        """Return the root certificates as PEM texts."""
        return [key.certificate for key in self.keys.values() if key.use == "authority"]

    def seal_key(self, pem: str) -> TrustedKey | None:
        """Return the key whose certificate this is."""
        return next((key for key in self.keys.values() if key.use == "seal" and key.certificate == pem), None)

    def status(self, issuer: str, list_id: str, index: int, now: dt.datetime) -> Status | None:
        """Return what the lists here say of an issuer's bit; ``None`` when they are not here."""
        bits, made, fresh = {}, [], True
        # The issuer's host may have moved since: its lists keep their numbers.
        moved = self.list_url(issuer, list_id.rpartition("/status/")[2])
        for purpose in credentials.PURPOSES:
            text = self.statuses.get(f"{list_id}/{purpose}") or self.statuses.get(f"{moved}/{purpose}")
            if text is None:
                return None
            body = self.open_credential(text)
            bits[purpose] = credentials.read_bit(body["credentialSubject"]["encodedList"], index)
            made.append(credentials.read_instant(body["validFrom"]))
            fresh = fresh and now <= credentials.read_instant(body["validUntil"])
        return Status(bits["revocation"], bits["suspension"], min(made), fresh)

    def open_credential(self, text: str) -> dict[str, Any]:
        """Return a signed payload; raises ``ValueError`` unless a trusted credential key signed it while in use."""
        header = credentials.header_of(text)
        key = self.keys.get(str(header.get("kid")))
        if key is None or key.use != "credential":
            raise ValueError("unknown-key")
        body = credentials.open_signed(text, key.jwk)
        at = dt.datetime.fromtimestamp(int(body.get("iat", 0)), dt.UTC)
        if not key.signed_in_time(at):
            raise ValueError("key-not-in-use")
        issuer = body.get("issuer")
        named = issuer.get("id") if isinstance(issuer, dict) else issuer
        # A QR code names no issuer: its key does.
        if (issuer is not None or header.get("typ") == "vc+jwt") and not self._is(str(named), key.issuer):
            raise ValueError("wrong-issuer")
        return body

    def _is(self, named: str, issuer: str) -> bool:
        """Return whether an address names an issuer; the host may have moved since, the key tells who it is."""
        return named.rpartition("/issuers/")[2] == self.ids[issuer].rpartition("/issuers/")[2]

    def list_url(self, issuer: str, number: str) -> str:
        """Return the address of a status list that a QR code names by its number alone."""
        return f"{self.ids[issuer].rpartition('/issuers/')[0]}/status/{number}"

    def issuer_of(self, text: str) -> str:
        """Return the code of the issuer whose key is named in a signed text."""
        key = self.keys.get(str(credentials.header_of(text).get("kid")))
        return key.issuer if key else ""


def read_trust(path: Path) -> TrustList:
    """Read a trust list from a file; raises ``Problem`` when it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return from_json(found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(
            "trust-list-form",
            "This is no trust list",
            detail=str(error)[:200],
            where=Where(file=str(path)),
            remedy="get one by: chengshu certificate trust-list > trust.json",
        ) from error


def from_json(found: Mapping[str, Any]) -> TrustList:
    """Return a trust list from its JSON value; raises ``ValueError`` or ``KeyError`` when it is none."""
    if found.get("format") != FORMAT:
        raise ValueError(f"format is not {FORMAT}")
    keys = {}
    for issuer in found["issuers"]:
        for key in issuer["keys"]:
            keys[key["kid"]] = TrustedKey(
                key["kid"], key["use"], issuer["code"], key["jwk"], key["certificate"], _at(key["since"]),
                _at(key["until"]), _maybe(key["retired_at"]), _maybe(key["compromised_at"]),
            )  # fmt: skip
    return TrustList(
        found["district"],
        _at(found["made_at"]),
        {issuer["code"]: issuer["name"] for issuer in found["issuers"]},
        {issuer["code"]: issuer["id"] for issuer in found["issuers"]},
        keys,
        dict(found["statuses"]),
    )


def merge(lists: list[TrustList]) -> TrustList:
    """Return one list out of several: another region's issuers are believed beside one's own."""
    first = lists[0]
    if len(lists) == 1:
        return first
    names: dict[str, Mapping[str, str]] = {}
    ids: dict[str, str] = {}
    keys: dict[str, TrustedKey] = {}
    statuses: dict[str, str] = {}
    for place, each in enumerate(lists):
        # Two districts both have a "health": further lists' issuers are told apart by their place.
        prefix = "" if place == 0 else f"{place}:"
        names |= {prefix + code: name for code, name in each.names.items()}
        ids |= {prefix + code: id_ for code, id_ in each.ids.items()}
        statuses |= each.statuses
        for kid, key in each.keys.items():
            keys.setdefault(kid, _renamed(key, prefix + key.issuer))
    return TrustList(first.district, first.made_at, names, ids, keys, statuses)


def _renamed(key: TrustedKey, issuer: str) -> TrustedKey:
    return TrustedKey(
        key.kid,
        key.use,
        issuer,
        key.jwk,
        key.certificate,
        key.since,
        key.until,
        key.retired_at,
        key.compromised_at,
    )


def _at(text: str) -> dt.datetime:
    return credentials.read_instant(text)


def _maybe(text: str | None) -> dt.datetime | None:
    return _at(text) if text else None
