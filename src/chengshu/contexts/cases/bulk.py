"""Many cases at once: checked one by one by the same engine, written together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from chengshu.contexts.cases import packs, routing, rows, sealing, store
from chengshu.contexts.cases.domain import NOBODY, OpenedMany, Opening, new_case_id
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.packs import Runtime
from chengshu.contexts.cases.sql import Unit, dump
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.case import Outcome
from chengshu.procedure.machine import MACHINE, begin

BATCH = 2_000
Prepared = tuple[Outcome, rows.CaseRow, Opening]


def open_many(
    pack: str, openings: Iterable[Opening], *, opened_by: Account | None = None, now: dt.datetime
) -> OpenedMany:
    """Open many cases; a key that was used before is left alone. A batch is written whole or not at all."""
    runtime = packs.current(pack)
    if runtime.pack.opening.effects or runtime.pack.parts is not None:
        raise Problem(
            "open-many-effects",
            "A pack whose opening has effects, or that has parts, opens one by one",
            detail=pack,
            status=422,
        )
    case_ids: dict[str, str] = {}
    opened = existing = 0
    batch: list[Opening] = []
    for opening in openings:
        batch.append(opening)
        if len(batch) == BATCH:
            new, old = _open_batch(runtime, batch, opened_by, now)
            case_ids.update(new | old)
            opened, existing, batch = opened + len(new), existing + len(old), []
    if batch:
        new, old = _open_batch(runtime, batch, opened_by, now)
        case_ids.update(new | old)
        opened, existing = opened + len(new), existing + len(old)
    return OpenedMany(opened, existing, case_ids)


def _open_batch(
    runtime: Runtime,
    batch: Sequence[Opening],
    opened_by: Account | None,
    now: dt.datetime,
) -> tuple[dict[str, str], dict[str, str]]:
    with Unit() as db, ledger.without_collector():
        keys = [opening.idempotency_key for opening in batch]
        marks = ", ".join(["%s"] * len(keys))
        known = dict(
            db.run(f"SELECT open_key, id FROM cases_case WHERE open_key IN ({marks})", keys).fetchall()
        )
        fresh = {
            opening.idempotency_key: opening for opening in batch if opening.idempotency_key not in known
        }
        prepared = [_prepare(runtime, opening, opened_by, now) for opening in fresh.values()]
        _write(runtime, prepared, now)
    return {opening.idempotency_key: outcome.case.id for outcome, _, opening in prepared}, known


def _prepare(runtime: Runtime, opening: Opening, opened_by: Account | None, now: dt.datetime) -> Prepared:
    actor = MACHINE
    if opened_by is not None:
        actor = routing.actor_opening(runtime.pack, opened_by, opening.department or "")
    try:
        outcome = begin(runtime.pack, new_case_id(now), opening.facts, actor, now)
    except Problem as problem:
        problem.extra["idempotency_key"] = opening.idempotency_key
        raise
    return outcome, store.new_row(runtime, opening, outcome, actor, None, ""), opening


def _write(runtime: Runtime, prepared: Sequence[Prepared], now: dt.datetime) -> None:
    payloads, bodies = [], []
    for outcome, _, _ in prepared:
        if outcome.personal:
            outcome.event["sealed"], salt, body = sealing.seal(outcome.personal)
            payloads.append((outcome.case.id, 1, salt, body))
        bodies.append(dump(outcome.event))
    leaves = ledger.deposit_many(
        [
            ledger.Deposit(store.LEDGER_KIND, f"case:{outcome.case.id}", body.encode())
            for (outcome, _, _), body in zip(prepared, bodies, strict=True)
        ],
        now=now,
    )
    rows.insert_cases(
        [store.case_values(outcome, row, opening.idempotency_key, now) for outcome, row, opening in prepared]
    )
    rows.insert_events(
        [
            rows.event_values(outcome.case.id, outcome.event, body, None, "", leaf.id, leaf.salt)
            for (outcome, _, _), body, leaf in zip(prepared, bodies, leaves, strict=True)
        ]
    )
    rows.insert_payloads(payloads)
    rows.upsert_terms(
        [rows.term_values(outcome.case.id, term) for outcome, _, _ in prepared for term in outcome.terms]
    )
    owners = routing.cell_owners([row.cell_code for _, row, _ in prepared], legal_day(now))
    tasks = []
    for outcome, row, _ in prepared:
        due = rows.earliest(outcome.case)
        for role in outcome.tasks or ():
            tasks.append(rows.task_values(row, role, _owner(runtime, role, row, now, owners), due, now))
    rows.insert_tasks(tasks)


def _owner(
    runtime: Runtime, role: str, row: rows.CaseRow, now: dt.datetime, owners: Mapping[str, str]
) -> str:
    found = runtime.pack.roles[role]
    if found.holder == "cell":
        return owners.get(row.cell_code, NOBODY)
    return routing.owner_for(found, row, now)


def withdraw_vanished(pack: str, still_there: set[str], *, run_id: str, now: dt.datetime) -> int:
    """Withdraw the open cases of a pack whose finding a new run no longer has; returns how many."""
    waiting = CaseModel.objects.filter(pack=pack, closed_at=None, parent=None)
    gone = [
        case_id for case_id, key in waiting.values_list("pk", "open_key").iterator() if key not in still_there
    ]
    withdrawn = 0
    for case_id in gone:
        try:
            done = store.each_conflict_once(
                lambda case_id=case_id: store.command(
                    case_id,
                    "withdraw",
                    {"run_id": run_id},
                    actor=None,
                    now=now,
                    idempotency_key=f"withdraw:{run_id}",
                )
            )
        except Problem as problem:
            if problem.code != "command-not-now":
                raise
            # Closed by a person meanwhile: their answer stands.
            continue
        withdrawn += not done.repeated
    return withdrawn
