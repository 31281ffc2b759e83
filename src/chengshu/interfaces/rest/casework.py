"""REST calls around a case: open one, drafts, claiming, remarks, foresight, steps of the public, payments, calendars.

A call that opens or changes something takes an ``Idempotency-Key``, or is harmless when it is sent twice. What is wrong
with a form comes back as ``form-invalid`` with ``errors`` by field.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, File, Form, Header, Path, Query, Router, Schema, UploadedFile

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import STAFF_ROLES
from chengshu.interfaces.rest.authentication import guard
from chengshu.interfaces.rest.cases import Said, _id, _version
from chengshu.interfaces.rest.wording import COMMAND, KEY, SAID, TEXT, VERSION, refused
from chengshu.kernel.problems import Problem
from chengshu.kernel.workdays import CalendarYear

services = Router(tags=["cases"])
drafts = Router(tags=["cases"])
papers = Router(tags=["cases"])
around = Router(tags=["cases"])
payments = Router(tags=["payments"])
calendars = Router(tags=["calendars"])
packs = Router(tags=["packs"])

Key = Annotated[str, Header(..., alias="Idempotency-Key", min_length=1, max_length=80, pattern=KEY)]
Seen = Annotated[
    str,
    Header("", alias="If-Match", pattern=f"^$|{VERSION}", description='The version decided on, such as "3"'),
]
Number = Annotated[int, Path(..., ge=1, le=2**53)]
PackName = Annotated[str, Path(..., pattern=r"^[a-z][a-z0-9-]{0,59}$")]


class OpenIn(Schema):
    """What a new case is opened with: the answers of the pack's opening form."""

    facts: dict[str, Any] = Field(default_factory=dict)
    department: str | None = Field(None, max_length=40, pattern=TEXT)


class OpenedOut(Schema):
    """The case that was opened, or was there already under this key."""

    case_id: str


class LegOut(Schema):
    """One leg of the slowest way: where the case lies, until when, how that was counted, on what ground."""

    state: Said
    step: Said
    starts: dt.date
    due_on: dt.date
    zh: str
    en: str
    grounds: list[dict[str, Any]]
    provisional: bool
    unbounded: bool
    conditional: bool


class PartAheadOut(Schema):
    """A part of a one-thing with its latest day; ``slowest`` for those on the longest path."""

    id: str
    title: Said
    decided_by: dt.date | None
    slowest: bool


class ForesightOut(Schema):
    """When a case is decided at the latest; ``unbounded`` when a step on the way has no term.

    ``conditional`` when a step on the way hangs on a condition that is still open.
    Of a one-thing: by when every part has its result; ``lines`` tell the longest path, ``parts`` each part's own day;
    ``promised_by`` is the end of the one-thing's own term, which binds the offices.
    """

    decided_by: dt.date | None
    state: Said
    provisional: bool
    unbounded: bool
    complete: bool
    conditional: bool
    lines: list[LegOut]
    parts: list[PartAheadOut]
    promised_by: dt.date | None = None


class DraftIn(Schema):
    """Which pack's opening form is begun."""

    pack: str = Field(..., pattern=r"^[a-z][a-z0-9-]{0,59}$")


class DraftBody(Schema):
    """What was typed so far, right or wrong."""

    facts: dict[str, Any] = Field(default_factory=dict)


class DraftOut(Schema):
    """A draft of the caller."""

    id: int
    pack: str
    facts: dict[str, Any]
    files: list[dict[str, Any]]
    saved_at: dt.datetime
    expires_at: dt.datetime
    outdated: bool


class DraftLineOut(Schema):
    """A draft in the caller's list."""

    id: int
    pack: str
    saved_at: dt.datetime
    expires_at: dt.datetime


class PaperOut(Schema):
    """A file that lies ready: answers name it by its digest, until ``expires_at``."""

    digest: str
    name: str
    media_type: str
    size: int
    expires_at: dt.datetime


class ReasonIn(Schema):
    """Why; may be empty where nobody asks."""

    reason: str = Field("", max_length=300, pattern=TEXT)


class DelegateIn(Schema):
    """To whom a task goes, by sign-in name, and why."""

    to: str = Field(..., min_length=1, max_length=60, pattern=SAID)
    reason: str = Field(..., min_length=1, max_length=300, pattern=SAID)


