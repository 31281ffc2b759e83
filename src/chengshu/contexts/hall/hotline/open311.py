"""What Open311 needs of the hotline: keys of programs, requests as everyone may see them, and the intake under tokens."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import structlog
from django.db import transaction

from chengshu.contexts.hall.hotline.models import HotlineRequest, Open311Intake, Open311Key
from chengshu.contexts.hall.hotline.taking import Asked, Taken, rehearse, take
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem

log = structlog.get_logger("chengshu.open311")
PREFIX = "o311_"
MOST = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests a list asks for."""

    ids: Sequence[str] = ()
    kinds: Sequence[str] = ()
    topics: Sequence[str] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    closed: bool | None = None


def make_key(name: str, contact: str, *, actor: identity.Account, now: dt.datetime) -> tuple[Open311Key, str]:
    """Make a key for a program; its secret is shown once."""
    secret = PREFIX + secrets.token_urlsafe(24)
    row = Open311Key.objects.create(
        name=name, contact=contact, digest=_digest(secret), made_by=actor.pk, made_at=now
    )
    return row, secret


def _digest(secret: str) -> str:
    # 192 random bits: a plain digest cannot be guessed back.
    return hashlib.sha256(secret.encode()).hexdigest()


def keys() -> list[Open311Key]:
    """Return all keys, newest first."""
    return list(Open311Key.objects.order_by("-pk"))


def revoke_key(number: int, now: dt.datetime) -> bool:
    """Revoke a key; False where there is none in force."""
    return bool(Open311Key.objects.filter(pk=number, revoked_at=None).update(revoked_at=now))


def key_of(secret: str) -> Open311Key | None:
    """Return the key in force that a secret belongs to."""
    if not secret.startswith(PREFIX) or len(secret) > 80:
        return None
    return Open311Key.objects.filter(digest=_digest(secret), revoked_at=None).first()


def public_requests(wanted: Wanted) -> list[HotlineRequest]:
    """Return the requests asked for, newest first, at most a thousand. Their rows hold no personal value."""
    rows = HotlineRequest.objects.order_by("-requested_at", "-pk")
    if wanted.ids:
        return list(rows.filter(pk__in=list(wanted.ids)[:MOST])[:MOST])
    if wanted.kinds or wanted.topics:
        found = rows.none()
        if wanted.kinds:
            found = rows.filter(kind__in=list(wanted.kinds))
        if wanted.topics:
            # A topic is the code of a complaint or a call for help about it.
            found = found | rows.filter(topic__in=list(wanted.topics), kind__in=["complaint", "help"])
        rows = found.order_by("-requested_at", "-pk")
    if wanted.since is not None:
        rows = rows.filter(requested_at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(requested_at__lte=wanted.until)
    if wanted.closed is not None:
        rows = rows.filter(closed=wanted.closed)
    return list(rows[:MOST])


def public_request(case_id: str) -> HotlineRequest | None:
    """Return one request as everyone may see it."""
    return HotlineRequest.objects.filter(pk=case_id[:20]).first()


def take_now(asked: Asked, key: Open311Key, request_key: str, now: dt.datetime) -> Taken:
    """Open the case of a program's request at once."""
    return take(asked, opened_by=None, key=f"open311:{key.pk}:{request_key}"[:120], now=now, key_id=key.pk)


def take_later(asked: Asked, key: Open311Key, now: dt.datetime) -> str:
    """Keep a request under a token; ``take_in`` opens its case. Photos do not come this way."""
    token = secrets.token_urlsafe(18)
    body = {name: value for name, value in asdict(replace(asked, files=())).items() if name != "files"}
    Open311Intake.objects.create(
        token=token, key=key, body=json.dumps(body, ensure_ascii=False), taken_at=now
    )
    return token


def of_token(token: str) -> Open311Intake | None:
    """Return what was taken in under a token."""
    return Open311Intake.objects.filter(token=token[:40]).first() if token else None


def take_in(now: dt.datetime, limit: int = 50) -> int:
    """Open the cases of what waits; the text is emptied once the case holds it. One that fails stops no other."""
    done = 0
    for row in list(Open311Intake.objects.select_related("key").filter(case_id="").order_by("pk")[:limit]):
        asked = Asked(**json.loads(row.body))
        try:
            with transaction.atomic():
                taken = take(
                    asked, opened_by=None, key=f"open311:token:{row.token}", now=now, key_id=row.key_id
                )
                Open311Intake.objects.filter(pk=row.pk).update(case_id=taken.case_id, body="")
        except Problem as problem:
            # What the pack refuses was refused before it got a token; this is a fault here, which is tried again.
            log.error("open311-intake", intake=row.pk, problem=problem.code, detail=problem.detail)
            continue
        done += 1
    return done


def check(asked: Asked, now: dt.datetime) -> None:
    """Refuse before anything is kept what opening the case would refuse: nothing said, too much, a point elsewhere."""
    rehearse(asked, now)
