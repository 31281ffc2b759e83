"""Workdays of mainland China by the official notices, adjusted days included.

The supply is ``chinesecalendar`` (the State Council's notices since 2004). A year for which no notice is
known counts weekends only, and whoever computes with it is told so: the result is *provisional*. An operator
loads a new year as dated data (``load_calendar``); a loaded year stands before the supply.

What this does not do: business hours, and days off of one region or one office.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import chinese_calendar

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import Mapped, load_yaml

ONE_DAY = dt.timedelta(days=1)
SUPPLY = "chinesecalendar"
_KEYS = {"year", "reference", "last_checked", "days_off", "days_on"}


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """One year's notice: weekdays that are off, weekend days that are worked, and where that is written."""

    year: int
    days_off: frozenset[dt.date]
    days_on: frozenset[dt.date]
    reference: str

    def __post_init__(self) -> None:
        for day in self.days_off | self.days_on:
            if day.year != self.year:
                raise ValueError(f"{day} is not in {self.year}")
        for day in self.days_off & self.days_on:
            raise ValueError(f"{day} is both off and worked")


@dataclass(frozen=True, slots=True)
class Counted:
    """A day reached by counting workdays, with what the count passed over."""

    day: dt.date
    provisional: bool
    days_off: tuple[dt.date, ...]
    adjusted: tuple[dt.date, ...]


@dataclass(frozen=True)
class Calendar:
    """Which days are workdays, year by year; years that are not in ``years`` count weekends only."""

    years: Mapping[int, CalendarYear] = field(default_factory=dict)

    def known(self, year: int) -> bool:
        """Return whether an official notice for ``year`` is loaded."""
        return year in self.years

    def is_workday(self, day: dt.date) -> bool:
        """Return whether ``day`` is worked."""
        year = self.years.get(day.year)
        if year is None:
            return day.weekday() < 5
        return day in year.days_on or (day.weekday() < 5 and day not in year.days_off)

    def is_adjusted(self, day: dt.date) -> bool:
        """Return whether ``day`` is a Saturday or Sunday that an official notice makes a workday."""
        return day.weekday() >= 5 and self.is_workday(day)

    def next_workday(self, day: dt.date) -> dt.date:
        """Return ``day`` itself when it is worked, else the first workday after it."""
        while not self.is_workday(day):
            day += ONE_DAY
        return day

    def previous_workday(self, day: dt.date) -> dt.date:
        """Return ``day`` itself when it is worked, else the last workday before it."""
        while not self.is_workday(day):
            day -= ONE_DAY
        return day

    def add_workdays(self, day: dt.date, number: int, skip: frozenset[dt.date] = frozenset()) -> Counted:
        """Count ``number`` workdays after ``day`` (which itself is not counted); days in ``skip`` do not
        count.
        """
        if number < 0:
            raise ValueError("workdays are counted forward")
        provisional, off, adjusted, left = False, [], [], number
        while left:
            day += ONE_DAY
            provisional = provisional or not self.known(day.year)
            if day in skip:
                continue
            if not self.is_workday(day):
                off.append(day)
                continue
            left -= 1
            if self.is_adjusted(day):
                adjusted.append(day)
        return Counted(day, provisional, tuple(off), tuple(adjusted))

    def subtract_workdays(self, day: dt.date, number: int) -> dt.date:
        """Return the day ``number`` workdays before ``day``."""
        while number > 0:
            day -= ONE_DAY
            number -= self.is_workday(day)
        return day

    def workdays_between(self, first: dt.date, last: dt.date) -> int:
        """Return how many workdays lie after ``first`` up to and with ``last``; negative when ``last`` is
        before.
        """
        if last < first:
            return -self.workdays_between(last, first)
        return sum(1 for day in days_after(first, last) if self.is_workday(day))

    def with_years(self, years: Iterable[CalendarYear]) -> Calendar:
        """Return a calendar in which ``years`` stand before those already there."""
        return Calendar({**self.years, **{year.year: year for year in years}})


def days_after(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Yield the days after ``first`` up to and with ``last``."""
    day = first
    while day < last:
        day += ONE_DAY
        yield day


# Years that an operator loaded stand before the supply; one value, swapped whole, so that readers see old or new.
_in_force: Calendar | None = None


def official_calendar() -> Calendar:
    """Return the calendar in force: the supply, with the years that an operator loaded before it."""
    return _in_force or supplied_calendar()


def put_in_force(years: Iterable[CalendarYear]) -> Calendar:
    """Let these years stand before the supply from now on, in this process; none brings the supply back."""
    global _in_force
    loaded = tuple(years)
    _in_force = supplied_calendar().with_years(loaded) if loaded else None
    return official_calendar()


@lru_cache(maxsize=1)
def supplied_calendar() -> Calendar:
    """Return the calendar of all years that the installed ``chinesecalendar`` knows."""
    off: dict[int, set[dt.date]] = {}
    on: dict[int, set[dt.date]] = {}
    for day in chinese_calendar.holidays:
        off.setdefault(day.year, set()).add(day)
    for day in chinese_calendar.workdays:
        on.setdefault(day.year, set()).add(day)
    reference = f"{SUPPLY}: notices of the General Office of the State Council (国务院办公厅节假日安排通知)"
    return Calendar(
        {
            year: CalendarYear(year, frozenset(off[year]), frozenset(on.get(year, ())), reference)
            for year in off
        }
    )


def load_calendar(path: Path) -> CalendarYear:
    """Read one year from YAML: ``year``, ``reference``, ``last_checked``, ``days_off``, ``days_on``."""
    data = load_yaml(path)
    if not isinstance(data, Mapped):
        raise Problem("calendar-form", "A calendar is a mapping", where=Where(file=str(path), line=1))
    for key in data:
        if key not in _KEYS:
            raise Problem("calendar-key", f"A calendar has no key {key}", where=_at(path, data, key))
    for key in sorted(_KEYS - data.keys()):
        raise Problem(
            "calendar-key", f"The key {key} is missing", where=Where(file=str(path), line=data.line)
        )
    year = data["year"]
    if not isinstance(year, int):
        raise Problem("calendar-year", "The year is a number", where=_at(path, data, "year"))
    off, on = _days(path, data, "days_off"), _days(path, data, "days_on")
    try:
        return CalendarYear(year, off, on, f"{data['reference']} (last checked {data['last_checked']})")
    except ValueError as error:
        raise Problem("calendar-day", str(error), where=_at(path, data, "days_off")) from error


def _days(path: Path, data: Mapped, key: str) -> frozenset[dt.date]:
    days: set[dt.date] = set()
    if not isinstance(data[key], list):
        raise Problem("calendar-day", f"{key} is a list of days", where=_at(path, data, key))
    for index, item in enumerate(data[key]):
        days.update(_span(str(item), Where(file=str(path), line=data[key].lines[index], field=key)))
    return frozenset(days)


def _span(text: str, where: Where) -> Iterator[dt.date]:
    first, _, last = text.partition("/")
    try:
        start = dt.date.fromisoformat(first[:10])
        end = dt.date.fromisoformat(last[:10]) if last else start
    except ValueError as error:
        raise Problem(
            "calendar-day",
            f"{text} is no day",
            remedy="write 2027-01-01, or 2027-02-05/2027-02-12 for a span",
            where=where,
        ) from error
    if end < start:
        raise Problem("calendar-day", f"{text} ends before it starts", where=where)
    yield start
    yield from days_after(start, end)


def _at(path: Path, data: Mapped, key: Any) -> Where:
    return Where(file=str(path), line=data.lines.get(key), field=str(key))
