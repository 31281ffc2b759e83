"""A copy of all that is held about oneself (Personal Information Protection Law, art. 45): asked for, made by a job, on record.

The file is made outside the page, kept a week under a name that nobody can guess, and given out to whoever asked only.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall.mydata.models import DataExport
from chengshu.contexts.hall.mydata.room import Room, fields_in, note_look
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Acting
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.kept_files import make_once
from chengshu.kernel.problems import Problem

KEPT = dt.timedelta(days=7)
# One copy a day is enough for anybody, and keeps a stolen session from making many.
EVERY = dt.timedelta(days=1)
ATTEMPTS = 5
READS = 10_000
_log = structlog.get_logger(__name__)


def ask(room: Room, now: dt.datetime) -> DataExport:
    """Ask for a copy; one that was asked for within a day is the one."""
    account = room.acting.account
    mine = DataExport.objects.filter(subject_id=room.subject_id, account=account.pk, asked_at__gt=now - EVERY)
    known = mine.exclude(state__in=[DataExport.State.FAILED, DataExport.State.GONE]).order_by("-pk").first()
    if known is not None:
        return known
    with transaction.atomic():
        row = DataExport.objects.create(
            subject_id=room.subject_id, account=account.pk, account_name=account.display_name,
            how=room.acting.by, asked_at=now,
        )  # fmt: skip
        said = {"subject": room.subject_id, "by": str(account.pk), "how": row.how}
        row.leaf_id = ledger.deposit("data-copy-asked", f"copy:{row.pk}", said, now=now).id
        row.save(update_fields=["leaf_id"])
    return row


def copies_of(room: Room) -> list[DataExport]:
    """Return the copies that this account asked for in this room, newest first."""
    account = room.acting.account
    return list(
        DataExport.objects.filter(subject_id=room.subject_id, account=account.pk).order_by("-pk")[:20]
    )


def make_copies(now: dt.datetime, limit: int = 20) -> int:
    """Make the copies that wait, delete those whose week is over; called by a clock. Returns how many were made."""
    for row in DataExport.objects.filter(state=DataExport.State.MADE, expires_at__lte=now)[:limit]:
        _path(row).unlink(missing_ok=True)
        DataExport.objects.filter(pk=row.pk).update(state=DataExport.State.GONE)
    made = 0
    # One that failed before stands behind those that nobody has tried yet.
    for row in DataExport.objects.filter(state=DataExport.State.ASKED).order_by("attempts", "pk")[:limit]:
        made += _make(row, now)
    return made


def _make(row: DataExport, now: dt.datetime) -> bool:
    account = identity.account(row.account)
    try:
        if account is None:
            raise Problem("account-unknown", _("账户已不存在"), detail=str(row.account))
        acting = Acting(account, row.subject_id, row.account_name, row.how)
        content = gathered(Room(acting, row.subject_id), now)
        body = json.dumps(content, ensure_ascii=False, indent=1, default=str).encode()
    except Exception as error:
        # Whatever one copy does, the others are made; who asked sees that theirs did not come.
        last = row.attempts + 1 >= ATTEMPTS
        state = DataExport.State.FAILED if last else DataExport.State.ASKED
        said = str(error.title) if isinstance(error, Problem) else _("生成时出错，已通知管理员")
        DataExport.objects.filter(pk=row.pk, state=DataExport.State.ASKED).update(
            attempts=row.attempts + 1, state=state, problem=said[:200]
        )
        _log.exception("copy-failed", copy=row.pk, attempts=row.attempts + 1)
        return False
    row.file = f"{row.pk}-{secrets.token_urlsafe(24)}.json"
    path = _path(row)
    make_once(path, body)
    digest = hashlib.sha256(body).hexdigest()
    with transaction.atomic():
        # Of two clocks at once one has made it; the other's file goes again.
        made = DataExport.objects.filter(pk=row.pk, state=DataExport.State.ASKED).update(
            file=row.file, digest=digest, size=len(body), state=DataExport.State.MADE, made_at=now,
            expires_at=now + KEPT,
        )  # fmt: skip
        if made:
            ledger.deposit(
                "data-copy-made", f"copy:{row.pk}", {"copy": str(row.pk), "subject": row.subject_id, "digest": digest}, now=now
            )  # fmt: skip
    if not made:
        path.unlink(missing_ok=True)
    return bool(made)


def _path(row: DataExport) -> Path:
    return Path(settings.VAR_DIR) / "copies" / row.file


def take(room: Room, copy_id: int, now: dt.datetime) -> bytes:
    """Return the bytes of a copy to whoever asked for it; each taking is counted."""
    row = DataExport.objects.filter(
        pk=copy_id, account=room.acting.account.pk, subject_id=room.subject_id, state=DataExport.State.MADE
    ).first()
    if row is None or row.expires_at is None or row.expires_at <= now:
        raise Problem("copy-gone", _("没有这份数据副本，或者已经过期"), detail=str(copy_id), status=404)
    body = _path(row).read_bytes()
    if hashlib.sha256(body).hexdigest() != row.digest:
        raise Problem("copy-changed", _("数据副本与登记的摘要不符"), detail=str(copy_id), status=500)
    DataExport.objects.filter(pk=row.pk).update(taken=row.taken + 1)
    return body


def gathered(room: Room, now: dt.datetime) -> dict[str, Any]:
    """Return all that is held, as plain JSON; every personal element goes on record."""
    full = subjects.record_of(room.subject_id)
    fields = fields_in(full)
    note_look(room, full, [each.element for each in fields], now)
    reads, total = identity.reads_of(full.record.subject_id, limit=READS)
    labels = {each.element: each.label for each in fields}
    return {
        "what": {"zh": "本人数据副本", "en": "A copy of the data held about one person or firm"},
        "subject": full.record.subject_id,
        "made_at": now.isoformat(),
        "asked_by": room.acting.account.display_name,
        "demo": bool(settings.DEMO),
        "held": [
            {
                "element": each.element, "label": each.label, "value": each.value, "disputed": each.disputed,
                "holders": [
                    {"department": h.department, "table": h.table, "value": h.value, "at": h.at,
                     "in_force": h.agrees, "file": h.file, "row": h.row}
                    for h in each.holders
                ],
            }
            for each in fields
        ],
        "reads": {"total": total, "newest": [_read(each, labels) for each in reads]},
        "consents": [_consent(each) for each in subjects.consents_of(full.record.subject_id, now)],
        "disputes": list(
            subjects.disputes_raised(full.record.subject_id, room.acting.account.pk)
            .order_by("pk")
            .values(
                "subject_id", "element", "claimed", "reason", "raised_at", "stage", "decider", "decide_by", "closed_at",
                "outcome",
            )
        ),
        "certificates": [_certificate(row) for row in _certificates(room)],
        "cases": [_case(line) for line in cases.cases_about(full.record.subject_id)],
    }  # fmt: skip


def _certificates(room: Room) -> list[Any]:
    own = room.purpose == "own-data"
    return list(certificates.certificates_of(room.acting.account)) if own else []


def _read(each: identity.Read, labels: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": each.at.isoformat(), "who": each.actor_name, "department": each.department, "purpose": each.purpose,
        "elements": list(each.elements), "case": each.case_id, "leaf": each.leaf_id,
    }  # fmt: skip


def _consent(each: subjects.ConsentView) -> dict[str, Any]:
    return {
        "service": each.pack_title, "elements": list(each.elements), "tables": list(each.sources),
        "purpose": each.purpose, "scope": each.scope, "until": each.until.isoformat(),
        "given_at": each.given_at.isoformat(), "revoked_at": each.revoked_at, "leaf": each.leaf_id,
    }  # fmt: skip


def _certificate(row: Any) -> dict[str, Any]:
    return {
        "number": row.number, "title": {"zh": row.title_zh, "en": row.title_en}, "holder": row.holder,
        "valid_from": row.valid_from.isoformat(), "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "claims": json.loads(row.claims),
    }  # fmt: skip


def _case(line: cases.CaseLine) -> dict[str, Any]:
    return {
        "case": line.case_id, "title": line.title, "state": line.state, "opened_at": line.opened_at.isoformat(),
        "closed_at": line.closed_at.isoformat() if line.closed_at else None,
    }  # fmt: skip
