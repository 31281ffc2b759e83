"""REST calls of `certificates` and `messages`: registers, notices and verification are open; the rest is one's own."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Path, Query, Router, Schema

from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.identity import api as identity
from chengshu.contexts.messages import api as messages
from chengshu.interfaces.rest.authentication import OPEN, guard
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day

own = Router(tags=["certificates"])
registers = Router(tags=["registers"], auth=OPEN)
verifying = Router(tags=["certificates"], auth=OPEN)
notices = Router(tags=["notices"], auth=OPEN)
inbox = Router(tags=["messages"])
LOOKUPS = identity.Rate(capacity=30, per_second=0.5)
MAX_PAGE = 1_000_000


class Words(Schema):
    """A text in both languages."""

    zh: str
    en: str


class ShownOut(Schema):
    """A value in words, with what it is called."""

    name: str
    label: Words
    value: Words


class CertificateOut(Schema):
    """A certificate as it stands today."""

    number: str
    type: str
    title: Words
    holder: str
    department: str
    state: str
    valid_from: dt.date
    valid_to: dt.date | None
    issued_at: dt.datetime
    made: bool = Field(description="Whether PDF and credential are there.")


class CertificatesOut(Schema):
    """One's own certificates."""

    items: list[CertificateOut]


class CredentialOut(Schema):
    """A credential to keep and to show."""

    number: str
    format: str
    credential: str


class VerifyIn(Schema):
    """What to verify: a credential (JWT), the text of a QR code, or a number."""

    text: str = Field(min_length=1, max_length=60_000)


class VerdictOut(Schema):
    """By whom, for what, whether in force, and why not; `in_force` is null where that is not known."""

    kind: str
    genuine: bool
    in_force: bool | None
    state: str
    issuer: str
    issuer_name: dict[str, str]
    type: str
    title: str
    number: str
    holder: str
    valid_from: str
    valid_to: str
    claims: dict[str, Any]
    demo: bool
    region: dict[str, str] = Field(description="Another region's name, where its issuer is recognised here.")
    shown_to: str = Field(description="Of a presentation: for whom the holder showed it.")
    shown_until: str
    bound: bool | None = Field(description="Whether the holder's key has signed a presentation.")
    reasons: list[Words]
    notes: list[Words]
    signatures: list[dict[str, Any]] = Field(
        description="Of a file that persons or firms have signed: whose signatures, and whether they are recognised."
    )


class RegisterOut(Schema):
    """A register and how many entries it has."""

    code: str
    title: Words
    total: int
    active: int


class RegisterEntryOut(Schema):
    """An entry of a register: exactly what the register shows."""

    register_code: str
    number: int
    title: str
    state: str
    valid_from: dt.date
    valid_to: dt.date | None
    fields: list[ShownOut]
    entered_at: dt.datetime


class RegisterEntriesOut(Schema):
    """A page of entries, newest first."""

    items: list[RegisterEntryOut]
    total: int
    page: int


class NoticeOut(Schema):
    """A public notice: exactly the fields it shows."""

    id: int
    kind: str
    kind_title: Words
    title: str
    body: Words
    fields: list[ShownOut]
    published_at: dt.datetime
    until: dt.date | None
    open: bool
    department: str
    drill: bool


class NoticesOut(Schema):
    """A page of notices, newest first."""

    items: list[NoticeOut]
    total: int
    page: int


class MessageOut(Schema):
    """A message to the caller."""

    id: int
    case_id: str
    subject: Words
    body: Words
    at: dt.datetime
    read_at: dt.datetime | None


class MessagesOut(Schema):
    """A page of messages, newest first."""

    items: list[MessageOut]
    unread: int
    page: int


def _today() -> dt.date:
    return legal_day(timezone.now())


@own.get("", auth=guard(scope="cases:read"), response=CertificatesOut, summary="My certificates")
def list_own(request: HttpRequest) -> dict[str, Any]:
    """List the caller's own certificates."""
    rows = certificates.certificates_of(request.user)[:200]
    return {"items": [asdict(certificates.line_of(row, _today(), masked=False)) for row in rows]}


@own.get(
    "/{number}/credential",
    auth=guard(scope="cases:read"),
    response=CredentialOut,
    summary="My certificate as a credential",
)
def own_credential(request: HttpRequest, number: str) -> dict[str, Any]:
    """Return the verifiable credential of one of the caller's own certificates."""
    row = certificates.certificates_of(request.user).filter(number=number[:60]).first()
    text = certificates.credential_of(row) if row is not None else ""
    if not text:
        raise Problem("certificate-unknown", "没有这份证照，或者还在生成", detail=number[:60], status=404)
    return {"number": number, "format": "vc+jwt", "credential": text}


