"""The statements of the hot path, in SQL that SQLite and PostgreSQL share. One step is one transaction of about eight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chengshu.contexts.cases.sql import dump, load, sql
from chengshu.contexts.ledger.api import last_leaf_id
from chengshu.kernel.problems import Problem
from chengshu.procedure.case import OPEN_TERMS, SUSPENDED, Case, Event, TermState

_CASE = (
    "SELECT c.id, c.version, c.state, c.outcome, c.subject_id, c.cell_code, c.department, c.opened_by, c.parent_id, "
    "c.on_end, c.label, c.area, c.body, c.pack_version_id, v.hash, c.assignee, c.pack, c.kind, c.principal, c.on_behalf "
    "FROM cases_case c "
    "JOIN cases_packversion v ON v.id = c.pack_version_id WHERE c.id = %s"
)
_CASE_INSERT = (
    "INSERT INTO cases_case (id, pack, pack_version_id, state, outcome, version, label, area, kind, subject_id, "
    "cell_code, department, opened_by, parent_id, on_end, open_key, body, due_at, amber_at, opened_at, closed_at, "
    "assignee) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_CASE_UPDATE = (
    "UPDATE cases_case SET state = %s, outcome = %s, version = %s, department = %s, body = %s, due_at = %s, "
    "amber_at = %s, closed_at = %s WHERE id = %s AND version = %s"
)
# A step of a case that has ended (a child's late news) leaves the day on which it ended.
_CASE_UPDATE_ENDED = _CASE_UPDATE.replace("closed_at = %s", "closed_at = COALESCE(closed_at, %s)")
_EVENT_INSERT = (
    "INSERT INTO cases_caseevent (case_id, seq, step, at, actor, body, idempotency_key, request_digest, leaf_id, "
    "leaf_salt) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
# The event of a step refers to the leaf that was inserted just before it, without asking for its number.
_EVENT_AFTER_LEAF = (
    "INSERT INTO cases_caseevent (case_id, seq, step, at, actor, body, idempotency_key, request_digest, leaf_id, "
    "leaf_salt) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, {leaf}, %s)"
)
# Open tasks, and the step that was taken under a key, if any: what a step needs besides the case's own row.
_BESIDES = (
    "SELECT id, role, owner FROM cases_task WHERE case_id = %s AND open UNION ALL "
    "SELECT -seq, '', request_digest FROM cases_caseevent WHERE case_id = %s AND idempotency_key = %s"
)
_TERM_UPSERT = (
    "INSERT INTO cases_caseterm (case_id, term, round, state, due_on, due_at, amber_at, provisional) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (case_id, term) DO UPDATE SET round = EXCLUDED.round, "
    "state = EXCLUDED.state, due_on = EXCLUDED.due_on, due_at = EXCLUDED.due_at, amber_at = EXCLUDED.amber_at, "
    "provisional = EXCLUDED.provisional"
)
_TASK_INSERT = (
    "INSERT INTO cases_task (case_id, role, owner, open, due_at, amber_at, opened_at, closed_at, pack, kind) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, NULL, %s, %s)"
)
_PAYLOAD_INSERT = (
    "INSERT INTO cases_personalpayload (case_id, seq, salt, body, erased_at) VALUES (%s, %s, %s, %s, NULL)"
)


@dataclass(slots=True)
class CaseRow:
    """A case as the next step needs it."""

    id: str
    version: int
    state: str
    outcome: str
    subject_id: str
    cell_code: str
    department: str
    opened_by: str
    parent_id: str | None
    on_end: str
    label: str
    area: str
    body: str
    pack_version_id: int
    pack_hash: str
    assignee: str = ""
    pack: str = ""
    kind: str = ""
    # Whose matter it is where the opener acts for another, and on what ground (JSON).
    principal: str = ""
    on_behalf: str = ""

    @property
    def behalf(self) -> dict[str, Any] | None:
        """Return for whom and on what ground the opener acts; ``None`` in one's own matters."""
        return load(self.on_behalf) if self.on_behalf else None

    def case(self, pack: str) -> Case:
        """Return the folded case."""
        body = load(self.body)
        return Case(
            self.id, pack, self.state, self.version, self.outcome, self.opened_by,
            body["facts"], body["kept"], body["terms"], body["acted"], body["children"],
            body.get("opened_at", ""), body.get("label", ""), body.get("parts") or {},
        )  # fmt: skip


