"""The functions of our own: exact dates, counts and sums, where zen would use floats or knows nothing.

Every function takes and returns plain values (dates as ISO text) and answers ``None`` when one of its values is empty:
arguments are computed before the branch that needs them is known.
"""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import Term, Unit, parse_term

CALENDAR_UNITS = (Unit.DAYS, Unit.MONTHS, Unit.YEARS)


@lru_cache(maxsize=512)
def parse_length(text: str) -> Term:
    """Read a length of the calendar such as 3 years, 1 month or 10 days; raises ``ValueError``."""
    try:
        term = parse_term(text)
    except Problem as problem:
        raise ValueError(f"{problem.title}; write 3 years, 1 month or 10 days") from problem
    if term.unit not in CALENDAR_UNITS:
        raise ValueError(f"{text!r} is not counted by the calendar alone; write days, months or years")
    return term


def moved(day: dt.date, length: Term, sign: int) -> dt.date:
    """Return the day a length after (1) or before (-1) ``day``; a missing day becomes the month's last (art. 202)."""
    if length.unit is Unit.DAYS:
        return day + dt.timedelta(days=sign * length.amount)
    return _by_months(day, sign * length.amount * (12 if length.unit is Unit.YEARS else 1))


def _by_months(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))


def _plus(day: str, length: str) -> str:
    return moved(dt.date.fromisoformat(day), parse_length(length), 1).isoformat()


def _minus(day: str, length: str) -> str:
    return moved(dt.date.fromisoformat(day), parse_length(length), -1).isoformat()


def _full_years(start: str, end: str) -> int:
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    if last < first:
        return -_full_years(end, start)
    years = last.year - first.year
    # Someone born on 29 February completes the year on 28 February of a common year (art. 202).
    return years if _by_months(first, 12 * years) <= last else years - 1


def _days_between(start: str, end: str) -> int:
    return (dt.date.fromisoformat(end) - dt.date.fromisoformat(start)).days


def _sum(rows: Sequence[Mapping[str, Any]], column: str) -> int:
    return sum(row.get(column) or 0 for row in rows)


def _ended_as(outcome: str, outcomes: Mapping[str, str]) -> int:
    return sum(1 for found in outcomes.values() if found == outcome)


def _least(*values: Any) -> Any:
    return min(values)


def _greatest(*values: Any) -> Any:
    return max(values)


OWN_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "days_between": _days_between,
    "ended_as": _ended_as,
    "full_years": _full_years,
    "greatest": _greatest,
    "least": _least,
    "minus": _minus,
    "plus": _plus,
    "sum": _sum,
}
