"""Reassigning and handing over: work changes hands on record, with its ground; never by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from chengshu.contexts.cases import administration, packs, routing, rows, store
from chengshu.contexts.cases.administration import Held
from chengshu.contexts.cases.domain import NOBODY, account_owner, owner_account
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import Task
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.model import Role

log = structlog.get_logger("chengshu.cases.handover")
NO_ONE = "（无人）"
AGENCY_ENDED = "代理已终止"


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a hand-over did: cases that somebody has now, and cases that lie on the operator's list."""

    moved: int
    refused: int


def reassign(
    case_id: str,
    to: Account,
    *,
    actor: Account,
    reason: str,
    now: dt.datetime,
    expected_version: int | None = None,
) -> store.Done:
    """Give a case's open tasks to another member of staff; the pack says who may and on what ground."""
    said = administration.reason_of(reason)
    with transaction.atomic():
        held = administration.hold(case_id, actor, now, expected_version)
        administration.may_administer(held)
        movable = [
            (task_id, role)
            for task_id, role, _ in held.tasks
            if role in held.pack.roles and fits(held.pack.roles[role], to, held)
        ]
        if not movable:
            raise Problem(
                "reassign-nothing", _("没有可以改派给这位同事的任务"), detail=to.display_name, status=409,
                remedy=_("选择角色相符的同事"),
            )  # fmt: skip
        owner = {
            "id": str(to.pk),
            "name": to.display_name,
            "roles": " ".join(role for _, role in movable),
        }
        done = administration.write(held, "reassigned", now, data={"reason": said}, owner=owner)
        give(held, movable, to)
        return done


def department_has_work(code: str) -> bool:
    """Say whether a department works or has worked any case: then it cannot be removed."""
    queue = f"department:{code}"
    return (
        CaseModel.objects.filter(department=code).exists()
        or Task.objects.filter(owner=queue).exists()
        or Task.objects.filter(queue=queue).exists()
    )


def fits(role: Role, to: Account, held: Held) -> bool:
    """Return whether an account may be given the task of a role."""
    if role.holder == "cell":
        return to.role == "grid_worker"
    if role.holder == "department":
        return routing.in_department(role, held.row, to)
    if role.holder == "assignee":
        return to.role != "resident" and str(to.pk) != held.case.opened_by
    return False


def give(held: Held, movable: list[tuple[int, str]], to: Account) -> None:
    """Write the new owner; a task of a department remembers the queue that it came from."""
    for task_id, name in movable:
        role = held.pack.roles[name]
        queue = f"department:{routing.department_of(role, held.row)}" if role.holder == "department" else ""
        Task.objects.filter(pk=task_id).update(owner=account_owner(to.pk), queue=queue)
        if role.holder == "assignee":
            held.row.assignee = str(to.pk)
            CaseModel.objects.filter(pk=held.row.id).update(assignee=held.row.assignee)


def hand_over(
    leaver: Account, to: Account | None, *, actor: Account, reason: str, now: dt.datetime
) -> HandOver:
    """Move all open work of someone who leaves: to a named colleague where the role fits, else to whoever is next.

    Next is whoever has the cell, or the queue that a claimed task came from. Where nobody is, the task lies on the
    operator's list. Each case gets an event that says so.
    """
    said, moved, refused = administration.reason_of(reason), 0, 0
    owned = Task.objects.filter(open=True, owner=account_owner(leaver.pk)).order_by("pk")
    for case_id in list(dict.fromkeys(owned.values_list("case_id", flat=True))):
        with transaction.atomic():
            left = _hand_over_case(case_id, leaver, to, actor, said, now)
        moved, refused = moved + (not left), refused + left
    return HandOver(moved, refused)


