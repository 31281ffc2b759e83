"""The clock of terms: each one that has ended brings its command, exactly once, however many workers sweep."""

from __future__ import annotations

import datetime as dt
import os

import structlog
from django.db import DatabaseError, connection
from django.db.models import Q

from chengshu.contexts.cases import packs, routing, rows, store, words
from chengshu.contexts.cases.domain import NOBODY
from chengshu.contexts.cases.models import CaseTerm, Task
from chengshu.contexts.cases.sql import Unit
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.case import RUNNING

log = structlog.get_logger("chengshu.cases.sweep")
# Terms that are looked at again together before they are ended.
AT_ONCE = 100
# Terms that share a transaction on SQLite, whose one writer waits for the disk at each: others wait some hundredths of a
# second. On PostgreSQL two workers that each held many cases would wait for each other.
TOGETHER = 25
# Refusals that say: another worker, or a person, was faster.
OVERTAKEN = {"term-not-running", "term-not-due", "command-not-now", "idempotency-key-reused"}


def sweep(now: dt.datetime, limit: int = 20_000) -> int:
    """Let every term end that has ended, and route work that nobody had; returns how many terms ended here."""
    words.index_words()
    route_unowned(now)
    ended = 0
    due = CaseTerm.objects.filter(state=RUNNING, due_at__lte=now).order_by("due_at", "pk")
    found = list(
        due.values_list(
            "pk", "case_id", "term", "round", "case__pack_version_id", "case__pack_version__hash"
        )[:limit]
    )
    # Workers that sweep at the same time begin at different places, and pass over what another one has ended meanwhile.
    parts = [found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE)]
    first = os.getpid() % len(parts) if parts else 0
    for part in parts[first:] + parts[:first]:
        running = CaseTerm.objects.filter(pk__in=[row[0] for row in part], state=RUNNING, due_at__lte=now)
        left = set(running.values_list("pk", flat=True))
        waiting = [row[1:] for row in part if row[0] in left]
        together = TOGETHER if connection.vendor == "sqlite" else 1
        for at in range(0, len(waiting), together):
            ended += _end_together(waiting[at : at + together], now)
    return ended


def _end_together(waiting: list[tuple[str, str, int, int, str]], now: dt.datetime) -> int:
    """End some terms with one wait for the disk, each whole or not at all; what the database refuses, one by one."""
    if len(waiting) == 1:
        return _end_one(*waiting[0], now)
    try:
        with Unit():
            return sum(_end_one(*row, now) for row in waiting)
    except DatabaseError as error:
        log.warning("terms-ended-singly", terms=len(waiting), problem=str(error)[:200])
        return sum(_end_one(*row, now) for row in waiting)


def _end_one(case_id: str, term: str, round_: int, version_id: int, hash_: str, now: dt.datetime) -> int:
    name = packs.pinned(version_id, hash_).pack.deadlines[term].on_expiry
    return _end(case_id, term, round_, name, now)


def _end(case_id: str, term: str, round_: int, name: str, now: dt.datetime) -> int:
    try:
        done = store.each_conflict_once(lambda: store.end_term(case_id, term, round_, name, now))
    except Problem as problem:
        if problem.code not in OVERTAKEN:
            # One broken case must not keep the others from their terms; it is logged and met again next time.
            log.error("term-end-failed", case=case_id, term=term, problem=str(problem))
        return 0
    return 0 if done.repeated else 1


def route_unowned(now: dt.datetime, limit: int = 2_000) -> int:
    """Give tasks that nobody had to whoever is now in charge of the cell; returns how many found someone."""
    waiting = Task.objects.filter(open=True, owner=NOBODY).exclude(Q(case__cell_code=""))
    found = list(waiting.values_list("pk", "case_id", "role", "case__cell_code")[:limit])
    owners, routed = routing.cell_owners([cell for *_, cell in found], legal_day(now)), 0
    for task_id, case_id, role, cell in found:
        owner = owners.get(cell, NOBODY)
        if owner != NOBODY and _cell_role(case_id, role):
            routed += Task.objects.filter(pk=task_id, open=True, owner=NOBODY).update(owner=owner)
    return routed


def _cell_role(case_id: str, role: str) -> bool:
    row = rows.lock_free(case_id)
    found = packs.pinned(row.pack_version_id, row.pack_hash).pack.roles.get(role)
    return found is not None and found.holder == "cell"
