"""Lights of tasks and terms, with words and workdays: stored instants decide the colour, the calendar the words."""

from __future__ import annotations

import datetime as dt

from chengshu.contexts.cases.domain import Light
from chengshu.kernel.terms import LEGAL_ZONE, legal_day
from chengshu.kernel.workdays import official_calendar

_NONE = Light("green", "没有期限", "no term")
_ONE_MICROSECOND = dt.timedelta(microseconds=1)


def light(due_at: dt.datetime | None, amber_at: dt.datetime | None, now: dt.datetime) -> Light:
    """Return the light of a due instant at ``now``."""
    if due_at is None:
        return _NONE
    # A term ends at 24:00 of its last day: that day, not the next, is what people are told.
    last = (due_at - _ONE_MICROSECOND).astimezone(LEGAL_ZONE).date()
    days = official_calendar().workdays_between(legal_day(now), last)
    if now >= due_at:
        late = max(-days, 1)
        return Light("red", f"已超期 {late} 个工作日", f"{late} workday{'s' * (late > 1)} overdue", -late)
    colour = "amber" if amber_at is not None and now >= amber_at else "green"
    if days <= 0:
        return Light(colour, "今天到期", "due today", 0)
    return Light(colour, f"还剩 {days} 个工作日", f"{days} workday{'s' * (days > 1)} left", days)


def term_light(state: str, due_at: str | None, amber_at: str | None, now: dt.datetime) -> Light:
    """Return the light of a term as events keep it."""
    if state == "met":
        return Light("green", "按期完成", "done in time")
    if state == "late":
        return Light("red", "超期完成", "done late")
    if state == "suspended":
        return Light("paused", "中止计算", "the clock stands")
    read = dt.datetime.fromisoformat
    return light(read(due_at) if due_at else None, read(amber_at) if amber_at else None, now)
