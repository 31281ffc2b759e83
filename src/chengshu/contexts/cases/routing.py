"""Who does the work: a role of a pack becomes an owner, an account's rights in a case become roles of the pack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.utils import timezone

from chengshu.contexts.cases.domain import NOBODY, account_owner, owner_account
from chengshu.contexts.cases.rows import CaseRow
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.kernel.terms import legal_day
from chengshu.procedure.model import Pack, Role
from chengshu.procedure.ports import Actor


def owner_for(role: Role, row: CaseRow, now: dt.datetime) -> str:
    """Return who gets a task of a role in a case."""
    if role.holder == "cell":
        return cell_owner(row.cell_code, legal_day(now))
    if role.holder == "department":
        return f"department:{row.department}" if row.department else NOBODY
    if role.holder == "role":
        return f"role:{role.account_role}"
    if role.holder == "opener" and row.opened_by.isdigit():
        return on_duty_owner([int(row.opened_by)], legal_day(now))
    return NOBODY


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
    roles = frozenset(
        name
        for name, role in pack.roles.items()
        if role.holder == "opener"
        or (role.holder == "role" and role.account_role == account.role)
        or (role.holder == "cell" and account.role == "grid_worker")
        or (role.holder == "department" and account.role == "officer" and account.department_id == department)
    )
    return Actor(str(account.pk), account.display_name, roles)


def _holds(
    role: Role,
    row: CaseRow,
    tasks: Sequence[tuple[int, str, str]],
    account: identity.Account,
    now: dt.datetime,
) -> bool:
    if role.holder == "role":
        return account.role == role.account_role
    if role.holder == "opener":
        return row.opened_by == str(account.pk)
    if role.holder == "department":
        return account.role == "officer" and bool(row.department) and account.department_id == row.department
    if role.holder == "cell":
        return account.role == "grid_worker" and _works(role, row, tasks, account, now)
    return False


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
