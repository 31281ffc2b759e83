"""Sets the stage of a simulated year: a small demo district, and what happens to it besides people's daily work."""

from __future__ import annotations

import datetime as dt
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chengshu.kernel.problems import Problem
from chengshu.site import founding
from chengshu.site.district import FOLDER
from chengshu.site.simulation.oracle import Notices
from chengshu.site.simulation.plan import BEIJING, Say, YearPlan

if TYPE_CHECKING:
    from chengshu.site.simulation.year import Year


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
    founding.found_demo(var, founding.DemoPlan(people, seed, eve.date(), past=False), say, now=lambda: eve)
    # Models can be imported only now that the founding has set Django up.
    from chengshu.site.simulation.night import Night
    from chengshu.site.simulation.year import Year, report

    plan = YearPlan(start, days, seed, openings)
    last = start.year + days // 365 + 5
    year = Year(plan, Night(Notices(start.year - 1, last, {}), random.Random(seed)), say)
    for day in range(30, days, 30):
        year.on_day(day, "departments deliver new tables", Delivery(var, seed))
    year.on_day(days * 7 // 20, "a holiday is moved", Calendars(year, MOVED))
    year.on_day(days // 2, "a pack gets a new version, its live cases migrate", NewVersion(year, var))
    year.on_day(days * 17 // 20, "next year's holidays are published", Calendars(year, PUBLISHED))
    year.run()
    return report(year)


MOVED, PUBLISHED = "moved", "published"


class Calendars:
    """Loads a notice: this year's with two days changed, or next year's for the first time."""

    def __init__(self, year: Year, what: str) -> None:
        self.year, self.what = year, what

    def __call__(self, now: dt.datetime) -> None:
        """Load the notice at ``now`` and let the oracle know it too."""
        from chengshu.contexts.cases import api as cases
        from chengshu.kernel.workdays import CalendarYear, official_calendar

        today = now.astimezone(BEIJING).date()
        if self.what == MOVED:
            supply = official_calendar().years[today.year]
            monday = today + dt.timedelta(days=14 - today.weekday())
            saturday = monday - dt.timedelta(days=2)
            notice = CalendarYear(
                today.year,
                supply.days_off - {saturday} | {monday},
                supply.days_on - {monday} | {saturday},
                "simulated",
            )
        else:
            number = today.year + 1
            off = {dt.date(number, 1, 1), *(dt.date(number, 2, day) for day in range(5, 12))}
            off |= {
                dt.date(number, 5, 3),
                dt.date(number, 10, 1),
                *(dt.date(number, 10, day) for day in range(4, 8)),
            }
            weekdays = frozenset(day for day in off if day.isoweekday() <= 5)
            notice = CalendarYear(number, weekdays, frozenset(), "simulated")
        loaded = cases.calendars.load_year(notice, actor=None, now=now)
        old = self.year.night.notices
        self.year.night.notices = Notices(
            old.first, old.last, {**old.loaded, notice.year: (notice.days_off, notice.days_on)}
        )
        self.year.tally.recounted += loaded.recounted


class NewVersion:
    """Gives grid verification one more day for the first visit, in a new version, and moves its live cases there."""

    def __init__(self, year: Year, var: Path) -> None:
        self.year, self.folder = year, var / "packs" / "grid-verification"

    def __call__(self, now: dt.datetime) -> None:
        """Load the version, look at the dry run, migrate."""
        from chengshu.contexts.cases import api as cases
        from chengshu.contexts.identity import api as identity

        for path, text in cases.current_files("grid-verification").texts.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if path == "pack.yaml":
                text = re.sub("(?m)^version: .*$", "version: 9.0.0", text)
            if path == "deadlines.yaml":
                text = text.replace("term: 5 workdays", "term: 6 workdays", 1)
            target.write_text(text, encoding="utf-8")
        row = cases.load_pack_version(self.folder, now)
        dry = cases.migration.dry_run("grid-verification", row.pk, now)
        operator = next(account for account in identity.accounts(role="operator"))
        done = cases.migration.migrate(
            "grid-verification", row.pk, operator, "首次上门期限改为六个工作日（模拟）", now
        )
        if done.moved != sum(line.count for line in dry.lines if line.ok):
            self.year.night.faults.append(
                f"the dry run promised another number than the {done.moved} cases that moved"
            )
        self.year.tally.migrated += done.moved


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
