"""What a supervisor asks of all cases: what is late, what ends soon, what was withdrawn or reversed, and on what ground."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from chengshu.contexts.cases import packs, queries
from chengshu.contexts.cases.domain import Ground, Light
from chengshu.contexts.cases.lights import light
from chengshu.contexts.cases.models import Case, CaseEvent, PackVersion
from chengshu.contexts.cases.presenting import sentence_of
from chengshu.contexts.cases.wording import both, child_end, ground, grounds, outcomes_in_words
from chengshu.procedure.model import ENDED, ENTRY, REVERSED, WITHDRAWN, Pack

WINDOW = dt.timedelta(days=90)
PAGE = 25
# How many cases of a file are looked up together.
AT_ONCE = 500
OVERDUE, SOON, OPEN = "overdue", "soon", "open"
KINDS = (OVERDUE, SOON, OPEN, WITHDRAWN, REVERSED, ENDED)
# Packs say which steps withdraw a case or undo a decision (`outcome_kind`, `reverses`); each case knows its last one.
TURNED = (WITHDRAWN, REVERSED)


@dataclass(frozen=True, slots=True)
class PackStanding:
    """How the cases of one pack stand."""

    pack: str
    title: dict[str, str]
    open: int
    overdue: int
    soon: int
    ended: int
    withdrawn: int
    reversed: int


@dataclass(frozen=True, slots=True)
class Cause:
    """A step that withdrew cases or undid decisions: how often, to what end, and the articles it rests on."""

    pack: str
    pack_title: dict[str, str]
    step: dict[str, str]
    outcome: dict[str, str]
    grounds: list[Ground]
    count: int


@dataclass(frozen=True, slots=True)
class Supervised:
    """A case in a supervisor's list; a sentence of its history says why: of the step that turned it, else of the last."""

    case_id: str
    pack: str
    title: dict[str, str]
    state: dict[str, str]
    department: str
    light: Light | None
    closed_at: dt.datetime | None
    why: dict[str, str]
    grounds: list[Ground]
    # Whom the case is about, or for whom it was opened.
    subject_id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What to list."""

    kind: str = OVERDUE
    pack: str = ""
    department: str = ""
    article: str = ""


def standing(now: dt.datetime) -> list[PackStanding]:
    """Return how the cases of each pack stand; as many queries for fifty packs as for one, each along an index."""
    running = _running()
    waiting = Case.objects.filter(pack__in=running, closed_at=None)
    count, late, soon = (
        Counter(dict(found.order_by().values_list("pack").annotate(Count("pk"))))
        for found in (waiting, waiting.filter(due_at__lte=now), waiting.filter(_soon(now)))
    )
    closed = Case.objects.filter(pack__in=running, closed_at__gte=now - WINDOW).order_by()
    ended = Counter(dict(closed.values_list("pack").annotate(Count("pk"))))
    ends = Counter[tuple[str, str]]()
    for name, turned, number in _turned(now).order_by().values_list("pack", "turned").annotate(Count("pk")):
        ends[name, turned] = number
    return [
        PackStanding(
            name, both(pack, "title"), count[name], late[name], soon[name], ended[name],
            ends[name, WITHDRAWN], ends[name, REVERSED],
        )
        for name, pack in running.items()
    ]  # fmt: skip


def _running() -> dict[str, Pack]:
    """Return the packs of which a version serves new cases, by name."""
    rows = PackVersion.objects.filter(current=True).order_by("pack").values_list("pack", "pk", "hash")
    return {pack: packs.pinned(pk, hash_).pack for pack, pk, hash_ in rows}


def _turned(now: dt.datetime, kinds: Sequence[str] = TURNED) -> QuerySet[Case]:
    """Return the cases that were withdrawn, or of which a decision was undone, lately: open ones too, when opened again."""
    # Why `turned` is not empty stands twice: the index covers such rows alone, and both databases look for its words.
    return Case.objects.exclude(turned="").filter(turned__in=kinds, turned_at__gte=now - WINDOW)


def _soon(now: dt.datetime) -> Q:
    return Q(due_at__gt=now, amber_at__lte=now)


def late_by_department(now: dt.datetime) -> list[tuple[str, int]]:
    """Return how many open cases are late in each department, most first."""
    late = Case.objects.filter(pack__in=packs.loaded(), closed_at=None, due_at__lte=now)
    counted = late.order_by().values_list("department").annotate(Count("pk"))
    return Counter(dict(counted)).most_common()


def causes(now: dt.datetime) -> list[Cause]:
    """Return which steps withdrew cases or undid decisions lately, with their articles, most frequent first."""
    steps = CaseEvent.objects.filter(case__in=_turned(now), seq=F("case__turned_seq")).order_by()
    version = ("case__pack_version", "case__pack_version__hash")
    found = []
    for row in steps.values(*version, "step").annotate(number=Count("pk")):
        pack = packs.pinned(*(row[name] for name in version)).pack
        step = next((each for each in pack.transitions if each.id == row["step"]), None)
        if step is None:
            continue
        cites = [ground(pack, key) for key in dict.fromkeys(step.cite)]
        state = pack.states.get(step.target or "")
        end = f"outcomes.{state.outcome}" if state is not None and state.final else f"states.{step.target}"
        found.append(
            Cause(
                pack.id, both(pack, "title"), both(pack, f"commands.{step.command}"), both(pack, end), cites, row["number"]
            )
        )  # fmt: skip
    return sorted(found, key=lambda cause: -cause.count)


def by_article(found: list[Cause]) -> list[tuple[Ground, int]]:
    """Return how often each article ended a case so, most frequent first."""
    counted: Counter[str] = Counter()
    known: dict[str, Ground] = {}
    for cause in found:
        for each in cause.grounds:
            name = f"{cause.pack} {each.key}"
            counted[name] += cause.count
            known[name] = each
    return [(known[name], number) for name, number in counted.most_common()]


def supervised(asked: Asked, now: dt.datetime, page: int = 1) -> tuple[list[Supervised], int]:
    """Return one page of the cases asked for and how many there are, the latest due or newest ended first."""
    found = _found(asked, now)
    total = found.count()
    rows = list(
        found.select_related("pack_version").defer("pack_version__files")[(page - 1) * PAGE : page * PAGE]
    )
    return _lines(rows, asked.kind, now), total


def all_supervised(asked: Asked, now: dt.datetime) -> Iterator[Supervised]:
    """Yield all of them, for a file."""
    found = _found(asked, now).select_related("pack_version").defer("pack_version__files")
    cases = found.iterator(chunk_size=AT_ONCE)
    while rows := list(islice(cases, AT_ONCE)):
        yield from _lines(rows, asked.kind, now)


def _found(asked: Asked, now: dt.datetime) -> QuerySet[Case]:
    found = Case.objects.all() if asked.kind not in TURNED else _turned(now, [asked.kind])
    if asked.pack:
        found = found.filter(pack=asked.pack)
    if asked.department:
        found = found.filter(department=asked.department)
    if asked.kind in (OVERDUE, SOON, OPEN):
        found = found.filter(closed_at=None)
        if asked.kind == OVERDUE:
            found = found.filter(due_at__lte=now)
        elif asked.kind == SOON:
            found = found.filter(_soon(now))
        return found.order_by("due_at", "pk")
    if asked.kind == ENDED:
        found = found.filter(closed_at__gte=now - WINDOW)
    if asked.article:
        found = found.filter(pk__in=_rests_on(asked, found))
    return found.order_by("-turned_at" if asked.kind in TURNED else "-closed_at", "pk")


def _step_asked(kind: str) -> F:
    """Return the number of the step that says why a case stands in the list."""
    return F("case__turned_seq" if kind in TURNED else "case__version")


def _rests_on(asked: Asked, found: QuerySet[Case]) -> QuerySet[CaseEvent, Any]:
    """Return the cases of which the step in question rests on an article."""
    steps = Q(pk__in=[])
    versions = found.order_by().values_list("pack_version", "pack_version__hash").distinct()
    for version_id, hash_ in versions:
        pack = packs.pinned(version_id, hash_).pack
        names = [step.id for step in pack.transitions if asked.article in step.cite]
        if names:
            steps |= Q(case__pack_version=version_id, step__in=names)
    return CaseEvent.objects.filter(steps, seq=_step_asked(asked.kind)).values("case_id")


def _lines(rows: Sequence[Case], kind: str, now: dt.datetime) -> list[Supervised]:
    """Return the cases with the steps in question, all of them looked up together."""
    steps = CaseEvent.objects.filter(case__in=rows, seq=_step_asked(kind)).values_list("case_id", "body")
    events = {case_id: json.loads(body) for case_id, body in steps}
    ends: dict[str, str] = {}
    for event in events.values():
        ends |= child_end(event.get("data", {}))
    words = outcomes_in_words(ends) if ends else {}
    return [_line(row, events[row.pk], words, now) for row in rows]


def _line(
    row: Case, event: Mapping[str, Any], children: Mapping[str, Mapping[str, str]], now: dt.datetime
) -> Supervised:
    pack = packs.pinned(row.pack_version_id, row.pack_version.hash).pack
    cites = event.get("grounds") or (pack.opening.cite if event["step"] == ENTRY else [])
    return Supervised(
        row.pk,
        row.pack,
        queries.title_of(pack, json.loads(row.body)["facts"]),
        both(pack, f"outcomes.{row.outcome}") if row.outcome else both(pack, f"states.{row.state}"),
        row.department,
        None if row.closed_at else light(row.due_at, row.amber_at, now),
        row.closed_at,
        sentence_of(pack, event, event.get("data", {}), row.cell_code, children=children),
        grounds(pack, cites),
        row.subject_id or row.principal,
    )
