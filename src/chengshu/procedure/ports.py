"""The two seams: effects that a step asks for, and sources that fields are filled from.

A pack names them; each context offers handlers; ``site/wiring.py`` registers them; whoever runs a step calls them by
name. The declarations below are the protocol: names and typed parameters, so that a pack is checked before any
handler exists. A plug-in declares and registers through the same functions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from chengshu.kernel.problems import Problem
from chengshu.procedure.types import Type


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the account's id and name, and the pack's roles that they hold in this case."""

    id: str
    name: str
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EffectRequest:
    """What a handler gets. Inside effects run in the step's transaction; outside ones by the outbox."""

    case_id: str
    effect: str
    params: Mapping[str, Any]
    facts: Mapping[str, Any]
    data: Mapping[str, Any]
    actor: Actor
    now: dt.datetime
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What a source gets: which case, which field, and the parameters that the pack gives."""

    case_id: str
    field: str
    element: str
    params: Mapping[str, Any]
    now: dt.datetime
    # Whose matter it is where somebody acts for another; empty: the one who fills the form.
    subject_id: str = ""
    # Which pack asks: what it may use of a person's data hangs on it.
    pack: str = ""


class EffectHandler(Protocol):
    """Does the effect; what it returns is kept with the event (no personal data, please)."""

    def __call__(self, request: EffectRequest, /) -> Mapping[str, Any] | None:
        """Carry out one request."""
        ...


class SourceHandler(Protocol):
    """Returns the value that a field starts with, or ``None``."""

    def __call__(self, request: SourceRequest, /) -> Any:
        """Answer one request."""
        ...


@dataclass(frozen=True, slots=True)
class EffectSpec:
    """An effect as packs see it. ``inside``: its work is in our own database, exactly once with the step."""

    name: str
    params: Mapping[str, Type]
    inside: bool = True


@dataclass(slots=True)
class Registry:
    """What is declared and what is wired."""

    effects: dict[str, EffectSpec] = field(default_factory=dict)
    sources: dict[str, Mapping[str, Type]] = field(default_factory=dict)
    effect_handlers: dict[str, EffectHandler] = field(default_factory=dict)
    source_handlers: dict[str, SourceHandler] = field(default_factory=dict)

    def effect_handler(self, name: str) -> EffectHandler:
        """Return the handler of an effect; a missing one is a fault of the installation, said plainly."""
        if name not in self.effect_handlers:
            raise _not_wired("effect", name)
        return self.effect_handlers[name]

    def source_handler(self, name: str) -> SourceHandler:
        """Return the handler of a source."""
        if name not in self.source_handlers:
            raise _not_wired("source", name)
        return self.source_handlers[name]


def _not_wired(what: str, name: str) -> Problem:
    return Problem(
        f"{what}-not-wired",
        f"Nothing here answers the {what} {name!r}",
        remedy="register a handler in site/wiring.py",
        status=500,
    )


def _optional(kind: str) -> Type:
    return Type(kind, optional=True)


_TEXT = Type("text")

_DATE, _MAP = Type("date"), Type("map")
_TEXT_OR_NOT, _DATE_OR_NOT, _MAP_OR_NOT = _optional("text"), _optional("date"), _optional("map")

# A notice on the public pages: `kind` is a key under texts: public.
_PUBLIC = (
    EffectSpec("publish_notice", {"kind": _TEXT, "title": _TEXT, "until": _DATE_OR_NOT, "fields": _MAP}),
    EffectSpec("end_notice", {"kind": _TEXT}),
)
# No second case or entry under a key while one is open: a constraint of the database, refused as `register-taken`.
_REGISTERS = (
    EffectSpec("reserve_key", {"register": _TEXT, "key": _TEXT}),
    # What the case has reserved stays taken after its end: its grant is had only once. Freed when the grant is undone
    # by release_key, or with revoke_certificate.
    EffectSpec("keep_key", {"register": _TEXT}),
    EffectSpec("release_key", {"register": _TEXT}),
    EffectSpec(
        "register_entry",
        {
            "register": _TEXT,
            "key": _TEXT,
            "title": _TEXT,
            "valid_from": _DATE,
            "valid_to": _DATE_OR_NOT,
            "fields": _MAP,
        },
    ),
    EffectSpec(
        "update_entry",
        {
            "register": _TEXT,
            "title": _TEXT_OR_NOT,
            "valid_to": _DATE_OR_NOT,
            "holder": _TEXT_OR_NOT,
            "fields": _MAP_OR_NOT,
        },
    ),
    EffectSpec(
        "close_entry",
        {
            "register": _TEXT,
            "how": Type("choice", ("cancelled", "lapsed", "replaced", "transferred")),
            "reason": _TEXT_OR_NOT,
        },
    ),
)
# Always the certificate of that type of this case, or of its parent.
_CERTIFICATES = (
    EffectSpec(
        "issue_certificate",
        {
            "type": _TEXT,
            "holder": _TEXT,
            "holder_id": _TEXT_OR_NOT,
            "valid_from": _DATE,
            "valid_to": _DATE_OR_NOT,
            "claims": _MAP,
        },
    ),
    EffectSpec("renew_certificate", {"type": _TEXT, "valid_to": _DATE}),
    # A new holder: with number and account, or the certificate would stay on the page of the former one.
    EffectSpec(
        "change_certificate",
        {
            "type": _TEXT,
            "holder": _TEXT_OR_NOT,
            "holder_id": _TEXT_OR_NOT,
            "account": _TEXT_OR_NOT,
            "claims": _MAP_OR_NOT,
        },
    ),
    EffectSpec("suspend_certificate", {"type": _TEXT, "reason": _TEXT}),
    EffectSpec("resume_certificate", {"type": _TEXT, "reason": _TEXT_OR_NOT}),
    EffectSpec("revoke_certificate", {"type": _TEXT, "reason": _TEXT}),
)
_PEOPLE_AND_MONEY = (
    # The digest of a file becomes a leaf of the ledger, with a receipt.
    EffectSpec("deposit_evidence", {"name": _TEXT, "digest": _TEXT}),
    EffectSpec(
        "add_party", {"role": _TEXT, "account": _TEXT, "authority": _TEXT_OR_NOT, "until": _DATE_OR_NOT}
    ),
    EffectSpec("remove_party", {"role": _TEXT, "account": _TEXT}),
    EffectSpec(
        "order_payment", {"payee": _TEXT, "amount": Type("money"), "purpose": _TEXT, "account": _TEXT_OR_NOT}
    ),
    # `on_paid` is the command that the payment brings to the case.
    EffectSpec("request_fee", {"amount": Type("money"), "purpose": _TEXT, "on_paid": _TEXT}),
)
# By job, at least once under a stable key. `text` is a key under texts: messages, `template` a file of templates/.
_OUTSIDE = (
    EffectSpec(
        "send_message",
        {"to": _TEXT, "text": _TEXT, "channel": Type("choice", ("page", "email"), optional=True)},
        inside=False,
    ),
    EffectSpec("render_document", {"template": _TEXT, "title": _TEXT}, inside=False),
)

# Whom a child case is about.
WHOSE = ("parent", "actor", "assignee", "nobody")

registry = Registry(
    effects={
        spec.name: spec
        for spec in (
            # A confirmed or corrected value becomes the value in force, and a return to the source department.
            EffectSpec(
                "correct_fact",
                {
                    "subject_id": _TEXT,
                    "element": _TEXT,
                    "value": _TEXT,
                    "decision": Type("choice", ("confirmed", "corrected")),
                    "reason": _optional("text"),
                },
            ),
            # An address that the library lacks is proposed to it, never invented.
            EffectSpec("propose_address", {"text": _TEXT, "reason": _optional("text")}),
            # A child case; `on_end` is the command that its end brings to this case, `whose` says whom it is about: `parent`
            # (left out: as this case), `actor` (who takes the step), `assignee`, `nobody`; a fact subject_id says it first.
            EffectSpec(
                "open_case",
                {
                    "pack": _TEXT,
                    "department": _optional("text"),
                    "on_end": _optional("text"),
                    "assignee": _optional("text"),
                    "whose": Type("choice", WHOSE, optional=True),
                    "facts": Type("map"),
                },
            ),
            # A decision of rules alone that a reviewer found wrong: its case opens again (the command `reopen` of its
            # pack, by the system, where it has one), and whoever it is about is told.
            EffectSpec("reopen_decision", {"decided_case": _TEXT, "error": _TEXT}),
            # A message on the page of those who hold a role in the case; `text` is a key under texts: notices.
            EffectSpec("notify", {"role": _TEXT, "text": _TEXT}),
            *_PUBLIC,
            *_REGISTERS,
            *_CERTIFICATES,
            *_PEOPLE_AND_MONEY,
            *_OUTSIDE,
        )
    },
    sources={
        # A fact of the case itself, or what it keeps; the golden record of a subject; an attribute of who is signed in.
        "case_fact": {"name": _TEXT},
        "golden_record": {"subject_id": _optional("text"), "element": _TEXT},
        "account": {"account": _TEXT, "attribute": _TEXT},
        # An element of the golden record of the person that an account belongs to.
        "own_record": {"account": _TEXT, "element": _TEXT},
        # The newest answer that the same person gave to the same element in an earlier case of their own.
        "earlier_case": {"account": _TEXT, "element": _TEXT},
        # An element of the premises that a chosen address is; its owner masked.
        "premises": {"place_code": _optional("text"), "element": _TEXT},
        # Whether the applicant (`account`) or a place and its building (`place_code`) stands in a department's whole list;
        # with `since`, from that day on. A list that is down or old answers nothing.
        "listed": {
            "list": _TEXT,
            "account": _optional("text"),
            "place_code": _optional("text"),
            "since": _DATE_OR_NOT,
        },
        # A claim (or number, holder, valid_from, valid_to, issued_on) of their newest certificate of a type in force; with
        # `where`, of the only one that fits.
        "certificate": {"account": _TEXT, "type": _TEXT, "field": _TEXT},
    },
)


# Sources that may hold several of a kind for one person: `where` says which is meant.
SELECTING = ("certificate",)
# What packs can count on in every installation; plug-ins declare more.
built_in = Registry(dict(registry.effects), dict(registry.sources))


def declare_effect(spec: EffectSpec) -> None:
    """Add an effect to the protocol (a plug-in's own)."""
    registry.effects[spec.name] = spec


def declare_source(name: str, params: Mapping[str, Type]) -> None:
    """Add a source to the protocol."""
    registry.sources[name] = params


def register_effect(name: str, handler: EffectHandler) -> None:
    """Wire a handler; the effect must be declared."""
    if name not in registry.effects:
        raise Problem("effect-unknown", f"No effect is declared under the name {name!r}", status=500)
    registry.effect_handlers[name] = handler


def register_source(name: str, handler: SourceHandler) -> None:
    """Wire a source; it must be declared."""
    if name not in registry.sources:
        raise Problem("source-unknown", f"No source is declared under the name {name!r}", status=500)
    registry.source_handlers[name] = handler
