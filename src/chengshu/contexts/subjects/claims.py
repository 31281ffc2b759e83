"""What a certificate says and its holder holds to be wrong: a dispute that the issuing department answers.

The golden record has no such value: when the holder is right the department issues the certificate anew.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.identity.api import Account, Acting, department_name
from chengshu.contexts.ledger.api import deposit
from chengshu.contexts.subjects import disputing
from chengshu.contexts.subjects.corrections import DECIDER, DISPUTE_TERM, last_day
from chengshu.contexts.subjects.domain import Record
from chengshu.contexts.subjects.labels import element_label
from chengshu.contexts.subjects.models import Dispute

PREFIX = "certificate."


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of a certificate."""

    subject_id: str
    number: str
    name: str
    title: dict[str, str]
    label: dict[str, str]
    value: str
    department: str

    @property
    def element(self) -> str:
        """How a dispute names it."""
        return f"{PREFIX}{self.number}.{self.name}"


def claim_of(acting: Acting, number: str, name: str, now: dt.datetime) -> Claim | None:
    """Return one line of a certificate of whoever the matter is about; the look is on record. None when not theirs."""
    held = certificates.line_in(acting.account, acting.subject_id, number, name, now)
    if held is None or not acting.subject_id:
        return None
    return Claim(acting.subject_id, number, name, held.title, held.label, held.value, held.department)


def disputed(claim: Claim) -> bool:
    """Return whether the line is disputed already."""
    return Dispute.objects.filter(subject_id=claim.subject_id, element=claim.element, closed_at=None).exists()


def dispute_certificate(
    claim: Claim, *, claimed: str, reason: str, actor: Account, now: dt.datetime, idempotency_key: str
) -> int:
    """Someone says that their certificate is wrong. It goes to the department that issued it."""
    known = Dispute.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        return int(known.pk)
    department = claim.department or DECIDER
    with transaction.atomic():
        row = Dispute.objects.create(
            subject_id=claim.subject_id, element=claim.element, claimed=claimed, reason=reason,
            raised_by=actor.display_name, raised_at=now, stage=Dispute.Stage.SOURCE, decider=department,
            decide_by=last_day(DISPUTE_TERM, now), idempotency_key=idempotency_key,
        )  # fmt: skip
        kind = "firm" if claim.subject_id.startswith("F") else "person"
        about = Record(claim.subject_id, kind, {f"{kind}.name": ""}, "", "", "", "")
        disputing.open_dispute_case(
            row, about, value=claim.value, source_title=f"{department_name(department)['zh']} {claim.title['zh']}",
            department=department, actor=actor, now=now, label=f"{claim.title['zh']}：{claim.label['zh']}",
        )  # fmt: skip
        said = {"element": claim.element, "by": actor.pk, "claimed": claimed}
        deposit("value-disputed", f"dispute:{row.pk}", said, now=now)
    return int(row.pk)


def dispute_label(element: str) -> dict[str, str]:
    """Return what a disputed value is called, on pages."""
    if not element.startswith(PREFIX):
        return dict(element_label(element))
    number, _, name = element.removeprefix(PREFIX).rpartition(".")
    label = certificates.label_in(number, name)
    return {language: f"{text} {number}" for language, text in label.items()}
