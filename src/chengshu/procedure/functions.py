"""The functions of our own: exact dates, counts and sums, where zen would use floats or knows nothing.

Every function takes and returns plain values (dates as ISO text). All but those of ``TAKE_EMPTY`` answer ``None`` when a
value is empty: arguments are computed before the branch that needs them is known.
"""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from chengshu.kernel.codes import resident_id_fault, sex_of, tidy
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import Term, Unit, parse_term
from chengshu.kernel.workdays import Calendar
from chengshu.procedure.types import MAX_ITEMS

MOST_WORKDAYS = 2_500
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


def _workdays_after(day: str, number: int, calendar: Calendar) -> str:
    if not 0 <= number <= MOST_WORKDAYS:
        raise ValueError(f"workdays are counted up to {MOST_WORKDAYS}")
    return calendar.add_workdays(dt.date.fromisoformat(day), number).day.isoformat()


Rows = Sequence[Mapping[str, Any]]


def _sum(rows: Rows | None, column: str) -> int:
    return sum(row.get(column) or 0 for row in rows or ())


def _add_row(rows: Rows | None, *cells: Any) -> list[Mapping[str, Any]]:
    if len(rows or ()) >= MAX_ITEMS:
        raise ValueError(f"at most {MAX_ITEMS} rows are kept")
    return [*(rows or ()), dict(zip(cells[::2], cells[1::2], strict=True))]


def _ranked(rows: Rows | None, column: str) -> list[Mapping[str, Any]]:
    # Sorting is stable: among equals the earlier row stays before the later; empty ones come last.
    return sorted(rows or (), key=lambda row: (row.get(column) is None, -(row.get(column) or 0)))


def _top(rows: Rows | None, column: str, number: int | None) -> list[Mapping[str, Any]]:
    return _ranked(rows, column)[: max(number or 0, 0)]


def _ended_as(outcome: str, outcomes: Mapping[str, str]) -> int:
    return sum(1 for found in outcomes.values() if found == outcome)


def _sex_by_id(number: str) -> str:
    """Read the sex from the seventeenth place of a resident identity number; one that is none says ``unknown``."""
    plain = tidy(number)
    if resident_id_fault(plain):
        return "unknown"
    return sex_of(plain)


def _birth_by_id(number: str) -> str | None:
    """Read the day of birth from a resident identity number; one that is none says nothing."""
    plain = tidy(number)
    if resident_id_fault(plain):
        return None
    return dt.date(int(plain[6:10]), int(plain[10:12]), int(plain[12:14])).isoformat()


def _least(*values: Any) -> Any:
    return min(values)


def _greatest(*values: Any) -> Any:
    return max(values)


# These know what to do with an empty value.
TAKE_EMPTY = frozenset({"add_row", "ranked", "sum", "top"})
OWN_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "add_row": _add_row,
    "birth_by_id": _birth_by_id,
    "days_between": _days_between,
    "ended_as": _ended_as,
    "full_years": _full_years,
    "greatest": _greatest,
    "least": _least,
    "minus": _minus,
    "plus": _plus,
    "ranked": _ranked,
    "sex_by_id": _sex_by_id,
    "sum": _sum,
    "top": _top,
    "workdays_after": _workdays_after,
}
