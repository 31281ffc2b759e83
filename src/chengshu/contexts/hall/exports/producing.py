"""Asking for an export, producing it by job, and its end: everything on record, for the office and for the persons."""

from __future__ import annotations

import datetime as dt
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.http import FileResponse
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.exports import watermark, writing
from chengshu.contexts.hall.exports.kinds import KINDS
from chengshu.contexts.hall.exports.lists import Kind, Table
from chengshu.contexts.hall.exports.models import Export
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel import kept_files
from chengshu.kernel.problems import Problem

log = structlog.get_logger("chengshu.exports")
LIFE = dt.timedelta(hours=24)
LEASE = dt.timedelta(minutes=10)
MOST_ATTEMPTS = 3
MOST_WAITING = 5
FEWEST_WORDS = 6
State = Export.State


def folder() -> Path:
    """Return where the files lie until they expire; not among the evidence, and not in a backup."""
    return Path(settings.VAR_DIR) / "tmp-exports"


def ask(
    actor: identity.Account,
    kind: str,
    filters: Mapping[str, str],
    *,
    purpose: str,
    reason: str,
    full: bool,
    now: dt.datetime,
    form: str = "csv",
) -> Export:
    """Ask for an export; a job makes it.

    Raises ``export-not-allowed`` (403), ``export-purpose`` and ``export-format`` (422), ``export-queue`` (429).
    """
    found = _may(actor, kind, full)
    if form not in found.formats:
        raise Problem("export-format", _("这份名单没有这种文件"), detail=", ".join(found.formats), status=422)
    if purpose not in identity.PURPOSES_OF_ROLE[actor.role] or len(reason.strip()) < FEWEST_WORDS:
        raise Problem("export-purpose", _("请选择目的，并写明用来做什么"), status=422)
    if Export.objects.filter(account_id=actor.pk, state=State.WAITING).count() >= MOST_WAITING:
        raise Problem("export-queue", _("还有导出在准备，请稍后再来"), status=429)
    wanted = {name: str(filters[name])[:100] for name in found.filters if filters.get(name)}
    with transaction.atomic():
        number = f"E{now:%y%m%d}{secrets.token_hex(4).upper()}"
        said = {"export": number, "kind": kind, "account": str(actor.pk), "purpose": purpose, "full": str(full),
                "format": form, "reason": reason.strip(), "at": now.isoformat()}  # fmt: skip
        leaf = ledger.deposit("export", f"export:{number}", said, now=now)
        return Export.objects.create(
            number=number,
            kind=kind,
            filters=wanted,
            account_id=actor.pk,
            actor_name=actor.display_name,
            department=actor.department.name_zh if actor.department else "",
            purpose=purpose,
            reason=reason.strip()[:300],
            full=full,
            format=form,
            fingerprint=secrets.token_hex(32),
            asked_at=now,
            leaf_id=leaf.id,
            leaf_salt=leaf.salt,
        )


def _may(actor: identity.Account, kind: str, full: bool) -> Kind:
    """Return the kind of list where an account may have it; refuses otherwise."""
    found = KINDS.get(kind)
    if found is None or actor.role not in found.roles:
        raise Problem("export-not-allowed", _("您的角色不能导出这份名单"), status=403)
    if kind == "payments" and not cases.payments.may_list(actor):
        raise Problem("export-not-allowed", _("只有财政经办人员可以查看款项"), status=403)
    if full and actor.role not in found.full_roles:
        raise Problem("export-not-allowed", _("您的角色只能导出遮盖后的名单"), status=403)
    return found


def run(now: dt.datetime) -> int:
    """Produce what waits, delete what has expired; returns how many files were made."""
    expire(now)
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    done = 0
    for number in list(
        Export.objects.filter(free, state=State.WAITING).order_by("pk").values_list("pk", flat=True)[:10]
    ):
        row = Export.objects.get(pk=number)
        if row.attempts >= MOST_ATTEMPTS:
            # Its workers died each time without a word.
            Export.objects.filter(pk=number, state=State.WAITING, attempts=row.attempts).update(
                state=State.FAILED
            )
            continue
        # One conditional update: of two workers one has it.
        taken = Export.objects.filter(free, pk=number, state=State.WAITING, attempts=row.attempts).update(
            attempts=F("attempts") + 1, leased_until=now + LEASE
        )
        if taken:
            done += _produced(row, now)
    return done


