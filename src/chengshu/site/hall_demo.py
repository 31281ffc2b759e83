"""What the demo's resident has before a child is registered: a card, a marriage, a record of birth. Generated, by real cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.codes import resident_id_check, resident_id_fault, sex_of

CONFIRM = {"agreed": True}
OF_AGE = 18
MARRIED_FROM, PARENT_UNTIL = 24, 45
HIS_WIFE = "周静"
HOSPITAL = "宝安区（演示）妇幼保健院"
# Eight digits of a birth date stand at this place of an identity number.
BORN = slice(6, 14)


@dataclass(frozen=True, slots=True)
class Parent:
    """Who will register a child, as the golden record has them."""

    account: identity.Account
    name: str
    number: str
    born_on: dt.date
    phone: str

    @property
    def woman(self) -> bool:
        """Whether the identity number is a woman's."""
        return sex_of(self.number) == "female"

    @property
    def application(self) -> dict[str, Any]:
        """The facts that every application in the hall begins with."""
        return {
            "applicant_name": self.name,
            "applicant_id": self.number,
            "applicant_born_on": self.born_on.isoformat(),
            "phone": self.phone,
        }


def seed_hall_cases(now: dt.datetime) -> list[str]:
    """Play the cases from which the demo's ``resident`` has certificates; again opens nothing. Returns the cases."""
    account = identity.account_named("resident")
    parent = _parent(account) if account is not None else None
    today = timezone.localdate(now)
    if parent is None or _age(parent.born_on, today) < OF_AGE:
        return []
    found = [_card(parent, now)]
    spouse = ""
    if _age(parent.born_on, today) >= MARRIED_FROM:
        spouse = "周远" if parent.woman else HIS_WIFE
        found.append(_marriage(parent, spouse, now))
    found.append(_birth(parent, spouse, now))
    return found


def may_be_mother(subject_id: str, now: dt.datetime) -> bool:
    """Whether somebody's record says that she is a woman of the age at which most have children."""
    number = str(subjects.effective_record(subject_id).values.get("person.resident_id") or "")
    if resident_id_fault(number):
        return False
    of_age = MARRIED_FROM <= _age(_born(number), timezone.localdate(now)) <= PARENT_UNTIL
    return of_age and sex_of(number) == "female"


def _parent(account: identity.Account) -> Parent | None:
    """Return whoever signs in as ``account``, when their record says who they are."""
    if not account.subject_id:
        return None
    values = subjects.effective_record(account.subject_id).values
    number = str(values.get("person.resident_id") or "")
    if resident_id_fault(number):
        return None
    name = str(values.get("person.name") or account.display_name)
    return Parent(account, name, number, _born(number), str(values.get("person.phone") or "13800000000"))


def _card(parent: Parent, now: dt.datetime) -> str:
    facts = {
        **parent.application,
        "for_whom": "self",
        "has_card": False,
        "carrier": "electronic",
    }
    return _applied("social-security-card", parent, facts, now)


def _marriage(parent: Parent, spouse: str, now: dt.datetime) -> str:
    facts = {
        **parent.application,
        "sex": "female" if parent.woman else "male",
        "partner_name": spouse,
        "partner_id": _spouse_number(parent),
        "partner_born_on": parent.born_on.isoformat(),
        "declared": True,
        "appointment": timezone.localdate(now).isoformat(),
    }
    case = _applied("marriage-registration", parent, facts, now)
    said = {"both_present": True, "willing": True, "single": True}
    _told(case, "register", said, "officer-civil", now)
    return case


def _birth(parent: Parent, spouse: str, now: dt.datetime) -> str:
    """Have the hospital record a birth of five days ago: one of its staff records it, another signs."""
    facts = {
        "mother_name": parent.name if parent.woman else spouse or HIS_WIFE,
        "mother_id": parent.number if parent.woman else _spouse_number(parent),
        "parent_subject": parent.account.subject_id,
        "sex": "female",
        "born_on": (timezone.localdate(now) - dt.timedelta(days=5)).isoformat(),
        "born_at": "08:35",
        "weeks": 39,
        "weight_g": 3280,
        "length_cm": 50,
        "health": "good",
        "hospital": HOSPITAL,
        "midwife": "陈丽",
        "birth_place": "广东省深圳市宝安区",
        "delivery_no": "DEMO-0001",
    }
    case = cases.open_case(
        "birth-record",
        facts,
        opened_by=identity.account_named("officer-health"),
        idempotency_key="demo:birth-record",
        now=now,
    )
    _told(case, "sign", {}, "officer-health2", now)
    return case


def _applied(pack: str, parent: Parent, facts: Mapping[str, Any], now: dt.datetime) -> str:
    case = cases.open_case(
        pack,
        facts,
        opened_by=parent.account,
        subject_id=parent.account.subject_id,
        idempotency_key=f"demo:{pack}",
        now=now,
    )
    _told(case, "confirm", CONFIRM, parent.account.username, now)
    return case


def _told(case: str, name: str, data: Mapping[str, Any], username: str, now: dt.datetime) -> None:
    actor = identity.account_named(username)
    cases.command(
        case, name, data, actor=actor, expected_version=None, now=now, idempotency_key=f"demo:{case}:{name}"
    )


def _spouse_number(parent: Parent) -> str:
    """Return a number that nobody has: born on the same day, of the other sex, in the order of the day that parents lack."""
    body = f"{parent.number[:14]}99{'1' if parent.woman else '2'}"
    return body + resident_id_check(body)


def _born(number: str) -> dt.date:
    return dt.datetime.strptime(number[BORN], "%Y%m%d").date()


def _age(born_on: dt.date, on: dt.date) -> int:
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
