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
from chengshu.procedure.model import ENTRY, Pack

WINDOW = dt.timedelta(days=90)
PAGE = 25
# How many cases of a file are looked up together.
AT_ONCE = 500
OVERDUE, SOON, OPEN, WITHDRAWN, REVERSED, ENDED = "overdue", "soon", "open", "withdrawn", "reversed", "ended"
KINDS = (OVERDUE, SOON, OPEN, WITHDRAWN, REVERSED, ENDED)
# Outcomes are words of packs; these stems say which of them ended a case without a decision, or undid one.
_WITHDRAWN = ("withdraw", "abandon", "not-completed", "deemed")
_REVERSED = ("revok", "cancel", "revers", "overturn", "recover", "remov", "annul", "upheld", "quash")


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
    """A step that ended cases: how often, and the articles it rests on."""

    pack: str
    pack_title: dict[str, str]
    step: dict[str, str]
    outcome: dict[str, str]
    grounds: list[Ground]
    count: int


@dataclass(frozen=True, slots=True)
class Supervised:
    """A case in a supervisor's list; the last sentence of its history says why it stands so."""

    case_id: str
    pack: str
    title: dict[str, str]
    state: dict[str, str]
    department: str
    light: Light | None
    closed_at: dt.datetime | None
    why: dict[str, str]
    grounds: list[Ground]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to list."""

    kind: str = OVERDUE
    pack: str = ""
    department: str = ""
    article: str = ""


def kind_of_outcome(outcome: str) -> str:
    """Say whether an outcome is a withdrawal, the undoing of a decision, or any other end."""
    if any(stem in outcome for stem in _WITHDRAWN):
        return WITHDRAWN
    return REVERSED if any(stem in outcome for stem in _REVERSED) else ENDED


def standing(now: dt.datetime) -> list[PackStanding]:
    """Return how the cases of each pack stand; as many queries for fifty packs as for one, each along an index."""
    running = _running()
    waiting = Case.objects.filter(pack__in=running, closed_at=None)
    count, late, soon = (
        Counter(dict(found.order_by().values_list("pack").annotate(Count("pk"))))
        for found in (waiting, waiting.filter(due_at__lte=now), waiting.filter(_soon(now)))
    )
    ended = Case.objects.filter(pack__in=running, closed_at__gte=now - WINDOW).order_by()
    ends = Counter[tuple[str, str]]()
    for name, outcome, number in ended.values_list("pack", "outcome").annotate(Count("pk")):
        ends[name, kind_of_outcome(outcome)] += number
        ends[name, ""] += number
    return [
        PackStanding(
            name, both(pack, "title"), count[name], late[name], soon[name], ends[name, ""],
            ends[name, WITHDRAWN], ends[name, REVERSED],
        )
        for name, pack in running.items()
    ]  # fmt: skip


def _running() -> dict[str, Pack]:
    """Return the packs of which a version serves new cases, by name."""
    rows = PackVersion.objects.filter(current=True).order_by("pack").values_list("pack", "pk", "hash")
    return {pack: packs.pinned(pk, hash_).pack for pack, pk, hash_ in rows}


def _soon(now: dt.datetime) -> Q:
    return Q(due_at__gt=now, amber_at__lte=now)


def late_by_department(now: dt.datetime) -> list[tuple[str, int]]:
    """Return how many open cases are late in each department, most first."""
    late = Case.objects.filter(pack__in=packs.loaded(), closed_at=None, due_at__lte=now)
    counted = late.order_by().values_list("department").annotate(Count("pk"))
    return Counter(dict(counted)).most_common()


def causes(now: dt.datetime) -> list[Cause]:
    """Return which steps withdrew or reversed cases lately, with their articles, most frequent first."""
    last = CaseEvent.objects.filter(case__closed_at__gte=now - WINDOW, seq=F("case__version")).order_by()
    version = ("case__pack_version", "case__pack_version__hash")
    counted = last.values(*version, "step", "case__outcome").annotate(number=Count("pk"))
    found = []
    for row in counted:
        if kind_of_outcome(row["case__outcome"]) == ENDED:
            continue
        pack = packs.pinned(*(row[name] for name in version)).pack
        step = next((each for each in pack.transitions if each.id == row["step"]), None)
        if step is None:
            continue
        cites = [ground(pack, key) for key in dict.fromkeys(step.cite)]
        found.append(
            Cause(
                pack.id, both(pack, "title"), both(pack, f"commands.{step.command}"),
                both(pack, f"outcomes.{row['case__outcome']}"), cites, row["number"],
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
    return _lines(rows, now), total


def all_supervised(asked: Asked, now: dt.datetime) -> Iterator[Supervised]:
    """Yield all of them, for a file."""
    found = _found(asked, now).select_related("pack_version").defer("pack_version__files")
    cases = found.iterator(chunk_size=AT_ONCE)
    while rows := list(islice(cases, AT_ONCE)):
        yield from _lines(rows, now)


def _found(asked: Asked, now: dt.datetime) -> QuerySet[Case]:
    found = Case.objects.all()
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
    found = found.filter(closed_at__gte=now - WINDOW)
    if asked.kind != ENDED:
        outcomes = found.order_by().values_list("outcome", flat=True).distinct()
        found = found.filter(outcome__in=[each for each in outcomes if kind_of_outcome(each) == asked.kind])
    if asked.article:
        found = found.filter(pk__in=_ended_on(asked.article, found))
    return found.order_by("-closed_at", "pk")


def _ended_on(article: str, found: QuerySet[Case]) -> QuerySet[CaseEvent, Any]:
    """Return the cases whose last step rests on an article."""
    steps = Q(pk__in=[])
    versions = found.order_by().values_list("pack_version", "pack_version__hash").distinct()
    for version_id, hash_ in versions:
        pack = packs.pinned(version_id, hash_).pack
        names = [step.id for step in pack.transitions if article in step.cite]
        if names:
            steps |= Q(case__pack_version=version_id, step__in=names)
    last = CaseEvent.objects.filter(steps, seq=F("case__version"))
    return last.values("case_id")


def _lines(rows: Sequence[Case], now: dt.datetime) -> list[Supervised]:
    """Return the cases with their last steps, all of them looked up together."""
    last = CaseEvent.objects.filter(case__in=rows, seq=F("case__version")).values_list("case_id", "body")
    events = {case_id: json.loads(body) for case_id, body in last}
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
    )
