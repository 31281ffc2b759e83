"""Counts every term a second time, by other means than the kernel: whole years as bitmaps, days found by bisection.

Written from the Civil Code (articles 200 to 204) and the State Council's notices, not from ``kernel.terms``: it imports
nothing from the kernel, so that a slip there cannot hide here.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import chinese_calendar

EAST_EIGHT = dt.timezone(dt.timedelta(hours=8))
DAY = dt.timedelta(days=1)


class Notices:
    """Which days are worked between two years, with what an operator loaded standing before the supply."""

    def __init__(
        self, first: int, last: int, loaded: Mapping[int, tuple[Iterable[dt.date], Iterable[dt.date]]]
    ) -> None:
        self.first, self.last = first, last
        self.loaded = {year: (frozenset(off), frozenset(on)) for year, (off, on) in loaded.items()}

    @cached_property
    def worked(self) -> list[dt.date]:
        """Every worked day in order."""
        day, days = dt.date(self.first, 1, 1), []
        while day.year <= self.last:
            if self.is_worked(day):
                days.append(day)
            day += DAY
        return days

    def is_worked(self, day: dt.date) -> bool:
        """Return whether a day is worked."""
        if day.year in self.loaded:
            off, on = self.loaded[day.year]
            return day in on or (day.isoweekday() <= 5 and day not in off)
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return day.isoweekday() <= 5


def legal_date(instant: str) -> dt.date:
    """Return the day of an instant in Beijing."""
    return dt.datetime.fromisoformat(instant).astimezone(EAST_EIGHT).date()


def due_day(
    amount: int, unit: str, started: str, stops: Sequence[Sequence[str | None]], notices: Notices
) -> dt.date | None:
    """Return the last day of a term, ``None`` while its clock stands."""
    if any(end is None for _, end in stops):
        return None
    first = legal_date(started)
    if unit == "at once":
        return first
    if unit == "hours":
        return _hours(amount, started, stops)
    lost = _days_lost(stops)
    if unit == "workdays":
        # The worked days after the first one, without those on which the clock stood; the term ends on the n-th.
        at = bisect_left(notices.worked, first + DAY)
        counted = [day for day in notices.worked[at : at + amount + len(lost)] if day not in lost]
        return counted[amount - 1]
    plain = (
        first + amount * DAY if unit == "days" else _same_day(first, amount * (12 if unit == "years" else 1))
    )
    ends, spent = plain, -1
    while (now_spent := sum(1 for day in lost if first < day <= ends)) != spent:
        spent, ends = now_spent, plain + now_spent * DAY
    return notices.worked[bisect_left(notices.worked, ends)]


def day_before(last: str, amount: int, unit: str) -> dt.date:
    """Return the day that lies so long before a computed last day."""
    day = dt.date.fromisoformat(last)
    return day - amount * DAY if unit == "days" else _same_day(day, -amount * (12 if unit == "years" else 1))


def _days_lost(stops: Sequence[Sequence[str | None]]) -> set[dt.date]:
    lost: set[dt.date] = set()
    for start, end in stops:
        day = legal_date(str(start)) + DAY
        while day <= legal_date(str(end)):
            lost.add(day)
            day += DAY
    return lost


def _same_day(first: dt.date, months: int) -> dt.date:
    year, month = first.year + (first.month - 1 + months) // 12, (first.month - 1 + months) % 12 + 1
    for back in range(4):
        try:
            return dt.date(year, month, first.day - back)
        except ValueError:
            continue
    raise ValueError(f"no day for {first} + {months} months")


def _hours(amount: int, started: str, stops: Sequence[Sequence[str | None]]) -> dt.date:
    left = dt.timedelta(hours=amount)
    at = dt.datetime.fromisoformat(started)
    for start, end in sorted(
        (dt.datetime.fromisoformat(str(a)), dt.datetime.fromisoformat(str(b))) for a, b in stops
    ):
        if start >= at + left:
            break
        if end <= at:
            continue
        left -= max(start - at, dt.timedelta())
        at = end
    return (at + left).astimezone(EAST_EIGHT).date()