class SentBackIn(Schema):
    """Why an order came back."""

    reason: str = Field(..., min_length=1, max_length=300, pattern=SAID)


class HandsOut(Schema):
    """The case's version after a change of hands."""

    case_id: str
    version: int


class CommentIn(Schema):
    """A remark among staff."""

    text: str = Field(..., min_length=1, max_length=2000, pattern=SAID)


class CommentOut(Schema):
    """A remark among staff, as it stands."""

    id: int
    author_name: str
    text: str
    at: dt.datetime
    erased: bool


class PublicIn(Schema):
    """What a member of the public says."""

    data: dict[str, Any] = Field(default_factory=dict)


class PublicOut(Schema):
    """Receipt of a public step: its place in the history and the ledger, and the cases it opened for the caller."""

    case_id: str
    seq: int
    at: dt.datetime
    leaf_id: int
    opened: list[str]


class PaymentOut(Schema):
    """An order in fen."""

    id: int
    case_id: str
    direction: str
    amount: int
    payee: str
    account: str
    purpose: str
    state: str
    ordered_at: dt.datetime
    settled_at: dt.datetime | None
    reference: str
    reason: str


class PaymentsOut(Schema):
    """One page of orders."""

    items: list[PaymentOut]
    total: int
    page: int
    pages: int


class PaymentQuery(Schema):
    """Which orders to list."""

    state: str = Field("", pattern="^(|ordered|paid|failed|cancelled)$")
    direction: str = Field("", pattern="^(|in|out)$")
    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(20, ge=1, le=100)


class PaidIn(Schema):
    """The bank's or treasury's reference."""

    reference: str = Field(..., min_length=1, max_length=120, pattern=SAID)


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


def _whose(request: HttpRequest, pack: str) -> identity.Acting:
    """Return for whom the call acts; refused where the mandate does not cover the matter."""
    acting = identity.acting(request)
    if not acting.may(pack):
        raise Problem("acting-scope", "授权不包括这个事项", detail=pack, status=403)
    return acting


@services.post(
    "/{pack}/cases",
    auth=guard(scope="cases:write"),
    response={201: OpenedOut},
    summary="Open a case",
    openapi_extra=refused("The facts do not fit the opening form of the pack"),
)
def open_case(request: HttpRequest, pack: PackName, body: OpenIn, idempotency_key: Key) -> Any:
    """Open a case under the current version of a pack; the caller is its applicant, or acts for one (`X-Mandate`)."""
    acting = _whose(request, pack)
    case_id = cases.open_asked(
        pack,
        body.facts,
        request.user,
        department=body.department,
        subject_id=cases.subject_of(acting),
        on_behalf=acting.on_behalf(),
        idempotency_key=f"api:{request.user.pk}:{idempotency_key}",
        now=timezone.now(),
    )
    return 201, {"case_id": case_id}


@services.get(
    "/{pack}/foresight",
    auth=guard(scope="cases:read"),
    response=ForesightOut,
    summary="If it is submitted today",
)
def foresight(request: HttpRequest, pack: PackName) -> Any:
    """Say when a case submitted now is decided at the latest, leg by leg, with arithmetic and grounds."""
    return asdict(cases.what_if_pack(pack, timezone.now()))


@around.get(
    "/{case_id}/foresight",
    auth=guard(scope="cases:read"),
    response=ForesightOut,
    summary="Decided at the latest",
)
def case_foresight(request: HttpRequest, case_id: str) -> Any:
    """Say when a case is decided at the latest, as it stands now."""
    now = timezone.now()
    cases.access_case(_id(case_id), request.user, now)
    return asdict(cases.what_if_case(case_id, now))


@drafts.get("", auth=guard(scope="cases:read"), response=list[DraftLineOut], summary="My drafts")
def list_drafts(request: HttpRequest) -> Any:
    """List the caller's drafts, saved last first."""
    return [asdict(line) for line in cases.drafts.drafts_of(request.user)]


