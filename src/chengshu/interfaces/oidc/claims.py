"""What a system is told about a person, by scope: the least that does the job, never the resident id."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.problems import Problem

CLAIM_SCOPES = {
    "sub": "openid",
    "name": "profile",
    "phone_number": "phone",
    "phone_number_verified": "phone",
    "department": "department",
    "department_name": "department",
    "role": "role",
}
PHONE = "person.phone"


def claims_of(account: Any, system: Any, scopes: set[str], now: datetime) -> dict[str, Any]:
    """Return the claims of these scopes; values from the golden record pass the gatekeeper, in the system's name."""
    said: dict[str, Any] = {}
    if "profile" in scopes:
        said["name"] = account.display_name
    if "role" in scopes:
        said["role"] = account.role
    if "department" in scopes and account.department_id:
        said["department"] = account.department_id
        said["department_name"] = account.department.name_zh
    if "phone" in scopes:
        said |= phone_of(account, system, now)
    return said


def phone_of(account: Any, system: Any, now: datetime) -> dict[str, Any]:
    """Return the telephone number that the district holds of this person; verified when nobody disputes it."""
    if not account.subject_id:
        return {}
    try:
        record = subjects.effective_record(account.subject_id)
    except Problem as problem:
        if problem.code != "subject-unknown":
            raise
        return {}
    number = record.values.get(PHONE)
    if not number:
        return {}
    identity.record_disclosure(account, record.subject_id, system.name, [PHONE], now)
    return {"phone_number": f"+86{number}", "phone_number_verified": PHONE not in record.disputed}
