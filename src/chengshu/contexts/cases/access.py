"""Gatekeeper: every case that a page or an interface shows is reached through ``access_case``."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from chengshu.contexts.cases import packs, routing, rows
from chengshu.contexts.cases.domain import account_owner
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import Task
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack
from chengshu.procedure.ports import Actor

# What a reader gets: everything; everything but personal values; the state only (the person concerned).
FULL, MASKED, OWN = "full", "masked", "own"
PURPOSE = {"grid_worker": "verification"}
# Roles that open the case file; `public` and `role` do not.
WORKING = ("cell", "department", "opener", "party", "assignee")


@dataclass(slots=True)
class Access:
    """A case, as this viewer may see it."""

    row: rows.CaseRow
    pack: Pack
    actor: Actor
    level: str


def access_case(case_id: str, viewer: identity.Account, now: dt.datetime) -> Access:
    """Return the case for a viewer, or refuse as if it did not exist."""
    row = rows.lock_free(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    known = routing.actor_in_case(pack, row, rows.open_tasks(case_id), viewer, now)
    # What anyone may do is offered beside the public notice, not among the work of the case.
    actor = Actor(
        known.id, known.name, frozenset(role for role in known.roles if pack.roles[role].holder != "public")
    )
    return Access(row, pack, actor, _level(row, pack, actor, viewer))


def _level(row: rows.CaseRow, pack: Pack, actor: Actor, viewer: identity.Account) -> str:
    works = [role for role in actor.roles if pack.roles[role].holder in WORKING]
    if works or _of_department(row, pack, viewer) or _worked(row, actor) or _entrusted(row, viewer):
        return FULL
    if viewer.role in ("operator", "steward") or _concerned_department(row, viewer):
        return MASKED
    if viewer.role == "resident" and row.subject_id and viewer.subject_id == row.subject_id:
        return OWN
    raise Problem("case-unknown", _("没有这个办件"), detail=row.id, status=404)


def _of_department(row: rows.CaseRow, pack: Pack, viewer: identity.Account) -> bool:
    """Officers of a department that works the case see it, also while a colleague has claimed the task."""
    return any(
        role.holder == "department" and routing.in_department(role, row, viewer)
        for role in pack.roles.values()
    )


def _worked(row: rows.CaseRow, actor: Actor) -> bool:
    """Whoever took a step as one of its people keeps sight of the case; a member of the public does not gain it."""
    if not actor.id.isdigit():
        return False
    acted = row.case("").acted
    mine = {step for step, account in acted.items() if account == actor.id}
    if not mine:
        return False
    return not mine <= _public_steps(row)


def _public_steps(row: rows.CaseRow) -> set[str]:
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    public = {name for name, role in pack.roles.items() if role.holder == "public"}
    return {step.id for step in pack.transitions if step.by & public}


def _entrusted(row: rows.CaseRow, viewer: identity.Account) -> bool:
    """Whoever has, or had, a task of the case keeps sight of it, also while a substitute works it."""
    return Task.objects.filter(case_id=row.id, owner=account_owner(viewer.pk)).exists()


def _concerned_department(row: rows.CaseRow, viewer: identity.Account) -> bool:
    """An officer sees the parent of a case of their department, without personal values."""
    if viewer.role != "officer" or not viewer.department_id:
        return False
    return CaseModel.objects.filter(parent_id=row.id, department=viewer.department_id).exists()


def note_read(access: Access, viewer: identity.Account, elements: list[str], now: dt.datetime) -> None:
    """Put a look at personal values on record for the person it concerns."""
    subject, personal = access.row.subject_id, sorted(e for e in set(elements) if identity.is_personal(e))
    if subject.startswith("P") and personal:
        purpose = PURPOSE.get(viewer.role, "case-work")
        if viewer.role == "resident":
            purpose = "own-data" if viewer.subject_id == subject else "shared-case"
        identity.record_read(viewer, subject, purpose, personal, now, case_id=access.row.id)
