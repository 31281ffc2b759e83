"""Files that a program sends before the call that names them: an answer by REST is JSON, and a paper is not.

An answer names a paper by its digest. A digest alone proves nothing, so whoever names one must have sent the bytes:
with this very call, as an upload of the last day, or as a member of the case whose paper it is already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from chengshu.contexts.cases import files
from chengshu.contexts.cases.domain import FileIn
from chengshu.contexts.cases.models import EvidenceFile, UploadedFile
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Field

LIFE = dt.timedelta(days=1)
MOST_KEPT = 50


def upload(account: Account, sent: FileIn, accept: str, now: dt.datetime) -> files.Stored:
    """Check, scan, clean and keep a file for a day; the account's next answers may name it by its digest."""
    if UploadedFile.objects.filter(account=account.pk).count() >= MOST_KEPT:
        raise Problem(
            "uploads-full", _("上传的文件过多"), detail=str(MOST_KEPT), status=409,
            remedy=_("请先提交用到它们的表单，或明天再试"),
        )  # fmt: skip
    (stored,) = files.store_files([sent], accept)
    UploadedFile.objects.update_or_create(
        account=account.pk,
        digest=stored.digest,
        defaults={
            "accept": accept,
            "name": stored.name,
            "media_type": stored.media_type,
            "size": stored.size,
            "scanned": stored.scanned,
            "at": now,
        },
    )
    return stored


def named(
    fields: Mapping[str, Field],
    data: Mapping[str, Any],
    account: Account,
    now: dt.datetime,
    *,
    case_id: str = "",
    kept: Iterable[files.Stored] = (),
) -> list[files.Stored]:
    """Return the uploads that an answer names; a digest that this account never sent is refused.

    ``case_id``: papers of this case may be named again. ``kept``: what came with the call, or lies in its draft.
    """
    known = {item.digest for item in kept}
    wanted = {
        digest: name
        for name, field in fields.items()
        if field.type.kind == "files"
        for digest in _digests(data.get(name))
        if digest not in known
    }
    if not wanted:
        return []
    found = _uploads(wanted, fields, account, now)
    lacking = set(wanted) - {item.digest for item in found}
    if lacking and case_id:
        lacking -= set(
            EvidenceFile.objects.filter(
                case_id=case_id, digest__in=lacking, erased_at=None
            ).values_list("digest", flat=True)
        )  # fmt: skip
    if lacking:
        raise _not_sent(sorted({wanted[digest] for digest in lacking}))
    return found


def discard(now: dt.datetime, limit: int = 500) -> int:
    """Delete uploads older than a day that no case or draft has taken up; returns how many."""
    old = list(UploadedFile.objects.filter(at__lt=now - LIFE).order_by("pk")[:limit])
    UploadedFile.objects.filter(pk__in=[row.pk for row in old]).delete()
    for row in old:
        files.drop_unused(row.digest)
    return len(old)


def _uploads(
    wanted: Mapping[str, str], fields: Mapping[str, Field], account: Account, now: dt.datetime
) -> list[files.Stored]:
    rows = UploadedFile.objects.filter(account=account.pk, digest__in=list(wanted), at__gt=now - LIFE)
    return [
        files.Stored(row.digest, row.name, row.media_type, row.size, wanted[row.digest], row.scanned)
        for row in rows
        # A PDF is no photo: what was looked at as a document does not enter where only pictures do.
        if row.accept == fields[wanted[row.digest]].accept
    ]


def _digests(value: Any) -> Sequence[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else ()


def _not_sent(names: list[str]) -> Problem:
    text = _("这个文件没有上传，或上传已过一天")
    return Problem(
        "file-not-sent", text, detail=", ".join(names), status=422,
        remedy=_("请先上传文件，再用返回的摘要填写这一项"),
        errors={name: {"code": "file-not-sent", "text": text} for name in names},
    )  # fmt: skip
