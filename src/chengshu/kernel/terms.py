"""Terms and due dates by the Civil Code, articles 200 to 204.

- Art. 200, 201: a term in days, months or years does not count its first day; one in hours starts at its
  time.
- Art. 202: a term in months or years ends on the corresponding day of its last month, or on that month's
  last day.
- Art. 203: a term that ends on a day off ends on the next workday; its last day ends at 24:00.

Administrative terms are mostly in workdays: only workdays after the first day count. While a clock is
stopped its days do not count: the day of the stop is still used up, the day on which it goes on is its new
first day. Every result says how it was reached, in Chinese and English.
"""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from chengshu.kernel.problems import Problem
from chengshu.kernel.workdays import ONE_DAY, Calendar, days_after

LEGAL_ZONE = ZoneInfo("Asia/Shanghai")


class Unit(StrEnum):
    """What a term counts."""

    WORKDAYS = "workdays"
    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"
    HOURS = "hours"
    AT_ONCE = "at once"


_ZH = {
    Unit.WORKDAYS: "个工作日",
    Unit.DAYS: "日",
    Unit.MONTHS: "个月",
    Unit.YEARS: "年",
    Unit.HOURS: "小时",
}
_PATTERN = re.compile(r"^(\d{1,6})\s*(workday|day|month|year|hour)s?$")
_PATTERN_ZH = re.compile(r"^(\d{1,6})\s*(个工作日|工作日|日|天|个月|月|年|小时)$")
_UNITS_ZH = {
    "个工作日": Unit.WORKDAYS,
    "工作日": Unit.WORKDAYS,
    "日": Unit.DAYS,
    "天": Unit.DAYS,
    "个月": Unit.MONTHS,
    "月": Unit.MONTHS,
    "年": Unit.YEARS,
    "小时": Unit.HOURS,
}
# The farthest a term may reach: what lies beyond is a slip of the pen, and would count for minutes.
_MOST = {Unit.WORKDAYS: 2_500, Unit.DAYS: 36_525, Unit.MONTHS: 1_200, Unit.YEARS: 100, Unit.HOURS: 100_000}


@dataclass(frozen=True, slots=True)
class Term:
    """A length of time such as 10 workdays."""

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.unit is not Unit.AT_ONCE and not 0 < self.amount <= _MOST[self.unit]:
            raise ValueError(f"a term has 1 to {_MOST[self.unit]} {self.unit}, not {self.amount}")

    def __str__(self) -> str:
        return self.in_english()

    def in_english(self) -> str:
        """Return ``10 workdays``."""
        if self.unit is Unit.AT_ONCE:
            return "at once"
        return f"{self.amount} {self.unit.value if self.amount != 1 else self.unit.value[:-1]}"

    def in_chinese(self) -> str:
        """Return ``10个工作日``."""
        return "当场" if self.unit is Unit.AT_ONCE else f"{self.amount}{_ZH[self.unit]}"


@dataclass(frozen=True, slots=True)
class Stop:
    """A time in which the clock stands; ``end`` is ``None`` while it still does."""

    start: dt.datetime
    end: dt.datetime | None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError("a stop ends after it starts")


@dataclass(frozen=True, slots=True)
class Due:
    """When a term ends. ``on`` and ``at`` are ``None`` while the clock stands still without an end."""

    term: Term
    start: dt.datetime
    on: dt.date | None
    at: dt.datetime | None
    provisional: bool
    arithmetic_zh: str
    arithmetic_en: str

    def passed(self, now: dt.datetime) -> bool:
        """Return whether the term is over at ``now``."""
        return self.at is not None and now >= self.at


