"""REST calls before and at the opening of a case: foresight, drafts, files sent ahead, the opening itself.

Opening takes an ``Idempotency-Key``. What is wrong with a form comes back as ``form-invalid`` with ``errors`` by field.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, File, Form, Router, Schema, UploadedFile

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.interfaces.rest.authentication import guard
from chengshu.interfaces.rest.cases import Said
from chengshu.interfaces.rest.wording import TEXT, Key, Number, PackName, refused
from chengshu.kernel.problems import Problem

services = Router(tags=["cases"])
drafts = Router(tags=["cases"])
papers = Router(tags=["cases"])


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


def _draft(draft_id: int, request: HttpRequest) -> dict[str, Any]:
    found = cases.drafts.load(draft_id, request.user)
    # It can be fetched back on the page for a while; to a program it is gone.
    if found.deleted_at is not None:
        raise Problem("draft-unknown", "没有这个草稿", detail=str(draft_id), status=404)
    return {**asdict(found), "facts": found.values}
