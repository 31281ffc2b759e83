"""What pages and calls read of registers and certificates; who may see which certificate."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import domain
from chengshu.contexts.certificates.models import (
    Certificate,
    CertificateEvent,
    Document,
    EntryEvent,
    Evidence,
    Issue,
    Register,
    RegisterEntry,
)
from chengshu.contexts.identity import api as identity
from chengshu.kernel.money import bare_yuan


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate in a list, as it stands today."""

    number: str
    type: str
    title: dict[str, str]
    holder: str
    department: str
    state: str
    state_words: dict[str, str]
    valid_from: dt.date
    valid_to: dt.date | None
    issued_at: dt.datetime
    made: bool


def subject_merged(old: str, new: str) -> None:
    """Let a merged subject's certificates be found under the id it goes by now; what was signed stays as it is."""
    Certificate.objects.filter(holder_id=old).update(holder_id=new)


def line_of(row: Certificate, on: dt.date, *, masked: bool) -> CertificateLine:
    """Return a certificate as a list shows it."""
    return lines_of([row], on, masked=masked)[0]


def lines_of(rows: list[Certificate], on: dt.date, *, masked: bool) -> list[CertificateLine]:
    """Return certificates as a list shows them; one look tells which are made."""
    made = set(
        Issue.objects.filter(
            certificate__in=rows, version=F("certificate__version"), made_at__isnull=False
        ).values_list("certificate_id", flat=True)
    )
    return [_line(row, on, masked, row.pk in made) for row in rows]


def _line(row: Certificate, on: dt.date, masked: bool, made: bool) -> CertificateLine:
    state = domain.effective_state(row.state, row.valid_from, row.valid_to, on)
    return CertificateLine(
        row.number, row.type, {"zh": row.title_zh, "en": row.title_en},
        domain.mask_holder(row.holder, row.holder_id) if masked else row.holder, row.department, state,
        domain.WORDS_OF_STATE[state], row.valid_from, row.valid_to, row.issued_at, made,
    )  # fmt: skip


def certificates_of(account: identity.Account) -> QuerySet[Certificate]:
    """Return an account's own certificates, newest first."""
    mine = Q(holder_account=str(account.pk))
    if account.subject_id:
        mine |= Q(holder_id=account.subject_id)
    return Certificate.objects.filter(mine).order_by("-issued_at", "-pk")


def certificates_for(whose: identity.Acting, now: dt.datetime) -> QuerySet[Certificate]:
    """Return the certificates of whom the matter is; those of another are looked at on record.

    A mandate for some matters shows none: what one of these needs is filled in where it is needed.
    """
    if not whose.for_other:
        return certificates_of(whose.account)
    if whose.scope is not None:
        return Certificate.objects.none()
    found = Certificate.objects.filter(holder_id=whose.subject_id).order_by("-issued_at", "-pk")
    if whose.subject_id.startswith("P") and found.exists():
        identity.record_read(whose.account, whose.subject_id, "acting", ["certificate"], now)
    return found


def issued_by(
    account: identity.Account, *, text: str = "", type_: str = "", state: str = ""
) -> QuerySet[Certificate]:
    """Return what an officer's department has issued; an operator sees every department's."""
    found = Certificate.objects.order_by("-issued_at", "-pk")
    if account.role == "officer":
        found = found.filter(department=account.department_id or "")
    if text:
        found = found.filter(Q(number__istartswith=text) | Q(holder__contains=text))
    if type_:
        found = found.filter(type=type_)
    return found.filter(state=state) if state else found


def certificate(number: str) -> Certificate | None:
    """Return a certificate by its number."""
    return Certificate.objects.filter(number=number).first()


def holds(row: Certificate, account: Any) -> bool:
    """Return whether a certificate is an account's own."""
    own = row.holder_account == str(account.pk)
    return own or bool(row.holder_id and row.holder_id == account.subject_id)


