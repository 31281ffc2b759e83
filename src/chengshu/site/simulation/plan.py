"""What a simulated year is made from. No Django here: the stage is set before it starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

BEIJING = dt.timezone(dt.timedelta(hours=8))
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class YearPlan:
    """What is simulated: from which day, how long, by which chance, how busy."""

    start: dt.date = dt.date(2026, 1, 5)
    days: int = 365
    seed: int = 20260105
    openings: int = 6
    # How many pieces of work one member of staff takes up a day at most.
    diligence: int = 3
    # How many days a stretch without clocks lasts, on which day the first one begins, and how often one comes.
    outage_days: int = 2
    outage_first: int = 7
    outage_every: int = 45
    turnover_every: int = 20
