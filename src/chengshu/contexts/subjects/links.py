"""Links by a person: these records are one, these are not. The word holds in every later run, and can be undone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger.api import deposit
from chengshu.contexts.subjects.models import LinkDecision
from chengshu.contexts.subjects.reading import effective_record, records_in
from chengshu.kernel.problems import Problem


def unlink(
    subject_id: str, record_ids: Sequence[str], *, reason: str, actor: Account, now: dt.datetime
) -> int:
    """Say that some of a subject's records are someone else's. Cases and corrections stay with the subject's id.

    Each of them is told apart from each that stays, so no chain of other records joins them again. It takes effect
    with the next build; returns how many pairs were told apart.
    """
    record = effective_record(subject_id)
    own = records_in(record.subject_id, record.kind)
    apart = sorted(set(record_ids))
    strangers = sorted(set(apart) - set(own))
    if strangers:
        raise Problem(
            "record-elsewhere", _("这些记录不属于该对象"), detail=", ".join(strangers[:3]), status=422
        )
    stay = [item for item in own if item not in apart]
    if not apart or not stay:
        raise Problem("unlink-all", _("至少要选一条、留一条记录"), status=422)
    pairs = [(left, right) for left in apart for right in stay]
    return _say(pairs, "different", record.kind, record.subject_id, reason, actor, now)


def link(subject_id: str, other_id: str, *, reason: str, actor: Account, now: dt.datetime) -> int:
    """Say that two subjects are one; with the next build the older id stays, the other leads to it."""
    one, other = effective_record(subject_id), effective_record(other_id)
    if one.kind != other.kind or one.kind == "premises":
        raise Problem("link-kinds", _("只能合并同一类对象"), status=422)
    if one.subject_id == other.subject_id:
        raise Problem("link-same", _("这已经是同一个对象"), status=422)
    ours, theirs = records_in(one.subject_id, one.kind), records_in(other.subject_id, other.kind)
    if not ours or not theirs:
        raise Problem("link-records", _("找不到这些对象的记录"), status=409)
    pairs = [(ours[0], item) for item in theirs] + [(ours[0], item) for item in ours[1:]]
    return _say(pairs, "same", one.kind, one.subject_id, reason, actor, now)


def _say(
    pairs: list[tuple[str, str]],
    decision: str,
    kind: str,
    subject_id: str,
    reason: str,
    actor: Account,
    now: dt.datetime,
) -> int:
    if not reason.strip():
        raise Problem("link-reason", _("请写明理由"), status=422)
    rows = []
    with transaction.atomic():
        for left, right in pairs:
            left, right = min(left, right), max(left, right)
            earlier = LinkDecision.objects.filter(left_id=left, right_id=right, undone_at=None)
            earlier.update(undone_at=now, undone_by=actor.display_name)
            rows.append(
                LinkDecision(
                    left_id=left, right_id=right, decision=decision, kind=kind, subject_id=subject_id,
                    reason=reason[:500], made_by=actor.display_name, made_by_account=actor.pk, made_at=now,
                )
            )  # fmt: skip
        LinkDecision.objects.bulk_create(rows)
        seen = {"subject": subject_id, "decision": decision, "pairs": len(rows), "reason": reason}
        deposit("link-decided", f"subject:{subject_id}", seen, now=now)
    return len(rows)


def undo(decision_ids: Sequence[int], *, actor: Account, now: dt.datetime) -> int:
    """Take decisions back; with the next build the records stand as the model alone would have them."""
    with transaction.atomic():
        rows = LinkDecision.objects.filter(pk__in=list(decision_ids), undone_at=None)
        subjects = sorted(set(rows.values_list("subject_id", flat=True)))
        count = rows.update(undone_at=now, undone_by=actor.display_name)
        for subject_id in subjects:
            deposit("link-undone", f"subject:{subject_id}", {"subject": subject_id, "by": actor.pk}, now=now)
    return count


def decisions(subject_id: str | None = None, most: int = 200) -> list[LinkDecision]:
    """Return people's link decisions in force, newest first."""
    found = LinkDecision.objects.filter(undone_at=None).order_by("-pk")
    return list((found.filter(subject_id=subject_id) if subject_id else found)[:most])
