"""Facts that only a record may say: what is typed counts for nothing where the source itself can answer.

A decision of seconds rests on such facts. ``prefill: {…, only: true}``: the source is asked again when the case is opened; its
value stands whatever was sent. Where it has none, an optional fact stays empty (the table hands over to a person), and a
required one keeps what was typed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.identity.api import Account
from chengshu.procedure.model import Field, Pack

# Where an answer came from: source, title by language, at (a day, or empty) and element; no value.
Origin = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sourced:
    """What a source says of a field, as the field takes it, and which source that is."""

    value: Any
    origin: Origin


# (pack, who asks, for which subject or "", the fields, the other answers, now) → field → what its source says.
FormFiller = Callable[
    [Pack, Account, str, Sequence[Field], Mapping[str, Any], dt.datetime], Mapping[str, Sourced]
]
_fillers: list[FormFiller] = []


@dataclass(frozen=True, slots=True)
class PartFacts:
    """Where the facts of a part came from, when it was opened: from sources of its own, or from its one-thing."""

    case_id: str
    parent_id: str
    said: Mapping[str, Origin]
    # Field → the fact of the one-thing that it rests on; empty where it rests on several, or on none.
    handed: Mapping[str, str]
    # How many facts the part has in all.
    facts: int
    now: dt.datetime


OriginKeeper = Callable[[PartFacts], None]
_keepers: list[OriginKeeper] = []


def register_form_filler(filler: FormFiller) -> None:
    """Say who reads what sources hold for the fields of a form, all of them in one look."""
    _fillers[:] = [filler]


def register_origin_keeper(keeper: OriginKeeper) -> None:
    """Say who keeps where the facts of a part came from."""
    _keepers[:] = [keeper]


def keep_origins(part: PartFacts) -> None:
    """Keep where the facts of a part came from."""
    for keeper in _keepers:
        keeper(part)


def filled(
    pack: Pack,
    fields: Sequence[Field],
    account: Account,
    subject_id: str,
    facts: Mapping[str, Any],
    now: dt.datetime,
) -> Mapping[str, Sourced]:
    """Return field → what its source says of a subject, for those that are known; read in one look."""
    return _fillers[0](pack, account, subject_id, fields, facts, now)


def only_sourced(
    pack: Pack,
    facts: Mapping[str, Any],
    account: Account,
    on_behalf: Mapping[str, Any] | None,
    now: dt.datetime,
) -> Mapping[str, Any]:
    """Return the facts with every fact that only a record may say as its source says it now."""
    return with_origins(pack, facts, account, on_behalf, now)[0]


def with_origins(
    pack: Pack,
    facts: Mapping[str, Any],
    account: Account,
    on_behalf: Mapping[str, Any] | None,
    now: dt.datetime,
) -> tuple[Mapping[str, Any], dict[str, Origin]]:
    """Return the facts as :func:`only_sourced` does, and where those came from that a record said."""
    left = {item.name: item for item in pack.facts.values() if item.prefill is not None and item.prefill.only}
    origins: dict[str, Origin] = {}
    if not left:
        return facts, origins
    subject_id = str((on_behalf or {}).get("subject_id") or "")
    found = dict(facts)
    while left:
        # A source that hangs on a fact is asked once that fact is what its own source says, never what was typed.
        ready = [item for item in left.values() if not _hangs_on(item, left)] or list(left.values())
        held = filled(pack, ready, account, subject_id, found, now)
        for item in ready:
            del left[item.name]
            if item.name in held:
                found[item.name] = held[item.name].value
                origins[item.name] = held[item.name].origin
            elif not item.required:
                found.pop(item.name, None)
    return found, origins


def _hangs_on(item: Field, others: Mapping[str, Field]) -> bool:
    assert item.prefill is not None
    read = {name.partition(".")[2] for value in item.prefill.params.values() for name in value.reads}
    return any(name in others for name in read if name != item.name)
