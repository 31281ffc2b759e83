"""The outbox: work outside the step's transaction, at least once, with leases, back-off and visible failure.

A job is written in the step's own transaction. A worker leases it, runs it outside any transaction, and notes the end;
a worker that dies leaves a lease that runs out. What keeps failing is dead: it stays, and a task asks the operator.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from django.db import transaction

from chengshu.contexts.cases import packs, rows, store
from chengshu.contexts.cases.domain import OPERATORS
from chengshu.contexts.cases.models import Job, Task
from chengshu.contexts.cases.sql import dump
from chengshu.kernel.problems import Problem
from chengshu.procedure.case import Case
from chengshu.procedure.ports import Actor, EffectRequest, registry

log = structlog.get_logger("chengshu.cases.jobs")
LEASE = dt.timedelta(minutes=5)
FIRST_PAUSE = dt.timedelta(seconds=10)
LONGEST_PAUSE = dt.timedelta(hours=6)
MOST_ATTEMPTS = 10
EFFECT, COMMAND = "effect", "command"
# Refusals that no later attempt can change.
FINAL = {
    "command-unknown",
    "command-not-now",
    "command-not-yours",
    "guard-refused",
    "form-invalid",
    "case-unknown",
    "already-done",
    "personal-values-erased",
}


def enqueue_effect(request: EffectRequest) -> None:
    """Put an outside effect into the outbox, in the step's transaction."""
    payload = {
        "effect": request.effect,
        "params": dict(request.params),
        "facts": dict(request.facts),
        "data": dict(request.data),
        "actor": {"id": request.actor.id, "name": request.actor.name},
        "now": request.now.isoformat(),
    }
    _enqueue(EFFECT, request.case_id, payload, request.idempotency_key, request.now)


def enqueue_child_ended(
    parent_id: str, on_end: str, child: Case, now: dt.datetime, told: Mapping[str, Any] | None = None
) -> None:
    """Tell a parent case that a child has ended, and what it returns, in the child's own transaction."""
    payload = {
        "command": on_end,
        "data": {**(told or {}), "child": child.id, "child_outcome": child.outcome},
        "children": {child.id: child.outcome},
    }
    _enqueue(COMMAND, parent_id, payload, f"ended:{child.id}", now)


def enqueue_command(case_id: str, command: str, data: Mapping[str, Any], key: str, now: dt.datetime) -> None:
    """Send a case a command of the machine, after the caller's transaction; what its form does not ask is left out."""
    _enqueue(COMMAND, case_id, {"command": command, "data": dict(data), "children": {}}, key, now)


def _enqueue(kind: str, case_id: str, payload: Mapping[str, Any], key: str, now: dt.datetime) -> None:
    Job.objects.create(kind=kind, case_id=case_id, payload=dump(payload), key=key, run_at=now, made_at=now)


def run_jobs(now: dt.datetime, limit: int = 100) -> int:
    """Run the jobs that are ready; returns how many ended well. Several workers may call this at once."""
    done = 0
    ready = Job.objects.filter(state=Job.State.READY, run_at__lte=now).order_by("run_at", "pk")
    for job_id in list(ready.values_list("pk", flat=True)[:limit]):
        job = _lease(job_id, now)
        if job is not None:
            done += _run(job, now)
    return done


def _lease(job_id: int, now: dt.datetime) -> Job | None:
    """Take a job, if nobody else holds it: one conditional update, so two workers never both succeed."""
    job = Job.objects.filter(pk=job_id, state=Job.State.READY, run_at__lte=now).first()
    if job is None:
        return None
    # The lease is a run time in the future: when the worker dies, the job is simply ready again.
    taken = Job.objects.filter(
        pk=job_id, state=Job.State.READY, attempts=job.attempts, run_at=job.run_at
    ).update(attempts=job.attempts + 1, run_at=now + LEASE, leased_until=now + LEASE)
    job.attempts += 1
    return job if taken else None


def _run(job: Job, now: dt.datetime) -> int:
    work: Callable[[Job, dt.datetime], Mapping[str, Any] | None] = _WORK[job.kind]
    try:
        result = work(job, now)
        if job.kind == EFFECT:
            # Before the job is noted as done: whoever dies in between runs it again, both under their keys.
            _report(job, "effect_done", {"effect": job.key, **(result or {})}, now)
    except Problem as problem:
        _failed(job, str(problem), now, final=problem.code in FINAL)
        return 0
    except Exception as error:
        # Whatever an outside system does, the outbox goes on; the job keeps the error where people see it.
        log.exception("job-failed", job=job.key, attempts=job.attempts)
        _failed(job, f"{type(error).__name__}: {error}", now, final=False)
        return 0
    # What it was told may be personal, and nobody needs it any more; its key and the case's event stay.
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.DONE, ended_at=now, leased_until=None, last_error="", payload="{}"
    )
    return 1


