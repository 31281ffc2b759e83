"""A trust list: whom a verifier believes, and how their certificates stood. A JSON file that works without any network. Pure."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chengshu.contexts.certificates import credentials, data_model, token_status
from chengshu.contexts.certificates.domain import series_of, type_name
from chengshu.contexts.certificates.signatures import domain as signatures
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.terms import legal_day

FORMAT = "chengshu-trust/1"
SIGNING = ("credential", "sm2")


@dataclass(frozen=True, slots=True)
class Recognition:
    """How far another region's issuers are believed: which types, from which day to which. Both ends count."""

    region: str
    name: Mapping[str, str]
    types: frozenset[str]
    valid_from: dt.date
    valid_to: dt.date
    withdrawn: bool = False

    def refusal(self, types: frozenset[str], on: dt.date) -> str:
        """Return why nothing of these types counts on a day; empty when it does."""
        if self.withdrawn:
            return "region-withdrawn"
        if on > self.valid_to:
            return "region-over"
        if on < self.valid_from:
            return "region-not-yet"
        return "" if types & self.types else "out-of-scope"


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
    # None: an issuer of one's own, believed in everything.
    recognition: Recognition | None = None

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
    # Where several lists are believed: the status lists that came with each issuer. Nobody speaks for another's.
    lists: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # Whose certificates count for the signatures of persons and firms.
    signers: signatures.Believed = field(default_factory=signatures.Believed)

    def lists_of(self, issuer: str) -> Mapping[str, str]:
        """Return the status lists that count for an issuer."""
        return self.lists.get(issuer, self.statuses)

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
            lists = self.lists_of(issuer)
            text = lists.get(f"{list_id}/{purpose}") or lists.get(f"{moved}/{purpose}")
            if text is None:
                return None
            body = self.open_credential(text)
            if self.issuer_of(text) != issuer:
                raise ValueError("wrong-issuer")
            _conforming(body)
            if _list_number(str(body.get("id", ""))) != _list_number(f"{list_id}/{purpose}"):
                raise ValueError("wrong-list")
            if body["credentialSubject"]["statusPurpose"] != purpose:
                # Bitstring Status List 1.0, section 3.2: a list speaks for its own purpose alone.
                raise ValueError("wrong-list")
            bits[purpose] = credentials.read_bit(body["credentialSubject"]["encodedList"], index)
            made.append(credentials.read_instant(body["validFrom"]))
            fresh = fresh and now <= credentials.read_instant(body["validUntil"])
        return Status(bits["revocation"], bits["suspension"], min(made), fresh)

    def token_status(self, issuer: str, uri: str, index: int, now: dt.datetime) -> Status | None:
        """Return what the token status list here says of a place; ``None`` when the list is not here."""
        moved = self.list_url(issuer, uri.rpartition("/status/")[2])
        text = self.lists_of(issuer).get(uri) or self.lists_of(issuer).get(moved)
        if text is None:
            return None
        body = self.open_credential(text)
        if credentials.header_of(text).get("typ") != token_status.TYPE or self.issuer_of(text) != issuer:
            raise ValueError("wrong-issuer")
        if _list_number(str(body.get("sub", ""))) != _list_number(uri):
            # An issuer's lists are all signed alike: the clean one must not stand in for another.
            raise ValueError("wrong-list")
        value = token_status.read(body["status_list"], index)
        made = dt.datetime.fromtimestamp(int(body["iat"]), dt.UTC)
        fresh = now.timestamp() <= int(body.get("exp", 0))
        return Status(
            value not in (token_status.VALID, token_status.SUSPENDED),
            value == token_status.SUSPENDED,
            made,
            fresh,
        )

    def refusal(self, issuer_key: str, types: frozenset[str], now: dt.datetime) -> str:
        """Return why what a key signed does not count here: its region is not recognised for this, or no longer."""
        key = self.keys[issuer_key]
        if key.recognition is None:
            return ""
        return key.recognition.refusal(types, legal_day(now))

    def codes(self, issuer_key: str, said: str) -> frozenset[str]:
        """Return the codes of types that a credential's class, its ``vct`` or a number's series may stand for."""
        key = self.keys[issuer_key]
        known = key.recognition.types if key.recognition else frozenset()
        plain = said.rpartition("/")[2]
        return frozenset({plain}) | {code for code in known if said in (type_name(code), series_of(code))}

    def open_credential(self, text: str) -> dict[str, Any]:
        """Return a signed payload; raises ``ValueError`` unless a trusted credential key signed it while in use."""
        header = credentials.header_of(text)
        key = self.keys.get(str(header.get("kid")))
        if key is None or key.use not in SIGNING:
            raise ValueError("unknown-key")
        body = credentials.open_signed(text, key.jwk)
        at = dt.datetime.fromtimestamp(int(body.get("iat", 0)), dt.UTC)
        if not key.signed_in_time(at):
            raise ValueError("key-not-in-use")
        issuer = body.get("issuer") or body.get("iss")
        named = issuer.get("id") if isinstance(issuer, dict) else issuer
        # A QR code names no issuer: its key does.
        if (issuer is not None or header.get("typ") in ("vc+jwt", "dc+sd-jwt")) and not self._is(
            str(named), key.issuer
        ):
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
    """Read a trust list from a file, plain or signed; raises ``Problem`` when it is none."""
    try:
        text = path.read_text(encoding="utf-8").strip()
        if text.startswith("{"):
            return from_json(json.loads(text))
        from chengshu.contexts.certificates import signed_lists

        return from_json(signed_lists.open_list(text).said)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(
            "trust-list-form",
            "This is no trust list",
            detail=str(error)[:200],
            where=Where(file=str(path)),
            remedy="get one by: chengshu certificate trust-list > trust.json",
        ) from error


