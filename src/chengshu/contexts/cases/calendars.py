"""Calendars as dated data: an operator loads a year's official notice, every term that it touches is counted anew.

A loaded year stands before the supply (chinesecalendar). Each process looks for newly loaded years every few seconds.
Loading, or changing, a year recounts the running terms it reaches, case by case: an event with the change, a ledger
leaf, and notices to those concerned. A pass that was cut short is taken up by the clock and changes nothing twice.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from chengshu.contexts.cases import administration
from chengshu.contexts.cases.domain import NOBODY, account_owner
from chengshu.contexts.cases.holidays import refresh
from chengshu.contexts.cases.models import CalendarYear as YearRow
from chengshu.contexts.cases.models import CaseTerm, Notice
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.workdays import (
    ONE_DAY,
    Calendar,
    CalendarYear,
    supplied_calendar,
)
from chengshu.procedure.case import RUNNING, TermState
from chengshu.procedure.machine import default_clock

log = structlog.get_logger("chengshu.cases.calendars")
LEDGER_KIND = "calendar.year"
# Processes that had not looked yet may have counted by the old calendar: a pass is repeated for so long.
SETTLES_IN = dt.timedelta(minutes=2)
BATCH = 500


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading a year did."""

    year: int
    changed_days: int
    changed_from: dt.date | None
    recounted: int


@dataclass(frozen=True, slots=True)
class YearLine:
    """One year in the list of calendars."""

    year: int
    days_off: int
    days_on: int
    reference: str
    loaded_at: dt.datetime | None


def load_year(year: CalendarYear, *, actor: Account | None, now: dt.datetime) -> Loaded:
    """Put a year's notice in force and count anew what it touches; a year that says nothing new changes nothing."""
    before = refresh()
    changed = [day for day in _days_of(year.year) if _differs(before, year, day)]
    known = before.known(year.year)
    if known and not changed:
        return Loaded(year.year, 0, None, 0)
    since = changed[0] if known else dt.date(year.year, 1, 1)
    with transaction.atomic():
        YearRow.objects.filter(year=year.year, current=True).update(current=False)
        row = YearRow.objects.create(
            year=year.year,
            days_off=_text(year.days_off),
            days_on=_text(year.days_on),
            reference=year.reference[:300],
            loaded_at=now,
            loaded_by=str(actor.pk) if actor else "",
            changed_from=since,
        )
        said = {"year": year.year, "days_off": _text(year.days_off), "days_on": _text(year.days_on),
                "reference": row.reference, "by": row.loaded_by}  # fmt: skip
        ledger.deposit(LEDGER_KIND, f"calendar:{year.year}", said, now=now)
    refresh()
    return Loaded(year.year, len(changed), since, recount(now))


def supplied_year(year: int) -> CalendarYear:
    """Return a year from the supply, or say what to do when the installed one does not know it."""
    found = supplied_calendar().years.get(year)
    if found is None:
        raise Problem(
            "calendar-year",
            _("所装的 chinesecalendar 还没有这一年"),
            detail=str(year),
            remedy=_("升级 chinesecalendar，或用文件装载国务院办公厅的通知：chengshu calendar load FILE"),
            status=404,
        )
    return found


def years() -> list[YearLine]:
    """Return every year that is known, the supply's and the loaded ones."""
    loaded = {row.year: row for row in YearRow.objects.filter(current=True)}
    calendar = refresh()
    return [
        YearLine(
            number, len(year.days_off), len(year.days_on), year.reference,
            loaded[number].loaded_at if number in loaded else None,
        )
        for number, year in sorted(calendar.years.items())
    ]  # fmt: skip


