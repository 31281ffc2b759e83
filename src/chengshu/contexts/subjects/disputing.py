"""Disputed values are cases: the pack `value-dispute` says who answers by when, this keeps records and returns in step.

A `Dispute` row is what readers see ("this value is disputed") while its case runs; the case is what is worked on.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity.api import Account, mask
from chengshu.contexts.subjects.corrections import DECIDER, apply_correction, withdraw_correction
from chengshu.contexts.subjects.domain import Record
from chengshu.contexts.subjects.labels import element_label
from chengshu.contexts.subjects.models import Dispute, Return
from chengshu.kernel.problems import Problem

PACK = "value-dispute"
# What a certificate says is no element of the record: the issuing department issues it anew.
OF_CERTIFICATE = "certificate."
# What an answer on the page is called as a step of the case: (stage, is the one who raised it right?).
STEPS = {("source", True): "accept", ("source", False): "reject", ("decider", True): "uphold",
         ("decider", False): "dismiss"}  # fmt: skip


def open_dispute_case(
    row: Dispute,
    record: Record,
    *,
    value: str | None,
    source_title: str,
    department: str,
    actor: Account,
    now: dt.datetime,
    label: str = "",
) -> None:
    """Open the case of a dispute; a department's dispute of a correction goes to the decider at once."""
    cases.need_shipped(PACK, now)
    by_department = row.answered_id is not None
    facts = {
        "raised": "department" if by_department else "person",
        "subject_id": row.subject_id,
        "subject_label": _label(record),
        "element": row.element[:60],
        "element_label": (label or element_label(row.element)["zh"])[:60],
        "source_title": source_title[:120],
        "value": (value or "")[:1000],
        "claimed": row.claimed[:1000],
        "reason": row.reason.strip()[:2000] or "（未说明）",
    }
    key = f"dispute:{row.pk}"
    row.case_id = cases.open_case(
        PACK, {name: said for name, said in facts.items() if said}, opened_by=actor, subject_id=row.subject_id,
        cell_code=record.cell_code or None, department=department, idempotency_key=key, now=now,
    )  # fmt: skip
    row.save(update_fields=["case_id"])
    if by_department:
        cases.system_command(row.case_id, "forward", {}, idempotency_key="forward", now=now)


def _label(record: Record) -> str:
    """Name the subject without telling a person's name in a list."""
    name = mask("person.name", record.name) if record.kind == "person" else record.name
    return (name or record.subject_id)[:200]


def has_case(row: Dispute) -> bool:
    """Return whether a dispute runs as a case of its own; those raised before the pack was there do not."""
    return bool(row.case_id) and cases.pack_of(row.case_id) == PACK


def answer(row: Dispute, *, actor: Account, uphold: bool, reason: str, now: dt.datetime) -> None:
    """Answer or decide a dispute as a step of its case."""
    name = STEPS[str(row.stage), uphold]
    try:
        cases.command(
            row.case_id, name, {"reason_text": reason.strip()[:1000]}, actor=actor, expected_version=None,
            idempotency_key=None, now=now,
        )  # fmt: skip
    except Problem as problem:
        if problem.code == "own-work":
            problem.code = "dispute-own"
        raise


def follow(step: cases.StepTaken) -> None:
    """Bring the dispute that readers see to where its case stands, in the step's own transaction."""
    row = Dispute.objects.select_related("answered").filter(case_id=step.case.id).first()
    if row is None:
        return
    reason = str(step.personal.get("reason_text") or "")
    if "outcome" in step.event:
        _ended(row, step, reason)
    elif step.case.state == "with_source":
        row.stage, row.decider = Dispute.Stage.SOURCE, step.department or DECIDER
    else:
        row.stage, row.decider = Dispute.Stage.DECIDER, DECIDER
        row.outcome = reason[:300]
    due_on = _due_on(step)
    if due_on is not None:
        row.decide_by = due_on
    row.save()


def _due_on(step: cases.StepTaken) -> dt.date | None:
    days = [
        term["due_on"] for term in step.case.terms.values() if term["state"] == "running" and term["due_on"]
    ]
    return dt.date.fromisoformat(min(days)) if days else None


def _ended(row: Dispute, step: cases.StepTaken, reason: str) -> None:
    upheld = step.event["outcome"] == "upheld"
    row.closed_at, row.outcome = step.now, (reason or step.event["outcome"])[:300]
    said: dict[str, Any] = {"actor_name": step.event["actor"]["name"], "now": step.now}
    answered = row.answered
    if answered is not None:
        states = {"upheld": Return.State.OVERRULED, "dismissed": Return.State.UPHELD}
        # A department that withdraws its dispute has still to say whether it takes the correction over.
        answered.state = states.get(step.event["outcome"], Return.State.OPEN)
        answered.save(update_fields=["state"])
        if upheld:
            withdraw_correction(answered.correction_id, reason=reason, **said)
    elif upheld and not row.claimed and not row.element.startswith(OF_CERTIFICATE):
        actor = step.event["actor"]["id"]
        apply_correction(
            row.subject_id, row.element, None, reason=reason, case_id=step.case.id,
            actor_id=int(actor) if actor.isdigit() else None, idempotency_key=f"dispute:{row.pk}", **said,
        )  # fmt: skip
