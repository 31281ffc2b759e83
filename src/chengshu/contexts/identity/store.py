"""Reads and writes of identity: accounts, absences, the gatekeeper, tokens, throttling."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from chengshu.contexts.identity import mandates
from chengshu.contexts.identity.domain import PURPOSES, PURPOSES_OF_ROLE, NewToken, Read
from chengshu.contexts.identity.models import (
    Absence,
    Account,
    ApiToken,
    Department,
    PersonalRead,
    SignInBucket,
    WindowSession,
)
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem

TOKEN_PREFIX = "cs_"
LONGEST_TOKEN_LIFE = timedelta(days=366)
FAILURES_ALLOWED = {"name": 5, "address": 50, "second": 5}
FAILURES_FORGOTTEN_AFTER = timedelta(minutes=15)
OWN_READ_EVERY = timedelta(days=1)
ACTING_READ_EVERY = timedelta(minutes=30)
READS_AT_ONCE = 1_000


def save_department(code: str, name_zh: str, name_en: str) -> Department:
    """Make or rename a department."""
    department, _ = Department.objects.update_or_create(
        code=code, defaults={"name_zh": name_zh, "name_en": name_en}
    )
    return department


def save_account(
    username: str,
    *,
    display_name: str,
    role: str,
    department: str | None = None,
    subject_id: str = "",
    email: str = "",
    password: str | None = None,
    is_demo: bool = False,
    name_en: str = "",
) -> Account:
    """Make an account or bring it to these values; an existing password stays unless a new one is given."""
    values = {
        "display_name": display_name,
        "role": Account.Role(role),
        "department_id": department,
        "subject_id": subject_id,
        "email": email,
        "is_demo": is_demo,
        "name_en": name_en,
    }
    account = Account.objects.filter(username=username).first()
    if account is None:
        return Account.objects.create_account(username, password, **values)
    for name, value in values.items():
        setattr(account, name, value)
    if password is not None:
        account.set_password(password)
    account.save()
    return account


def set_absence(account: Account, substitute: Account | None, first_day: date, last_day: date) -> Absence:
    """Put an absence on record; nobody stands in for themselves."""
    if last_day < first_day:
        raise Problem("absence-backwards", _("缺勤的最后一天早于第一天"), remedy=_("请检查两个日期"))
    if substitute is not None and substitute.pk == account.pk:
        raise Problem("own-substitute", _("不能由本人代替本人"), remedy=_("请选择另一位同事"))
    return Absence.objects.create(
        account=account, substitute=substitute, first_day=first_day, last_day=last_day
    )


def check_purpose(
    actor: Account, subject_id: str, purpose: str, elements: Sequence[str], now: datetime
) -> None:
    """Refuse a read without a purpose that this role may have, or for another without a mandate or a window session."""
    if purpose not in PURPOSES or not elements:
        raise Problem("read-without-purpose", _("查看个人信息必须说明目的和内容"), detail=purpose, status=400)
    own = bool(actor.subject_id) and actor.subject_id == subject_id
    if purpose == "own-data" and not own:
        raise Problem("not-your-data", _("只能查看本人的信息"), status=403)
    if purpose != "own-data" and purpose not in PURPOSES_OF_ROLE[actor.role]:
        raise Problem(
            "purpose-not-allowed",
            _("您的角色不能以此目的查看个人信息"),
            detail=_(PURPOSES[purpose]),
            status=403,
        )
    if purpose == "acting" and not (
        mandates.acts_for(actor, subject_id, now) or mandates.serves(actor, subject_id, now)
    ):
        raise Problem("not-acting", _("您现在没有代这个人办理的授权或窗口服务"), status=403)


def record_read(
    actor: Account, subject_id: str, purpose: str, elements: Iterable[str], now: datetime, case_id: str = ""
) -> Read:
    """Put one read of a subject's personal data on record, bound to the ledger in the same transaction.

    This is the gatekeeper: call it before full values leave the database. It refuses what ``check_purpose``
    refuses. A person's same look at their own data is recorded once a day, the same look for another once in half an hour.
    """
    named = sorted(set(elements))
    check_purpose(actor, subject_id, purpose, named, now)
    if purpose == "own-data":
        recent = PersonalRead.objects.filter(
            account=actor, subject_id=subject_id, purpose=purpose, at__gt=now - OWN_READ_EVERY
        )
        # A look at more than before is another look.
        for last in recent.order_by("-at"):
            if set(named) <= set(last.elements):
                return _read(last)
    if purpose == "acting":
        # One look a page of the same form would bury the person's list; within one service it is one look.
        recent = PersonalRead.objects.filter(
            account=actor,
            subject_id=subject_id,
            purpose=purpose,
            case_id=case_id,
            at__gt=now - ACTING_READ_EVERY,
        )
        for last in recent.order_by("-at"):
            if set(named) <= set(last.elements):
                return _read(last)
    row = PersonalRead(
        subject_id=subject_id,
        account=actor,
        actor_name=actor.display_name,
        department=actor.department.name_zh if actor.department else "",
        purpose=purpose,
        elements=named,
        case_id=case_id,
        at=now,
    )
    return _read(put_on_record(row))


def record_reads(
    actor: Account, subjects: Iterable[str], purpose: str, elements: Iterable[str], now: datetime
) -> int:
    """Put one look at many subjects on record (a list that leaves as a file), each bound to the ledger; all or none.

    The same gatekeeper as ``record_read``, for thousands at once; returns how many.
    """
    named, wanted = sorted(set(elements)), sorted(set(subjects))
    for subject_id in wanted:
        check_purpose(actor, subject_id, purpose, named, now)
    department = actor.department.name_zh if actor.department else ""
    with transaction.atomic():
        for start in range(0, len(wanted), READS_AT_ONCE):
            rows = PersonalRead.objects.bulk_create(
                PersonalRead(
                    subject_id=subject_id,
                    account=actor,
                    actor_name=actor.display_name,
                    department=department,
                    purpose=purpose,
                    elements=named,
                    at=now,
                )
                for subject_id in wanted[start : start + READS_AT_ONCE]
            )
            leaves = ledger.deposit_many(
                [ledger.Deposit("personal-read", f"read:{row.pk}", read_payload(row)) for row in rows],
                now=now,
            )
            ledger.sql().run_many(
                "UPDATE identity_personalread SET leaf_id = %s, leaf_salt = %s WHERE id = %s",
                [(leaf.id, leaf.salt, row.pk) for leaf, row in zip(leaves, rows, strict=True)],
            )
    return len(wanted)


def put_on_record(row: PersonalRead) -> PersonalRead:
    """Keep a read and bind it to the ledger, both or neither."""
    with transaction.atomic():
        row.save()
        leaf = ledger.deposit("personal-read", f"read:{row.pk}", read_payload(row), now=row.at)
        row.leaf_id, row.leaf_salt = leaf.id, leaf.salt
        row.save(update_fields=["leaf_id", "leaf_salt"])
    return row


def read_payload(row: PersonalRead) -> dict[str, Any]:
    """Return what the ledger's leaf digests: who read whom stays in this table, the ledger has a salted digest."""
    return {
        "read": str(row.pk),
        "subject": row.recorded_as or row.subject_id,
        "actor": str(row.account_id),
        "department": row.department,
        "purpose": row.purpose,
        "elements": list(row.elements),
        "case": row.case_id,
        "at": row.at.astimezone(UTC).isoformat(),
    }


