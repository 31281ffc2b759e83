"""REST calls of the operator: calendars of workdays, and cases that move to another version of their pack."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router, Schema

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity.api import STAFF_ROLES
from chengshu.interfaces.rest.authentication import guard
from chengshu.interfaces.rest.wording import TEXT, PackName, refused
from chengshu.kernel.problems import Problem
from chengshu.kernel.workdays import CalendarYear

calendars = Router(tags=["calendars"])
packs = Router(tags=["packs"])


class CalendarIn(Schema):
    """One year's notice."""

    year: int = Field(..., ge=2004, le=2100)
    reference: str = Field(..., min_length=1, max_length=300, pattern=TEXT)
    days_off: list[dt.date] = Field(..., max_length=200)
    days_on: list[dt.date] = Field(default_factory=list, max_length=100)


class LoadedOut(Schema):
    """What loading a year did."""

    year: int
    changed_days: int
    changed_from: dt.date | None
    recounted: int


class YearOut(Schema):
    """A year that is known."""

    year: int
    days_off: int
    days_on: int
    reference: str
    loaded_at: dt.datetime | None


class MigrationIn(Schema):
    """Where live cases move; ``dry_run`` only looks."""

    to: str = Field(..., max_length=30, pattern=TEXT)
    mapping: dict[str, str] = Field(default_factory=dict)
    reason: str = Field("", max_length=300, pattern=TEXT)
    dry_run: bool = True


class MigrationOut(Schema):
    """What a migration would do, or did."""

    pack: str
    to_version: str
    moved: int
    left: int
    lines: list[dict[str, Any]]
    unfit: dict[str, str]


@calendars.get("", auth=guard(*STAFF_ROLES, scope="cases:read"), response=list[YearOut], summary="Calendars")
def list_years(request: HttpRequest) -> Any:
    """List the years whose holidays are known."""
    return [asdict(line) for line in cases.calendars.years()]


@calendars.post(
    "",
    auth=guard("operator", scope="cases:write"),
    response=LoadedOut,
    summary="Load a year",
    openapi_extra=refused("A day is not in the year, or is named twice"),
)
def load_year(request: HttpRequest, body: CalendarIn) -> Any:
    """Put a year's holidays in force and count anew every running term that they touch."""
    try:
        year = CalendarYear(body.year, frozenset(body.days_off), frozenset(body.days_on), body.reference)
    except ValueError as error:
        raise Problem("calendar-day", "日期与年份不符或重复", detail=str(error), status=422) from error
    return asdict(cases.calendars.load_year(year, actor=request.user, now=timezone.now()))


@packs.post(
    "/{pack}/migrations",
    auth=guard("operator", scope="cases:write"),
    response=MigrationOut,
    summary="Migrate cases",
    openapi_extra=refused("A state of the old version has no place in the new one, or no reason is given"),
)
def migrate(request: HttpRequest, pack: PackName, body: MigrationIn) -> Any:
    """Move live cases to another loaded version of their pack; ``dry_run`` (the default) only says what would move."""
    now = timezone.now()
    to = cases.migration.version_named(pack, body.to)
    if body.dry_run:
        return asdict(cases.migration.dry_run(pack, to.pk, now, body.mapping))
    return asdict(cases.migration.migrate(pack, to.pk, request.user, body.reason, now, body.mapping))