def body_of(case: Case) -> str:
    """Return what the projection keeps of a folded case."""
    body = {
        "facts": case.facts,
        "kept": case.kept,
        "terms": case.terms,
        "acted": case.acted,
        "children": case.children,
        "opened_at": case.opened_at,
        "label": case.label,
    }
    if case.parts:
        body["parts"] = case.parts
    return dump(body)


def note_behalf(row: CaseRow, behalf: Mapping[str, Any]) -> dict[str, str]:
    """Keep for whom and on what ground the opener of a new case acts; returns it as its opening event says it."""
    said = {
        name: str(behalf[name])
        for name in ("subject_id", "by", "mandate")
        if behalf.get(name) not in (None, "")
    }
    row.principal, row.on_behalf = said.get("subject_id", ""), dump(said)
    sql().run(
        "UPDATE cases_case SET principal = %s, on_behalf = %s WHERE id = %s",
        (row.principal, row.on_behalf, row.id),
    )
    return said


def lock(case_id: str) -> CaseRow | None:
    """Read a case for a step. On PostgreSQL its row is locked; on SQLite the transaction is the only writer."""
    db = sql()
    found = db.run(_CASE if db.sqlite else f"{_CASE} FOR UPDATE OF c", (case_id,)).fetchone()
    return CaseRow(*found) if found else None


def lock_with_tasks(
    case_id: str, key: str | None
) -> tuple[CaseRow | None, list[tuple[int, str, str]], tuple[int, str] | None]:
    """Lock a case for a step; returns it, its open tasks, and (seq, request digest) of the step under ``key``."""
    db = sql()
    with db.together():
        # Two statements: only a second one sees what the one that held the lock before has committed.
        case = db.run(_CASE if db.sqlite else f"{_CASE} FOR UPDATE OF c", (case_id,))
        found = case.fetchall() if db.sqlite else ()
        besides = db.run(_BESIDES, (case_id, case_id, key))
    found = found or case.fetchall()
    tasks: list[tuple[int, str, str]] = besides.fetchall()
    known = None
    if key is not None and tasks and tasks[-1][0] < 0:
        number, _role, digest = tasks.pop()
        known = (-number, digest)
    return (CaseRow(*found[0]) if found else None), tasks, known


_in_hand: ContextVar[CaseRow | None] = ContextVar("case in hand", default=None)


@contextmanager
def in_hand(row: CaseRow) -> Iterator[None]:
    """While the effects of a step run, whoever reads that case gets the row as the step locked it, without asking again."""
    token = _in_hand.set(row)
    try:
        yield
    finally:
        _in_hand.reset(token)


def lock_free(case_id: str) -> CaseRow:
    """Read a case without locking it; raises when there is none."""
    held = _in_hand.get()
    if held is not None and held.id == case_id:
        return held
    found = sql().run(_CASE, (case_id,)).fetchone()
    if found is None:
        raise Problem("case-unknown", _("没有这个办件"), detail=case_id, status=404)
    return CaseRow(*found)


def parent_of(case_id: str) -> str | None:
    """Return the case that one descends from; none of a case that stands alone or is not here."""
    held = _in_hand.get()
    if held is not None and held.id == case_id:
        return held.parent_id
    found = sql().run("SELECT parent_id FROM cases_case WHERE id = %s", (case_id,)).fetchone()
    return found[0] if found else None


def earliest(case: Case) -> tuple[str | None, str | None]:
    """Return due and amber instants of the open term that ends first."""
    found = [
        (term["due_at"], term["amber_at"])
        for term in case.terms.values()
        if term["state"] in OPEN_TERMS and term["state"] != SUSPENDED and term["due_at"]
    ]
    return min(found, key=lambda pair: str(pair[0])) if found else (None, None)


def case_values(case: Case, row: CaseRow, open_key: str, now: dt.datetime, closed: bool) -> tuple[Any, ...]:
    """Return the values of a new case's row, in the order of its columns."""
    due_at, amber_at = earliest(case)
    instant = sql().instant
    at = instant(now)
    return (
        case.id, case.pack, row.pack_version_id, case.state, case.outcome, case.version, row.label[:200],
        row.area[:100], row.kind, row.subject_id, row.cell_code, row.department, row.opened_by, row.parent_id, row.on_end,
        open_key, body_of(case), instant(due_at), instant(amber_at), at, at if closed else None,
        row.assignee,
    )  # fmt: skip


def insert_cases(values: Sequence[tuple[Any, ...]]) -> None:
    """Insert the rows of new cases."""
    sql().run_many(_CASE_INSERT, values)


