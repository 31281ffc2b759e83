"""Whom we believe that a signature is whose: recognised certification authorities, and what was found. Pure."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509

JURISDICTIONS: Mapping[str, Mapping[str, str]] = {
    "CN-GD": {"zh": "广东", "en": "Guangdong"},
    "HK": {"zh": "香港", "en": "Hong Kong"},
    "MO": {"zh": "澳门", "en": "Macao"},
}
IN_FORCE, SUSPENDED, WITHDRAWN, NOT_YET, OVER = "in-force", "suspended", "withdrawn", "not-yet", "over"
STATES: Mapping[str, Mapping[str, str]] = {
    IN_FORCE: {"zh": "认可中", "en": "recognised"},
    SUSPENDED: {"zh": "已暂停", "en": "suspended"},
    WITHDRAWN: {"zh": "已停止", "en": "withdrawn"},
    NOT_YET: {"zh": "尚未开始", "en": "not begun"},
    OVER: {"zh": "已到期", "en": "over"},
}
PERSON, ORGANISATION = "person", "organisation"
HOLDERS: Mapping[str, Mapping[str, str]] = {
    PERSON: {"zh": "个人", "en": "person"},
    ORGANISATION: {"zh": "机构", "en": "organisation"},
}
RECOGNISED, DOUBTFUL, REFUSED = "recognised", "doubtful", "refused"
OUTCOMES: Mapping[str, Mapping[str, str]] = {
    RECOGNISED: {"zh": "签名可靠，已认可", "en": "recognised"},
    DOUBTFUL: {"zh": "签名成立，尚有疑点", "en": "in doubt"},
    REFUSED: {"zh": "签名不予认可", "en": "not recognised"},
}


@dataclass(frozen=True, slots=True)
class Change:
    """From when on an authority stands otherwise, and on what ground."""

    state: str
    at: dt.datetime
    ground: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells a class of certificates: a policy's number, or ``O=…`` or ``OU=…`` as it stands in the subject."""

    holder: str
    said: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A certification authority on the list: its certificates, which of its certificates count, since and until when, why."""

    code: str
    name: Mapping[str, str]
    jurisdiction: str
    # PEM; the one that signs people's certificates must be among them, and the roots above it.
    certificates: tuple[str, ...]
    # The number of the mutual-recognition policy, without the nodes of its version: it and all below it count.
    policy: str
    marks: tuple[Mark, ...]
    valid_from: dt.date
    valid_to: dt.date | None
    ground: str
    changes: tuple[Change, ...] = ()
    demo: bool = False

    def standing(self, at: dt.datetime) -> str:
        """Return how it stood at an instant; both ends of its term count, by the days of China."""
        last = max((each for each in self.changes if each.at <= at), key=lambda each: each.at, default=None)
        if last is not None and last.state != IN_FORCE:
            return last.state
        on = at.astimezone(dt.timezone(dt.timedelta(hours=8))).date()
        if on < self.valid_from:
            return NOT_YET
        return OVER if self.valid_to is not None and on > self.valid_to else IN_FORCE


# (a certificate, its issuer's) → the revocation lists (DER) that are needed to know how it stood and stands.
Lookup = Callable[[x509.Certificate, x509.Certificate], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Believed:
    """The list of recognised authorities, and revocation lists (DER): those at hand, and where to ask for more."""

    authorities: tuple[Authority, ...] = ()
    revocations: tuple[bytes, ...] = ()
    lookups: tuple[Lookup, ...] = ()

    def __add__(self, other: Believed) -> Believed:
        """Return both: several trust lists are believed together; whoever comes first keeps a code."""
        known = {each.code for each in self.authorities}
        more = tuple(each for each in other.authorities if each.code not in known)
        return Believed(
            self.authorities + more, self.revocations + other.revocations, self.lookups + other.lookups
        )

    def lists_for(self, certificate: x509.Certificate, issuer: x509.Certificate) -> tuple[bytes, ...]:
        """Return the revocation lists that may speak of a certificate."""
        asked = (found for lookup in self.lookups for found in lookup(certificate, issuer))
        return (*self.revocations, *asked)


@dataclass(slots=True)
class SignatureFound:
    """One signature of a file: whose, under which authority, and whether it counts here; persons masked."""

    outcome: str = RECOGNISED
    signer: str = ""
    organisation: str = ""
    holder: str = ""
    # Of an authority that is not on the list: what its certificate calls it.
    authority: str = ""
    authority_name: dict[str, str] = field(default_factory=dict)
    jurisdiction: str = ""
    ground: str = ""
    signed_at: str = ""
    demo: bool = False
    reasons: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)

    def refuse(self, zh: str, en: str) -> SignatureFound:
        """Note why it does not count."""
        self.outcome = REFUSED
        self.reasons.append({"zh": zh, "en": en})
        return self

    def doubt(self, zh: str, en: str) -> None:
        """Note what cannot be known from what is held; a refusal stays one."""
        if self.outcome == RECOGNISED:
            self.outcome = DOUBTFUL
        self.reasons.append({"zh": zh, "en": en})

    def note(self, zh: str, en: str) -> None:
        """Note what the finding rests on."""
        self.notes.append({"zh": zh, "en": en})


def sentence(found: Mapping[str, Any]) -> dict[str, str]:
    """Return a finding as one sentence: signed by whom, recognised under what, or why not."""
    who = {
        "zh": found["organisation"] or found["signer"] or "不明",
        "en": found["organisation"] or found["signer"] or "unknown",
    }
    if found["organisation"] and found["signer"]:
        who = {
            "zh": f"{found['organisation']}（{found['signer']}）",
            "en": f"{found['organisation']} ({found['signer']})",
        }
    place = JURISDICTIONS.get(found["jurisdiction"], {"zh": "", "en": ""})
    name = found["authority_name"] or {"zh": "不明机构", "en": "an unknown authority"}
    at = f"{found['signed_at']} " if found["signed_at"] else ""
    said = {
        "zh": f"{at}由 {who['zh']} 签名，证书：{name['zh']}{'（' + place['zh'] + '）' if place['zh'] else ''}",
        "en": f"{at}signed by {who['en']}, certificate of {name['en']}{' (' + place['en'] + ')' if place['en'] else ''}",
    }
    if found["outcome"] == RECOGNISED and found["ground"]:
        return {
            "zh": f"{said['zh']}；认可依据：{found['ground']}",
            "en": f"{said['en']}; recognised under {found['ground']}",
        }
    why = found["reasons"]
    return {
        "zh": f"{said['zh']}；{'；'.join(each['zh'] for each in why)}" if why else said["zh"],
        "en": f"{said['en']}; {'; '.join(each['en'] for each in why)}" if why else said["en"],
    }


def to_json(believed: Believed) -> dict[str, Any]:
    """Return the list for an offline verifier's trust list."""
    return {
        "signature_authorities": [
            {
                "code": each.code,
                "name": dict(each.name),
                "jurisdiction": each.jurisdiction,
                "certificates": list(each.certificates),
                "policy": each.policy,
                "marks": [{"holder": mark.holder, "said": mark.said} for mark in each.marks],
                "valid_from": each.valid_from.isoformat(),
                "valid_to": each.valid_to.isoformat() if each.valid_to else None,
                "ground": each.ground,
                "changes": [
                    {"state": change.state, "at": change.at.isoformat(), "ground": change.ground}
                    for change in each.changes
                ],
                "demo": each.demo,
            }
            for each in believed.authorities
        ],
        "revocation_lists": [base64.b64encode(each).decode("ascii") for each in believed.revocations],
    }


