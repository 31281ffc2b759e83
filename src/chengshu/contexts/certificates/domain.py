"""What a certificate, a register entry and a verdict are; which acts are allowed when. No Django here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chengshu.kernel import masking
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day

# What the credential is called inside a sealed PDF.
ATTACHMENT = "credential.vc.jwt"
LEAST_OF_ORGANISATION = 5
ACTIVE, SUSPENDED, REVOKED, EXPIRED, REPLACED = "active", "suspended", "revoked", "expired", "replaced"
# Act → the states that it may be done in, and the state after it (None: as it was).
ACTS: Mapping[str, tuple[frozenset[str], str | None]] = {
    "renew": (frozenset({ACTIVE}), None),
    "change": (frozenset({ACTIVE, SUSPENDED}), None),
    "suspend": (frozenset({ACTIVE}), SUSPENDED),
    "resume": (frozenset({SUSPENDED}), ACTIVE),
    "revoke": (frozenset({ACTIVE, SUSPENDED}), REVOKED),
}
WORDS_OF_STATE = {
    ACTIVE: {"zh": "有效", "en": "in force"},
    SUSPENDED: {"zh": "已暂停", "en": "suspended"},
    REVOKED: {"zh": "已撤销", "en": "revoked"},
    EXPIRED: {"zh": "已过期", "en": "expired"},
    REPLACED: {"zh": "已被新证替换", "en": "replaced by a newer one"},
    "pending": {"zh": "尚未生效", "en": "not yet in force"},
    "unknown": {"zh": "状态未知", "en": "status unknown"},
}


def state_after(act: str, state: str) -> str:
    """Return the state after an act; raises ``Problem`` where the act is not allowed."""
    allowed, after = ACTS[act]
    if state not in allowed:
        raise Problem(
            "certificate-state",
            "这份证照现在不能这样办理",
            detail=f"{act}: {state}",
            remedy=f"允许的状态：{'、'.join(sorted(allowed))}",
            status=409,
        )
    return after or state


def effective_state(state: str, valid_from: dt.date, valid_to: dt.date | None, on: dt.date) -> str:
    """Return how a certificate stands on a day: its state, or that its time has not come or has passed."""
    if state not in (ACTIVE, SUSPENDED):
        return state
    if valid_to is not None and on > valid_to:
        return EXPIRED
    if on < valid_from:
        return "pending"
    return state


def check_validity(valid_from: dt.date, valid_to: dt.date | None) -> None:
    """Refuse a validity that ends before it begins."""
    if valid_to is not None and valid_to < valid_from:
        raise Problem(
            "validity-reversed", "有效期的止日早于起日", detail=f"{valid_from} – {valid_to}", status=422
        )


def number_of(series: str, year: int, serial: int) -> str:
    """Return a certificate's number: type, year of issue, gapless serial."""
    return f"{series}-{year}-{serial:06d}"


def series_of(type_: str) -> str:
    """Return what a type's numbers begin with: the initials of its words, or the word, in capitals."""
    words = [part for part in type_.upper().replace("_", "-").split("-") if part]
    return "".join(word[0] for word in words) if len(words) > 1 else (words[0][:6] if words else "CERT")


def type_name(type_: str) -> str:
    """Return a type as a credential's class: ``data-ip`` → ``DataIpCertificate``."""
    name = "".join(part.capitalize() for part in type_.replace("_", "-").split("-"))
    return name if name.endswith("Certificate") else f"{name}Certificate"


def mask_holder(name: str, holder_id: str = "") -> str:
    """Return a holder as it stands in public: an organisation whole, a person by the family name alone.

    ``holder_id`` tells which it is. Without one a name is an organisation's only where it can be no person's: five Chinese
    characters at least, and neither Latin letters alone nor the dot that parts the names of a person.
    """
    person = holder_id.startswith("P")
    if not holder_id:
        person = len(name) < LEAST_OF_ORGANISATION or name.isascii() or any(dot in name for dot in "·•・")
    return masking.mask_name(name) if person and name else name


def mask_number(text: str) -> str:
    """Return a personal or credit number as it may be kept and shown: its first three and last four characters."""
    return text[:3] + "*" * (len(text) - 7) + text[-4:] if len(text) > 9 else "*" * len(text)


def day_of(value: Any) -> dt.date:
    """Return a date out of an effect's parameter (a date, or ISO text where JSON carried it)."""
    if isinstance(value, dt.datetime):
        return legal_day(value)
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def optional_day(value: Any) -> dt.date | None:
    """Return a date or ``None``."""
    return None if value in (None, "") else day_of(value)


@dataclass(slots=True)
class Verdict:
    """What a verification found. ``genuine``: by a known issuer and unchanged. ``in_force`` is None when that is unknown.

    ``reasons`` says, in both languages, why it is refused or not in force; ``notes`` what the verdict rests on.
    """

    kind: str
    genuine: bool = False
    in_force: bool | None = None
    state: str = "unknown"
    issuer: str = ""
    issuer_name: dict[str, str] = field(default_factory=dict)
    type: str = ""
    title: str = ""
    number: str = ""
    holder: str = ""
    valid_from: str = ""
    valid_to: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    demo: bool = False
    # Another region's name, where its issuer is recognised here.
    region: dict[str, str] = field(default_factory=dict)
    # Of a presentation: for whom and until when the holder showed it; whether the holder's key has signed that.
    shown_to: str = ""
    shown_until: str = ""
    bound: bool | None = None
    reasons: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)
    # Of a file that persons or firms have signed: what each signature is worth (signatures.domain.SignatureFound).
    signatures: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, zh: str, en: str) -> Verdict:
        """Note why it is no genuine certificate of ours."""
        self.genuine, self.in_force = False, False
        self.reasons.append({"zh": zh, "en": en})
        return self

    def note(self, zh: str, en: str) -> None:
        """Note what the verdict rests on."""
        self.notes.append({"zh": zh, "en": en})

    @property
    def ok(self) -> bool:
        """Return whether it is genuine and in force."""
        return self.genuine and self.in_force is True
