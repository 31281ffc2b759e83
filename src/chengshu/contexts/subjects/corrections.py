"""Corrections: a person's word about a value, in force at once, and returned to the departments that said otherwise.

A correction that a run has taken in is part of its snapshot; until then it is laid over it at each read. A run takes
in what was made before it began to look, so one made while a run is under way survives it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from chengshu.batch.pipeline.fuse import CORRECTION
from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger.api import deposit
from chengshu.contexts.subjects import placing
from chengshu.contexts.subjects.domain import Cell, Record
from chengshu.contexts.subjects.models import Correction, Dispute, Finding, Return
from chengshu.contexts.subjects.reading import effective_record, provenance
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import due, parse_term
from chengshu.kernel.workdays import official_calendar
from chengshu.procedure.ports import EffectRequest, SourceRequest

# House rules of the demo district, on working days; a real district sets its own.
RETURN_TERM = "10 workdays"
DISPUTE_TERM = "5 workdays"
DECIDER = "data-bureau"
DECISIONS = ("confirmed", "corrected")


def last_day(term: str, now: dt.datetime) -> dt.date:
    """Return the last day of a term that starts now."""
    on = due(parse_term(term), now, official_calendar()).on
    assert on is not None  # only a stopped clock has no end
    return on


def apply_correction(
    subject_id: str,
    element: str,
    value: str | None,
    *,
    decision: str = "corrected",
    reason: str = "",
    case_id: str = "",
    actor_name: str,
    actor_id: int | None = None,
    now: dt.datetime,
    idempotency_key: str,
) -> int:
    """Put a value in force at once and return it to the departments whose records differ. Idempotent by key."""
    if decision not in DECISIONS:
        raise Problem("correction-decision", f"A correction is one of {', '.join(DECISIONS)}", status=422)
    done = Correction.objects.filter(idempotency_key=idempotency_key).first()
    if done is not None:
        return done.pk
    record = effective_record(subject_id)
    if not element.startswith(f"{record.kind}."):
        raise Problem("correction-element", _("这不是这类对象的数据元"), detail=record.kind, status=422)
    # Provenance is read before the transaction: it comes from files and needs no lock.
    cells = provenance(record)
    made = {
        "subject_id": record.subject_id, "case_id": case_id, "ground": reason[:300], "made_by": actor_name,
        "made_by_account": actor_id, "made_at": now, "confirms": decision == "confirmed",
    }  # fmt: skip
    with transaction.atomic():
        row = _put(record, element, value, made, idempotency_key)
        if element == f"{record.kind}.address":
            _move(record, value, cells, made, idempotency_key)
        _return(row, cells, now)
        _answered(record.subject_id, element, case_id, now)
        seen = {
            "correction": row.pk,
            "element": element,
            "decision": decision,
            "value": value or "",
            "case": case_id,
        }
        deposit("correction", f"correction:{row.pk}", seen, now=now)
    return row.pk


def _put(record: Record, element: str, value: str | None, made: dict[str, Any], key: str) -> Correction:
    earlier = Correction.objects.filter(subject_id=record.subject_id, element=element)
    earlier.filter(state__in=[Correction.State.HOLDS, Correction.State.RESTORES]).update(
        state=Correction.State.SUPERSEDED
    )
    return Correction.objects.create(
        element=element, value=value, previous=record.values.get(element), idempotency_key=key, **made
    )


def _move(record: Record, address: str | None, cells: list[Cell], made: dict[str, Any], key: str) -> None:
    """A corrected address moves the subject: the place that a source's record with that address had, else matched."""
    known = {cell.record_id for cell in cells if cell.element.endswith(".address") and cell.value == address}
    places = [
        cell.value for cell in cells if cell.element.endswith(".place_code") and cell.record_id in known
    ]
    code = places[0] if places else placing.place_of(address)
    if code is None and address is not None:
        return
    element = f"{record.kind}.place_code"
    if code != record.values.get(element) or not places:
        _put(record, element, code, made, f"{key}:place"[:120])
    else:
        # The same place, confirmed: it must also win over another source's place.
        _put(record, element, code, {**made, "confirms": True}, f"{key}:place"[:120])


