"""Who does the work: a role of a pack becomes an owner, an account's rights in a case become roles of the pack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import Q
from django.utils import timezone

from chengshu.contexts.cases.domain import NOBODY, account_owner, owner_account
from chengshu.contexts.cases.models import Case, CaseParty
from chengshu.contexts.cases.rows import CaseRow
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.kernel.terms import legal_day
from chengshu.procedure.model import Pack, Role
from chengshu.procedure.ports import Actor


def owner_for(role: Role, row: CaseRow, now: dt.datetime) -> str:
    """Return who gets a task of a role in a case; of several parties the one who came first."""
    on = legal_day(now)
    if role.holder == "cell":
        return cell_owner(row.cell_code, on)
    if role.holder == "department":
        department = department_of(role, row)
        return f"department:{department}" if department else NOBODY
    if role.holder == "role":
        return f"role:{role.account_role}"
    if role.holder == "opener" and row.opened_by.isdigit():
        return _opener_owner(row, now)
    if role.holder == "assignee" and row.assignee.isdigit():
        return on_duty_owner([int(row.assignee)], on)
    if role.holder == "party":
        return owners_for(role, row, now)[0]
    return NOBODY


def _opener_owner(row: CaseRow, now: dt.datetime) -> str:
    """Return who gets the applicant's tasks: the opener; where the opener acts no longer, the person whose matter it is."""
    on, opener = legal_day(now), int(row.opened_by)
    behalf = row.behalf
    if behalf is None:
        return on_duty_owner([opener], on)
    agent = identity.account(opener)
    window = behalf.get("by") == "window"
    if not window and agent is not None and identity.acts_for(agent, row.principal, now, _matter(row)):
        return account_owner(opener)
    if identity.ended([row.principal], now):
        # The estate or the liquidators come with their own proof: the operator's list says that somebody must ask them.
        return NOBODY
    own = identity.account_of(row.principal)
    if own is not None:
        return account_owner(own.pk)
    # Whoever has no account of their own is served at the window again.
    return "role:clerk" if window else NOBODY


def owners_for(role: Role, row: CaseRow, now: dt.datetime) -> list[str]:
    """Return everyone who gets a task of a role in a case: each party of their own, any other role once."""
    if role.holder != "party":
        return [owner_for(role, row, now)]
    on = legal_day(now)
    found = [on_duty_owner([account], on) for account in _parties(row.id, role.name, on)]
    return list(dict.fromkeys(found)) or [NOBODY]


def department_of(role: Role, row: CaseRow) -> str:
    """Return the department that holds a role: the pack's own choice, else the case's."""
    return role.department or row.department


def _parties(case_id: str, role: str, on: dt.date) -> list[int]:
    found = CaseParty.objects.filter(
        Q(until=None) | Q(until__gte=on), case_id=case_id, role=role, removed_at=None
    )
    return list(found.order_by("pk").values_list("account", flat=True))


def cell_owner(cell_code: str, on: dt.date) -> str:
    """Return the owner of work in a cell: whoever does its work that day, else nobody (the operator's list)."""
    people = places.people_in_charge(cell_code, on) if cell_code else []
    return account_owner(people[0]) if people else NOBODY


def cell_owners(cells: Iterable[str], on: dt.date) -> dict[str, str]:
    """Return the owner of work in each of many cells; places is asked once."""
    people = places.people_in_charge_of({cell for cell in cells if cell}, on)
    return {cell: account_owner(found[0]) if found else NOBODY for cell, found in people.items()}


def on_duty_owner(account_ids: Iterable[int], on: dt.date) -> str:
    """Return the first of these who is on duty, or their substitute; ``nobody`` when none is."""
    for account_id in account_ids:
        account = identity.account(account_id)
        present = identity.on_duty(account, on) if account else None
        if present is not None:
            return account_owner(present.pk)
    return NOBODY


def actor_in_case(
    pack: Pack,
    row: CaseRow,
    tasks: Sequence[tuple[int, str, str]],
    account: identity.Account,
    now: dt.datetime,
) -> Actor:
    """Return the account as an actor, with the roles that it holds in this case."""
    roles = frozenset(name for name, role in pack.roles.items() if _holds(role, row, tasks, account, now))
    return Actor(str(account.pk), account.display_name, roles)


def actor_opening(pack: Pack, account: identity.Account, department: str) -> Actor:
    """Return the account as the actor of an opening: it is the opener, and what its account is."""
    roles = frozenset(name for name, role in pack.roles.items() if _may_open(role, account, department))
    return Actor(str(account.pk), account.display_name, roles)


