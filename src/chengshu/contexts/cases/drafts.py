"""Opening forms as one types them: saved at every pause, nobody else's business, gone when submitted or forgotten."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from chengshu.contexts.cases import asking, files, packs, services, store
from chengshu.contexts.cases.models import Draft as DraftModel
from chengshu.contexts.cases.models import DraftFile
from chengshu.contexts.cases.sql import dump
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.procedure.types import BadValue, Type, check_value

MAX_BODY = 200_000
MAX_DRAFTS = 30
MAX_FILES = 40
LIFE = dt.timedelta(days=90)
LIFE_DELETED = dt.timedelta(days=30)
_PLAIN = Type("map", optional=True)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as its author sees it; ``values`` are whatever was typed, right or wrong."""

    id: int
    pack: str
    pack_version_id: int
    values: dict[str, Any]
    files: list[files.Stored]
    saved_at: dt.datetime
    deleted_at: dt.datetime | None
    expires_at: dt.datetime
    # Whose matter it is, where the author acts for another; empty in one's own.
    subject_id: str = ""
    # The pack has a newer version than the draft was begun under; it will be submitted under the newer one.
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A draft in a list."""

    id: int
    pack: str
    pack_version_id: int
    saved_at: dt.datetime
    deleted_at: dt.datetime | None
    expires_at: dt.datetime


def start(account: Account, pack_id: str, now: dt.datetime, subject_id: str = "") -> int:
    """Begin a draft of a pack's opening form; who may not open such a case is told so now.

    ``subject_id``: whose matter it is, where the account acts for another.
    """
    runtime = packs.current(pack_id)
    if (refusal := services.refusal(runtime.pack, account, now)) is not None:
        raise refusal
    if DraftModel.objects.filter(account=account.pk, deleted_at=None).count() >= MAX_DRAFTS:
        raise Problem(
            "drafts-full",
            _("草稿已满"),
            remedy=_("请先提交或删除一些草稿"),
            detail=str(MAX_DRAFTS),
            status=409,
        )
    row = DraftModel.objects.create(
        account=account.pk,
        subject_id=subject_id,
        pack=pack_id,
        pack_version_id=runtime.version_id,
        made_at=now,
        saved_at=now,
    )
    return int(row.pk)


def latest(account: Account, pack_id: str, subject_id: str = "") -> int | None:
    """Return the draft of a pack that the account touched last, of its own matters or of whom it acts for."""
    found = DraftModel.objects.filter(
        account=account.pk, pack=pack_id, subject_id=subject_id, deleted_at=None
    ).order_by("-saved_at", "-pk")
    return found.values_list("pk", flat=True).first()


def load(draft_id: int, account: Account) -> Draft:
    """Return one of the account's drafts."""
    row = _mine(draft_id, account)
    current = packs.current(row.pack).version_id
    kept = [
        files.Stored(item.digest, item.name, item.media_type, item.size, item.field, item.scanned)
        for item in row.files.order_by("pk")
    ]
    return Draft(
        row.pk, row.pack, row.pack_version_id, json.loads(row.body), kept, row.saved_at, row.deleted_at,
        _expires(row), row.subject_id, row.pack_version_id != current,
    )  # fmt: skip


def save(draft_id: int, account: Account, values: Mapping[str, Any], now: dt.datetime) -> dt.datetime:
    """Keep what was typed so far, as it is; returns when it was saved. Nothing is checked but its size and shape."""
    try:
        check_value(dict(values), _PLAIN)
    except BadValue as bad:
        raise Problem("draft-form", _("草稿内容无法保存"), detail=str(bad), status=422) from bad
    body = dump(dict(values))
    if len(body.encode()) > MAX_BODY:
        raise Problem("draft-too-large", _("草稿内容过长"), detail=str(MAX_BODY), status=413)
    row = _mine(draft_id, account)
    DraftModel.objects.filter(pk=row.pk, deleted_at=None).update(body=body, saved_at=now)
    return now


def add_file(draft_id: int, account: Account, field: str, stored: files.Stored, now: dt.datetime) -> None:
    """Keep a file with the draft; it was checked and cleaned when it was stored."""
    row = _mine(draft_id, account)
    known = packs.current(row.pack).pack.facts.get(field)
    if known is None or known.type.kind != "files":
        raise Problem("file-unexpected", _("这一项不收文件"), detail=field, status=422)
    if row.files.filter(field=field).count() >= known.most or row.files.count() >= MAX_FILES:
        raise Problem(
            "file-too-many", _("文件过多"), detail=field, status=422,
            errors={field: {"code": "too-long", "text": _("文件过多")}},
        )  # fmt: skip
    DraftFile.objects.get_or_create(
        draft=row,
        field=field,
        digest=stored.digest,
        defaults={
            "name": stored.name,
            "media_type": stored.media_type,
            "size": stored.size,
            "scanned": stored.scanned,
            "at": now,
        },
    )
    DraftModel.objects.filter(pk=row.pk).update(saved_at=now)


def drop_file(draft_id: int, account: Account, digest: str) -> bool:
    """Take a file out of the draft; its bytes go when nothing else has them."""
    gone, _kinds = DraftFile.objects.filter(draft=_mine(draft_id, account), digest=digest).delete()
    if gone:
        files.drop_unused(digest)
    return bool(gone)


def drafts_of(account: Account, *, deleted: bool = False, subject_id: str = "") -> list[DraftLine]:
    """Return the account's drafts of its own matters, or of whom it acts for, saved last first; or those thrown away."""
    found = DraftModel.objects.filter(
        account=account.pk, subject_id=subject_id, deleted_at__isnull=not deleted
    ).order_by("-saved_at", "-pk")
    return [
        DraftLine(row.pk, row.pack, row.pack_version_id, row.saved_at, row.deleted_at, _expires(row))
        for row in found
    ]


