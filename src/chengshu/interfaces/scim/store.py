"""Staff and departments behind SCIM: what the personnel system reads and changes is identity's own data."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from scim2_models import (
    ConflictException,
    InvalidValueException,
    Meta,
    NotFoundException,
    UniquenessException,
)
from scim2_models.resources.resource import Resource

from chengshu.contexts.cases import api as cases
from chengshu.contexts.catalogue import api as catalogue
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Account, Department
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.places import api as places
from chengshu.interfaces.scim.models import DepartmentRecord, StaffRecord
from chengshu.interfaces.scim.resources import Email, Group, GroupRef, Member, Staff, StaffUser

BASE = "/scim/v2"
REASON = "人事系统停用账户"
WRITTEN = ("username", "display_name", "role", "department", "email")
SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}")


def users() -> list[Any]:
    """Return all staff as resources, ended ones included, removed ones not."""
    rows = list(_staff().select_related("department").order_by("pk"))
    return [_user(row, record, cells) for row, record, cells in _with_records(rows)]


def user(account_id: str) -> Any:
    """Return one member of staff; raises the protocol's 404."""
    return _user(*next(iter(_with_records([_account(account_id)]))))


def lock_user(account_id: str) -> None:
    """Let nobody else change this member of staff until the transaction ends."""
    Account.objects.select_for_update().filter(pk=_account(account_id).pk).first()


def lock_group(code: str) -> None:
    """Let nobody else change this department until the transaction ends."""
    Department.objects.select_for_update().filter(pk=code).first()


def groups() -> list[Group]:
    """Return all departments as resources."""
    records = {row.department_id: row for row in DepartmentRecord.objects.all()}
    members: dict[str, list[Account]] = {}
    for account in _staff().filter(left_on=None, is_active=True).order_by("pk"):
        members.setdefault(str(account.department_id), []).append(account)
    return [_group(row, records.get(row.pk), members.get(row.pk, [])) for row in identity.departments()]


def group(code: str) -> Group:
    """Return one department; raises the protocol's 404."""
    row = _department(code)
    people = list(_staff().filter(department=row, left_on=None, is_active=True).order_by("pk"))
    return _group(row, DepartmentRecord.objects.filter(department=row).first(), people)


def add_user(wanted: Any, actor: Account, now: datetime) -> Any:
    """Make an account, or take back one that was removed and has the same external id."""
    known = _named(wanted.user_name)
    with transaction.atomic():
        if known is not None:
            _may_return(known, wanted)
        else:
            known = Account(username=wanted.user_name)
            known.set_unusable_password()
        _write(known, wanted)
        try:
            with transaction.atomic():
                known.save()
        except IntegrityError as error:
            raise UniquenessException(detail="userName is taken") from error
        StaffRecord.objects.update_or_create(
            account=known,
            defaults={
                "external_id": wanted.external_id or "", "made_at": now, "changed_at": now, "removed_at": None,
            },
        )  # fmt: skip
        _deposit("scim.user-added", known, actor, now)
        if wanted.active is False:
            end(known, actor, now)
    return user(str(known.pk))


def change_user(account_id: str, wanted: Any, actor: Account, now: datetime) -> Any:
    """Bring an account to what the resource says; who is no longer active hands over their work."""
    account = _account(account_id)
    was_active = _active(account)
    other = _named(wanted.user_name)
    if other is not None and other.pk != account.pk:
        raise UniquenessException(detail="userName is taken")
    with transaction.atomic():
        _write(account, wanted)
        # Only what the personnel system keeps: a password that is changed meanwhile stays.
        account.save(update_fields=WRITTEN)
        record, _made = StaffRecord.objects.get_or_create(
            account=account, defaults={"made_at": now, "changed_at": now}
        )
        record.external_id, record.changed_at = wanted.external_id or "", now
        record.save()
        _deposit("scim.user-changed", account, actor, now)
        if was_active and wanted.active is False:
            end(account, actor, now)
        elif not was_active and wanted.active is not False:
            Account.objects.filter(pk=account.pk).update(left_on=None, is_active=True)
    return user(account_id)