def from_json(found: Mapping[str, Any], recognition: Recognition | None = None) -> TrustList:
    """Return a trust list from its JSON value; raises ``ValueError`` or ``KeyError`` when it is none.

    The regions that it recognises come with it, each within its types and its days.
    """
    if found.get("format") != FORMAT:
        raise ValueError(f"format is not {FORMAT}")
    keys = {}
    for issuer in found["issuers"]:
        for key in issuer["keys"]:
            keys[key["kid"]] = TrustedKey(
                key["kid"], key["use"], issuer["code"], key["jwk"], key["certificate"], _at(key["since"]),
                _at(key["until"]), _maybe(key["retired_at"]), _maybe(key["compromised_at"]), recognition,
            )  # fmt: skip
    own = TrustList(
        found["district"],
        _at(found["made_at"]),
        {issuer["code"]: issuer["name"] for issuer in found["issuers"]},
        {issuer["code"]: issuer["id"] for issuer in found["issuers"]},
        keys,
        dict(found["statuses"]),
        # Whom another region lets sign is its own affair too.
        signers=signatures.Believed() if recognition else signatures.from_json(found),
    )
    # What a recognised region recognises in its turn is its own affair: trust is not handed on.
    regions = [] if recognition else found.get("regions", [])
    return merge([own, *(from_json(each["list"], recognition_of(each)) for each in regions)])


def recognition_of(said: Mapping[str, Any]) -> Recognition:
    """Return how far a region is recognised, from its JSON value."""
    return Recognition(
        str(said["code"]), dict(said["name"]), frozenset(said["types"]), dt.date.fromisoformat(said["valid_from"]),
        dt.date.fromisoformat(said["valid_to"]), bool(said.get("withdrawn")),
    )  # fmt: skip


def merge(lists: list[TrustList]) -> TrustList:
    """Return one list out of several: another region's issuers are believed beside one's own."""
    first = lists[0]
    if len(lists) == 1:
        return first
    names: dict[str, Mapping[str, str]] = {}
    ids: dict[str, str] = {}
    keys: dict[str, TrustedKey] = {}
    lists_of: dict[str, Mapping[str, str]] = {}
    for place, each in enumerate(lists):
        # Two districts both have a "health": further lists' issuers are told apart by their place.
        prefix = "" if place == 0 else f"{place}:"
        names |= {prefix + code: name for code, name in each.names.items()}
        ids |= {prefix + code: id_ for code, id_ in each.ids.items()}
        lists_of |= {prefix + code: each.lists_of(code) for code in each.names}
        for kid, key in each.keys.items():
            # Whoever comes first keeps a key: nobody can take another's by listing it.
            keys.setdefault(kid, replace(key, issuer=prefix + key.issuer))
    signers = sum((each.signers for each in lists[1:]), first.signers)
    return TrustList(first.district, first.made_at, names, ids, keys, first.statuses, lists_of, signers)


def _conforming(body: Mapping[str, Any]) -> None:
    try:
        data_model.check(body)
    except data_model.Malformed as error:
        raise ValueError("list-malformed") from error


def _list_number(address: str) -> str:
    """Return which list of its issuer an address names; the host may have moved since."""
    return address.rpartition("/status/")[2]


def _at(text: str) -> dt.datetime:
    return credentials.read_instant(text)


def _maybe(text: str | None) -> dt.datetime | None:
    return _at(text) if text else None
