"""Which calendar this process counts by: the supply, with the years that an operator loaded into the database."""

from __future__ import annotations

import datetime as dt
import json
import time

from chengshu.contexts.cases.models import CalendarYear as YearRow
from chengshu.kernel.workdays import Calendar, CalendarYear, official_calendar, put_in_force

LOOK_EVERY = 5.0
_seen: tuple[int, int] = (0, 0)
_looked_at = float("-inf")


def look() -> None:
    """Take newly loaded years into this process; asks the database at most every few seconds."""
    global _looked_at
    if time.monotonic() - _looked_at >= LOOK_EVERY:
        refresh()


def refresh() -> Calendar:
    """Bring this process's calendar to what the database has."""
    global _seen, _looked_at
    _looked_at = time.monotonic()
    found = list(YearRow.objects.filter(current=True).order_by("pk"))
    stamp = (len(found), found[-1].pk if found else 0)
    if stamp == _seen:
        return official_calendar()
    _seen = stamp
    return put_in_force([_year(row) for row in found])


def forget() -> None:
    """Count by the supply alone and look again at once: another database is there now (a restore, a test)."""
    global _seen, _looked_at
    _seen, _looked_at = (0, 0), float("-inf")
    put_in_force([])


def _year(row: YearRow) -> CalendarYear:
    read = dt.date.fromisoformat
    return CalendarYear(
        row.year,
        frozenset(map(read, json.loads(row.days_off))),
        frozenset(map(read, json.loads(row.days_on))),
        row.reference,
    )
