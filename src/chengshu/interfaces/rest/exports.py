"""REST calls of exports and of the statistics of ratings."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import FileResponse, HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from chengshu.contexts.hall.api import EXPORT_KINDS, EXPORT_ROLES, exports, ratings
from chengshu.contexts.identity import api as identity
from chengshu.interfaces.rest.authentication import OPEN, guard
from chengshu.interfaces.rest.wording import SIX_LONG, refused

router = Router(tags=["exports"])
statistics = Router(tags=["ratings"], auth=OPEN)


class ExportIn(Schema):
    """Which list, for what."""

    kind: str = Field(pattern=f"^({'|'.join(EXPORT_KINDS)})$")
    purpose: str = Field(pattern=f"^({'|'.join(identity.PURPOSES)})$")
    reason: str = Field(min_length=6, max_length=300, pattern=SIX_LONG)
    format: str = Field("csv", pattern="^(csv|xlsx)$", description="Some lists are given as CSV only")
    full: bool = Field(False, description="Values in clear, where the role may have them")
    filters: dict[str, str] = Field(default_factory=dict)


class ExportOut(Schema):
    """An export as its record stands."""

    number: str
    kind: str
    purpose: str
    reason: str
    format: str
    full: bool
    state: str
    rows: int
    persons: int
    error: str
    asked_at: dt.datetime
    ready_at: dt.datetime | None
    expires_at: dt.datetime | None


class RatingQuery(Schema):
    """By what the figures are grouped."""

    by: str = Field("department", pattern="^(department|pack|channel)$")


class RatingLine(Schema):
    """One line of the statistics; ``unrated`` services are neither good nor bad."""

    code: str
    ended: int
    rated: int
    unrated: int
    grades: dict[str, int]
    set_aside: int
    late: int


@router.post(
    "",
    auth=guard(*EXPORT_ROLES, scope="exports:write"),
    response={202: ExportOut},
    summary="Ask for an export",
    openapi_extra=refused("The role does not read for this purpose"),
)
def ask(request: HttpRequest, body: ExportIn) -> tuple[int, Any]:
    """Put an export into the queue; it is masked unless ``full`` is asked for and allowed."""
    row = exports.ask(
        request.user, body.kind, body.filters, purpose=body.purpose, reason=body.reason, full=body.full,
        form=body.format, now=timezone.now(),
    )  # fmt: skip
    return 202, row


@router.get(
    "", auth=guard(*EXPORT_ROLES, scope="exports:read"), response=list[ExportOut], summary="My exports"
)
def mine(request: HttpRequest) -> Any:
    """List the caller's exports, newest first; the operator sees everyone's records."""
    return exports.exports_of(request.user)


@router.get(
    "/{number}/file", auth=guard(*EXPORT_ROLES, scope="exports:read"), summary="The file of an export"
)
def file(request: HttpRequest, number: str) -> FileResponse:
    """Give the file, as CSV or as a workbook, to whoever asked for it, until it expires."""
    return exports.answer(number, request.user, timezone.now())


@statistics.get("", response=list[RatingLine], summary="How services are rated")
def figures(request: HttpRequest, query: Query[RatingQuery]) -> list[dict[str, Any]]:
    """Return the figures of every service that ended, rated or not."""
    return [
        {
            "code": line.code,
            "ended": line.figures.ended,
            "rated": line.figures.rated,
            "unrated": line.figures.unrated,
            "grades": {str(grade): number for grade, number in line.figures.grades.items()},
            "set_aside": line.figures.set_aside,
            "late": line.figures.late,
        }
        for line in ratings.counted(query.by)
    ]