@drafts.post("", auth=guard(scope="cases:write"), response={201: DraftOut}, summary="Begin a draft")
def start_draft(request: HttpRequest, body: DraftIn) -> Any:
    """Begin a draft of a pack's opening form."""
    acting = _whose(request, body.pack)
    whose = acting.subject_id if acting.for_other else ""
    return 201, _draft(cases.drafts.start(request.user, body.pack, timezone.now(), whose), request)


@drafts.get("/{draft_id}", auth=guard(scope="cases:read"), response=DraftOut, summary="One draft")
def get_draft(request: HttpRequest, draft_id: Number) -> Any:
    """Return one of the caller's drafts."""
    return _draft(draft_id, request)


@drafts.put(
    "/{draft_id}",
    auth=guard(scope="cases:write"),
    response=DraftOut,
    summary="Save a draft",
    openapi_extra=refused("What was typed is too much or too deep to be kept"),
)
def save_draft(request: HttpRequest, draft_id: Number, body: DraftBody) -> Any:
    """Keep what was typed so far, as it is."""
    _draft(draft_id, request)
    cases.drafts.save(draft_id, request.user, body.facts, timezone.now())
    return _draft(draft_id, request)


@drafts.delete(
    "/{draft_id}", auth=guard(scope="cases:write"), response={204: None}, summary="Throw a draft away"
)
def delete_draft(request: HttpRequest, draft_id: Number) -> Any:
    """Throw a draft away; for thirty days it can be fetched back on the page."""
    _draft(draft_id, request)
    cases.drafts.delete(draft_id, request.user, timezone.now())
    return 204, None


@drafts.post(
    "/{draft_id}/submit",
    auth=guard(scope="cases:write"),
    response={201: OpenedOut},
    summary="Submit a draft",
    openapi_extra=refused("What the draft says does not fit the opening form of the pack"),
)
def submit_draft(request: HttpRequest, draft_id: Number, idempotency_key: Key) -> Any:
    """Open the case that the draft describes and delete the draft, both or neither."""
    acting = identity.acting(request)
    # Not loaded: a call that is sent again finds no draft any more, and still gets its case.
    for line in (
        cases.drafts.drafts_of(request.user, subject_id=acting.subject_id) if acting.scope is not None else ()
    ):
        if line.id == draft_id:
            _whose(request, line.pack)
    ready = cases.drafts.ready_draft(
        draft_id,
        request.user,
        now=timezone.now(),
        idempotency_key=idempotency_key,
        subject_id=cases.subject_of(acting),
        on_behalf=acting.on_behalf(),
    )
    return 201, {"case_id": cases.drafts.open_ready(ready)}


@papers.post(
    "",
    auth=guard(scope="cases:write"),
    response={201: PaperOut},
    summary="Send a file ahead",
    openapi_extra=refused("The bytes are no readable file of a kind that is taken"),
)
def send_file(
    request: HttpRequest,
    file: Annotated[UploadedFile, File(...)],
    accept: Annotated[
        str, Form("document", pattern="^(|document|photo)$", description="Empty means document")
    ],
) -> Any:
    """Keep a file for a day, so that the answers of a form can name it; what the field takes, `accept` must say."""
    if (file.size or 0) > cases.MAX_DOCUMENT_BYTES:
        raise Problem("file-too-large", "文件超过 20 MB", detail=(file.name or "")[:80], status=413)
    now = timezone.now()
    sent = cases.FileIn(file.name or "file", file.read(), "file")
    kept = cases.uploads.upload(request.user, sent, accept or "document", now)
    expires_at = now + cases.uploads.LIFE
    return 201, {**asdict(kept), "expires_at": expires_at}


@around.post(
    "/{case_id}/claim", auth=guard("officer", scope="cases:write"), response=HandsOut, summary="Claim"
)
def claim(request: HttpRequest, case_id: str, if_match: Seen = "") -> Any:
    """Take the case's task out of the department's queue, for the caller."""
    done = cases.claiming.claim(_id(case_id), request.user, timezone.now(), _seen(if_match))
    return {"case_id": done.case_id, "version": done.seq}


@around.post(
    "/{case_id}/give-back", auth=guard("officer", scope="cases:write"), response=HandsOut, summary="Give back"
)
def give_back(request: HttpRequest, case_id: str, body: ReasonIn, if_match: Seen = "") -> Any:
    """Put a claimed task back into the department's queue."""
    cases.access_case(_id(case_id), request.user, timezone.now())
    done = cases.claiming.give_back(case_id, request.user, body.reason, timezone.now(), _seen(if_match))
    return {"case_id": done.case_id, "version": done.seq}