def parse_term(text: str) -> Term:
    """Read ``10 workdays``, ``3 months``, ``at once``, ``10个工作日``; else raises ``Problem``."""
    plain = " ".join(text.split())
    if plain in ("at once", "当场", "即时"):
        return Term(0, Unit.AT_ONCE)
    unit: Unit | None = None
    amount = 0
    if match := _PATTERN.match(plain):
        amount, unit = int(match[1]), Unit(match[2] + "s")
    elif match := _PATTERN_ZH.match(plain):
        amount, unit = int(match[1]), _UNITS_ZH[match[2]]
    if unit is None or not 0 < amount <= _MOST[unit]:
        raise Problem(
            "term-form",
            f"“{text}” is no term",
            remedy="write 10 workdays, 30 days, 3 months, 1 year, 24 hours or at once",
        )
    return Term(amount, unit)


def due(term: Term, start: dt.datetime | dt.date, calendar: Calendar, stops: Sequence[Stop] = ()) -> Due:
    """Return when ``term``, whose first day is that of ``start``, ends; see the module for the rules.

    A plain ``date`` stands for the beginning of that day in Asia/Shanghai. Stops may lie in any order and
    overlap.
    """
    instant = _instant(start)
    if any(stop.end is None and stop.start >= instant for stop in stops) or _stands_from_before(
        stops, instant
    ):
        return _standing(term, instant, stops)
    if term.unit is Unit.HOURS:
        return _due_hours(term, instant, stops)
    first = legal_day(instant)
    stopped = _stopped_days(stops)
    if term.unit is Unit.AT_ONCE:
        zh, en = f"{first} 当场", f"{first}, at once"
        return Due(term, instant, first, day_end(first), False, zh, en)
    if term.unit is Unit.WORKDAYS:
        return _due_workdays(term, instant, first, calendar, stopped)
    return _due_days(term, instant, first, calendar, stopped)


def legal_day(instant: dt.datetime) -> dt.date:
    """Return the day of ``instant`` in Asia/Shanghai."""
    return instant.astimezone(LEGAL_ZONE).date()


def day_end(day: dt.date) -> dt.datetime:
    """Return the instant at which ``day`` ends (24:00 in Asia/Shanghai), in UTC."""
    return dt.datetime.combine(day + ONE_DAY, dt.time(), LEGAL_ZONE).astimezone(dt.UTC)


def _instant(start: dt.datetime | dt.date) -> dt.datetime:
    if isinstance(start, dt.datetime):
        if start.tzinfo is None:
            raise ValueError("a time without a zone starts no term")
        return start.astimezone(dt.UTC)
    return dt.datetime.combine(start, dt.time(), LEGAL_ZONE).astimezone(dt.UTC)


def _stands_from_before(stops: Sequence[Stop], instant: dt.datetime) -> bool:
    return any(stop.end is None and stop.start < instant for stop in stops)


def _standing(term: Term, instant: dt.datetime, stops: Sequence[Stop]) -> Due:
    since = legal_day(min(stop.start for stop in stops if stop.end is None))
    first = legal_day(instant)
    zh = f"{first} + {term.in_chinese()}：自 {since} 起中止计算，恢复后确定到期日"
    en = f"{first} + {term}: the clock stands since {since}; the due date is known once it goes on"
    return Due(term, instant, None, None, False, zh, en)


def _stopped_days(stops: Sequence[Stop]) -> frozenset[dt.date]:
    days: set[dt.date] = set()
    for stop in stops:
        if stop.end is not None:
            days.update(days_after(legal_day(stop.start), legal_day(stop.end)))
    return frozenset(days)


def _due_hours(term: Term, instant: dt.datetime, stops: Sequence[Stop]) -> Due:
    end = instant + dt.timedelta(hours=term.amount)
    pause = dt.timedelta()
    reached = instant
    for stop in sorted(stops, key=lambda stop: stop.start):
        if stop.end is None or stop.end <= reached or stop.start >= end:
            continue
        lost = stop.end - max(stop.start, reached)
        pause, end, reached = pause + lost, end + lost, stop.end
    clock = instant.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")
    result = end.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")
    hours = pause / dt.timedelta(hours=1)
    zh = f"{clock} + {term.in_chinese()} = {result}" + (f"；中止 {hours:g} 小时" if pause else "")
    en = f"{clock} + {term} = {result}" + (f"; the clock stood {hours:g} hours" if pause else "")
    return Due(term, instant, legal_day(end), end, False, zh, en)