def update_case(case: Case, department: str, before: int, now: dt.datetime, closed: bool) -> bool:
    """Write the projection if nobody else did since ``before``; returns whether it was written."""
    return bool(send_case(case, department, before, now, closed).rowcount == 1)


def send_case(case: Case, department: str, before: int, now: dt.datetime, closed: bool) -> Any:
    """Write the projection if nobody else did since ``before``; the cursor's row count says so once it is read."""
    due_at, amber_at = earliest(case)
    db = sql()
    return db.run(
        _CASE_UPDATE_ENDED if closed else _CASE_UPDATE,
        (
            case.state, case.outcome, case.version, department, body_of(case), db.instant(due_at),
            db.instant(amber_at), db.instant(now) if closed else None, case.id, before,
        ),
    )  # fmt: skip


def event_values(
    case_id: str, event: Event, body: str, key: str | None, request: str, leaf_id: int, leaf_salt: str
) -> tuple[Any, ...]:
    """Return the values of an event's row."""
    return (
        case_id, event["seq"], event["step"], sql().instant(event["at"]), event["actor"]["id"], body, key, request,
        leaf_id, leaf_salt,
    )  # fmt: skip


def insert_event_after_leaf(
    case_id: str, event: Event, body: str, key: str | None, request: str, leaf_salt: str
) -> None:
    """Insert the event of the leaf that was inserted last."""
    db = sql()
    db.run(
        _EVENT_AFTER_LEAF.replace("{leaf}", last_leaf_id()),
        (
            case_id, event["seq"], event["step"], db.instant(event["at"]), event["actor"]["id"], body, key, request,
            leaf_salt,
        ),
    )  # fmt: skip


def insert_events(values: Sequence[tuple[Any, ...]]) -> None:
    """Insert events."""
    sql().run_many(_EVENT_INSERT, values)


def term_values(case_id: str, term: TermState) -> tuple[Any, ...]:
    """Return the values of a term's row."""
    instant = sql().instant
    return (
        case_id, term["id"], term["round"], term["state"], term["due_on"], instant(term["due_at"]),
        instant(term["amber_at"]), term["provisional"],
    )  # fmt: skip


def upsert_terms(values: Sequence[tuple[Any, ...]]) -> None:
    """Write terms; a term that starts again takes its row over."""
    sql().run_many(_TERM_UPSERT, values)


def task_values(
    row: CaseRow, role: str, owner: str, due: tuple[str | None, str | None], now: dt.datetime
) -> tuple[Any, ...]:
    """Return the values of a new task's row."""
    instant = sql().instant
    return (row.id, role, owner, True, instant(due[0]), instant(due[1]), instant(now), row.pack, row.kind)


def insert_tasks(values: Sequence[tuple[Any, ...]]) -> None:
    """Insert tasks."""
    sql().run_many(_TASK_INSERT, values)


def open_tasks(case_id: str) -> list[tuple[int, str, str]]:
    """Return (id, role, owner) of a case's open tasks."""
    found = sql().run("SELECT id, role, owner FROM cases_task WHERE case_id = %s AND open", (case_id,))
    return list(found.fetchall())


def close_tasks(task_ids: Iterable[int], now: dt.datetime) -> None:
    """Close tasks."""
    db = sql()
    at = db.instant(now)
    db.run_many(
        "UPDATE cases_task SET open = %s, closed_at = %s WHERE id = %s",
        [(False, at, task_id) for task_id in task_ids],
    )


def date_tasks(case_id: str, due: tuple[str | None, str | None]) -> None:
    """Give a case's open tasks the date of its earliest term."""
    db = sql()
    db.run(
        "UPDATE cases_task SET due_at = %s, amber_at = %s WHERE case_id = %s AND open",
        (db.instant(due[0]), db.instant(due[1]), case_id),
    )


def insert_payloads(values: Sequence[tuple[Any, ...]]) -> None:
    """Insert personal payloads: (case, seq, salt, body)."""
    sql().run_many(_PAYLOAD_INSERT, values)


def payload(case_id: str, seq: int) -> tuple[str, bool] | None:
    """Return (body, erased) of an event's personal payload."""
    found = (
        sql()
        .run(
            "SELECT body, erased_at IS NOT NULL FROM cases_personalpayload WHERE case_id = %s AND seq = %s",
            (case_id, seq),
        )
        .fetchone()
    )
    return (found[0], bool(found[1])) if found else None
