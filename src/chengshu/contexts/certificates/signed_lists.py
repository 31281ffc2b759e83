"""Signed trust lists: what one region hands another. Signed by the district's authority; a new authority is handed over to
by the old one, so that whoever compared a fingerprint once need not do it again. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.certificates import credentials, suites

TYPE, HANDOVER = "trust-list+jwt", "trust-handover+jwt"


@dataclass(frozen=True, slots=True)
class SignedList:
    """An opened list: what it says, the thumbprint of the key that signed it, and of every key that handed over to it."""

    said: dict[str, Any]
    signer: str
    forerunners: frozenset[str]


def sign_list(said: Mapping[str, Any], key: suites.Key, forerunners: Sequence[suites.Key]) -> str:
    """Return a signed list. ``forerunners``: the authority's older keys; each says who comes after it."""
    signer = suites.thumbprint_of(key.as_dict(private=False))
    handovers = [
        suites.compact({"typ": HANDOVER}, json.dumps({"to": signer}).encode(), each) for each in forerunners
    ]
    payload = json.dumps({**said, "handovers": handovers}, ensure_ascii=False, separators=(",", ":")).encode()
    return suites.compact({"typ": TYPE}, payload, key)


def open_list(text: str) -> SignedList:
    """Open a list that is signed by an authority's key in it; raises ``ValueError`` otherwise.

    Whether that key is to be believed is not said here: the caller compares ``signer``.
    """
    header = credentials.header_of(text)
    if header.get("typ") != TYPE:
        raise ValueError("not a signed trust list")
    said = json.loads(suites.unb64(text.split(".")[1]))
    roots = {
        str(key["kid"]): key["jwk"]
        for issuer in said["issuers"]
        for key in issuer["keys"]
        if key["use"] == "authority"
    }
    jwk = roots.get(str(header.get("kid")))
    if jwk is None:
        raise ValueError("signed by nobody in it")
    credentials.open_signed(text, jwk)
    signer = suites.thumbprint_of(jwk)
    forerunners = {_forerunner(each, roots, signer) for each in said.pop("handovers", [])}
    return SignedList(said, signer, frozenset(forerunners - {""}))


def _forerunner(text: str, roots: Mapping[str, Any], signer: str) -> str:
    """Return the thumbprint of an older key that names this signer as its follower; empty when it does not."""
    header = credentials.header_of(text)
    jwk = roots.get(str(header.get("kid")))
    if jwk is None or header.get("typ") != HANDOVER:
        return ""
    said = credentials.open_signed(text, jwk)
    return suites.thumbprint_of(jwk) if said.get("to") == signer else ""
