"""Checks a stored case against its own events: does it fold to its projection, is every event what the ledger digested?"""

from __future__ import annotations

import hashlib
import json

from chengshu.contexts.cases import packs, rows, sealing
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import CaseEvent, CaseTerm, PersonalPayload, Task
from chengshu.contexts.ledger import api as ledger
from chengshu.procedure.case import OPEN_TERMS, Case, Event, fold


def check_case(case_id: str) -> list[str]:
    """Return what does not agree; an empty list is a sound case."""
    row = rows.lock_free(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    stored = list(CaseEvent.objects.filter(case_id=case_id).order_by("seq"))
    events: list[Event] = [json.loads(item.body) for item in stored]
    faults = _sequence(stored) + _leaves(stored) + _payloads(case_id, events)
    folded = fold(case_id, pack.id, events)
    if folded != row.case(pack.id):
        faults.append("the projection differs from the events")
    faults += _rows(case_id, folded, row)
    state = pack.states[row.state]
    owned = Task.objects.filter(case_id=case_id, open=True).exists()
    # A one-thing waits for its parts: their offices have the work.
    if (
        not state.final
        and not owned
        and not CaseModel.objects.filter(parent=case_id, closed_at=None).exists()
    ):
        faults.append("an open case that nobody has")
    if state.final and Task.objects.filter(case_id=case_id, open=True).exclude(role="job").exists():
        faults.append("a closed case with an open task")
    if any(not event.get("grounds") for event in events):
        faults.append("a step without a ground")
    return faults


def _sequence(stored: list[CaseEvent]) -> list[str]:
    return (
        [] if [item.seq for item in stored] == list(range(1, len(stored) + 1)) else ["the events have gaps"]
    )


def _leaves(stored: list[CaseEvent]) -> list[str]:
    faults = []
    for item in stored:
        leaf = ledger.entry(item.leaf_id)
        digest = hashlib.sha256(bytes.fromhex(item.leaf_salt) + item.body.encode()).hexdigest()
        if leaf is None or leaf.digest != digest:
            faults.append(f"step {item.seq} is not what the ledger digested")
    return faults


def _payloads(case_id: str, events: list[Event]) -> list[str]:
    faults = []
    payloads = {item.seq: item for item in PersonalPayload.objects.filter(case_id=case_id)}
    for event in events:
        sealed, payload = event.get("sealed"), payloads.get(event["seq"])
        if bool(sealed) != (payload is not None):
            faults.append(f"step {event['seq']} and its personal values do not belong together")
        elif (
            sealed
            and payload
            and payload.erased_at is None
            and not sealing.matches(sealed, payload.salt, payload.body)
        ):
            faults.append(f"the personal values of step {event['seq']} were changed")
    return faults


def _rows(case_id: str, folded: Case, row: rows.CaseRow) -> list[str]:
    faults = []
    if row.version != folded.version or row.state != folded.state or row.outcome != folded.outcome:
        faults.append("the case's row differs from its events")
    stored = {item.term: (item.state, item.round) for item in CaseTerm.objects.filter(case_id=case_id)}
    if stored != {name: (term["state"], term["round"]) for name, term in folded.terms.items()}:
        faults.append("the terms' rows differ from the events")
    due = [term["due_at"] for term in folded.terms.values() if term["state"] in OPEN_TERMS and term["due_at"]]
    tasks = Task.objects.filter(case_id=case_id, open=True).exclude(role="job")
    if due and any(task.due_at is None or task.due_at.isoformat() != min(map(str, due)) for task in tasks):
        faults.append("a task's date differs from the earliest term")
    return faults