def recount(now: dt.datetime) -> int:
    """Count anew every running term that a loaded year touches; returns how many cases changed.

    The clock calls this: it goes over what no pass has settled yet, and over provisional terms that are none any more.
    """
    calendar = refresh()
    waiting = list(YearRow.objects.filter(_unsettled()))
    changed, failed = 0, 0
    for case_id in _touched(calendar, waiting):
        try:
            changed += _recount_case(case_id, waiting, now)
        except Problem as problem:
            # A person was faster, or the case is broken: the next pass meets it again, the others go on.
            failed += 1
            log.error("recount-failed", case=case_id, problem=str(problem))
    # A year with a case that was not counted is not settled: its next pass looks again.
    if not failed:
        YearRow.objects.filter(pk__in=[row.pk for row in waiting]).update(recounted_at=now)
    return changed


def _unsettled() -> Q:

    return Q(recounted_at=None) | Q(recounted_at__lt=F("loaded_at") + SETTLES_IN)


def _touched(calendar: Calendar, waiting: list[YearRow]) -> Iterator[str]:
    """Yield the cases whose running terms may end otherwise now."""
    known = [year for year in calendar.years if year >= 2020]
    last = dt.date(max(known), 12, 31) if known else dt.date.min
    wanted = Q(provisional=True, due_on__lte=last)
    if waiting:
        wanted |= Q(due_on__gte=min(row.changed_from for row in waiting))
    found = CaseTerm.objects.filter(wanted, state=RUNNING).order_by("case_id")
    after = ""
    while True:
        batch = list(found.filter(case_id__gt=after).values_list("case_id", flat=True).distinct()[:BATCH])
        if not batch:
            return
        yield from batch
        after = batch[-1]


def _recount_case(case_id: str, waiting: list[YearRow], now: dt.datetime) -> int:
    with transaction.atomic():
        held = administration.hold(case_id, None, now)
        if held.pack.states[held.row.state].final:
            return 0
        changed: list[TermState] = []
        for name, term in held.case.terms.items():
            item = held.pack.deadlines.get(name)
            if item is None or term["state"] != RUNNING:
                continue
            fresh = default_clock().recount(item, term)
            if any(fresh[key] != term[key] for key in ("due_at", "amber_at", "provisional")):
                changed.append({**fresh, "id": name})
        if not changed:
            return 0
        moved = [_moved(held, term) for term in changed]
        data = {
            "reference": "、".join(sorted({str(row.year) for row in waiting})) or _("新年度"),
            "change": "；".join(moved),
        }
        done = administration.write(held, "recounted", now, data=data, terms=changed)
        _tell(held, done.seq, data["change"], now)
        return 1


def _moved(held: administration.Held, term: TermState) -> str:
    name = held.pack.text(f"terms.{term['id']}") or term["id"]
    return f"{name} {held.case.terms[term['id']]['due_on']} → {term['due_on']}"


def _tell(held: administration.Held, seq: int, change: str, now: dt.datetime) -> None:
    """Put a notice on the pages of who has the work and of who opened the case."""
    owners = {owner for _task, _role, owner in held.tasks if owner != NOBODY}
    if held.case.opened_by.isdigit():
        owners.add(account_owner(held.case.opened_by))
    Notice.objects.bulk_create(
        [
            Notice(
                owner=owner,
                case_id=held.row.id,
                key=f"{held.row.id}:{seq}:recounted:{owner}"[:120],
                text_zh=f"放假安排已公布，期限重新计算：{change}"[:500],
                text_en=f"The holidays were published; terms were counted anew: {change}"[:500],
                at=now,
            )
            for owner in sorted(owners)
        ],
        ignore_conflicts=True,
    )


def _days_of(year: int) -> Iterator[dt.date]:
    day = dt.date(year, 1, 1)
    while day.year == year:
        yield day
        day += ONE_DAY


def _differs(before: Calendar, year: CalendarYear, day: dt.date) -> bool:
    worked = day in year.days_on or (day.weekday() < 5 and day not in year.days_off)
    return before.is_workday(day) != worked


def _text(days: frozenset[dt.date]) -> str:
    return json.dumps([day.isoformat() for day in sorted(days)])


__all__ = ["Loaded", "YearLine", "load_year", "recount", "refresh", "supplied_year", "years"]