def may_see(row: Certificate, account: Any) -> bool:
    """Return whether someone may see a certificate whole: its holder, the officers of its department."""
    if not identity.may_act(account):
        return False
    if holds(row, account):
        return True
    return account.role == "officer" and bool(row.department) and account.department_id == row.department


def issues_of(row: Certificate) -> list[Issue]:
    """Return every issue of a certificate, newest first."""
    return list(row.issues.order_by("-version"))


def events_of(row: Certificate) -> list[CertificateEvent]:
    """Return the history of a certificate, oldest first."""
    return list(row.events.order_by("pk"))


def registers() -> list[dict[str, Any]]:
    """Return every register with its numbers of entries."""
    active = Q(state=RegisterEntry.State.ACTIVE)
    counts = {
        row["register"]: row
        for row in RegisterEntry.objects.values("register").annotate(
            total=Count("pk"), active=Count("pk", filter=active)
        )
    }
    return [
        {
            "code": row.code,
            "title": {"zh": row.title_zh, "en": row.title_en},
            "total": counts.get(row.code, {}).get("total", 0),
            "active": counts.get(row.code, {}).get("active", 0),
        }
        for row in Register.objects.order_by("code")
    ]


def register(code: str) -> Register | None:
    """Return a register by its code."""
    return Register.objects.filter(pk=code).first()


def entries(code: str, *, text: str = "", state: str = "") -> QuerySet[RegisterEntry]:
    """Return the entries of a register, newest first; each word of ``text`` must occur in what the entry shows."""
    found = RegisterEntry.objects.filter(register=code).order_by("-number")
    for word in text.lower().split()[:8]:
        found = found.filter(search__contains=word)
    return found.filter(state=state) if state else found


def entry(code: str, number: int) -> RegisterEntry | None:
    """Return an entry by register and number."""
    return RegisterEntry.objects.filter(register=code, number=number).first()


def entry_state(row: RegisterEntry, on: dt.date) -> str:
    """Return how an entry stands on a day: closed ones as they were closed, others by their validity."""
    if row.state != RegisterEntry.State.ACTIVE:
        return row.state
    if row.valid_to is not None and on > row.valid_to:
        return "expired"
    return "pending" if on < row.valid_from else "active"


def entry_events(row: RegisterEntry) -> list[EntryEvent]:
    """Return the history of an entry, oldest first."""
    return list(row.events.order_by("pk"))


def open_rows(code: str, on: dt.date) -> Iterator[list[str]]:
    """Yield a register as rows of open data, a head first: what its pages show."""
    found = list(entries(code).order_by("number")[:200_000])
    names: dict[str, str] = {}
    for row in found:
        for item in json.loads(row.fields):
            unit = "，元" if item.get("unit") == cases.FEN else ""
            names[item["name"]] = f"{item['label']['zh']}{unit}"
    yield [
        "number",
        "title",
        *(f"{name} ({label})" for name, label in names.items()),
        "state",
        "valid_from",
        "valid_to",
    ]
    for row in found:
        values = {item["name"]: _plainly(item) for item in json.loads(row.fields)}
        yield [
            str(row.number), row.title, *(values.get(name, "") for name in names), entry_state(row, on),
            row.valid_from.isoformat(), row.valid_to.isoformat() if row.valid_to else "",
        ]  # fmt: skip


def _plainly(item: Mapping[str, Any]) -> str:
    """Return a value of a register for a column: money as a bare number of yuan, the head says so."""
    if item.get("unit") == cases.FEN:
        return bare_yuan(item["raw"])
    return str(item["value"]["zh"])


def documents_of(case_id: str) -> list[Document]:
    """Return the documents of a case, oldest first."""
    return list(Document.objects.filter(case_id=case_id).order_by("pk"))


def evidence_of(case_id: str) -> list[Evidence]:
    """Return what a case has deposited, oldest first."""
    return list(Evidence.objects.filter(case_id=case_id).order_by("pk"))