@around.post(
    "/{case_id}/delegate",
    auth=guard("officer", scope="cases:write"),
    response=HandsOut,
    summary="Delegate",
    openapi_extra=refused("Nobody has this sign-in name, or they may not have the task"),
)
def delegate(request: HttpRequest, case_id: str, body: DelegateIn, if_match: Seen = "") -> Any:
    """Pass a task to a colleague of the department."""
    to = identity.account_named(body.to)
    if to is None:
        raise Problem("account-unknown", "没有这个账户", detail=body.to, status=422)
    done = cases.claiming.delegate(
        _id(case_id), request.user, to, body.reason, timezone.now(), _seen(if_match)
    )
    return {"case_id": done.case_id, "version": done.seq}


@around.get(
    "/{case_id}/comments",
    auth=guard(*STAFF_ROLES, scope="cases:read"),
    response=list[CommentOut],
    summary="Remarks",
)
def list_comments(request: HttpRequest, case_id: str) -> Any:
    """List the remarks of a case, which stay among the staff who work on it."""
    return [asdict(item) for item in cases.comments.comments_of(_id(case_id), request.user, timezone.now())]


@around.post(
    "/{case_id}/comments",
    auth=guard(*STAFF_ROLES, scope="cases:write"),
    response={201: CommentOut},
    summary="Remark",
)
def add_comment(request: HttpRequest, case_id: str, body: CommentIn) -> Any:
    """Write a remark that stays inside."""
    return 201, asdict(cases.comments.add_comment(_id(case_id), request.user, body.text, timezone.now()))


@around.post(
    "/{case_id}/public/{command}",
    auth=guard(scope="cases:write"),
    response={201: PublicOut},
    summary="Public step",
    openapi_extra=refused("The answers do not fit the form of the step"),
)
def public_step(
    request: HttpRequest,
    case_id: str,
    command: Annotated[str, Path(..., pattern=COMMAND)],
    body: PublicIn,
    idempotency_key: Key,
) -> Any:
    """Take a step that the pack gives to the public, such as an objection; the case file stays closed."""
    receipt = cases.public_command(
        _id(case_id),
        command,
        body.data,
        actor=request.user,
        now=timezone.now(),
        idempotency_key=idempotency_key,
    )
    return 201, asdict(receipt)


@payments.get(
    "", auth=guard("officer", "operator", scope="cases:read"), response=PaymentsOut, summary="Payments"
)
def list_payments(request: HttpRequest, query: Query[PaymentQuery]) -> Any:
    """List fees and payments, for the finance department and the operator."""
    found = cases.payments.payment_orders(
        request.user, state=query.state, direction=query.direction, page=query.page, size=query.size
    )
    items = [asdict(row) for row in found.rows]
    return {"items": items, "total": found.total, "page": found.page, "pages": found.pages}


@payments.post(
    "/{order_id}/paid", auth=guard("officer", scope="cases:write"), response=PaymentOut, summary="Paid"
)
def paid(request: HttpRequest, order_id: Number, body: PaidIn) -> Any:
    """Note that the money of an order moved; the case hears of it."""
    return asdict(cases.payments.mark_paid(order_id, request.user, body.reference, timezone.now()))


@payments.post(
    "/{order_id}/failed", auth=guard("officer", scope="cases:write"), response=PaymentOut, summary="Sent back"
)
def failed(request: HttpRequest, order_id: Number, body: SentBackIn) -> Any:
    """Note that an order came back, and why."""
    return asdict(cases.payments.mark_failed(order_id, request.user, body.reason, timezone.now()))


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


def _draft(draft_id: int, request: HttpRequest) -> dict[str, Any]:
    found = cases.drafts.load(draft_id, request.user)
    # It can be fetched back on the page for a while; to a program it is gone.
    if found.deleted_at is not None:
        raise Problem("draft-unknown", "没有这个草稿", detail=str(draft_id), status=404)
    return {**asdict(found), "facts": found.values}


def _seen(if_match: str) -> int | None:
    return _version(if_match) if if_match else None