def _due_workdays(
    term: Term, instant: dt.datetime, first: dt.date, calendar: Calendar, stopped: frozenset[dt.date]
) -> Due:
    counted = calendar.add_workdays(first, term.amount, stopped)
    used = frozenset(day for day in stopped if first < day <= counted.day)
    zh = [f"{first} + {term.in_chinese()} = {counted.day}", "首日不计"]
    en = [f"{first} + {term} = {counted.day}", "the first day is not counted"]
    if counted.days_off:
        zh.append(f"非工作日 {_spans(counted.days_off)}")
        en.append(f"days off {_spans(counted.days_off)}")
    if counted.adjusted:
        zh.append(f"调休上班 {_spans(counted.adjusted)}")
        en.append(f"adjusted workdays {_spans(counted.adjusted)}")
    return _finish(term, instant, counted.day, counted.provisional, (zh, en), used)


def _due_days(
    term: Term, instant: dt.datetime, first: dt.date, calendar: Calendar, stopped: frozenset[dt.date]
) -> Due:
    plain = _plain_end(first, term)
    ends = plain
    while True:
        used = frozenset(day for day in stopped if first < day <= ends)
        later = plain + dt.timedelta(days=len(used))
        if later == ends:
            break
        ends = later
    rolled = calendar.next_workday(ends)
    provisional = any(not calendar.known(year) for year in range(ends.year, rolled.year + 1))
    rule_zh = "期间开始日不计" if term.unit is Unit.DAYS else "至到期月的对应日"
    rule_en = "the first day is not counted" if term.unit is Unit.DAYS else "to the corresponding day"
    zh = [f"{first} + {term.in_chinese()} = {rolled}", rule_zh]
    en = [f"{first} + {term} = {rolled}", rule_en]
    if term.unit is not Unit.DAYS and plain.day != first.day:
        zh.append(f"无对应日，以月末日 {plain} 为到期日")
        en.append(f"no corresponding day: the month's last day, {plain}")
    if rolled != ends:
        zh.append(f"{ends} 为休息日，顺延至 {rolled}")
        en.append(f"{ends} is a day off, so the next workday, {rolled}")
    return _finish(term, instant, rolled, provisional, (zh, en), used)


def _plain_end(first: dt.date, term: Term) -> dt.date:
    if term.unit is Unit.DAYS:
        return first + dt.timedelta(days=term.amount)
    months = term.amount * (12 if term.unit is Unit.YEARS else 1)
    total = first.year * 12 + first.month - 1 + months
    year, month = divmod(total, 12)
    return dt.date(year, month + 1, min(first.day, gregorian.monthrange(year, month + 1)[1]))


def _finish(
    term: Term,
    instant: dt.datetime,
    on: dt.date,
    provisional: bool,
    texts: tuple[list[str], list[str]],
    used: frozenset[dt.date],
) -> Due:
    zh, en = texts
    if used:
        zh.append(f"中止 {len(used)} 日（{_spans(used)}）")
        en.append(f"the clock stood {len(used)} days ({_spans(used)})")
    if provisional:
        zh.append("所涉年度放假安排尚未公布，暂按双休日计算")
        en.append("provisional: the holidays of a year it reaches are not published, weekends only")
    return Due(term, instant, on, day_end(on), provisional, "；".join(zh), "; ".join(en))


def _spans(days: Sequence[dt.date] | frozenset[dt.date]) -> str:
    spans: list[list[dt.date]] = []
    for day in sorted(days):
        if spans and day - spans[-1][-1] == ONE_DAY:
            spans[-1][-1:] = [spans[-1][0], day] if len(spans[-1]) == 1 else [day]
        else:
            spans.append([day])
    return ", ".join(f"{span[0]}–{span[-1]}" if len(span) > 1 else f"{span[0]}" for span in spans)