@verifying.post("", response=VerdictOut, summary="Verify a credential, a QR text or a number")
def verify(request: HttpRequest, body: VerifyIn) -> dict[str, Any]:
    """Judge what the caller has; a wrong one is a verdict, not an error."""
    identity.take_from_bucket("verify", identity.client_address(request), LOOKUPS, time.time())
    return asdict(certificates.verify_text(body.text, timezone.now()))


@registers.get("", response=list[RegisterOut], summary="The registers")
def list_registers(request: HttpRequest) -> list[dict[str, Any]]:
    """List the registers."""
    return certificates.registers()


@registers.get("/{code}/entries", response=RegisterEntriesOut, summary="Search a register")
def list_entries(
    request: HttpRequest,
    code: str,
    q: str = Query("", max_length=100),
    page: int = Query(1, ge=1, le=MAX_PAGE),
    size: int = Query(20, ge=1, le=100),
) -> dict[str, Any]:
    """Search a register; each word must occur in what an entry shows."""
    _known(code)
    found = certificates.entries(code, text=q)
    rows = found[(page - 1) * size : page * size]
    return {"items": [_entry(row) for row in rows], "total": found.count(), "page": page}


@registers.get("/{code}/entries/{number}", response=RegisterEntryOut, summary="One entry")
def get_entry(
    request: HttpRequest, code: str, number: Annotated[int, Path(..., ge=0, lt=2**31)]
) -> dict[str, Any]:
    """Return one entry."""
    row = certificates.entry(code, number)
    if row is None:
        raise Problem("entry-unknown", "没有这条登记", status=404)
    return _entry(row)


def _known(code: str) -> None:
    if certificates.register(code[:60]) is None:
        raise Problem("register-unknown", "没有这个登记簿", detail=code[:60], status=404)


def _entry(row: Any) -> dict[str, Any]:
    return {
        "register_code": row.register,
        "number": row.number,
        "title": row.title,
        "state": certificates.entry_state(row, _today()),
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "fields": json.loads(row.fields),
        "entered_at": row.entered_at,
    }


@notices.get("", response=NoticesOut, summary="Public notices")
def list_notices(
    request: HttpRequest,
    q: str = Query("", max_length=100),
    ended: bool = Query(False),
    page: int = Query(1, ge=1, le=MAX_PAGE),
    size: int = Query(20, ge=1, le=100),
) -> dict[str, Any]:
    """List the notices that are open, or the archive."""
    found = messages.find_notices(now=timezone.now(), ended=ended, text=q)
    rows = found[(page - 1) * size : page * size]
    return {"items": [_notice(row) for row in rows], "total": found.count(), "page": page}


@notices.get("/{notice_id}", response=NoticeOut, summary="One notice")
def get_notice(request: HttpRequest, notice_id: Annotated[int, Path(..., ge=0, lt=2**63)]) -> dict[str, Any]:
    """Return one notice."""
    row = messages.notice(notice_id)
    if row is None:
        raise Problem("notice-unknown", "没有这条公示", status=404)
    return _notice(row)


def _notice(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "kind_title": {"zh": row.kind_zh, "en": row.kind_en},
        "title": row.title,
        "body": {"zh": row.body_zh, "en": row.body_en},
        "fields": json.loads(row.fields),
        "published_at": row.published_at,
        "until": row.until,
        "open": messages.notice_state(row.until, row.ended_at, timezone.now()) == "open",
        "department": row.department,
        "drill": row.drill,
    }


@inbox.get("", auth=guard(scope="cases:read"), response=MessagesOut, summary="My messages")
def list_messages(request: HttpRequest, page: int = Query(1, ge=1, le=MAX_PAGE)) -> dict[str, Any]:
    """List the caller's messages."""
    now = timezone.now()
    rows = messages.messages_of(request.user, now)[(page - 1) * 50 : page * 50]
    items = [
        {
            "id": row.pk,
            "case_id": row.case_id,
            "subject": {"zh": row.subject_zh, "en": row.subject_en},
            "body": {"zh": row.body_zh, "en": row.body_en},
            "at": row.at,
            "read_at": row.read_at,
        }
        for row in rows
    ]
    return {"items": items, "unread": messages.unread_count(request.user, now), "page": page}