def delete(draft_id: int, account: Account, now: dt.datetime) -> None:
    """Throw a draft away; it can be fetched back for thirty days."""
    DraftModel.objects.filter(pk=_mine(draft_id, account).pk, deleted_at=None).update(deleted_at=now)


def restore(draft_id: int, account: Account) -> None:
    """Fetch a draft back."""
    DraftModel.objects.filter(pk=_mine(draft_id, account).pk).update(deleted_at=None)


@dataclass(frozen=True, slots=True)
class Ready:
    """A draft whose answers have been looked at; ``known``: the case that it became already."""

    draft_id: int
    account: Account
    key: str
    now: dt.datetime
    known: str = ""
    pack: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[Any] = ()
    department: str | None = None
    subject_id: str | None = None
    on_behalf: Mapping[str, Any] | None = None


def ready_draft(
    draft_id: int,
    account: Account,
    *,
    now: dt.datetime,
    idempotency_key: str = "",
    department: str | None = None,
    values: Mapping[str, Any] | None = None,
    subject_id: str | None = None,
    on_behalf: Mapping[str, Any] | None = None,
) -> Ready:
    """Return a draft ready to be opened as a case; no transaction yet, so that no writer waits while its answers are looked at.

    What is wrong comes back at once as ``form-invalid`` with ``errors`` by field. ``values`` are the draft's answers
    in the engine's types, where a page has converted them; else the draft's own are taken.
    """
    key = _key(draft_id, account, idempotency_key)
    known = store.case_of_key(key)
    if known is not None:
        return Ready(draft_id, account, key, now, known)
    try:
        draft = load(draft_id, account)
    except Problem:
        # Pressed twice: the other press has just opened the case and taken the draft away.
        if (known := store.case_of_key(key)) is None:
            raise
        return Ready(draft_id, account, key, now, known)
    if draft.subject_id != str((on_behalf or {}).get("subject_id", "")):
        raise Problem(
            "draft-of-another", _("这个草稿是代另一人填写的"), detail=str(draft_id), status=409,
            remedy=_("请先选定为谁办理"),
        )  # fmt: skip
    if draft.deleted_at is not None:
        raise _deleted(draft_id)
    facts = {
        name: value
        for name, value in (values if values is not None else draft.values).items()
        # What begins so is the page's own: how far one was, what one said to the use of data.
        if value not in (None, "", []) and not name.startswith("_")
    }
    asking.check_asked(draft.pack, facts, account, now=now, department=department, stored=draft.files)
    return Ready(
        draft_id, account, key, now, "", draft.pack, facts, draft.files, department, subject_id, on_behalf
    )


def became(draft_id: int, account: Account, idempotency_key: str) -> str | None:
    """Return the case that a draft of this account became under a key; a press that comes late finds it by that."""
    return store.case_of_key(_key(draft_id, account, idempotency_key))


def _key(draft_id: int, account: Account, idempotency_key: str) -> str:
    return f"draft:{account.pk}:{draft_id}:{idempotency_key}"[: store.MAX_KEY]


def open_ready(ready: Ready) -> str:
    """Open the case of a draft that is ready and delete the draft, both or neither; pressed twice, it is one case."""
    if ready.known:
        return ready.known
    with transaction.atomic():
        if (known := _come_between(ready)) is not None:
            return known
        case_id = store.open_case(
            ready.pack, ready.facts, opened_by=ready.account, department=ready.department, subject_id=ready.subject_id,
            idempotency_key=ready.key, now=ready.now, stored=ready.files, asked=True, on_behalf=ready.on_behalf,
        )  # fmt: skip
        DraftModel.objects.filter(pk=ready.draft_id).delete()
    return case_id


def _come_between(ready: Ready) -> str | None:
    """Refuse a draft that was thrown away or lost a file since it was looked at; returns the case if it has become one."""
    row = DraftModel.objects.select_for_update().filter(pk=ready.draft_id).first()
    if row is None and (known := store.case_of_key(ready.key)) is not None:
        return known
    if row is None or row.deleted_at is not None:
        raise _deleted(ready.draft_id)
    if set(row.files.values_list("field", "digest")) != {(each.field, each.digest) for each in ready.files}:
        raise Problem(
            "draft-changed", _("草稿的文件刚刚变了"), detail=str(ready.draft_id), status=409,
            remedy=_("请核对文件，再提交一次"),
        )  # fmt: skip
    return None


def _deleted(draft_id: int) -> Problem:
    return Problem("draft-deleted", _("这个草稿已删除"), detail=str(draft_id), status=409)


def discard(now: dt.datetime, limit: int = 500) -> int:
    """Delete drafts that nobody touched for ninety days, and those thrown away thirty days ago; returns how many."""
    old = DraftModel.objects.filter(saved_at__lt=now - LIFE) | DraftModel.objects.filter(
        deleted_at__lt=now - LIFE_DELETED
    )
    gone = 0
    for row in list(old.order_by("pk")[:limit]):
        digests = list(row.files.values_list("digest", flat=True))
        row.delete()
        for digest in digests:
            files.drop_unused(digest)
        gone += 1
    return gone


def _mine(draft_id: int, account: Account) -> DraftModel:
    row = DraftModel.objects.filter(pk=draft_id, account=account.pk).first()
    if row is None:
        raise Problem("draft-unknown", _("没有这个草稿"), detail=str(draft_id), status=404)
    return row


def _expires(row: DraftModel) -> dt.datetime:
    return row.deleted_at + LIFE_DELETED if row.deleted_at else row.saved_at + LIFE