def _effect(job: Job, now: dt.datetime) -> Mapping[str, Any] | None:
    said = json.loads(job.payload)
    request = EffectRequest(
        job.case_id, said["effect"], said["params"], said["facts"], said["data"],
        Actor(said["actor"]["id"], said["actor"]["name"]), dt.datetime.fromisoformat(said["now"]), job.key,
    )  # fmt: skip
    return registry.effect_handler(said["effect"])(request)


def _command(job: Job, now: dt.datetime) -> None:
    said = json.loads(job.payload)
    sent = _asked_for(job.case_id, said["command"], said["data"])
    store.each_conflict_once(
        lambda: store.command(
            job.case_id,
            said["command"],
            sent,
            actor=None,
            now=now,
            idempotency_key=job.key,
            children=said["children"],
        )
    )


def _asked_for(case_id: str, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what the command's form in the case's present state has fields for; empty answers are left out."""
    row = rows.lock_free(case_id)
    plan = packs.pinned(row.pack_version_id, row.pack_hash).pack.plans.get((row.state, name))
    fields = plan.form.fields if plan is not None and plan.form is not None else {}
    return {key: value for key, value in data.items() if key in fields and value is not None}


_WORK: dict[str, Callable[[Job, dt.datetime], Mapping[str, Any] | None]] = {
    EFFECT: _effect,
    COMMAND: _command,
}
# (case, what the job says, its key, now)
Worker = Callable[[str, Mapping[str, Any], str, dt.datetime], None]


def register_work(kind: str, worker: Worker) -> None:
    """Say who does the jobs of a kind that another module of this context enqueues."""
    _WORK[kind] = lambda job, now: worker(job.case_id, json.loads(job.payload), job.key, now)


def enqueue_work(kind: str, case_id: str, said: Mapping[str, Any], key: str, now: dt.datetime) -> None:
    """Put work of a registered kind into the outbox, in the caller's transaction."""
    _enqueue(kind, case_id, said, key[: store.MAX_KEY], now)


def enqueue_many(kind: str, work: Iterable[tuple[str, Mapping[str, Any], str]], now: dt.datetime) -> None:
    """Put work of a registered kind for several things, each (case, what is said, key), into the outbox at once."""
    Job.objects.bulk_create(
        Job(
            kind=kind,
            case_id=case_id,
            payload=dump(said),
            key=key[: store.MAX_KEY],
            run_at=now,
            made_at=now,
        )
        for case_id, said, key in work
    )


def _failed(job: Job, text: str, now: dt.datetime, *, final: bool) -> None:
    if final or job.attempts >= MOST_ATTEMPTS:
        with transaction.atomic():
            Job.objects.filter(pk=job.pk).update(
                state=Job.State.DEAD, ended_at=now, leased_until=None, last_error=text[:2000]
            )
            row = rows.lock_free(job.case_id)
            Task.objects.create(
                case_id=job.case_id,
                role="job",
                owner=OPERATORS,
                due_at=now,
                opened_at=now,
                pack=row.pack,
                kind=row.kind,
            )
        if job.kind == EFFECT:
            _report(job, "effect_failed", {"effect": job.key}, now)
        return
    pause = min(FIRST_PAUSE * 2 ** (job.attempts - 1), LONGEST_PAUSE)
    Job.objects.filter(pk=job.pk).update(run_at=now + pause, leased_until=None, last_error=text[:2000])


def _report(job: Job, name: str, data: Mapping[str, Any], now: dt.datetime) -> None:
    """Bring the end of an outside effect back as a command, where the pack has one for it."""
    row = rows.lock_free(job.case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    steps = pack.steps.get((row.state, name))
    if not steps:
        return
    fields = steps[0].form.fields if steps[0].form else {}
    sent = {key: value for key, value in data.items() if key in fields}
    try:
        store.each_conflict_once(
            lambda: store.command(
                job.case_id,
                name,
                sent,
                actor=None,
                now=now,
                idempotency_key=f"{name}:{job.key}"[: store.MAX_KEY],
            )
        )
    except Problem as problem:
        if problem.code not in FINAL:
            raise
        # The case does not hear of it as it stands; the effect itself is as it is.
        log.warning("report-refused", job=job.key, command=name, problem=str(problem))


def retry(job_id: int, now: dt.datetime) -> bool:
    """Let a dead job run again, under the same key; the operator's doing."""
    return bool(
        Job.objects.filter(pk=job_id, state=Job.State.DEAD).update(
            state=Job.State.READY, attempts=0, run_at=now, ended_at=None
        )
    )
