"""REST calls of subjects and returns: search and read golden records, answer returns, give the map its counts."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Path, Query, Router, Schema

from chengshu.contexts.identity.api import is_personal, mask, record_read
from chengshu.contexts.subjects import api
from chengshu.interfaces.rest.authentication import guard
from chengshu.interfaces.rest.wording import SAID, TEXT, TWO_SEEN
from chengshu.kernel.problems import Problem

router = Router(tags=["subjects"])
returns = Router(tags=["returns"])
PAGE = 100
Number = Annotated[int, Path(..., ge=1, le=2**63 - 1)]


class HitOut(Schema):
    """One subject that a search found; personal values masked."""

    subject_id: str
    kind: str
    name: str
    id_number: str
    cell_code: str
    community_code: str


class ValueOut(Schema):
    """One value of one record."""

    value: str | None
    source: str
    department: str
    record_id: str
    file: str | None
    row: int | None
    at: str | None
    agrees: bool
    absent_since: str | None


class FactOut(Schema):
    """One element of a golden record."""

    element: str
    value: str | None
    origin: ValueOut | None
    others: list[ValueOut]
    disputed: bool
    corrected_by: str | None
    corrected_at: dt.datetime | None
    case_id: str | None


class RecordOut(Schema):
    """A golden record with provenance; personal values are masked unless a purpose was given."""

    subject_id: str
    kind: str
    place_code: str
    cell_code: str
    community_code: str
    run_id: str
    masked: bool
    facts: list[FactOut]


class ReturnOut(Schema):
    """A correction that came back to a department."""

    id: int
    source: str
    record: str
    subject_id: str
    element: str
    your_value: str | None
    corrected_value: str | None
    confirms: bool
    made_at: dt.datetime
    case_id: str
    state: str
    due_on: dt.date


class ReturnsOut(Schema):
    """One page of returns."""

    items: list[ReturnOut]
    total: int
    page: int


class AnswerIn(Schema):
    """The department's answer."""

    note: str = Field("", max_length=300, pattern=TEXT)


class DisputeIn(Schema):
    """Why the department stands by its value."""

    reason: str = Field(..., min_length=1, max_length=300, pattern=SAID)


class DisputeOut(Schema):
    """An open dispute."""

    id: int
    subject_id: str
    element: str
    decider: str
    decide_by: dt.date


@router.get("", response=list[HitOut], auth=guard("steward", "officer", "operator", scope="subjects:read"))
def search(
    request: HttpRequest,
    q: str = Query(..., min_length=2, max_length=200, pattern=TWO_SEEN),
    kind: Literal["person", "firm", "premises", "facility"] | None = None,
) -> list[Any]:
    """Find at most 50 subjects by the beginning of a name, a whole number or phone, a place code or an id."""
    return list(api.search(q, kind=kind, actor=request.auth, now=timezone.now(), purpose=_purpose(request)))


def _purpose(request: HttpRequest) -> str:
    return {"steward": "stewardship", "officer": "correction-review"}.get(request.auth.role, "case-work")


@router.get("/counts", response=dict[str, dict[str, int]], auth=guard(scope="subjects:read"))
def counts(request: HttpRequest) -> dict[str, dict[str, int]]:
    """Return cell → kind → number of subjects of the snapshot in force."""
    return api.counts_by_cell()


@router.get(
    "/{subject_id}", response=RecordOut, auth=guard("steward", "officer", "operator", scope="subjects:read")
)
def record(request: HttpRequest, subject_id: str, purpose: str = "") -> dict[str, Any]:
    """Return a golden record with the origin of each value and the values that lost.

    Personal values are masked. With a ``purpose`` that the role may have they are whole, and the read is on record
    for the person it concerns. The id of a merged subject leads to the one in force.
    """
    full = api.record_of(subject_id)
    personal = [fact.element for fact in full.facts if is_personal(fact.element)]
    if purpose and personal:
        record_read(request.auth, full.record.subject_id, purpose, personal, timezone.now())
    whole = bool(purpose) or not personal
    row = full.record
    return {
        "subject_id": row.subject_id, "kind": row.kind, "cell_code": row.cell_code, "run_id": row.since_run,
        "place_code": row.place_code if whole else mask(f"{row.kind}.place_code", row.place_code),
        "community_code": row.community_code, "masked": not whole,
        "facts": [_fact(fact, whole) for fact in full.facts],
    }  # fmt: skip


def _fact(fact: api.Fact, whole: bool) -> dict[str, Any]:
    said = fact.corrected
    return {
        "element": fact.element, "value": _shown(fact.element, fact.value, whole), "disputed": fact.disputed,
        "origin": _value(fact.element, fact.origin, whole) if fact.origin else None,
        "others": [_value(fact.element, cell, whole) for cell in fact.losers],
        "corrected_by": said.made_by if said else None, "corrected_at": said.made_at if said else None,
        "case_id": said.case_id if said else None,
    }  # fmt: skip


def _shown(element: str, value: str | None, whole: bool) -> str | None:
    return value if whole or value is None else mask(element, value)


def _value(element: str, cell: api.Cell, whole: bool) -> dict[str, Any]:
    return {
        "value": _shown(element, cell.value, whole), "source": cell.source, "department": cell.department,
        "record_id": cell.record_id, "file": cell.file, "row": cell.row, "at": cell.at, "agrees": cell.agrees,
        "absent_since": cell.absent_since,
    }  # fmt: skip


def _department(request: HttpRequest) -> str:
    if request.auth.department_id is None:
        raise Problem("no-department", "您的账号不属于任何部门", status=403)
    return str(request.auth.department_id)


@returns.get("", response=ReturnsOut, auth=guard("officer", scope="returns:read"))
def list_returns(
    request: HttpRequest, state: str | None = None, page: int = Query(1, ge=1, le=1_000_000)
) -> dict[str, Any]:
    """Return your department's returns, the most urgent first, personal values masked; the whole list is an export."""
    found = api.returns(_department(request), state=state)
    rows = list(found[(page - 1) * PAGE : page * PAGE])
    return {"items": [api.view_of(row, full=False) for row in rows], "total": found.count(), "page": page}


@returns.get("/{return_id}", response=ReturnOut, auth=guard("officer", scope="returns:read"))
def one_return(request: HttpRequest, return_id: Number) -> dict[str, Any]:
    """Return one of your department's returns with whole values; the read is on record for the person it is about."""
    department = _department(request)
    row = api.seen_in_full(return_id, department, actor=request.auth, now=timezone.now())
    return api.view_of(row, full=True)


@returns.post("/{return_id}/accept", response=ReturnOut, auth=guard("officer", scope="returns:write"))
def accept(request: HttpRequest, return_id: Number, answer: AnswerIn) -> dict[str, Any]:
    """Accept a correction; it is fulfilled once your next delivery has the value."""
    api.accept(
        return_id, department=_department(request), actor=request.auth, note=answer.note, now=timezone.now()
    )
    return api.view_of(api.one_return(return_id, _department(request)), full=False)


@returns.post("/{return_id}/dispute", response=DisputeOut, auth=guard("officer", scope="returns:write"))
def dispute(request: HttpRequest, return_id: Number, answer: DisputeIn) -> Any:
    """Dispute a correction: a named decider has a term, and readers meanwhile see that the value is disputed."""
    return api.dispute(
        return_id,
        department=_department(request),
        actor=request.auth,
        reason=answer.reason,
        now=timezone.now(),
    )