def _produced(row: Export, now: dt.datetime) -> int:
    try:
        actor = identity.account(row.account_id)
        if actor is None or not identity.may_act(actor):
            raise Problem("export-not-allowed", _("账户已经停用"), status=403)
        # Whoever has changed their role or desk since has what they may have now.
        _may(actor, row.kind, row.full)
        table = KINDS[row.kind].make(actor, row.filters, row.full, now)
        _keep(row, table, actor, now)
    except Exception as error:
        # Whatever a list does, the others go on; the person who asked sees why theirs did not come.
        final = row.attempts + 1 >= MOST_ATTEMPTS or isinstance(error, Problem)
        log.exception("export-failed", export=row.number)
        Export.objects.filter(pk=row.pk).update(
            state=State.FAILED if final else State.WAITING,
            error=f"{type(error).__name__}: {error}"[:300]
            if not isinstance(error, Problem)
            else str(error.title)[:300],
        )
        return 0
    return 1


def _keep(row: Export, table: Table, actor: identity.Account, now: dt.datetime) -> None:
    """Write the file, put it on record for everyone in it, and only then let it be fetched."""
    expires = now + LIFE
    who = f"{row.actor_name}（{row.department}）" if row.department else row.actor_name
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder()) as name:
        body = writing.write_body(table, row.fingerprint, Path(name) / "body")
        line = watermark.notice(
            row.number, who, row.reason, now, expires, table.left, body.rows if body.more else 0
        )
        whole = Path(name) / "whole"
        writing.FORMATS[row.format][0](table, body, line, whole)
        size, digest = whole.stat().st_size, kept_files.keep_file(folder(), whole)
    try:
        with transaction.atomic():
            if body.persons:
                identity.record_reads(actor, body.persons, row.purpose, table.elements, now)
            Export.objects.filter(pk=row.pk).update(
                state=State.READY,
                rows=body.rows,
                persons=len(body.persons),
                digest=digest,
                size=size,
                ready_at=now,
                expires_at=expires,
                leased_until=None,
                error="",
            )
    except BaseException:
        # What is on nobody's record does not stay on the disk.
        kept_files.path_of(folder(), digest).unlink(missing_ok=True)
        raise


def expire(now: dt.datetime) -> int:
    """Delete the files whose time is over; who had them, when and why stays."""
    rows = list(Export.objects.filter(state=State.READY, expires_at__lte=now)[:100])
    for row in rows:
        kept_files.path_of(folder(), row.digest).unlink(missing_ok=True)
    Export.objects.filter(pk__in=[row.pk for row in rows]).update(state=State.EXPIRED, digest="")
    if rows:
        _sweep(now)
    return len(rows)


def _sweep(now: dt.datetime) -> None:
    """Delete the files that a worker wrote and died before any row named them."""
    named = set(Export.objects.filter(state=State.READY).values_list("digest", flat=True))
    for path in folder().glob("*/*"):
        if path.name not in named and path.stat().st_mtime < (now - LEASE).timestamp():
            path.unlink(missing_ok=True)


def file_of(number: str, actor: identity.Account, now: dt.datetime) -> tuple[Export, Path]:
    """Return where the file lies to whoever asked for it and to nobody else; raises 404 otherwise and after its time."""
    row = Export.objects.filter(number=number[:20], account_id=actor.pk).first()
    if row is None or row.state != State.READY or row.expires_at is None or row.expires_at <= now:
        raise Problem("export-unknown", _("没有这份导出，或者已经过期"), status=404)
    path = kept_files.path_of(folder(), row.digest)
    if not path.is_file():
        raise Problem("export-unknown", _("没有这份导出，或者已经过期"), status=404)
    Export.objects.filter(pk=row.pk).update(downloads=F("downloads") + 1, last_download_at=now)
    return row, path


def answer(number: str, actor: identity.Account, now: dt.datetime) -> FileResponse:
    """Answer with the file, piece by piece, for the page and the interface alike; see ``file_of``."""
    row, path = file_of(number, actor, now)
    response = FileResponse(path.open("rb"), content_type=writing.FORMATS[row.format][1])
    response["Content-Disposition"] = f'attachment; filename="export-{row.number}.{row.format}"'
    response["Cache-Control"] = "no-store"
    return response


def exports_of(actor: identity.Account, limit: int = 50) -> list[Export]:
    """Return what an account asked for, newest first; the operator sees everyone's, without the files."""
    rows = Export.objects.order_by("-pk")
    return list((rows if actor.role == "operator" else rows.filter(account_id=actor.pk))[:limit])


def trace(code: str) -> Export | None:
    """Return the export that a check code out of a leaked copy belongs to."""
    wanted = code.strip().lower()
    if len(wanted) != watermark.CODE_LENGTH or not all(char in "0123456789abcdef" for char in wanted):
        return None
    for row in Export.objects.filter(rows__gt=0).order_by("-pk").iterator(chunk_size=200):
        if watermark.has_code(row.fingerprint, row.rows, wanted):
            return row
    return None
