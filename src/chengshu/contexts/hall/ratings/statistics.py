"""The statistics of services and ratings. The denominator is every service that ended; nothing is sampled or left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet

from chengshu.contexts.hall.ratings.domain import Count as Figures
from chengshu.contexts.hall.ratings.domain import total
from chengshu.contexts.hall.ratings.models import Rating, Service

BY = ("department", "pack", "channel")
Days = tuple[dt.datetime | None, dt.datetime | None]


@dataclass(slots=True)
class Line:
    """One line: the code of a department, a pack or a channel, and its figures."""

    code: str
    figures: Figures


@dataclass(slots=True)
class Times:
    """Promised and actual times of the services of one line, in days; empty where nothing was promised."""

    code: str
    ended: int
    late: int
    promised_days: float | None
    actual_days: float | None
    # Begun and not ended, whenever that was, and how many of these are over the office's time already.
    open: int = 0
    open_late: int = 0


@dataclass(slots=True)
class Rates:
    """A rate with its two numbers, so that nobody has to believe it."""

    part: int
    whole: int
    parts: Mapping[str, int] = field(default_factory=dict)


def ended(since: dt.datetime | None = None, until: dt.datetime | None = None) -> QuerySet[Service]:
    """Return the services that ended in a time: first rounds only, a second rating is of the mending."""
    found = Service.objects.filter(round=1, ended_at__isnull=False)
    if since is not None:
        found = found.filter(ended_at__gte=since)
    return found.filter(ended_at__lt=until) if until is not None else found


def counted(by: str, *, department: str = "", since: dt.datetime | None = None) -> list[Line]:
    """Return the lines by department, pack or channel, those with most services first.

    ``since`` takes services by their end and ratings by when they were given. Whether a service was rated its own row says, also
    of an anonymous rating: what has none is counted, never reckoned from the two numbers.
    """
    if by not in BY:
        raise ValueError(f"by is one of {BY}")
    services, ratings = ended(since), Rating.objects.filter(round=1)
    if since is not None:
        ratings = ratings.filter(given_at__gte=since)
    if department:
        services, ratings = services.filter(department=department), ratings.filter(department=department)
    lines: dict[str, Figures] = {}
    late, silent = Count("id", filter=Q(late=True)), Count("id", filter=Q(rated_on=None))
    for row in services.values(by).annotate(n=Count("id"), late=late, unrated=silent):
        lines[row[by]] = Figures(ended=row["n"], late=row["late"], unrated=row["unrated"])
    for row in ratings.values(by, "grade", "set_aside").annotate(n=Count("id")):
        _add(lines.setdefault(row[by], Figures()), row)
    found = [Line(code, figures) for code, figures in lines.items()]
    return sorted(found, key=lambda line: (-line.figures.ended, line.code))


def _add(figures: Figures, row: Mapping[str, Any]) -> None:
    if row["set_aside"]:
        figures.set_aside += row["n"]
    else:
        figures.grades[row["grade"]] += row["n"]


def whole(lines: list[Line]) -> Figures:
    """Return the sum of all lines."""
    return total(line.figures for line in lines)


def set_aside(*, department: str = "") -> dict[str, int]:
    """Return how many ratings were set aside on each ground."""
    found = Rating.objects.filter(round=1).exclude(set_aside="")
    if department:
        found = found.filter(department=department)
    return {row["set_aside"]: row["n"] for row in found.values("set_aside").annotate(n=Count("id"))}


def second_ratings() -> Figures:
    """Return the ratings of what was done about bad ones."""
    figures = Figures()
    for row in Rating.objects.filter(round__gt=1).values("grade", "set_aside").annotate(n=Count("id")):
        _add(figures, row)
    return figures


def times(by: str = "department", *, department: str = "", since: dt.datetime | None = None) -> list[Times]:
    """Return promised and actual times: the last term of each service against its end, both from its beginning.

    What has not ended stands beside them: leaving a matter open makes nobody faster.
    """
    services, waiting = ended(since), Service.objects.filter(round=1, ended_at=None)
    if department:
        services, waiting = services.filter(department=department), waiting.filter(department=department)

    def span(start: str, end: str) -> ExpressionWrapper:
        return ExpressionWrapper(F(end) - F(start), output_field=DurationField())

    rows = services.values(by).annotate(
        n=Count("id"),
        late=Count("id", filter=Q(late=True)),
        promised=Avg(span("began_at", "promised_at")),
        actual=Avg(span("began_at", "ended_at")),
    )
    lines = {
        row[by]: Times(row[by], row["n"], row["late"], _days(row["promised"]), _days(row["actual"]))
        for row in rows
    }
    for row in waiting.values(by).annotate(n=Count("id"), late=Count("id", filter=Q(late=True))):
        line = lines.setdefault(row[by], Times(row[by], 0, 0, None, None))
        line.open, line.open_late = row["n"], row["late"]
    return sorted(lines.values(), key=lambda line: (-line.ended, line.code))


def _days(span: dt.timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds() / 86_400, 1)


def actual_rates(*, since: dt.datetime | None = None) -> dict[str, Rates]:
    """Return the rates of row B5 as people in fact had it, over the services that ended at any channel.

    mobile: begun on a phone. zero_visit: on no day at the window. one_certificate: begun without any paper, so that the
    identity document alone was enough.
    """
    found = ended(since).exclude(pack="window").exclude(pack="citizen-hotline")
    numbers = found.aggregate(
        whole=Count("id"),
        mobile=Count("id", filter=Q(channel="mobile")),
        zero_visit=Count("id", filter=Q(visit_days=[])),
        one_certificate=Count("id", filter=Q(papers=0)),
    )
    return {
        name: Rates(numbers[name], numbers["whole"]) for name in ("mobile", "zero_visit", "one_certificate")
    }


def follow_ups() -> dict[str, int]:
    """Return how many bad ratings there are, how many of them have their follow-up, and how many have none (faults)."""
    bad = Rating.objects.filter(round=1, grade__lt=3)
    with_case = bad.exclude(follow_up="").count()
    number = bad.count()
    return {"bad": number, "followed": with_case, "missing": number - with_case}
