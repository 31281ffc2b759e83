"""What a supervisor asks of all cases: what is late, what ends soon, what was withdrawn or reversed, and on what ground."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F

from chengshu.contexts.cases import packs, queries
from chengshu.contexts.cases import standing as bounded
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
OVERDUE, SOON, OPEN = bounded.OVERDUE, bounded.SOON, bounded.OPEN
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
    # The figures of which there are more than were counted.
    more: frozenset[str] = frozenset()


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
    """Return how the cases of each pack stand; as many queries for fifty packs as for one, each as far as is counted."""
    running = _running()
    figures = bounded.by_pack(now, now - WINDOW)
    ends, cut = bounded.turned(TURNED, now - WINDOW)
    found = []
    for name, pack in running.items():
        own = figures[name]
        number = own.counts
        found.append(
            PackStanding(
                name, both(pack, "title"), number[OPEN], number[OVERDUE], number[SOON], number[ENDED],
                ends.get((name, WITHDRAWN), 0), ends.get((name, REVERSED), 0), own.more | cut,
            )
        )  # fmt: skip
    return found


def _running() -> dict[str, Pack]:
    """Return the packs of which a version serves new cases, by name."""
    rows = PackVersion.objects.filter(current=True).order_by("pack").values_list("pack", "pk", "hash")
    return {pack: packs.pinned(pk, hash_).pack for pack, pk, hash_ in rows}


def pack_titles() -> list[tuple[str, dict[str, str]]]:
    """Return the packs that serve new cases, with what they are called."""
    return [(name, both(pack, "title")) for name, pack in _running().items()]


def late_by_department(now: dt.datetime) -> tuple[list[tuple[str, int]], bool]:
    """Return how many open cases are late in each department, most first, and whether there are more than were counted."""
    figures = {pack: one for pack, one in bounded.by_pack(now, now - WINDOW).items() if one.counts[OVERDUE]}
    counted = bounded.late_by_department({pack: one.most for pack, one in figures.items()}, now)
    return Counter(counted).most_common(), any(OVERDUE in one.more for one in figures.values())


def causes(now: dt.datetime) -> list[Cause]:
    """Return which steps withdrew cases or undid decisions lately, with their articles, most frequent first.

    Of each kind the newest ``MOST_CAUSES`` are looked up.
    """
    found = []
    for version, hash_, name, number in bounded.turning_steps(TURNED, now - WINDOW):
        pack = packs.pinned(version, hash_).pack
        step = next((each for each in pack.transitions if each.id == name), None)
        if step is None:
            continue
        cites = [ground(pack, key) for key in dict.fromkeys(step.cite)]
        state = pack.states.get(step.target or "")
        end = f"outcomes.{state.outcome}" if state is not None and state.final else f"states.{step.target}"
        found.append(
            Cause(
                pack.id, both(pack, "title"), both(pack, f"commands.{step.command}"), both(pack, end), cites, number
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


def supervised(asked: Asked, now: dt.datetime, page: int = 1) -> tuple[list[Supervised], int, bool]:
    """Return one page of the cases asked for, the latest due or newest ended first, how many there are, and whether there are
    more than were counted.
    """
    wanted = _wanted(asked, now)
    number, more = bounded.total(wanted, now, now - WINDOW)
    pages = max(1, -(-number // PAGE))
    page = min(max(page, 1), pages)
    keys = bounded.page(wanted, now, now - WINDOW, PAGE, (page - 1) * PAGE)
    return _lines(_rows(keys), asked.kind, now), number, more


def all_supervised(asked: Asked, now: dt.datetime) -> Iterator[Supervised]:
    """Yield all of them, however many, for a file; some at a time are in memory."""
    wanted, after = replace(_wanted(asked, now), whole=True), None
    while keys := bounded.page(wanted, now, now - WINDOW, AT_ONCE, after=after):
        yield from _lines(_rows(keys), asked.kind, now)
        after = keys[-1]


def _wanted(asked: Asked, now: dt.datetime) -> bounded.Wanted:
    """Return what is looked at: the asked pack alone, or all there are, each as far as its figures were counted."""
    figures = {} if asked.pack else bounded.by_pack(now, now - WINDOW)
    looked = {asked.pack: bounded.MOST} if asked.pack else {pack: one.most for pack, one in figures.items()}
    if asked.kind in TURNED:
        looked = {asked.pack: bounded.MOST}
    if asked.article:
        # Each entry's step is looked up: not as many of them.
        looked = dict.fromkeys(looked, bounded.LEAST)
    steps = _steps_on(asked) if asked.article else None
    return bounded.Wanted(asked.kind, looked, asked.pack, asked.department, steps)


def _steps_on(asked: Asked) -> dict[int, list[str]]:
    """Return the steps of each version that rest on an article."""
    versions = PackVersion.objects.filter(pack=asked.pack) if asked.pack else PackVersion.objects.all()
    found = {}
    for version_id, hash_ in versions.values_list("pk", "hash"):
        pack = packs.pinned(version_id, hash_).pack
        names = [step.id for step in pack.transitions if asked.article in step.cite]
        if names:
            found[version_id] = names
    return found


def _rows(keys: Sequence[bounded.Key]) -> list[Case]:
    found = Case.objects.select_related("pack_version").defer("pack_version__files")
    by_id = found.in_bulk([key.id for key in keys])
    return [by_id[key.id] for key in keys if key.id in by_id]


def _step_asked(kind: str) -> F:
    """Return the number of the step that says why a case stands in the list."""
    return F("case__turned_seq" if kind in TURNED else "case__version")


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
