"""What the hotline centre looks at beside a request: requests like it, guides that may answer it, a confidential contact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from chengshu.contexts.hall.hotline.models import ContactLook, HotlineContact, HotlineRequest
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem

DAYS = 14
MOST = 10


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide that may answer a question."""

    code: str
    name: str
    url: str


Answers = Callable[[str], Sequence[Guide]]
_answers: list[Answers] = []


def register_answers(search: Answers) -> None:
    """Say who finds guides for a question in people's own words; without one the page offers none."""
    _answers[:] = [search]


def guides_for(question: str) -> list[Guide]:
    """Return guides that may answer a question."""
    return list(_answers[0](question))[:5] if _answers and question.strip() else []


def alike(row: HotlineRequest) -> list[HotlineRequest]:
    """Return open requests of the same topic of the last two weeks, those in the same cell first."""
    since = row.requested_at - dt.timedelta(days=DAYS)
    found = HotlineRequest.objects.filter(topic=row.topic, closed=False, requested_at__gte=since)
    near = list(found.exclude(pk=row.pk).order_by("-requested_at")[: MOST * 5])
    return sorted(near, key=lambda each: not (row.cell_code and each.cell_code == row.cell_code))[:MOST]


@transaction.atomic
def look_at_contact(case_id: str, actor: identity.Account, reason: str, now: dt.datetime) -> HotlineContact:
    """Return a confidential contact to the hotline centre, on record with the reason; bound to the ledger."""
    row = HotlineContact.objects.filter(pk=case_id, erased_at=None).first()
    if row is None:
        raise Problem("contact-unknown", _("没有留下联系方式"), status=404)
    payload = {"case": case_id, "account": str(actor.pk), "reason": reason, "at": now.isoformat()}
    leaf = ledger.deposit("hotline-contact", f"case:{case_id}", payload, now=now)
    ContactLook.objects.create(
        contact=row, account_id=actor.pk, reason=reason, at=now, leaf_id=leaf.id, leaf_salt=leaf.salt
    )
    return row