def _return(row: Correction, cells: list[Cell], now: dt.datetime) -> None:
    """Tell every department whose record has another value."""
    due_on = last_day(RETURN_TERM, now)
    returns = [
        Return(
            correction=row, department=cell.department, source=cell.source, record_id=cell.record_id,
            record_value=cell.value, created_at=now, due_on=due_on,
        )
        for cell in cells
        if cell.element == row.element and cell.source != CORRECTION and cell.value != row.value
    ]  # fmt: skip
    Return.objects.bulk_create(returns)


def _answered(subject_id: str, element: str, case_id: str, now: dt.datetime) -> None:
    if case_id:
        Finding.objects.filter(case_id=case_id).update(state=Finding.State.ANSWERED)
    # A dispute that runs as a case ends with its case, not by what somebody else found meanwhile.
    open_ones = Dispute.objects.filter(subject_id=subject_id, element=element, closed_at=None)
    for row in open_ones:
        if not (row.case_id and cases.pack_of(row.case_id) == "value-dispute"):
            Dispute.objects.filter(pk=row.pk).update(closed_at=now, outcome="corrected")


def withdraw_correction(correction_id: int, *, reason: str, actor_name: str, now: dt.datetime) -> None:
    """Take a correction back: the sources' value is in force again at once, and in every later run."""
    with transaction.atomic():
        for row in Correction.objects.select_for_update().filter(
            pk=correction_id, state=Correction.State.HOLDS
        ):
            _withdraw(row, reason, actor_name, now)
            place = Correction.objects.filter(
                idempotency_key=f"{row.idempotency_key}:place"[:120], state="holds"
            )
            for with_it in place:
                _withdraw(with_it, reason, actor_name, now)
            seen = {"correction": row.pk, "reason": reason, "by": actor_name}
            deposit("correction-withdrawn", f"correction:{row.pk}", seen, now=now)


def _withdraw(row: Correction, reason: str, actor_name: str, now: dt.datetime) -> None:
    row.state = Correction.State.WITHDRAWN
    row.save(update_fields=["state"])
    if row.consumed_in_id is None:
        return
    cells = [cell for cell in provenance(effective_record(row.subject_id)) if cell.element == row.element]
    said = next((cell.value for cell in cells if cell.source != CORRECTION), None)
    Correction.objects.create(
        subject_id=row.subject_id, element=row.element, value=said, previous=row.value, ground=reason[:300],
        state=Correction.State.RESTORES, made_by=actor_name, made_at=now,
        idempotency_key=f"restore:{row.pk}",
    )  # fmt: skip


def correct_fact(request: EffectRequest) -> dict[str, Any]:
    """Answer the effect ``correct_fact`` of a case's step, inside its transaction."""
    params = request.params
    actor = request.actor
    if str(params["element"]).startswith("certificate."):
        return {"reissue": str(params["element"])}
    number = apply_correction(
        str(params["subject_id"]),
        str(params["element"]),
        params.get("value"),
        decision=str(params.get("decision", "corrected")),
        reason=str(params.get("reason") or ""),
        case_id=request.case_id,
        actor_name=actor.name,
        actor_id=int(actor.id) if actor.id.isdigit() else None,
        now=request.now,
        idempotency_key=request.idempotency_key[:110],
    )
    return {"correction": number}


def golden_record(request: SourceRequest) -> Any:
    """Answer the source ``golden_record``: an element of a subject, or of whom the case is about."""
    subject_id = request.params.get("subject_id") or cases.case_subject(request.case_id)
    if not subject_id:
        return None
    return effective_record(str(subject_id)).values.get(str(request.params["element"]))


def by_hand(
    subject_id: str,
    element: str,
    value: str | None,
    *,
    reason: str,
    actor: Account,
    now: dt.datetime,
    key: str,
) -> int:
    """A data steward corrects a value by hand, with a reason."""
    if not reason.strip():
        raise Problem("correction-reason", _("请写明更正的依据"), status=422)
    return apply_correction(
        subject_id, element, value, reason=reason, actor_name=actor.display_name, actor_id=actor.pk, now=now,
        idempotency_key=key,
    )  # fmt: skip
