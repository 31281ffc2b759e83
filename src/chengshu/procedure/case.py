"""A case as the engine sees it, its events, and folding: events alone rebuild it, no expression is evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from chengshu.procedure.model import Transition
from chengshu.procedure.parts import PartState

RUNNING, SUSPENDED, EXPIRED, MET, LATE = "running", "suspended", "expired", "met", "late"
OPEN_TERMS = (RUNNING, SUSPENDED, EXPIRED)


class TermState(TypedDict):
    """One term of a case. Times are ISO texts in UTC; ``due_on`` is the legal day; both empty while it stands."""

    id: str
    round: int
    state: str
    started: str
    stops: list[list[str | None]]
    due_on: str | None
    due_at: str | None
    amber_at: str | None
    provisional: bool
    zh: str
    en: str
    # The day that the term runs to, where it was computed and not counted.
    until: NotRequired[str]


class EffectNote(TypedDict, total=False):
    """An effect as the event records it; personal parameters are named, not shown."""

    do: str
    key: str
    params: dict[str, Any]
    withheld: list[str]
    inside: bool
    result: Mapping[str, Any] | None


class Event(TypedDict, total=False):
    """What happened in one step; everything computed is in it, so folding computes nothing."""

    seq: int
    step: str
    command: str
    at: str
    actor: dict[str, str]
    role: str
    source: str | None
    target: str
    outcome: str
    # What a supervisor asks after: the step withdrew the case, or undid ("reversed") a decision taken before.
    turned: str
    data: dict[str, Any]
    withheld: list[str]
    sealed: str
    files: list[str]
    sets: dict[str, Any]
    decided: dict[str, Any]
    rows: dict[str, str]
    terms: list[TermState]
    tasks: list[str] | None
    effects: list[EffectNote]
    grounds: list[str]
    children: dict[str, str]
    parts: dict[str, PartState]
    # Of which part the step brought news, and what became of it.
    news: dict[str, str]
    on_behalf: dict[str, str]
    owner: dict[str, str]
    label: str
    department: str


@dataclass(slots=True)
class Case:
    """The folded state of a case. Treated as a value: ``apply`` returns a new one."""

    id: str
    pack: str = ""
    state: str = ""
    version: int = 0
    outcome: str = ""
    opened_by: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)
    terms: Mapping[str, TermState] = field(default_factory=dict)
    # Everyone who took a step, by step: four eyes look at all of them, not at the last one.
    acted: Mapping[str, list[str]] = field(default_factory=dict)
    children: Mapping[str, str] = field(default_factory=dict)
    # The instant of its opening, and what lists call it.
    opened_at: str = field(default="", compare=False)
    label: str = field(default="", compare=False)
    # What became of each part of a one-thing.
    parts: Mapping[str, PartState] = field(default_factory=dict)


@dataclass(slots=True)
class EffectCall:
    """An effect to run, with its parameters in clear."""

    name: str
    params: Mapping[str, Any]
    key: str
    inside: bool


@dataclass(slots=True)
class Outcome:
    """What one step brings: the event, the case after it, and what the store has to do."""

    event: Event
    case: Case
    step: Transition
    terms: list[TermState]
    # Roles that get a task, or None when the tasks stay as they are.
    tasks: tuple[str, ...] | None
    effects: list[EffectCall]
    grounds: tuple[str, ...]
    # Personal values of this step, for the erasable side table.
    personal: dict[str, Any]
    # The department that the pack gives a case which is opened without one.
    department: str = ""


def apply(case: Case, event: Event) -> Case:
    """Return the case after ``event``."""
    opened = case.version == 0
    sets, terms, children = event.get("sets"), event.get("terms"), event.get("children")
    parts = event.get("parts")
    data = event.get("data", {})
    acted = case.acted
    if not opened and event["actor"]["id"] not in acted.get(event["step"], ()):
        acted = {**acted, event["step"]: [*acted.get(event["step"], ()), event["actor"]["id"]]}
    return Case(
        case.id,
        case.pack,
        event["target"],
        event["seq"],
        event.get("outcome", case.outcome),
        event["actor"]["id"] if opened else case.opened_by,
        data if opened else case.facts,
        {**case.kept, **sets} if sets else case.kept,
        {**case.terms, **{term["id"]: term for term in terms}} if terms else case.terms,
        acted,
        {**case.children, **children} if children else case.children,
        event["at"] if opened else case.opened_at,
        event.get("label", case.label),
        {**case.parts, **parts} if parts else case.parts,
    )


def fold(case_id: str, pack: str, events: Iterable[Event]) -> Case:
    """Rebuild a case from its events."""
    case = Case(case_id, pack)
    for event in events:
        case = apply(case, event)
    return case
