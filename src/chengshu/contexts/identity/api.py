"""Accounts, roles, departments and the gatekeeper of personal data: the only module that others may import.

Pages: ``role_required(*roles)``, ``public_page``. Before full personal values leave the database:
``record_read``; everywhere else show ``mask(element, value)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import Q

from chengshu.contexts.identity import mandates, windows
from chengshu.contexts.identity.access import (
    ALL_ROLES,
    EMPLOYED_ROLES,
    STAFF_ROLES,
    may_act,
    public_page,
    role_required,
)
from chengshu.contexts.identity.acting import (
    Acting,
    Represented,
    act_as,
    act_for_oneself,
    acting,
    register_firms,
    represented,
)
from chengshu.contexts.identity.demo import DEMO_PASSWORD, DEPARTMENTS, demo_accounts, seed_demo, trade_names
from chengshu.contexts.identity.disclosures import record_disclosure
from chengshu.contexts.identity.domain import PURPOSES, PURPOSES_OF_ROLE, NewToken, Read, is_personal, mask
from chengshu.contexts.identity.duty import Duty, absence_on, duty, on_duty, stands_in_for
from chengshu.contexts.identity.lifetimes import ended, register_ended
from chengshu.contexts.identity.mandates import (
    Paper,
    Principal,
    Terms,
    acts_for,
    serves,
)
from chengshu.contexts.identity.models import Account, Department, Mandate, WindowSession
from chengshu.contexts.identity.rates import Rate, client_address, take_from_bucket
from chengshu.contexts.identity.sessions import end_all as end_sessions
from chengshu.contexts.identity.sessions import register_on_new_device
from chengshu.contexts.identity.signing_in import (
    complete_sign_in,
    has_second_factor,
    must_have_second_factor,
    proof_needed,
    recent_proof,
    recent_second_factor,
    reset_second_factors,
)
from chengshu.contexts.identity.store import (
    elements_read,
    follow_merge,
    make_token,
    read_proof,
    reads_of,
    record_read,
    record_reads,
    relink,
    revoke_token,
    save_account,
    save_department,
    set_absence,
    token_holder,
    was_read,
)
from chengshu.kernel.one_look import seen

__all__ = [
    "ALL_ROLES",
    "DEMO_PASSWORD",
    "DEPARTMENTS",
    "EMPLOYED_ROLES",
    "PURPOSES",
    "PURPOSES_OF_ROLE",
    "STAFF_ROLES",
    "Account",
    "Acting",
    "Department",
    "Duty",
    "Mandate",
    "NewToken",
    "Paper",
    "Principal",
    "Rate",
    "Read",
    "Represented",
    "Terms",
    "WindowSession",
    "absence_on",
    "account",
    "account_named",
    "account_of",
    "accounts",
    "accounts_of_subjects",
    "act_as",
    "act_for_oneself",
    "acting",
    "acts_for",
    "client_address",
    "complete_sign_in",
    "demo_accounts",
    "depart",
    "department_name",
    "departments",
    "duty",
    "elements_read",
    "end_sessions",
    "ended",
    "follow_merge",
    "has_second_factor",
    "is_personal",
    "make_token",
    "mandates",
    "mask",
    "may_act",
    "must_have_second_factor",
    "on_duty",
    "proof_needed",
    "public_page",
    "read_proof",
    "reads_of",
    "recent_proof",
    "recent_second_factor",
    "record_disclosure",
    "record_read",
    "record_reads",
    "register_ended",
    "register_firms",
    "register_on_new_device",
    "relink",
    "represented",
    "reset_second_factors",
    "revoke_token",
    "role_required",
    "save_account",
    "save_department",
    "seed_demo",
    "serves",
    "set_absence",
    "stands_in_for",
    "take_from_bucket",
    "token_holder",
    "trade_names",
    "was_read",
    "windows",
]


def departments() -> list[Department]:
    """Return all departments by code."""
    return list(Department.objects.all())


def department_name(code: str) -> dict[str, str]:
    """Return a department's name in both languages; an unknown code names itself."""
    row = seen(("department", code), lambda: Department.objects.filter(pk=code).first())
    return {"zh": row.name_zh, "en": row.name_en} if row else {"zh": code, "en": code}


def account(account_id: int) -> Account | None:
    """Return an account by its number."""
    return seen(
        ("account", account_id),
        lambda: Account.objects.select_related("department").filter(pk=account_id).first(),
    )


def account_of(subject_id: str) -> Account | None:
    """Return the account of the person who is this subject; None where they have none."""
    found = Account.objects.filter(subject_id=subject_id, role=Account.Role.RESIDENT, is_active=True)
    return found.order_by("pk").first() if subject_id else None


def account_named(username: str) -> Account | None:
    """Return an account by the name it signs in with."""
    return Account.objects.select_related("department").filter(username=username).first()


def staff_called(name: str) -> Account | None:
    """Return the one member of staff in office who goes by a name; ``None`` where it is nobody's or of several."""
    called = Q(display_name=name) | Q(name_en=name)
    found = Account.objects.select_related("department").filter(called, role__in=STAFF_ROLES, is_active=True)
    return found[0] if len(found[:2]) == 1 else None


def accounts(
    *, role: str | None = None, department: str | None = None, ids: Sequence[int] | None = None
) -> list[Account]:
    """Return the active accounts, narrowed by role, department or numbers."""
    found = Account.objects.select_related("department").filter(is_active=True).order_by("username")
    if role:
        found = found.filter(role=role)
    if department:
        found = found.filter(department_id=department)
    if ids is not None:
        found = found.filter(pk__in=ids)
    return list(found)


def accounts_of_subjects(subject_ids: Sequence[str]) -> list[Account]:
    """Return the active accounts that belong to people or firms of these numbers."""
    found: list[Account] = []
    for start in range(0, len(subject_ids), 500):
        piece = list(subject_ids[start : start + 500])
        found += Account.objects.filter(is_active=True, subject_id__in=piece).order_by("pk")
    return found


def depart(leaver: Account, on: date) -> None:
    """Note that someone leaves on a day: from then they can neither sign in nor be given work."""
    leaver.left_on = on
    leaver.save(update_fields=["left_on"])