def _may_open(role: Role, account: identity.Account, department: str) -> bool:
    if role.holder in ("opener", "public"):
        return True
    if role.holder == "role":
        return role.account_role == account.role
    if role.holder == "cell":
        return account.role == "grid_worker"
    if role.holder == "department":
        wanted = role.department or department
        return account.role == "officer" and bool(wanted) and account.department_id == wanted
    return False


def _holds(
    role: Role,
    row: CaseRow,
    tasks: Sequence[tuple[int, str, str]],
    account: identity.Account,
    now: dt.datetime,
) -> bool:
    holder = role.holder
    if holder == "role":
        return account.role == role.account_role
    if holder == "opener":
        return is_opener(row, account, now)
    if holder == "department":
        return in_department(role, row, account) and not _taken(role, tasks, account, now)
    if holder == "cell":
        return account.role == "grid_worker" and _works(role, row, tasks, account, now)
    if holder == "assignee":
        return row.assignee.isdigit() and _is_or_stands_in(account, {int(row.assignee)}, now)
    if holder == "party":
        return _is_or_stands_in(account, set(_parties(row.id, role.name, legal_day(now))), now)
    # Whoever is signed in is the public; access to the case file is another question (access.py).
    return holder == "public"


def is_opener(row: CaseRow, account: identity.Account, now: dt.datetime) -> bool:
    """Whether a case is this account's to pursue: its own, or that of whom it acts for, as long as it does.

    Whoever acts for another does it for them, not instead of them: it stays their matter.
    """
    if row.principal and account.subject_id == row.principal:
        return True
    if row.opened_by != str(account.pk):
        return False
    behalf = row.behalf
    if behalf is None:
        return True
    if behalf.get("by") == "window":
        return identity.serves(account, row.principal, now)
    return identity.acts_for(account, row.principal, now, _matter(row))


def _matter(row: CaseRow) -> str:
    """Return the pack that a mandate must cover: of a part, or a case that a step opened, that of the case it began with."""
    pack, parent = row.pack, row.parent_id
    while parent is not None:
        above = Case.objects.values_list("pack", "parent_id", "principal").get(pk=parent)
        if above[2] != row.principal:
            break
        pack, parent = above[0], above[1]
    return pack


def with_opener_roles(pack: Pack, actor: Actor) -> Actor:
    """Return an actor with the roles that openers hold."""
    roles = frozenset(name for name, role in pack.roles.items() if role.holder == "opener")
    return Actor(actor.id, actor.name, actor.roles | roles)


def in_department(role: Role, row: CaseRow, account: identity.Account) -> bool:
    """Return whether an account is an officer of the department that holds the role."""
    department = department_of(role, row)
    return account.role == "officer" and bool(department) and account.department_id == department


def _taken(
    role: Role, tasks: Sequence[tuple[int, str, str]], account: identity.Account, now: dt.datetime
) -> bool:
    """A task of a queue that a colleague claimed is theirs until they give it back."""
    holders = {owner_account(owner) for _, name, owner in tasks if name == role.name} - {None}
    return bool(holders) and not _is_or_stands_in(account, {found for found in holders if found}, now)


def _is_or_stands_in(account: identity.Account, wanted: set[int], now: dt.datetime) -> bool:
    if account.pk in wanted:
        return True
    if not wanted or account.role == "resident":
        return False
    return bool(wanted & {colleague.pk for colleague in identity.stands_in_for(account, legal_day(now))})


def _works(
    role: Role,
    row: CaseRow,
    tasks: Sequence[tuple[int, str, str]],
    account: identity.Account,
    now: dt.datetime,
) -> bool:
    """A grid worker works a case whose task is theirs, a colleague's they stand in for, or lies in their own cell."""
    mine = account_owner(account.pk)
    owners = [owner for _, name, owner in tasks if name == role.name]
    if mine in owners:
        return True
    on = legal_day(now)
    if owners and {owner_account(owner) for owner in owners} & {
        colleague.pk for colleague in identity.stands_in_for(account, on)
    }:
        return True
    return bool(row.cell_code) and account.pk in places.people_in_charge(row.cell_code, on)


def owners_of(account: identity.Account, now: dt.datetime | None = None) -> list[str]:
    """Return every owner under which this account finds work: itself, whom it stands in for, its queues."""
    on = legal_day(now or timezone.now())
    owners = [account_owner(account.pk), f"role:{account.role}"]
    owners += [account_owner(colleague.pk) for colleague in identity.stands_in_for(account, on)]
    if account.role == "officer" and account.department_id:
        owners.append(f"department:{account.department_id}")
    if account.role == "operator":
        owners.append(NOBODY)
    return owners