def remove_user(account_id: str, actor: Account, now: datetime) -> None:
    """Remove someone: their work is handed over, nobody signs in; what they did keeps their name."""
    account = _account(account_id)
    with transaction.atomic():
        if _active(account):
            end(account, actor, now)
        StaffRecord.objects.update_or_create(
            account=account,
            defaults={"removed_at": now, "changed_at": now},
            create_defaults={"removed_at": now, "changed_at": now, "made_at": now},
        )
        _deposit("scim.user-removed", account, actor, now)


def end(account: Account, actor: Account, now: datetime) -> None:
    """Let someone leave today: open work and cells pass on (or to the operator's list), tokens are void."""
    if account.pk == actor.pk:
        raise ConflictException(detail="the account whose token this is cannot end itself")
    today = timezone.localdate(now)
    places.end_posts(account, on=today, actor=actor, now=now)
    identity.depart(account, today)
    cases.hand_over(account, None, actor=actor, reason=REASON, now=now)
    account.api_tokens.filter(revoked_at=None).update(revoked_at=now)
    identity.end_sessions(account, "left", now)


def add_group(wanted: Group, actor: Account, now: datetime) -> Group:
    """Make a department; its code is the external id where that can be one."""
    _fits(displayName=(wanted.display_name, 80), externalId=(wanted.external_id, 120))
    given = (wanted.external_id or "").lower()
    code = given if SLUG.fullmatch(given) else f"unit-{secrets.token_hex(4)}"
    if Department.objects.filter(pk=code).exists():
        raise UniquenessException(detail="a department has this external id")
    with transaction.atomic():
        row = identity.save_department(code, wanted.display_name, wanted.display_name)
        DepartmentRecord.objects.create(
            department=row, external_id=wanted.external_id or "", made_at=now, changed_at=now
        )
        ledger.deposit("scim.group-added", f"department:{code}", {"actor": str(actor.pk)}, now=now)
    return group(code)


def change_group(code: str, wanted: Group, actor: Account, now: datetime) -> Group:
    """Rename a department; its code stays, since cases and sources name it."""
    row = _department(code)
    _fits(displayName=(wanted.display_name, 80), externalId=(wanted.external_id, 120))
    with transaction.atomic():
        if wanted.display_name != row.name_zh:
            identity.save_department(code, wanted.display_name, row.name_en)
        record, _made = DepartmentRecord.objects.get_or_create(
            department_id=code, defaults={"made_at": now, "changed_at": now}
        )
        record.external_id, record.changed_at = wanted.external_id or "", now
        record.save()
        ledger.deposit("scim.group-changed", f"department:{code}", {"actor": str(actor.pk)}, now=now)
    return group(code)


def remove_group(code: str, actor: Account, now: datetime) -> None:
    """Remove a department that nothing speaks of: one that has people, work or data stays."""
    row = _department(code)
    sources = {str(each.body.get("department")) for each in catalogue.sources()}
    if code in sources or cases.department_has_work(code):
        raise ConflictException(detail="the department supplies data or has worked cases")
    try:
        with transaction.atomic():
            row.delete()
            ledger.deposit("scim.group-removed", f"department:{code}", {"actor": str(actor.pk)}, now=now)
    except ProtectedError as error:
        raise ConflictException(detail="the department has accounts") from error


def _staff() -> Any:
    removed = StaffRecord.objects.exclude(removed_at=None).values("account_id")
    return Account.objects.filter(role__in=identity.EMPLOYED_ROLES).exclude(pk__in=removed)


def _account(account_id: str) -> Account:
    found = (
        _staff().select_related("department").filter(pk=account_id).first()
        if account_id.isascii() and account_id.isdigit()
        else None
    )
    if found is None:
        raise NotFoundException(detail=f"no user {account_id}")
    return found


def _department(code: str) -> Department:
    found = Department.objects.filter(pk=code).first()
    if found is None:
        raise NotFoundException(detail=f"no group {code}")
    return found


