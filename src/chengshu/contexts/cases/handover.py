"""Reassigning and handing over: work changes hands on record, with its ground; never by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from chengshu.contexts.cases import packs, routing, rows, store
from chengshu.contexts.cases.domain import account_owner, owner_account
from chengshu.contexts.cases.models import Task
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.case import Event, apply
from chengshu.procedure.clock import stamp


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a hand-over did."""

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
    """Give a case's open tasks of the cell to another member of staff; the pack says who may and on what ground."""
    if not reason.strip() or len(reason) > 300:
        raise Problem(
            "form-invalid",
            _("请写明改派的原因"),
            status=422,
            errors={"reason": {"code": "required", "text": _("请写明原因")}},
        )
    with transaction.atomic():
        row = rows.lock(case_id)
        if row is None:
            raise Problem("case-unknown", _("没有这个办件"), detail=case_id, status=404)
        if expected_version is not None and expected_version != row.version:
            raise store.changed(case_id, row.version)
        pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
        tasks = rows.open_tasks(case_id)
        who = routing.actor_in_case(pack, row, tasks, actor, now)
        step = pack.administration
        if not step.by & who.roles:
            raise Problem("command-not-yours", _("你的角色不能改派这个办件"), detail=case_id, status=403)
        movable = [
            task for task in tasks if task[1] in pack.roles and _fits(pack.roles[task[1]].holder, to, row)
        ]
        if not movable:
            raise Problem(
                "reassign-nothing", _("没有可以改派给这位同事的任务"), detail=to.display_name, status=409,
                remedy=_("选择角色相符的同事"),
            )  # fmt: skip
        event: Event = {
            "seq": row.version + 1,
            "step": step.id,
            "command": step.id,
            "at": stamp(now),
            "actor": {"id": who.id, "name": who.name},
            "role": min(step.by & who.roles),
            "source": row.state,
            "target": row.state,
            "grounds": list(step.cite),
            "data": {"reason": reason.strip()},
            "owner": {
                "id": str(to.pk),
                "name": to.display_name,
                "roles": " ".join(task[1] for task in movable),
            },
        }
        case = apply(row.case(pack.id), event)
        store.write_event(case_id, event, now, key=None, request="")
        if not rows.update_case(case, row.department, row.version, now, closed=False):
            raise store.changed(case_id, row.version)
        Task.objects.filter(pk__in=[task[0] for task in movable]).update(owner=account_owner(to.pk))
        return store.Done(case_id, event["seq"])


def _fits(holder: str, to: Account, row: rows.CaseRow) -> bool:
    if holder == "cell":
        return to.role == "grid_worker"
    if holder == "department":
        return to.role == "officer" and to.department_id == row.department
    return False


def hand_over(
    leaver: Account, to: Account | None, *, actor: Account, reason: str, now: dt.datetime
) -> HandOver:
    """Move all open work of someone who leaves: to a named colleague, or to whoever the cell now has."""
    moved = refused = 0
    owned = Task.objects.filter(open=True, owner=account_owner(leaver.pk)).order_by("pk")
    for case_id in list(dict.fromkeys(owned.values_list("case_id", flat=True))):
        heir = to or _heir(case_id, leaver, now)
        if heir is None:
            # Nobody is posted there: the operator's list has it from now on.
            Task.objects.filter(case_id=case_id, open=True, owner=account_owner(leaver.pk)).update(
                owner="nobody"
            )
            refused += 1
            continue
        reassign(case_id, heir, actor=actor, reason=reason, now=now)
        moved += 1
    return HandOver(moved, refused)


def _heir(case_id: str, leaver: Account, now: dt.datetime) -> Account | None:
    owner = routing.cell_owner(rows.lock_free(case_id).cell_code, legal_day(now))
    account_id = owner_account(owner)
    return identity.account(account_id) if account_id is not None and account_id != leaver.pk else None
