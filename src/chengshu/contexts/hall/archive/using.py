"""Packages are found and used, by who may see the case, for a stated purpose, on record; handed over; disposed of by two."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.archive.making import folder
from chengshu.contexts.hall.archive.models import ArchiveAct, ArchivePackage
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel import kept_files
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day

State = ArchivePackage.State
PURPOSE = "archive-use"
FEWEST_WORDS = 6
# What a person reads on their page of what was in the file.
ELEMENTS = ("person.name", "person.resident_id", "person.phone", "person.address")


def packages_for(
    actor: identity.Account, asked: Mapping[str, str], now: dt.datetime
) -> QuerySet[ArchivePackage]:
    """Return the packages that an account may find: an officer their department's, the operator all; newest first."""
    rows = ArchivePackage.objects.order_by("-closed_at", "-pk")
    if actor.role != "operator":
        rows = rows.filter(department=actor.department_id or "-")
    if number := asked.get("number", "").strip():
        rows = rows.filter(Q(number__icontains=number) | Q(case_id__iexact=number))
    if pack := asked.get("pack"):
        rows = rows.filter(pack=pack)
    if begins := asked.get("since"):
        rows = rows.filter(closed_at__date__gte=begins)
    if ends := asked.get("until"):
        rows = rows.filter(closed_at__date__lte=ends)
    if asked.get("due"):
        rows = due(rows, now)
    return rows


def due(rows: QuerySet[ArchivePackage], now: dt.datetime) -> QuerySet[ArchivePackage]:
    """Return those whose term is over and which are still kept."""
    return rows.filter(due_on__lte=legal_day(now), state__in=(State.KEPT, State.PROPOSED))


def package_for(number: str, actor: identity.Account, now: dt.datetime) -> ArchivePackage:
    """Return a package that an account may find, or refuse as if it did not exist."""
    found = packages_for(actor, {}, now).filter(number=number[:40]).first()
    if found is None:
        raise Problem("archive-unknown", _("没有这份档案"), detail=number[:40], status=404)
    return found


def may_use(row: ArchivePackage, actor: identity.Account, now: dt.datetime) -> bool:
    """Say whether an account may have the file: whoever sees the case whole; supervisors see that it is there."""
    if row.state not in (State.KEPT, State.PROPOSED) or row.closed_to_use_at is not None:
        return False
    try:
        access = cases.access_case(row.case_id, actor, now)
    except Problem:
        return False
    return actor.role == "officer" and access.inside and access.level == cases.FULL


def use(row: ArchivePackage, actor: identity.Account, reason: str, now: dt.datetime) -> bytes:
    """Return the file, the use on record: for the office, in the ledger, and for the person whom it is about."""
    _open_to_use(row)
    if not may_use(row, actor, now):
        raise Problem("archive-not-yours", _("这份档案只给办理这件事的部门利用"), status=403)
    return _given_out(row, "used", actor, reason, now)


def hand_over(row: ArchivePackage, actor: identity.Account, reason: str, now: dt.datetime) -> bytes:
    """Return the file for the archives office, by the operator's command; on record like a use.

    What is closed to use stays here for its term: article 47 of 《个人信息保护法》 leaves storing alone; handing over is more.
    """
    if actor.role != "operator" or row.state not in (State.KEPT, State.PROPOSED):
        raise Problem("archive-not-yours", _("只有运行管理员可以移交在库的档案"), status=403)
    _open_to_use(row)
    return _given_out(row, "handed-over", actor, reason, now)


def _given_out(
    row: ArchivePackage, kind: str, actor: identity.Account, reason: str, now: dt.datetime
) -> bytes:
    _need(reason)
    content = content_of(row)
    with transaction.atomic():
        _act(row, kind, actor, reason, now, PURPOSE)
        if row.subject_id.startswith("P"):
            identity.record_read(actor, row.subject_id, PURPOSE, ELEMENTS, now, case_id=row.case_id)
    return content


def content_of(row: ArchivePackage) -> bytes:
    """Return the bytes of a package; raises ``archive-gone`` where they are not what was put there."""
    path = kept_files.path_of(folder(), row.digest) if row.digest else None
    if path is None or not path.is_file():
        raise Problem(
            "archive-gone",
            _("档案包不在这里"),
            detail=row.number,
            remedy=_("从备份恢复 var/archive"),
            status=503,
        )
    return path.read_bytes()


