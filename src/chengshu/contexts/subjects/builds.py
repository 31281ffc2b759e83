"""A build from end to end: recover what was killed, run the pipeline, publish, settle findings, open cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import structlog
from django.conf import settings
from django.db import transaction

from chengshu.batch.declarations import Declarations
from chengshu.batch.pipeline.fuse import CORRECTIONS, DISPUTED, Human
from chengshu.batch.pipeline.place import Ground
from chengshu.batch.pipeline.run import Built, Task, build
from chengshu.batch.pipeline.store import Store
from chengshu.contexts.places import api as places
from chengshu.contexts.subjects import findings, loading, publishing, snapshots
from chengshu.contexts.subjects.counts import cells_with
from chengshu.contexts.subjects.models import (
    Correction,
    CurrentSnapshot,
    Dispute,
    LinkDecision,
    Run,
)
from chengshu.kernel.canonical import digest
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import LEGAL_ZONE, legal_day

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asks of a build."""

    declarations: Declarations
    folder: Path
    ground: Ground
    full: bool = False
    dry_run: bool = False
    accept_shrink: frozenset[str] = frozenset()
    withdraw: frozenset[str] = frozenset()
    open_cases: bool = True
    on: dt.date | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


# (run, now): what contexts above do when a snapshot has come into force; once a run.
Follower = Callable[[str, dt.datetime], object]
_followers: dict[str, Follower] = {}
_log = structlog.get_logger(__name__)


def register_after_build(name: str, follower: Follower) -> None:
    """Call ``follower(run id, now)`` once after each published build; what goes wrong in it does not undo the build."""
    _followers[name] = follower


def _tell_followers(run_id: str, now: dt.datetime) -> None:
    for name, follower in _followers.items():
        try:
            follower(run_id, now)
        except Problem as problem:
            _log.error("after-build", follower=name, run=run_id, problem=problem.code, detail=problem.detail)


