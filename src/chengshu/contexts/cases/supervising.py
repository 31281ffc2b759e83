"""What a supervisor asks of all cases: what is late, what ends soon, what was withdrawn or reversed, and on what ground."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from chengshu.contexts.cases import packs, queries
from chengshu.contexts.cases.domain import Ground, Light
from chengshu.contexts.cases.lights import light
from chengshu.contexts.cases.models import Case, CaseEvent, PackVersion
from chengshu.contexts.cases.presenting import event_view
from chengshu.contexts.cases.wording import both, ground
from chengshu.procedure.model import ENTRY, Pack

WINDOW = dt.timedelta(days=90)
PAGE = 25
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
    """Return how the cases of each pack stand, by a few indexed counts a pack."""
    found = []
    for version in PackVersion.objects.filter(current=True).defer("files").order_by("pack"):
        pack = packs.pinned(version.pk, version.hash).pack
        waiting = Case.objects.filter(pack=pack.id, closed_at=None)
        ended = Case.objects.filter(pack=pack.id, closed_at__gte=now - WINDOW)
        outcomes = Counter[str]()
        for outcome, number in ended.order_by().values_list("outcome").annotate(Count("pk")):
            outcomes[kind_of_outcome(outcome)] += number
        found.append(
            PackStanding(
                pack.id, both(pack, "title"), waiting.count(), waiting.filter(due_at__lte=now).count(),
                waiting.filter(_soon(now)).count(), sum(outcomes.values()), outcomes[WITHDRAWN], outcomes[REVERSED],
            )
        )  # fmt: skip
    return found


def _soon(now: dt.datetime) -> Q:
    return Q(due_at__gt=now, amber_at__lte=now)


def late_by_department(now: dt.datetime) -> list[tuple[str, int]]:
    """Return how many open cases are late in each department, most first."""
    found: Counter[str] = Counter()
    for pack in PackVersion.objects.filter(current=True).values_list("pack", flat=True):
        late = Case.objects.filter(pack=pack, closed_at=None, due_at__lte=now)
        for department, number in late.order_by().values_list("department").annotate(Count("pk")):
            found[department] += number
    return found.most_common()


def causes(now: dt.datetime) -> list[Cause]:
    """Return which steps withdrew or reversed cases lately, with their articles, most frequent first."""
    last = CaseEvent.objects.filter(case__closed_at__gte=now - WINDOW, seq=F("case__version")).order_by()
    counted = last.values("case__pack_version", "step", "case__outcome").annotate(number=Count("pk"))
    found = []
    for row in counted:
        if kind_of_outcome(row["case__outcome"]) == ENDED:
            continue
        pack = packs.pinned(row["case__pack_version"]).pack
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
    return [_line(row, now) for row in rows], total


def all_supervised(asked: Asked, now: dt.datetime) -> Iterator[Supervised]:
    """Yield all of them, for a file."""
    for row in (
        _found(asked, now)
        .select_related("pack_version")
        .defer("pack_version__files")
        .iterator(chunk_size=500)
    ):
        yield _line(row, now)


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
    for version_id in found.order_by().values_list("pack_version", flat=True).distinct():
        pack = packs.pinned(version_id).pack
        names = [step.id for step in pack.transitions if article in step.cite]
        if names:
            steps |= Q(case__pack_version=version_id, step__in=names)
    last = CaseEvent.objects.filter(steps, seq=F("case__version"))
    return last.values("case_id")


def _line(row: Case, now: dt.datetime) -> Supervised:
    pack = packs.pinned(row.pack_version_id, row.pack_version.hash).pack
    event = CaseEvent.objects.get(case=row, seq=row.version)
    view = event_view(pack, event, row.cell_code, {}, [])
    return Supervised(
        row.pk,
        row.pack,
        queries.title_of(pack, json.loads(row.body)["facts"]),
        both(pack, f"outcomes.{row.outcome}") if row.outcome else both(pack, f"states.{row.state}"),
        row.department,
        None if row.closed_at else light(row.due_at, row.amber_at, now),
        row.closed_at,
        view.sentence,
        view.grounds or _opening(pack, event),
    )


def _opening(pack: Pack, event: CaseEvent) -> list[Ground]:
    return [ground(pack, key) for key in pack.opening.cite] if event.step == ENTRY else []