def propose(row: ArchivePackage, actor: identity.Account, reason: str, now: dt.datetime) -> None:
    """Propose that a package whose term is over be disposed of; another person decides."""
    _may_dispose(row, actor)
    _need(reason)
    if row.due_on is None or row.due_on > legal_day(now):
        raise Problem(
            "archive-not-due", _("保管期限未满，不能销毁"), detail=str(row.due_on or _("永久")), status=409
        )
    _moved(row, State.KEPT, State.PROPOSED, "proposed", actor, reason, now)


def keep(row: ArchivePackage, actor: identity.Account, reason: str, now: dt.datetime) -> None:
    """Keep a package after all that was proposed for disposal."""
    _may_dispose(row, actor)
    _need(reason)
    _moved(row, State.PROPOSED, State.KEPT, "kept", actor, reason, now)


def try_again(row: ArchivePackage, actor: identity.Account, reason: str, now: dt.datetime) -> None:
    """Have a package that was not made tried anew by the job, however often it was tried."""
    _may_dispose(row, actor)
    _need(reason)
    with transaction.atomic():
        if not ArchivePackage.objects.filter(pk=row.pk, state=State.FAILED).update(attempts=0):
            raise Problem(
                "archive-state", _("这份档案现在不能这样处理"), detail=row.get_state_display(), status=409
            )
        _act(row, "tried-again", actor, reason, now)


def dispose(row: ArchivePackage, actor: identity.Account, reason: str, now: dt.datetime) -> None:
    """Dispose of a package that another person has proposed: the file goes, its line and its leaf stay (销毁清册)."""
    _may_dispose(row, actor)
    _need(reason)
    last = row.acts.filter(kind="proposed").order_by("-pk").first()
    if last is None or last.account_id == actor.pk:
        raise Problem("archive-two-persons", _("销毁要由另一个人决定，不能由提出的人决定"), status=409)
    digest = row.digest
    with transaction.atomic():
        _moved(row, State.PROPOSED, State.DISPOSED, "disposed", actor, reason, now)
        transaction.on_commit(lambda: kept_files.path_of(folder(), digest).unlink(missing_ok=True))


def close_to_use(case_id: str, now: dt.datetime) -> int:
    """Close the packages of a case to use: its personal values were erased, the law keeps the archive for its term.

    《个人信息保护法》 article 47: where a term of keeping that law sets is not over, all but storing ends.
    """
    return ArchivePackage.objects.filter(case_id=case_id, closed_to_use_at=None).update(closed_to_use_at=now)


def _open_to_use(row: ArchivePackage) -> None:
    if row.closed_to_use_at is not None:
        raise Problem(
            "archive-closed",
            _("办件的个人信息已删除，这份档案只保管，不利用，也不移交"),
            detail=row.number,
            status=409,
        )


def _may_dispose(row: ArchivePackage, actor: identity.Account) -> None:
    of_department = actor.role == "officer" and bool(row.department) and actor.department_id == row.department
    if not (of_department or actor.role == "operator"):
        raise Problem("archive-not-yours", _("只有本部门的经办人员和运行管理员可以鉴定销毁"), status=403)


def _need(reason: str) -> None:
    if len(reason.strip()) < FEWEST_WORDS:
        raise Problem("archive-reason", _("请写明用来做什么，至少 6 个字"), status=422)


def _moved(
    row: ArchivePackage, before: str, after: str, kind: str, actor: identity.Account, reason: str, now: dt.datetime
) -> None:  # fmt: skip
    with transaction.atomic():
        if not ArchivePackage.objects.filter(pk=row.pk, state=before).update(state=after):
            raise Problem(
                "archive-state", _("这份档案现在不能这样处理"), detail=row.get_state_display(), status=409
            )
        row.state = after
        _act(row, kind, actor, reason, now)


def _act(
    row: ArchivePackage, kind: str, actor: identity.Account, reason: str, now: dt.datetime, purpose: str = ""
) -> None:  # fmt: skip
    said = {
        "number": row.number,
        "act": kind,
        "account": str(actor.pk),
        "reason": reason.strip(),
        "digest": row.digest,
    }
    leaf = ledger.deposit("archive.act", f"archive:{row.number}", said, now=now)
    ArchiveAct.objects.create(
        package=row, kind=kind, account_id=actor.pk, by=actor.display_name[:80], purpose=purpose,
        reason=reason.strip()[:300], at=now, leaf_id=leaf.id,
    )  # fmt: skip