def _quiet(step: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def run_build(order: Order, *, now: Callable[[], dt.datetime], progress: Progress = _quiet) -> Run:
    """Build and publish; returns the run. A problem stops the run and leaves what was published in force."""
    store = snapshots.build_store()
    with store.locked():
        base = recover(now())
        finish(now(), progress)
        manifest = snapshots.manifest_of(base.run_id) if base else None
        if base and manifest:
            snapshots.give_back(base.run_id, manifest, store)
        run = _begin(base, order, now())
        try:
            built = build(_task(order, run, manifest, store, progress))
            _note(run, built)
            if order.dry_run or _unchanged(built, manifest, run):
                return _end(run, built, store, now(), order.dry_run)
            publishing.publish(run, built, store, manifest, now=now(), progress=progress)
            publishing.fulfil_returns(run, built, store, now())
        except BaseException as error:
            _stop(run, error, now())
            raise
        if order.open_cases:
            finish(now(), progress)
            run.refresh_from_db()
        store.keep_only(built.keys())
        snapshots.prune({run.run_id, *([base.run_id] if base else [])})
        return run


def recover(now: dt.datetime) -> Run | None:
    """Take back what a killed build left, and return the run that is in force."""
    current = CurrentSnapshot.objects.select_related("run").first()
    number = current.run_id if current else 0
    left = Run.objects.filter(state__in=[Run.State.RUNNING, Run.State.PUBLISHING], number__gt=number)
    if left.filter(state=Run.State.PUBLISHING).exists() or left.exists():
        loading.take_back(number)
        problem = {"code": "build-killed", "title": "The build was killed; what it had done is taken back"}
        left.update(state=Run.State.STOPPED, ended_at=now, problem=problem)
    return current.run if current else None


def finish(now: dt.datetime, progress: Progress = _quiet) -> None:
    """Settle findings and open cases of the run in force, if that is not done yet. Harmless to repeat."""
    current = CurrentSnapshot.objects.select_related("run").first()
    if current is None or current.run.facts.get("settled"):
        return
    run = current.run
    # How full a cell is follows what was linked; the operator's proposals rest on it.
    places.set_cell_loads(cells_with("person"))
    findings.note_outcomes()
    counts = findings.settle(run, now)
    counts["opened"] = findings.open_cases(run, now, progress)
    counts["withdrawn"] = findings.withdraw_cases(run, now)
    run.facts = {**run.facts, "settled": True, "cases": counts}
    run.save(update_fields=["facts"])
    _tell_followers(run.run_id, now)


def _begin(base: Run | None, order: Order, now: dt.datetime) -> Run:
    last = Correction.objects.order_by("-pk").values_list("pk", flat=True).first()
    with transaction.atomic():
        run = Run.objects.create(
            run_id=f"new-{now.timestamp()}", state=Run.State.RUNNING, started_at=now, base=base, full=order.full,
            watermark=last or 0, facts=dict(order.notes),
        )  # fmt: skip
        run.run_id = f"{now.astimezone(LEGAL_ZONE):%Y%m%d-%H%M%S}-{run.number:06d}"
        run.save(update_fields=["run_id"])
    return run


def _task(
    order: Order, run: Run, manifest: Mapping[str, Any] | None, store: Store, progress: Progress
) -> Task:
    return Task(
        declarations=order.declarations,
        folder=order.folder,
        store=store,
        ground=order.ground,
        human=human_inputs(run.watermark),
        on=order.on or legal_day(run.started_at),
        base=manifest,
        mends=mends_dir(),
        accept_shrink=order.accept_shrink,
        withdraw=order.withdraw,
        full=order.full,
        progress=progress,
    )


def mends_dir() -> Path:
    """Return the folder of mended rows."""
    return Path(settings.VAR_DIR) / "build" / "mends"


def human_inputs(watermark: int) -> Human:
    """Return what people decided up to a correction: values, disputes, links."""
    holding = Correction.objects.filter(state=Correction.State.HOLDS, pk__lte=watermark).order_by("pk")
    corrections = [
        (pk, subject, element, value, legal_day(at).isoformat())
        for pk, subject, element, value, at in holding.values_list(
            "pk", "subject_id", "element", "value", "made_at"
        )
    ]
    disputed = Dispute.objects.filter(closed_at=None).values_list("subject_id", "element").distinct()
    last: dict[tuple[str, str], str] = {}
    for left, right, said in (
        LinkDecision.objects.filter(undone_at=None)
        .order_by("pk")
        .values_list("left_id", "right_id", "decision")
    ):
        last[(left, right)] = said
    decisions = [(left, right, said) for (left, right), said in sorted(last.items())]
    names = dict.fromkeys(("left_id", "right_id", "decision"), pl.String)
    return Human(
        pl.DataFrame(corrections, schema=CORRECTIONS, orient="row"),
        pl.DataFrame(sorted(disputed), schema=DISPUTED, orient="row"),
        pl.DataFrame(decisions, schema=names, orient="row"),
    )


def _note(run: Run, built: Built) -> None:
    run.facts = {
        **run.facts,
        **built.facts,
        "seconds": {step: round(seconds, 2) for step, seconds in built.seconds.items()},
        "keys": digest(built.manifest()),
    }
    run.save(update_fields=["facts"])


def _unchanged(built: Built, manifest: Mapping[str, Any] | None, run: Run) -> bool:
    """Whether the run came to the outputs that are published, with no correction to take in."""
    if manifest is None:
        return False
    same = all(built.manifest()[name] == manifest[name] for name in ("kinds", "match", "check"))
    same &= {n: f["standardise"] for n, f in built.sources.items()} == {
        n: f["standardise"] for n, f in manifest["sources"].items()
    }
    waiting = Correction.objects.filter(consumed_in=None, pk__lte=run.watermark)
    return same and not waiting.exclude(state=Correction.State.SUPERSEDED).exists()


def _end(run: Run, built: Built, store: Store, now: dt.datetime, dry_run: bool) -> Run:
    publishing.note_sources(run, built, store)
    run.state, run.ended_at = Run.State.UNCHANGED, now
    run.facts = {**run.facts, "dry_run": dry_run, "settled": True}
    run.save()
    return run


def _stop(run: Run, error: BaseException, now: dt.datetime) -> None:
    """Write down why a run stopped; what it had loaded is taken back by the next build."""
    known = (
        error.to_dict()
        if isinstance(error, Problem)
        else {"code": "build-failed", "title": repr(error)[:300]}
    )
    row = Run.objects.get(pk=run.pk)
    row.problem, row.ended_at = known, now
    if row.state == Run.State.RUNNING:  # one that was publishing must still be taken back
        row.state = Run.State.STOPPED
    row.save(update_fields=["problem", "ended_at", "state"])
