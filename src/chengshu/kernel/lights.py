"""Lights of a term: green, amber, red; each with a word and a sign, for colour never stands alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from chengshu.kernel.terms import Due, Term, Unit, legal_day
from chengshu.kernel.workdays import Calendar

DEFAULT_AMBER = Term(2, Unit.WORKDAYS)


class Light(StrEnum):
    """How near a term is to its end; ``paused`` while its clock stands."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    PAUSED = "paused"

    @property
    def zh(self) -> str:
        """Return the light in Chinese words."""
        return {"green": "正常", "amber": "临期", "red": "超期", "paused": "中止"}[self.value]

    @property
    def en(self) -> str:
        """Return the light in English words."""
        return {"green": "in time", "amber": "due soon", "red": "overdue", "paused": "paused"}[self.value]

    @property
    def sign(self) -> str:
        """Return a sign that can be told apart without colour."""
        return {"green": "●", "amber": "▲", "red": "■", "paused": "‖"}[self.value]


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a term: a light and workdays (negative when overdue; ``None`` while paused)."""

    light: Light
    workdays: int | None


def remaining(due: Due, *, now: dt.datetime, calendar: Calendar, amber: Term = DEFAULT_AMBER) -> Remaining:
    """Return the light of ``due`` at ``now``: amber from ``amber`` before the end, red once it has passed."""
    if due.on is None or due.at is None:
        return Remaining(Light.PAUSED, None)
    left = calendar.workdays_between(legal_day(now), due.on)
    if now >= due.at:
        return Remaining(Light.RED, min(left, 0))
    return Remaining(Light.AMBER if now >= amber_from(due, calendar, amber) else Light.GREEN, left)


def amber_from(due: Due, calendar: Calendar, amber: Term) -> dt.datetime:
    """Return the instant from which a light is amber: ``amber`` before the end of ``due``."""
    if due.at is None or due.on is None:
        raise ValueError("a term whose clock stands has no amber")
    if amber.unit is Unit.WORKDAYS:
        day = calendar.subtract_workdays(due.on, amber.amount)
        return due.at - dt.timedelta(days=(due.on - day).days)
    if amber.unit is Unit.HOURS:
        return due.at - dt.timedelta(hours=amber.amount)
    if amber.unit is Unit.DAYS:
        return due.at - dt.timedelta(days=amber.amount)
    raise ValueError(f"amber is given in workdays, days or hours, not {amber.unit}")
