"""Records of people, what is corrected and disputed in them, and tables that are halted."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from chengshu.contexts.subjects.models import (
    Correction,
    Dispute,
    GoldenRecord,
    Return,
    SourceHalt,
)
from objects.base import ROW, key, kind, now
from tests_support.casework import CELL


@kind("subject")
def a_subject(world: Any, owner: Any) -> dict[str, Any]:
    """A person who lives in the owner's cell."""
    subject_id = f"P8{uuid.uuid4().int % 10_000_000:07d}5"
    GoldenRecord.objects.create(
        subject_id=subject_id, kind="person", valid_from=world.run.number, name="张晓明",
        cell_code=world.cells.get(owner.pk, CELL), data={"person.name": "张晓明", "person.phone": "13800000000"},
    )  # fmt: skip
    return {"subject_id": subject_id, "element": "person.phone"}


def a_correction(world: Any, owner: Any) -> Correction:
    return Correction.objects.create(
        subject_id=world.people["resident"][0].subject_id, element="person.phone", value="1", previous="2",
        made_by=owner.display_name, made_by_account=owner.pk, made_at=now(), idempotency_key=key(),
    )  # fmt: skip


@kind("halted-source")
def a_halted_source(world: Any, owner: Any) -> dict[str, Any]:
    """A table that is halted; it is nobody's, so each owner has one of another name."""
    row = SourceHalt.objects.create(
        source=f"health.table-{uuid.uuid4().hex[:8]}",
        kind="down",
        reason="停机",
        since=timezone.now(),
        by=owner.display_name,
    )
    return {"source": row.source, ROW: row}


@kind("correction")
def a_correction_made(world: Any, owner: Any) -> dict[str, Any]:
    row = a_correction(world, owner)
    return {"correction_id": row.pk, ROW: row}


@kind("return")
def a_return(world: Any, owner: Any) -> dict[str, Any]:
    """A correction that goes back to the owner's department."""
    row = Return.objects.create(
        correction=a_correction(world, world.people["steward"][0]), department=owner.department_id or "market",
        source="market.firms", record_id="1", created_at=now(), due_on=timezone.localdate(),
    )  # fmt: skip
    return {"return_id": row.pk}


@kind("dispute")
def a_dispute(world: Any, owner: Any) -> dict[str, Any]:
    """A dispute that the owner's department decides."""
    row = Dispute.objects.create(
        subject_id=world.people["resident"][0].subject_id, element="person.phone", raised_by="甲", raised_at=now(),
        stage="source", decider=owner.department_id or "market", decide_by=timezone.localdate(), idempotency_key=key(),
    )  # fmt: skip
    return {"dispute_id": row.pk}
