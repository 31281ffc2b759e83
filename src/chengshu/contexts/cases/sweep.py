"""The clock of terms: each one that has ended brings its command, exactly once, however many workers sweep."""

from __future__ import annotations

import datetime as dt
import os

import structlog
from django.db.models import Q

from chengshu.contexts.cases import packs, routing, rows, store, words
from chengshu.contexts.cases.domain import NOBODY
from chengshu.contexts.cases.models import CaseTerm, Task
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.case import RUNNING

log = structlog.get_logger("chengshu.cases.sweep")
# Terms that are looked at again together before they are ended.
AT_ONCE = 100
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
        for pk, case_id, term, round_, version_id, hash_ in part:
            if pk in left:
                name = packs.pinned(version_id, hash_).pack.deadlines[term].on_expiry
                ended += _end(case_id, term, round_, name, now)
    return ended


def _end(case_id: str, term: str, round_: int, name: str, now: dt.datetime) -> int:
    try:
        done = store.each_conflict_once(
            lambda: store.command(
                case_id, name, {}, actor=None, now=now, idempotency_key=f"end:{term}:{round_}", term=term
            )
        )
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
