"""A department's queue, shared fairly: one officer claims a task, gives it back, or passes it to a colleague.

While it is claimed the others of the department see the case and cannot act on it. Every change of hands is an event
with the ground of the pack's administration, on the version that the officer saw.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from chengshu.contexts.cases import access, administration, case_file, handover, packs, routing, store
from chengshu.contexts.cases.administration import Held
from chengshu.contexts.cases.domain import account_owner, owner_account
from chengshu.contexts.cases.models import Task
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.machine import MACHINE

CLAIM, DELEGATE, GIVE_BACK = "claim", "delegate", "give_back"


def claim(
    case_id: str, account: Account, now: dt.datetime, expected_version: int | None = None
) -> store.Done:
    """Take the tasks of the officer's department out of its queue, for this officer."""
    access.access_case(case_id, account, now)
    with transaction.atomic():
        held = administration.hold(case_id, account, now, expected_version)
        waiting = _queued(held, account)
        if not waiting:
            raise _taken(held, account)
        owner = {"id": str(account.pk), "name": account.display_name, "roles": _roles(waiting)}
        done = administration.write(held, "claimed", now, owner=owner)
        handover.give(held, waiting, account)
        return done


def give_back(
    case_id: str, account: Account, reason: str, now: dt.datetime, expected_version: int | None = None
) -> store.Done:
    """Put claimed tasks back into the queue; one that a colleague delegated goes back with a reason."""
    with transaction.atomic():
        held = administration.hold(case_id, account, now, expected_version)
        mine = _claimed(held, account, now)
        if not mine:
            raise Problem("claim-none", _("你没有领取这个办件的任务"), detail=case_id, status=409)
        queues = dict(Task.objects.filter(pk__in=[task for task, _ in mine]).values_list("pk", "queue"))
        names = [identity.department_name(queue.partition(":")[2])["zh"] for queue in queues.values()]
        owner = {"id": "", "name": "、".join(dict.fromkeys(names)), "roles": _roles(mine)}
        said = reason.strip()
        data = {"reason": administration.reason_of(said)} if said else {}
        done = administration.write(held, "returned" if said else "released", now, data=data, owner=owner)
        for task_id, queue in queues.items():
            Task.objects.filter(pk=task_id).update(owner=queue, queue="")
        return done


def delegate(
    case_id: str,
    account: Account,
    to: Account,
    reason: str,
    now: dt.datetime,
    expected_version: int | None = None,
) -> store.Done:
    """Pass tasks of the department to a colleague: what the officer claimed, or what still lies in the queue."""
    access.access_case(case_id, account, now)
    said = administration.reason_of(reason)
    with transaction.atomic():
        held = administration.hold(case_id, account, now, expected_version)
        mine = _claimed(held, account, now) or _queued(held, account)
        fitting = [(task, role) for task, role in mine if handover.fits(held.pack.roles[role], to, held)]
        if not fitting or to.pk == account.pk or not identity.may_act(to):
            raise Problem(
                "delegate-nothing", _("没有可以转交给这位同事的任务"), detail=to.display_name, status=409,
                remedy=_("选择本部门的同事"),
            )  # fmt: skip
        owner = {"id": str(to.pk), "name": to.display_name, "roles": _roles(fitting)}
        done = administration.write(held, "delegated", now, data={"reason": said}, owner=owner)
        handover.give(held, fitting, to)
        return done


def may_claim(case_id: str, account: Account, now: dt.datetime) -> set[str]:
    """Return which of claim, delegate and give_back this account may do with a case now."""
    if account.role != "officer":
        return set()
    held = _look(case_id)
    found = set()
    if _queued(held, account):
        found |= {CLAIM, DELEGATE}
    if _claimed(held, account, now):
        found |= {DELEGATE, GIVE_BACK}
    return found


def colleagues(case_id: str, account: Account) -> list[Account]:
    """Return whom this officer may delegate to: the other officers of the department."""
    found = identity.accounts(role="officer", department=account.department_id)
    return [other for other in found if other.pk != account.pk and identity.may_act(other)]


def holder_name(case_id: str, account: Account) -> str:
    """Return who has claimed the task that this account would otherwise share, or nothing."""
    held = _look(case_id)
    for _task, name, owner in held.tasks:
        other = owner_account(owner)
        if other is not None and other != account.pk and _shared(held, name, account):
            found = identity.account(other)
            return found.display_name if found else ""
    return ""


def _look(case_id: str) -> Held:
    """Read a case without holding it."""
    row = case_file.row_of(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    return Held(row, pack, row.case(pack.id), case_file.tasks_of(case_id), MACHINE)


def _queued(held: Held, account: Account) -> list[tuple[int, str]]:
    """Tasks that lie in the queue of the officer's department."""
    return [
        (task_id, name)
        for task_id, name, owner in held.tasks
        if owner_account(owner) is None and _shared(held, name, account)
    ]


def _claimed(held: Held, account: Account, now: dt.datetime) -> list[tuple[int, str]]:
    """Tasks of the department that this officer, or a colleague they stand in for, has claimed."""
    mine = {account_owner(account.pk)}
    mine |= {account_owner(other.pk) for other in identity.stands_in_for(account, legal_day(now))}
    return [
        (task_id, name)
        for task_id, name, owner in held.tasks
        if owner in mine and _shared(held, name, account)
    ]


def _shared(held: Held, name: str, account: Account) -> bool:
    role = held.pack.roles.get(name)
    return role is not None and role.holder == "department" and routing.in_department(role, held.row, account)


def _roles(tasks: list[tuple[int, str]]) -> str:
    return " ".join(role for _, role in tasks)


def claimed_by(name: str, case_id: str) -> Problem:
    """Return the problem of an officer who would work on what a colleague has claimed."""
    return Problem(
        "task-claimed",
        _("这个任务已由%(name)s领取") % {"name": name},
        detail=case_id,
        remedy=_("请对方退回或转交给你"),
        status=409,
    )


def _taken(held: Held, account: Account) -> Problem:
    name = holder_name(held.row.id, account)
    if name:
        return claimed_by(name, held.row.id)
    return Problem("claim-nothing", _("没有可以领取的任务"), detail=held.row.id, status=409)
