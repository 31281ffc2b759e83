"""Remarks that stay inside: staff who work on a case write them, applicants never see them, erasing takes them along."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from chengshu.contexts.cases.access import FULL, access_case
from chengshu.contexts.cases.models import CaseComment
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem

MAX_TEXT = 2_000
MAX_COMMENTS = 500


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark as staff see it."""

    id: int
    author_name: str
    text: str
    at: dt.datetime
    erased: bool


def may_comment(case_id: str, account: Account, now: dt.datetime) -> bool:
    """Return whether an account reads and writes the remarks of a case: staff who work it, not staff who applied."""
    access = access_case(case_id, account, now)
    return access.inside and access.level == FULL


def add_comment(case_id: str, account: Account, text: str, now: dt.datetime) -> Comment:
    """Write a remark."""
    _staff_only(case_id, account, now)
    said = text.strip()
    if not said or len(said) > MAX_TEXT or "\x00" in said:
        raise Problem(
            "form-invalid", _("备注为 1 到 2000 个字"), status=422,
            errors={"text": {"code": "too-long" if said else "required", "text": _("备注为 1 到 2000 个字")}},
        )  # fmt: skip
    if CaseComment.objects.filter(case_id=case_id).count() >= MAX_COMMENTS:
        raise Problem("comments-full", _("这个办件的备注已满"), detail=case_id, status=409)
    row = CaseComment.objects.create(
        case_id=case_id, account=account.pk, author=account.display_name, text=said, at=now
    )
    return _seen(row)


def comments_of(case_id: str, account: Account, now: dt.datetime) -> list[Comment]:
    """Return the remarks of a case, oldest first; refused to whoever may not read them."""
    _staff_only(case_id, account, now)
    return [_seen(row) for row in CaseComment.objects.filter(case_id=case_id).order_by("at", "pk")]


def _staff_only(case_id: str, account: Account, now: dt.datetime) -> None:
    if not may_comment(case_id, account, now):
        raise Problem("comments-inside", _("备注仅供经办人员内部使用"), detail=case_id, status=403)


def _seen(row: CaseComment) -> Comment:
    return Comment(row.pk, row.author, row.text, row.at, row.erased_at is not None)
