"""Sets the stage of a simulated year: a small demo district, and what happens to it besides people's daily work."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

from chengshu.kernel.problems import Problem
from chengshu.site import founding
from chengshu.site.district import FOLDER
from chengshu.site.simulation.oracle import Notices
from chengshu.site.simulation.plan import BEIJING, Say, YearPlan


def live(
    var: Path, start: dt.date, days: int, seed: int, people: int, openings: int, say: Say
) -> dict[str, Any]:
    """Found a district in ``var``, live through the days and return the report."""
    if var.exists() and any(var.iterdir()):
        raise Problem(
            "simulation-folder", "The folder for a simulation must be empty", detail=str(var),
            remedy="choose another --folder, or delete it",
        )  # fmt: skip
    eve = dt.datetime.combine(start - dt.timedelta(days=1), dt.time(9), BEIJING).astimezone(dt.UTC)
    founding.found_demo(var, founding.DemoPlan(people, seed, eve.date()), say, now=lambda: eve)
    # Models can be imported only now that the founding has set Django up.
    from chengshu.site.simulation.night import Night
    from chengshu.site.simulation.year import Year, report

    plan = YearPlan(start, days, seed, people, openings)
    last = start.year + days // 365 + 5
    year = Year(plan, Night(Notices(start.year - 1, last, {}), random.Random(seed)), say)
    for day in range(30, days, 30):
        year.on_day(day, "departments deliver new tables", Delivery(var, seed))
    year.run()
    return report(year)


class Delivery:
    """New tables of the departments, and a build over them."""

    def __init__(self, var: Path, seed: int) -> None:
        self.var, self.seed = var, seed

    def __call__(self, now: dt.datetime) -> None:
        """Deliver and build at ``now``."""
        from chengshu.batch.generate.days import daily

        tables, fresh = self.var / "sources", self.var / "sources.new"
        daily(fresh, tables, now.astimezone(BEIJING).date(), self.seed)
        tables.rename(self.var / f"sources.{now:%Y%m%d}")
        fresh.rename(tables)
        founding.first_build(tables, self.var / FOLDER, lambda _: None, lambda: now)
