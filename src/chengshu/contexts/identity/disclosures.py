"""What leaves the district with the person's own consent: on record for them, in the name of who received it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from chengshu.contexts.identity.models import Account, PersonalRead
from chengshu.contexts.identity.store import put_on_record

PURPOSE = "consented-system"
AGAIN_AFTER = timedelta(minutes=10)


def record_disclosure(
    account: Account, subject_id: str, receiver: str, elements: Iterable[str], now: datetime
) -> None:
    """Put on record that a system (``receiver``) was told values of ``account``'s own person, which they allowed.

    The same receiver asking again within ten minutes is one look.
    """
    named = sorted(set(elements))
    recent = PersonalRead.objects.filter(
        subject_id=subject_id, purpose=PURPOSE, actor_name=receiver[:80], at__gt=now - AGAIN_AFTER
    )
    if any(row.elements == named for row in recent):
        return
    put_on_record(
        PersonalRead(
            subject_id=subject_id,
            account=account,
            actor_name=receiver[:80],
            purpose=PURPOSE,
            elements=named,
            at=now,
        )
    )
