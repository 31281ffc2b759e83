"""What the context speaks of, without Django: owners, openings, rows of lists, the view of a case."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOBODY = "nobody"
OPERATORS = "role:operator"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


_drawing = threading.Lock()
_drawn: list[Any] = [0, set()]


def new_case_id(now: dt.datetime) -> str:
    """Return an id that sorts by time and cannot be guessed: ``C`` + 9 characters of time + 7 random ones.

    A build opens a hundred thousand cases at one ``now``, where one build in a dozen would draw a number twice: what
    this process drew for that instant is not given again.
    """
    instant = int(now.timestamp() * 1000)
    with _drawing:
        if instant != _drawn[0]:
            _drawn[:] = [instant, set()]
        drawn = secrets.randbits(35)
        while drawn in _drawn[1]:
            drawn = secrets.randbits(35)
        _drawn[1].add(drawn)
    value = (instant << 35) | drawn
    return "C" + "".join([_PAIRS[(value >> shift) & 1023] for shift in range(70, -1, -10)])


def account_owner(account_id: int | str) -> str:
    """Return how a task names an account as its owner."""
    return f"account:{account_id}"


def owner_account(owner: str) -> int | None:
    """Return the account of an owner, or ``None`` when it is a queue."""
    kind, _, rest = owner.partition(":")
    return int(rest) if kind == "account" else None


@dataclass(frozen=True, slots=True)
class Opening:
    """A case to open. ``idempotency_key`` names the finding: the same key never opens a second case."""

    facts: Mapping[str, Any]
    idempotency_key: str
    subject_id: str | None = None
    cell_code: str | None = None
    department: str | None = None
    # The account (its number) that the case is opened for, where the pack has a role held by the assignee.
    assignee: str = ""
    # Whose matter it is, where the opener acts for another: subject_id, by (mandate, window), mandate.
    on_behalf: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OpenedMany:
    """What a bulk opening did: how many are new, how many were there, and the case of each key."""

    opened: int
    existing: int
    case_ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FileIn:
    """A file as it was sent."""

    name: str
    content: bytes
    field: str = "photo"


@dataclass(frozen=True, slots=True)
class Light:
    """A light with its words: colour never stands alone. ``days`` are the workdays left, negative when late."""

    colour: str
    zh: str
    en: str
    days: int | None = None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One line of a work list."""

    task_id: int
    case_id: str
    pack: str
    title: dict[str, str]
    state: dict[str, str]
    role: dict[str, str]
    area: str
    cell_code: str
    department: str
    owner: str
    owner_name: str
    due_at: dt.datetime | None
    light: Light
    opened_at: dt.datetime
    # Whom the case is about, or for whom it was opened.
    subject_id: str


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of a work list, with counts by light over all of it; ``more``: there are more than were counted."""

    rows: list[TaskRow]
    total: int
    page: int
    pages: int
    counts: Mapping[str, int]
    more: bool = False
    # The key of the last row: the next page begins behind it, however far down the list.
    last: str = ""
    # The lights of which there are more than were counted.
    cut: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TermView:
    """A term as people see it."""

    id: str
    title: dict[str, str]
    state: str
    due_on: str | None
    light: Light
    arithmetic: dict[str, str]
    provisional: bool
    cite: list[Ground]


@dataclass(frozen=True, slots=True)
class Ground:
    """An article that a step rests on, readable without looking it up."""

    key: str
    citation: dict[str, str]
    gist: dict[str, str]


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field of a form, ready to draw."""

    name: str
    kind: str
    label: dict[str, str]
    help: dict[str, str]
    required: bool
    choices: list[tuple[str, dict[str, str]]]
    value: Any
    accept: str
    most: int
    long: bool
    element: str
    # Columns of `rows`; the message of `check`; where the first value came from; whether it depends on other answers.
    columns: list[FieldView] = field(default_factory=list)
    format: str = ""
    check: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)
    conditional: bool = False
    cite: list[Ground] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CommandView:
    """A command that the viewer may give now, with its form and its ground."""

    name: str
    title: dict[str, str]
    help: dict[str, str]
    fields: list[FieldView]
    grounds: list[Ground]


@dataclass(frozen=True, slots=True)
class EventView:
    """One step of the history as a sentence."""

    seq: int
    at: dt.datetime
    sentence: dict[str, str]
    grounds: list[Ground]
    note: str
    files: list[FileView]
    leaf_id: int
    step: str
    # Where the case stood after it; what was answered, by label.
    target: str = ""
    answers: list[tuple[dict[str, str], Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of the case."""

    id: int
    name: str
    media_type: str
    size: int
    digest: str
    erased: bool
    # Which scanner looked at it; empty when none did.
    scanned: str = ""


@dataclass(frozen=True, slots=True)
class ValueView:
    """One of the competing values, with who holds it."""

    value: str
    source: str
    source_title: str
    at: str


@dataclass(frozen=True, slots=True)
class ChildView:
    """A child case: its number, what it is about and where it stands."""

    case_id: str
    title: dict[str, str]
    state: dict[str, str]
    department: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as one page or one API answer shows it."""

    case_id: str
    pack: str
    pack_title: dict[str, str]
    pack_version: str
    version: int
    title: dict[str, str]
    reason: dict[str, str]
    state: str
    state_title: dict[str, str]
    outcome: str
    outcome_title: dict[str, str]
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    subject_id: str
    cell_code: str
    area: str
    department: str
    facts: list[tuple[str, dict[str, str], Any]]
    values: list[ValueView]
    address: str
    point: tuple[str, str] | None
    grounds: list[Ground]
    terms: list[TermView]
    owners: list[tuple[dict[str, str], str]]
    commands: list[CommandView]
    events: list[EventView]
    children: list[ChildView]
    parent: str | None
    withheld: bool
    erased: bool
    may_reassign: bool
    element: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    # For whom and on what ground the opener acts; empty in one's own matters.
    on_behalf: Mapping[str, Any] = field(default_factory=dict)
    # Its children are the parts that were applied for together, not matters handed on.
    one_thing: bool = False
