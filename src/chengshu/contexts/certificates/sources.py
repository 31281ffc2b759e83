"""The field source ``certificate``: a field of a certificate in force fills a form, and the look is put on record."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from chengshu.contexts.certificates import domain, words
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.identity import api as identity
from chengshu.procedure.ports import SourceRequest

# What every certificate says beside its claims.
FRAME = ("number", "holder", "valid_from", "valid_to", "issued_on", "department")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A value out of a certificate, with what it stands on."""

    value: Any
    number: str
    title: dict[str, str]
    issuer: str
    issued_at: dt.datetime


def certificate_field(request: SourceRequest) -> Any:
    """Return a field of the newest certificate of a type in force, of whom the matter is; ``None`` without one."""
    account_id = str(request.params.get("account") or "")
    account = identity.account(int(account_id)) if account_id.isdigit() else None
    if account is None:
        return None
    drawn = draw(
        account, request.subject_id, str(request.params["type"]), str(request.params["field"]), request.now,
        element=request.element, case_id=request.case_id,
    )  # fmt: skip
    return drawn.value if drawn else None


def draw(
    account: identity.Account,
    subject_id: str,
    type_: str,
    field: str,
    now: dt.datetime,
    *,
    element: str = "",
    case_id: str = "",
) -> Drawn | None:
    """Return a value out of a certificate. ``subject_id``: for whom ``account`` acts; empty or its own: for itself."""
    own = not subject_id or subject_id == account.subject_id
    row = in_force(account if own else None, subject_id or account.subject_id, type_, now)
    if row is None:
        return None
    value = field_of(row, field)
    if value is None:
        return None
    if row.holder_id:
        purpose = "own-data" if row.holder_id == account.subject_id else _purpose(account)
        identity.record_read(
            account, row.holder_id, purpose, [element or f"certificate.{type_}"], now, case_id=case_id
        )
    return Drawn(
        value,
        row.number,
        {"zh": row.title_zh, "en": row.title_en},
        row.department or "district",
        row.issued_at,
    )


def in_force(
    account: identity.Account | None, subject_id: str, type_: str, now: dt.datetime
) -> Certificate | None:
    """Return the newest certificate of a type that is in force now, of a subject or of an account's own."""
    mine = Q()
    if subject_id:
        mine |= Q(holder_id=subject_id)
    if account is not None:
        mine |= Q(holder_account=str(account.pk))
    if not mine:
        return None
    on = now.astimezone(domain.CHINA).date()
    return (
        Certificate.objects.filter(mine, type=type_, state=domain.ACTIVE, valid_from__lte=on)
        .filter(Q(valid_to=None) | Q(valid_to__gte=on))
        .order_by("-issued_at", "-pk")
        .first()
    )


def field_of(row: Certificate, field: str) -> Any:
    """Return a claim of a certificate, or what every certificate says, in the plain form that facts have."""
    claims = words.raw(json.loads(row.claims))
    if field in claims:
        return claims[field]
    frame = {
        "number": row.number,
        "holder": row.holder,
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "issued_on": row.issued_at.astimezone(domain.CHINA).date().isoformat(),
        "department": row.department,
    }
    return frame.get(field)


def _purpose(account: identity.Account) -> str:
    """Return for what someone reads another's certificate: whatever their role may fill a form for."""
    allowed = identity.PURPOSES_OF_ROLE.get(account.role, set())
    return next((each for each in ("acting-for", "case-work") if each in allowed), "shared-case")