def _read(row: PersonalRead) -> Read:
    return Read(
        row.pk,
        row.subject_id,
        row.actor_name,
        row.department,
        row.purpose,
        tuple(row.elements),
        row.case_id,
        row.at,
        row.leaf_id,
    )


def read_proof(subject_id: str, read_id: int) -> dict[str, Any] | None:
    """Return what proves one read of this subject's data: the read, the salt, and the ledger's receipt."""
    row = PersonalRead.objects.filter(pk=read_id, subject_id=subject_id).first()
    if row is None or row.leaf_id is None:
        return None
    receipt = ledger.receipt(row.leaf_id)
    return {
        "read": read_payload(row),
        "salt": row.leaf_salt,
        "receipt": receipt.to_dict() if receipt else None,
    }


def reads_of(subject_id: str, *, offset: int = 0, limit: int = 50) -> tuple[list[Read], int]:
    """Return the reads of one subject's data, newest first, and how many there are."""
    rows = PersonalRead.objects.filter(subject_id=subject_id).order_by("-at", "-pk")
    return [_read(row) for row in rows[offset : offset + limit]], rows.count()


def elements_read(subject_id: str, account_id: int) -> frozenset[str]:
    """Return every element of a subject that this account has read, for whatever purpose, as far as it is on record."""
    rows = PersonalRead.objects.filter(subject_id=subject_id, account_id=account_id)
    return frozenset(name for elements in rows.values_list("elements", flat=True) for name in elements)