def _active(account: Account) -> bool:
    return account.is_active and account.left_on is None


def _may_return(known: Account, wanted: Any) -> None:
    """Take somebody back under their old name only when the personnel system says it is the same person."""
    record = StaffRecord.objects.filter(account=known).exclude(removed_at=None).first()
    same = record is not None and record.external_id and record.external_id == wanted.external_id
    if not same:
        raise UniquenessException(detail="userName is taken")
    known.left_on, known.is_active = None, True


def _write(account: Account, wanted: Any) -> None:
    staff = wanted[Staff]
    if not Department.objects.filter(pk=staff.department).exists():
        raise InvalidValueException(detail=f"no department {staff.department}")
    _fits(
        userName=(wanted.user_name, 60),
        displayName=(wanted.display_name, 80),
        externalId=(wanted.external_id, 120),
    )
    account.username, account.display_name = wanted.user_name, wanted.display_name
    account.role, account.department_id = str(staff.role), staff.department
    account.email = str(wanted.emails[0].value or "") if wanted.emails else ""


def _named(user_name: str) -> Account | None:
    """Return who has this name, in whatever case: two who differ by it alone would be taken for each other."""
    found: Account | None = Account.objects.filter(username__iexact=user_name).order_by("pk").first()
    return found


def _fits(**texts: tuple[str | None, int]) -> None:
    """Refuse what PostgreSQL could not keep, and SQLite would without a word."""
    for name, (text, most) in texts.items():
        if len(text or "") > most or "\0" in (text or ""):
            raise InvalidValueException(detail=f"{name} has {most} characters at most, none of them NUL")


def _with_records(rows: list[Account]) -> Iterable[tuple[Account, StaffRecord | None, list[str]]]:
    ids = [row.pk for row in rows]
    records = {record.account_id: record for record in StaffRecord.objects.filter(account_id__in=ids)}
    held = places.cells_by_account(ids, timezone.localdate())
    for row in rows:
        yield row, records.get(row.pk), held.get(row.pk, [])


def _user(row: Account, record: StaffRecord | None, cells: list[str]) -> Any:
    made = StaffUser(
        id=str(row.pk),
        external_id=(record.external_id if record else "") or None,
        user_name=row.username,
        display_name=row.display_name,
        active=_active(row),
        emails=[Email(value=row.email)] if row.email else None,
    )
    if row.department_id:
        made.groups = [
            GroupRef(
                value=row.department_id,
                ref=f"{BASE}/Groups/{row.department_id}",
                display=row.department.name_zh,
            )
        ]
    made[Staff] = Staff(role=row.role, department=row.department_id, cells=cells or None)
    return _stamped(made, "User", f"{BASE}/Users/{row.pk}", record)


def _group(row: Department, record: DepartmentRecord | None, people: list[Account]) -> Group:
    members = [
        Member(value=str(each.pk), ref=f"{BASE}/Users/{each.pk}", display=each.display_name)
        for each in people
    ]
    made = Group(
        id=row.pk,
        external_id=(record.external_id if record else "") or None,
        display_name=row.name_zh,
        members=members or None,
    )
    return _stamped(made, "Group", f"{BASE}/Groups/{row.pk}", record)


def _stamped(
    made: Resource[Any], kind: str, location: str, record: StaffRecord | DepartmentRecord | None
) -> Any:
    """Add the resource's metadata; the version is a digest of all that it says."""
    said = json.dumps(made.model_dump(), sort_keys=True, default=str)
    made.meta = Meta(
        resource_type=kind,
        location=location,
        created=record.made_at if record else None,
        last_modified=record.changed_at if record else None,
        version=f'W/"{hashlib.sha256(said.encode()).hexdigest()[:20]}"',
    )
    return made


def _deposit(kind: str, account: Account, actor: Account, now: datetime) -> None:
    payload = {"account": str(account.pk), "role": str(account.role), "actor": str(actor.pk)}
    ledger.deposit(kind, f"account:{account.pk}", payload, now=now)
