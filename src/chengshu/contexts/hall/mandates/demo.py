"""What the demo has of mandates: a legal representative, an offer that waits, one in force. All of it generated."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from chengshu.contexts.hall.mandates.lines import matters_for
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import mandates
from chengshu.contexts.subjects import api as subjects

A_YEAR = timedelta(days=365)
# What one hands to somebody else: matters of the family.
MATTERS = ("newborn", "household-registration", "social-security-card")


def seed_demo(now: datetime) -> None:
    """Link the demo's applicant to a legal representative of record, and give two mandates; again does nothing."""
    people = {name: identity.account_named(name) for name in ("resident", "applicant", "objector")}
    resident, applicant, objector = people["resident"], people["applicant"], people["objector"]
    if resident is None or applicant is None or objector is None or applicant.subject_id:
        return
    found = subjects.some_representative(beside=resident.subject_id)
    if found is None:
        return
    person, firm = found
    identity.relink(applicant, person)
    today = timezone.localdate(now)
    row = mandates.offer(
        identity.Principal(firm.subject_id, firm.name), objector,
        identity.Terms((), True, today, today + A_YEAR), by=applicant, now=now,
    )  # fmt: skip
    mandates.accept(row.pk, objector, now)
    may = {pack for pack, _title in matters_for(applicant, now)}
    scope = tuple(pack for pack in MATTERS if pack in may)
    if resident.subject_id and scope:
        mandates.offer(
            identity.Principal(resident.subject_id, resident.display_name), applicant,
            identity.Terms(scope, False, today, today + A_YEAR), by=resident, now=now,
        )  # fmt: skip
