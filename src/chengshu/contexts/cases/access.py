"""Gatekeeper: every case that a page or an interface shows is reached through ``access_case``."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from django.utils.translation import gettext as _

from chengshu.contexts.cases import case_file, packs, routing, rows
from chengshu.contexts.cases.domain import account_owner
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import CaseEvent, Task
from chengshu.contexts.identity import api as identity
from chengshu.kernel.one_look import seen
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack, Role
from chengshu.procedure.ports import Actor

# What a reader gets: everything; everything but personal values; the state only (the person concerned).
FULL, MASKED, OWN = "full", "masked", "own"
PURPOSE = {"grid_worker": "verification"}
# Roles that open the case file; `public` and `role` do not.
WORKING = ("cell", "department", "opener", "party", "assignee")
# Of these, and of the others: who works for the office, and whose sight ends with what they hold.
OFFICE = ("cell", "department", "role")
PASSING = ("public", "party")


@dataclass(slots=True)
class Access:
    """A case, as this viewer may see it."""

    row: rows.CaseRow
    pack: Pack
    actor: Actor
    level: str
    # Whether the viewer works the case for an office; an applicant or a party, staff or not, does not.
    inside: bool = False


def access_case(case_id: str, viewer: identity.Account, now: dt.datetime) -> Access:
    """Return the case for a viewer, or refuse as if it did not exist; the parts of one page ask once."""
    return seen(("case access", case_id, viewer.pk, now), lambda: _access(case_id, viewer, now))


def _access(case_id: str, viewer: identity.Account, now: dt.datetime) -> Access:
    row, tasks = case_file.row_of(case_id), case_file.tasks_of(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    known = routing.actor_in_case(pack, row, tasks, viewer, now)
    # What anyone may do is offered beside the public notice, not among the work of the case.
    actor = Actor(
        known.id, known.name, frozenset(role for role in known.roles if pack.roles[role].holder != "public")
    )
    opener = any(pack.roles[role].holder == "opener" for role in actor.roles)
    if row.principal and row.opened_by == actor.id and not opener and not routing.is_opener(row, viewer, now):
        # A mandate that has ended, a person who has left the window: the matter was never the agent's own.
        raise Problem("case-unknown", _("没有这个办件"), detail=case_id, status=404)
    return Access(row, pack, actor, _level(row, pack, actor, viewer), _inside(row, pack, actor, viewer))


def access_as_applicant(case_id: str, viewer: identity.Account, now: dt.datetime) -> Access:
    """Return a case for a page that speaks to whoever applied, or refuse as if it did not exist.

    Those who work the case, or supervise, read its file, where their look is on record; the applicant's pages are not theirs.
    """
    access = access_case(case_id, viewer, now)
    # By its post, too: a member of staff who began a case gets its receipt.
    applied = access.row.opened_by == access.actor.id or any(
        access.pack.roles[role].holder == "opener" for role in access.actor.roles
    )
    if access.level != FULL or (access.inside and not applied):
        raise Problem("case-unknown", _("没有这个办件"), detail=case_id, status=404)
    return access


def may_see(case_id: str, viewer: identity.Account, now: dt.datetime) -> bool:
    """Whether a case may be named to somebody: they could open its page."""
    try:
        access_case(case_id, viewer, now)
    except Problem as problem:
        if problem.code != "case-unknown":
            raise
        return False
    return True


def _level(row: rows.CaseRow, pack: Pack, actor: Actor, viewer: identity.Account) -> str:
    works = [role for role in actor.roles if _opens_file(pack.roles[role], row, pack)]
    if (
        works
        or _of_department(row, pack, viewer)
        or _worked(row, pack, actor)
        or _entrusted(row, pack, viewer)
    ):
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


def _inside(row: rows.CaseRow, pack: Pack, actor: Actor, viewer: identity.Account) -> bool:
    """Staff who work the case for an office; whoever applied, takes part or is an expert from outside is not among them."""
    if viewer.role == "resident":
        return False
    if any(pack.roles[role].holder in OFFICE for role in actor.roles) or _of_department(row, pack, viewer):
        return True
    offices = [name for name, role in pack.roles.items() if role.holder in OFFICE]
    return Task.objects.filter(case_id=row.id, owner=account_owner(viewer.pk), role__in=offices).exists()


def _opens_file(role: Role, row: rows.CaseRow, pack: Pack) -> bool:
    """A role that works a case sees its file; the one it was opened for, from when a step first asks something of them."""
    if role.holder != "assignee":
        return role.holder in WORKING
    asked = any(role.name in state.tasks for state in pack.states.values())
    return not asked or Task.objects.filter(case_id=row.id, role=role.name).exists()


def assignee_sees(row: rows.CaseRow, pack: Pack) -> bool:
    """Return whether the account that a case was opened for may see it yet: an objection, say, once it is forwarded."""
    return any(role.holder == "assignee" and _opens_file(role, row, pack) for role in pack.roles.values())


def hidden_steps(access: Access, viewer: identity.Account) -> set[int]:
    """Return the steps whose papers and personal values this viewer does not see.

    What a stranger brings to a case, such as an objection, is for the office; others get it when it is forwarded to them.
    So is what one side says to the other, until the step that passes it on (``forwarded_by``) was taken after it.
    """
    public = {name for name, role in access.pack.roles.items() if role.holder == "public"}
    closed = {step.id: set(step.forwarded_by) for step in access.pack.transitions if step.forwarded_by}
    if access.inside or not (public or closed):
        return set()
    steps = {step.id for step in access.pack.transitions if step.by & public} | set(closed)
    passing_on = set().union(*closed.values())
    events = CaseEvent.objects.filter(case_id=access.row.id, step__in=steps | passing_on)
    found = list(events.values_list("seq", "step", "actor", "body"))
    passed = {
        step: max((seq for seq, name, *_ in found if name in by), default=0) for step, by in closed.items()
    }
    return {
        seq
        for seq, step, actor, body in found
        if step in steps and actor != str(viewer.pk)
        if (step in closed and passed[step] < seq) or json.loads(body).get("role") in public
    }


def _worked(row: rows.CaseRow, pack: Pack, actor: Actor) -> bool:
    """Whoever took a step of the pack as one of its people keeps sight of the case.

    A member of the public does not gain it, and a party sees it as long as its authority lasts. To reassign or to hand over is
    no step of the pack: whoever administers a case learns nothing by it.
    """
    if not actor.id.isdigit():
        return False
    mine = {step for step, actors in row.case("").acted.items() if actor.id in actors}
    passing = {name for name, role in pack.roles.items() if role.holder in PASSING}
    return any(step.id in mine and not step.by & passing for step in pack.transitions)


def _entrusted(row: rows.CaseRow, pack: Pack, viewer: identity.Account) -> bool:
    """Whoever has, or had, a task of the case keeps sight of it, also while a substitute works it; not a former party."""
    lasting = [name for name, role in pack.roles.items() if role.holder not in PASSING]
    return Task.objects.filter(case_id=row.id, owner=account_owner(viewer.pk), role__in=lasting).exists()


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
        if access.row.principal == subject != viewer.subject_id and routing.is_opener(
            access.row, viewer, now
        ):
            # By mandate, or at the window: as long as that lasts.
            purpose = "acting"
        identity.record_read(viewer, subject, purpose, personal, now, case_id=access.row.id)