def was_read(subject_id: str, account_id: int, case_id: str) -> bool:
    """Return whether a look of this account at this subject, for this case, is on record."""
    rows = PersonalRead.objects.filter(subject_id=subject_id, account_id=account_id, case_id=case_id)
    return rows.exists()


def follow_merge(old: str, new: str) -> None:
    """Carry what stands here under a subject's id over to the id it was merged into: accounts, reads, mandates, services.

    Leaves in the ledger speak of the old id for ever, so each row keeps it for its proof.
    """
    with transaction.atomic():
        found = PersonalRead.objects.filter(subject_id=old)
        found.filter(recorded_as="").update(recorded_as=old)
        found.update(subject_id=new)
        mandates.move_principal(old, new)
        WindowSession.objects.filter(subject_id=old).update(subject_id=new)
        Account.objects.filter(subject_id=old).update(subject_id=new)


def relink(account: Account, subject_id: str) -> None:
    """Follow a merge: the account's person has another id now, and what is on record goes with it."""
    with transaction.atomic():
        if account.subject_id:
            follow_merge(account.subject_id, subject_id)
        account.subject_id = subject_id
        account.save(update_fields=["subject_id"])


def make_token(
    account: Account, name: str, scopes: Sequence[str], life: timedelta, now: datetime
) -> NewToken:
    """Make a personal API token; its digest is kept, its secret is not."""
    if not timedelta(0) < life <= LONGEST_TOKEN_LIFE:
        raise Problem("token-life", _("令牌有效期须在一年之内"), status=400)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        account=account,
        name=name,
        digest=token_digest(secret),
        scopes=sorted(set(scopes)),
        made_at=now,
        expires_at=now + life,
    )
    return NewToken(row.pk, secret, row.expires_at)


def token_digest(secret: str) -> str:
    """Digest a token. It has 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_holder(secret: str, now: datetime) -> tuple[Account, frozenset[str]] | None:
    """Return the account and the scopes of a token in force, else nothing."""
    row = ApiToken.objects.select_related("account__department").filter(digest=token_digest(secret)).first()
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        return None
    if row.last_used_on != now.date():
        ApiToken.objects.filter(pk=row.pk).update(last_used_on=now.date())
    return row.account, frozenset(row.scopes)


def revoke_token(account: Account, token_id: int, now: datetime) -> bool:
    """Revoke one of the account's own tokens; false when there is none of that number in force."""
    return bool(ApiToken.objects.filter(account=account, pk=token_id, revoked_at=None).update(revoked_at=now))


def locked_for(name: str, address: str, now: datetime) -> timedelta | None:
    """Say how long sign-in stays closed for this name or network address; None when it is open."""
    return locked([f"name:{name}", f"address:{address}"], now)


def locked(keys: Sequence[str], now: datetime) -> timedelta | None:
    """Say how long the longest of these buckets stays closed; None when all are open."""
    waits = [
        row.since + FAILURES_FORGOTTEN_AFTER - now
        for row in SignInBucket.objects.filter(key__in=keys)
        if row.failures >= FAILURES_ALLOWED[row.key.split(":", 1)[0]]
    ]
    longest = max(waits, default=timedelta(0))
    return longest if longest > timedelta(0) else None


def note_failure(name: str, address: str, now: datetime) -> None:
    """Count a failed sign-in against the name and the network address."""
    count_failure([f"name:{name}", f"address:{address}"], now)


def count_failure(keys: Sequence[str], now: datetime) -> None:
    """Count a failure in each of these buckets."""
    for key in keys:
        stale = Q(key=key, since__lte=now - FAILURES_FORGOTTEN_AFTER)
        SignInBucket.objects.filter(stale).update(failures=0, since=now)
        _, made = SignInBucket.objects.get_or_create(key=key, defaults={"failures": 1, "since": now})
        if not made:
            SignInBucket.objects.filter(key=key).update(failures=F("failures") + 1)


def note_success(name: str) -> None:
    """Forget the failures of a name that signed in."""
    forget_failures([f"name:{name}"])


def forget_failures(keys: Sequence[str]) -> None:
    """Empty these buckets."""
    SignInBucket.objects.filter(key__in=keys).delete()
