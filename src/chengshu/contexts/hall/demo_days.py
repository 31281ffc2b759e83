"""When the demo's generated services happened: on working days of the last weeks, at the hours of an office."""

from __future__ import annotations

import datetime as dt

from chengshu.kernel.terms import LEGAL_ZONE, legal_day

SATURDAY = 5
# How many working days back, and the hour of that day; (0, hours) is so many hours before now.
When = tuple[int, float]


def moment(now: dt.datetime, when: When) -> dt.datetime:
    """Return the moment that ``when`` names, seen from ``now``: always before it. Holidays are not left out."""
    back, hour = when
    if not back:
        return now - dt.timedelta(hours=hour)
    day = legal_day(now)
    while back:
        day -= dt.timedelta(days=1)
        back -= day.weekday() < SATURDAY
    return dt.datetime.combine(day, dt.time(), LEGAL_ZONE) + dt.timedelta(hours=hour)
