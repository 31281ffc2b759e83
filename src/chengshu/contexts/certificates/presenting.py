"""Showing a certificate: the holder chooses what, to whom and until when; what is shown says no more and ends by itself."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from chengshu.contexts.certificates import credential_types, custody, domain, making, selective
from chengshu.contexts.certificates.models import Certificate, Issue, Presentation
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day

# What a holder may choose: how long a presentation holds.
LIVES = {
    "10m": dt.timedelta(minutes=10),
    "1h": dt.timedelta(hours=1),
    "1d": dt.timedelta(days=1),
    "7d": dt.timedelta(days=7),
    "30d": dt.timedelta(days=30),
}
PURPOSE = "presented"


@dataclass(frozen=True, slots=True)
class Choice:
    """A claim that may be shown: its name, what it is called, its value in words."""

    name: str
    label: dict[str, str]
    value: dict[str, str]


def may_present(row: Certificate, account: identity.Account, now: dt.datetime) -> bool:
    """Return whether someone may show a certificate: who holds it in their account, while it is in force."""
    on = legal_day(now)
    state = domain.effective_state(row.state, row.valid_from, row.valid_to, on)
    return row.holder_account == str(account.pk) and state == domain.ACTIVE


def choices(row: Certificate, issue: Issue, now: dt.datetime) -> list[Choice]:
    """Return what may be shown, derived claims first: often they are enough."""
    claims = {item["name"]: item for item in json.loads(issue.claims)}
    held = selective.disclosed_names(selective.split(making.fresh_sd_jwt(issue, now)))
    found = []
    for name, disclosure in held.items():
        item = claims.get(name.removeprefix("claim_"))
        value = selective.said_by(disclosure)[2]
        label = item["label"] if item else dict(credential_types.label(row.type, name))
        found.append(
            Choice(name, label, item["value"] if item else credential_types.said(row.type, name, value))
        )
    return sorted(found, key=lambda each: not each.name.startswith(credential_types.AGE))


def present(
    row: Certificate,
    account: identity.Account,
    names: Iterable[str],
    *,
    audience: str,
    purpose: str,
    life: str,
    nonce: str,
    now: dt.datetime,
) -> Presentation:
    """Make a presentation, put it on the holder's record and into the ledger in one transaction."""
    if not may_present(row, account, now):
        raise Problem("certificate-not-shown", "这份证照现在不能出示", detail=row.number, status=409)
    issue = Issue.objects.select_related("certificate").get(certificate=row, version=row.version)
    with transaction.atomic():
        held = making.fresh_sd_jwt(issue, now)
        allowed = selective.disclosed_names(selective.split(held))
        chosen = [name for name in allowed if name in set(names)]
        until, nonce = now + LIVES[life], nonce or secrets.token_urlsafe(16)
        key = custody.private_key(row.holder_account, now)
        text = selective.present(held, chosen, key, audience=audience, nonce=nonce, now=now, until=until)
        said = {"number": row.number, "audience": audience, "disclosed": chosen, "until": until.isoformat()}
        leaf = ledger.deposit("certificate.presented", f"certificate:{row.number}", said, now=now)
        if row.holder_id and row.holder_id == account.subject_id:
            elements = [f"certificate.{row.type}.{name}" for name in chosen] or [f"certificate.{row.type}"]
            identity.record_read(account, row.holder_id, PURPOSE, elements, now)
        return Presentation.objects.create(
            token=secrets.token_urlsafe(18),
            issue=issue,
            account=str(account.pk),
            audience=audience,
            purpose=purpose,
            disclosed=" ".join(chosen),
            nonce=nonce,
            text=text,
            made_at=now,
            expires_at=until,
            leaf_id=leaf.id,
            leaf_salt=leaf.salt,
        )


def link(row: Presentation) -> str:
    """Return the short address at which a presentation is looked at."""
    return f"{settings.PUBLIC_URL}/shown/{row.token}"


def presentations_of(account: identity.Account) -> Any:
    """Return what an account has shown, newest first."""
    found = Presentation.objects.filter(account=str(account.pk)).select_related("issue__certificate")
    return found.order_by("-made_at", "-pk")


def of_account(account: identity.Account, presentation_id: int) -> Presentation | None:
    """Return one presentation of an account's own."""
    found: Presentation | None = presentations_of(account).filter(pk=presentation_id).first()
    return found


def withdraw(row: Presentation, now: dt.datetime) -> None:
    """End a presentation before its time: its address shows nothing any more."""
    Presentation.objects.filter(pk=row.pk, withdrawn_at=None).update(withdrawn_at=now)


def opened(token: str, now: dt.datetime) -> Presentation | None:
    """Return a presentation that somebody opens by its address, and count it; None when it is over or withdrawn."""
    row = (
        Presentation.objects.select_related("issue__certificate")
        .filter(token=token, withdrawn_at=None, expires_at__gt=now)
        .first()
    )
    if row is not None:
        Presentation.objects.filter(pk=row.pk).update(opened=F("opened") + 1, opened_at=now)
    return row


def state_of(row: Presentation, now: dt.datetime) -> str:
    """Return how a presentation stands: open, over, withdrawn."""
    if row.withdrawn_at is not None:
        return "withdrawn"
    return "open" if row.expires_at > now else "over"