def _hand_over_case(
    case_id: str, leaver: Account, to: Account | None, actor: Account, reason: str, now: dt.datetime
) -> bool:
    """Hand one case over; returns whether a task of it found nobody."""
    held = administration.hold(case_id, actor, now)
    administration.may_administer(held)
    mine = [(task, role) for task, role, owner in held.tasks if owner == account_owner(leaver.pk)]
    names: list[str] = []
    left = False
    for task_id, name in mine:
        role = held.pack.roles.get(name)
        heir = _heir(held, role, leaver, to, now) if role else None
        queue = Task.objects.filter(pk=task_id).values_list("queue", flat=True).get()
        if heir is not None:
            give(held, [(task_id, name)], heir)
            names.append(heir.display_name)
        elif queue:
            Task.objects.filter(pk=task_id).update(owner=F("queue"), queue="")
            names.append(identity.department_name(queue.removeprefix("department:"))["zh"])
        else:
            Task.objects.filter(pk=task_id).update(owner=NOBODY)
            names.append(NO_ONE)
            left = True
    owner = {"id": "", "name": "、".join(dict.fromkeys(names)), "roles": " ".join(role for _, role in mine)}
    administration.write(
        held, "handed-over", now, data={"reason": reason, "leaver": leaver.display_name}, owner=owner
    )
    return left


def follow_agents(now: dt.datetime) -> int:
    """Take open tasks from agents who act for the principal no longer; returns how many cases that were.

    They go to the person whose matter it is, or, where that one has died or has no account, onto the operator's list.
    """
    entrusted = Task.objects.filter(open=True, case__closed_at=None).exclude(case__principal="")
    ids = list(entrusted.order_by("case_id").values_list("case_id", flat=True).distinct())
    return sum(_tried(case_id, now) for case_id in ids)


def _tried(case_id: str, now: dt.datetime) -> bool:
    try:
        return _follow_agent(case_id, now)
    except Problem as problem:
        # One case that somebody changes at this moment waits for the next round; the others do not wait for it.
        log.warning("agent-not-followed", case=case_id, problem=str(problem))
        return False


def _follow_agent(case_id: str, now: dt.datetime) -> bool:
    if not _stranded(rows.lock_free(case_id), rows.open_tasks(case_id), now):
        return False
    with transaction.atomic():
        held = administration.hold(case_id, None, now)
        stranded = _stranded(held.row, held.tasks, now)
        if not stranded:
            return False
        for task_id, _role, owner in stranded:
            Task.objects.filter(pk=task_id).update(owner=owner)
        principal = owner_account(stranded[0][2])
        heir = identity.account(principal) if principal is not None else None
        agent = identity.account(int(held.row.opened_by))
        administration.write(
            held, "handed-over", now,
            data={"reason": AGENCY_ENDED, "leaver": agent.display_name if agent else ""},
            owner={"id": str(heir.pk) if heir else "", "name": heir.display_name if heir else NO_ONE,
                   "roles": " ".join(role for _, role, _owner in stranded)},
        )  # fmt: skip
    return True


def _stranded(
    row: rows.CaseRow, tasks: Sequence[tuple[int, str, str]], now: dt.datetime
) -> list[tuple[int, str, str]]:
    """Return (task, role, whose it is now) of an agent's tasks that are theirs no longer."""
    if (row.behalf or {}).get("by") != "mandate" or not row.opened_by.isdigit():
        return []
    agent, roles = (
        account_owner(int(row.opened_by)),
        packs.pinned(row.pack_version_id, row.pack_hash).pack.roles,
    )
    found = []
    for task_id, name, owner in tasks:
        if owner == agent and name in roles and roles[name].holder == "opener":
            now_owner = routing.owner_for(roles[name], row, now)
            if now_owner != owner:
                found.append((task_id, name, now_owner))
    return found


def _heir(
    held: Held, role: Role | None, leaver: Account, to: Account | None, now: dt.datetime
) -> Account | None:
    if role is None:
        return None
    if to is not None and fits(role, to, held):
        return to
    owner = routing.cell_owner(held.row.cell_code, legal_day(now)) if role.holder == "cell" else NOBODY
    account_id = owner_account(owner)
    return identity.account(account_id) if account_id is not None and account_id != leaver.pk else None
