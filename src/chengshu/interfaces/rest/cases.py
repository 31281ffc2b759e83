"""REST calls of the context `cases`: my work, a case, a command.

A command names the version it was decided on (``If-Match``) and a key of its own (``Idempotency-Key``): sent twice, it is
carried out once; sent on an older version, it is refused with 409 and the case as it is now.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Header, Path, Query, Router, Schema

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.identity.api import STAFF_ROLES
from chengshu.interfaces.rest.authentication import guard
from chengshu.interfaces.rest.wording import COMMAND, KEY, VERSION, refused
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day

router = Router(tags=["cases"])
MAX_SIZE = 100


class Said(Schema):
    """A text in both languages."""

    zh: str
    en: str


class LightOut(Schema):
    """A light with its words."""

    colour: str
    zh: str
    en: str
    days: int | None


class TaskOut(Schema):
    """One line of a work list."""

    case_id: str
    pack: str
    title: Said
    state: Said
    role: Said
    area: str
    cell_code: str
    department: str
    owner_name: str
    due_at: dt.datetime | None
    light: LightOut
    opened_at: dt.datetime


class TasksOut(Schema):
    """One page of a work list; ``counts`` by light are over all of it."""

    items: list[TaskOut]
    total: int
    page: int
    pages: int
    counts: dict[str, int]


class TaskQuery(Schema):
    """What to list. ``view`` other than ``mine`` is for operators."""

    view: str = Field("mine", pattern="^(mine|nobody|all)$")
    light: str = Field("", pattern="^(|red|amber|green)$")
    pack: str = Field("", max_length=60)
    kind: str = Field("", max_length=50)
    q: str = Field("", max_length=100)
    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(20, ge=1, le=MAX_SIZE)


class CommandIn(Schema):
    """The answers of the command's form."""

    data: dict[str, Any] = Field(default_factory=dict)


class ResultOut(Schema):
    """A certificate or document that came of a case; ``made`` once its file is there."""

    kind: str
    title: Said
    number: str
    state: Said
    made: bool
    at: dt.datetime


class PartOut(Schema):
    """A part (or a shared visit) of a one-thing.

    ``state``: waiting, open, done, refused, skipped, blocked. ``stands``: where its own case is, or how it ended.
    ``due_on`` and ``light``: its running term. ``asks``: it waits for the applicant. ``case_id`` is empty where its file
    is not the caller's to open.
    """

    id: str
    title: Said
    state: str
    state_title: Said
    case_id: str
    stands: Said
    office: Said
    due_on: dt.date | None
    light: LightOut | None
    asks: bool
    is_join: bool
    waits_for: list[Said]
    results: list[ResultOut]


class ProgressOut(Schema):
    """How far a one-thing is: parts done of those wanted, and how many wait for the applicant."""

    done: int
    total: int
    asks: int
    parts: list[PartOut]


class CaseOut(Schema):
    """A case as the caller may see it; ``version`` is what ``If-Match`` wants."""

    case_id: str
    pack: str
    pack_version: str
    version: int
    title: Said
    reason: Said
    state: str
    state_title: Said
    outcome: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    subject_id: str
    cell_code: str
    area: str
    department: str
    address: str
    values: list[dict[str, Any]]
    grounds: list[dict[str, Any]]
    terms: list[dict[str, Any]]
    commands: list[dict[str, Any]]
    events: list[dict[str, Any]]
    children: list[dict[str, Any]]
    progress: ProgressOut | None = Field(None, description="Of a one-thing, for who may see it whole")
    withheld: bool
    erased: bool


@router.get(
    "/tasks", auth=guard(*STAFF_ROLES, scope="cases:read"), response=TasksOut, summary="My work, by due date"
)
def list_tasks(request: HttpRequest, query: Query[TaskQuery]) -> dict[str, Any]:
    """List the caller's open work, what is due first standing first."""
    filters = cases.Filters(query.view, query.light, query.pack, query.kind, query.q)
    page = cases.tasks_for(
        request.user, now=timezone.now(), filters=filters, page=query.page, size=query.size
    )
    return {
        "items": [asdict(row) for row in page.rows],
        "total": page.total,
        "page": page.page,
        "pages": page.pages,
        "counts": page.counts,
    }


@router.get("/{case_id}", auth=guard(scope="cases:read"), response=CaseOut, summary="One case")
def get_case(request: HttpRequest, response: HttpResponse, case_id: str) -> dict[str, Any]:
    """Return a case; its version stands in ``ETag`` too. Personal values are for those who work on it, on record."""
    now = timezone.now()
    found = _shown(cases.case_view(_id(case_id), request.user, now=now), response)
    return {**found, "progress": _progress(case_id, request, now)}


@router.post(
    "/{case_id}/commands/{command}",
    auth=guard(scope="cases:write"),
    response=CaseOut,
    summary="Carry out a command",
    openapi_extra=refused("The answers do not fit the form of the command"),
)
def do_command(
    request: HttpRequest,
    response: HttpResponse,
    case_id: str,
    command: Annotated[str, Path(..., pattern=COMMAND)],
    body: CommandIn,
    if_match: str = Header(
        ..., alias="If-Match", pattern=VERSION, description='The version decided on, such as "3"'
    ),
    idempotency_key: str = Header(..., alias="Idempotency-Key", min_length=1, max_length=120, pattern=KEY),
) -> dict[str, Any]:
    """Take one step of a case."""
    view = cases.command(
        _id(case_id),
        command,
        body.data,
        actor=request.user,
        expected_version=_version(if_match),
        idempotency_key=idempotency_key,
        now=timezone.now(),
    )
    return _shown(view, response)


def _shown(view: cases.CaseView, response: HttpResponse) -> dict[str, Any]:
    response["ETag"] = f'"{view.version}"'
    return asdict(view)


def _progress(case_id: str, request: HttpRequest, now: dt.datetime) -> dict[str, Any] | None:
    """Return how far a one-thing is, each part with what it has brought; None for other cases."""
    found = cases.progress_of(case_id, request.user, now=now)
    if found is None:
        return None
    # The office sees how far the parts are; what they brought is for whoever holds the package.
    mine = request.user.role == "resident"
    numbers = [line.case_id for line in found.lines if line.case_id and line.readable]
    results = certificates.results_of(numbers, legal_day(now)) if mine and numbers else []
    parts = [
        {
            "id": line.id, "title": line.title, "state": line.state, "state_title": line.state_words,
            "case_id": line.case_id if line.readable else "", "stands": line.stands, "office": line.office,
            "due_on": line.due_on, "light": asdict(line.light) if line.light else None, "asks": line.asks,
            "is_join": line.is_join, "waits_for": line.waits_for,
            "results": [asdict(each) for each in results if each.case_id == line.case_id],
        }
        for line in found.lines
    ]  # fmt: skip
    return {"done": found.done, "total": found.total, "asks": found.asks, "parts": parts}


def _version(if_match: str) -> int:
    digits = if_match.strip().removeprefix("W/").strip('"')
    if not digits.isdecimal() or len(digits) > 9:
        raise Problem(
            "if-match", "If-Match names the version of the case", remedy='send If-Match: "3"', status=400
        )
    return int(digits)


def _id(case_id: str) -> str:
    if len(case_id) > 20 or not case_id.isalnum():
        raise Problem("case-unknown", "没有这个办件", detail=case_id[:40], status=404)
    return case_id