def from_json(said: Mapping[str, Any]) -> Believed:
    """Return the list from an offline verifier's trust list; older trust lists name none."""
    return Believed(
        tuple(_authority(each) for each in said.get("signature_authorities", ())),
        tuple(base64.b64decode(each) for each in said.get("revocation_lists", ())),
    )


def _authority(said: Mapping[str, Any]) -> Authority:
    return Authority(
        str(said["code"]), dict(said["name"]), str(said["jurisdiction"]), tuple(said["certificates"]), str(said["policy"]),
        tuple(Mark(each["holder"], each["said"]) for each in said["marks"]), dt.date.fromisoformat(said["valid_from"]),
        dt.date.fromisoformat(said["valid_to"]) if said["valid_to"] else None, str(said["ground"]),
        tuple(_change(each) for each in said["changes"]), bool(said.get("demo")),
    )  # fmt: skip


def _change(said: Mapping[str, Any]) -> Change:
    return Change(str(said["state"]), dt.datetime.fromisoformat(said["at"]), str(said.get("ground", "")))


def outcome_of(found: Sequence[SignatureFound]) -> str:
    """Return how a file stands: as its weakest signature."""
    outcomes = {each.outcome for each in found}
    return next((each for each in (REFUSED, DOUBTFUL) if each in outcomes), RECOGNISED)
