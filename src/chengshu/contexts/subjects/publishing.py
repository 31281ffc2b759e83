"""Publish a run: load what changed beside what is in force, then turn the one row that readers follow.

Until that turn no reader sees anything of it; a publication that was killed is taken back when the next build
starts. Corrections made after the run had looked stay laid over the new snapshot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
from django.db import transaction

from chengshu.batch.pipeline import layers
from chengshu.batch.pipeline.run import Built
from chengshu.batch.pipeline.store import Store, read_json
from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.identity.api import follow_merge
from chengshu.contexts.ledger.api import deposit
from chengshu.contexts.subjects import loading
from chengshu.contexts.subjects.models import (
    CellCount,
    Consent,
    Correction,
    CurrentSnapshot,
    Dispute,
    Finding,
    LinkDecision,
    Redirect,
    RefusedRow,
    Return,
    Run,
    RunSource,
)
from chengshu.contexts.subjects.snapshots import keep
from chengshu.kernel.canonical import digest

Progress = Callable[[str, int, int], None]
# Refused rows are listed on a page up to here; the run's file has them all.
LISTED = 500


def publish(
    run: Run,
    built: Built,
    store: Store,
    base: Mapping[str, Any] | None,
    *,
    now: dt.datetime,
    progress: Progress,
) -> dict[str, int]:
    """Publish ``run``; returns how many golden records are new, changed and gone."""
    run.state = Run.State.PUBLISHING
    run.save(update_fields=["state"])
    deltas = {kind: _delta(kind, built, store, base, run.number) for kind in built.kinds}
    counts = {
        "new": sum(len(delta.new) for delta in deltas.values()),
        "changed": sum(len(delta.rows) - len(delta.new) for delta in deltas.values()),
        "gone": sum(len(delta.gone) for delta in deltas.values()),
    }
    loading.load((delta.rows for delta in deltas.values()), counts["new"] + counts["changed"], progress)
    for delta in deltas.values():
        loading.close_versions(pl.concat([delta.replaced, delta.gone]), run.number)
    note_sources(run, built, store)
    _count_cells(run, built, store)
    redirects = _redirects(run, built, store, base)
    keep(run.run_id, built.manifest(), store)
    run.facts = {**run.facts, "published": counts, "redirects": len(redirects)}
    _flip(run, redirects, now)
    return counts


class _Delta:
    """What of one kind differs from the snapshot in force."""

    def __init__(self, rows: pl.DataFrame, new: pl.Series, replaced: pl.Series, gone: pl.Series) -> None:
        self.rows, self.new, self.replaced, self.gone = rows, new, replaced, gone


def _delta(kind: str, built: Built, store: Store, base: Mapping[str, Any] | None, number: int) -> _Delta:
    folder = store.entries / built.kinds[kind]["fuse"]
    key = base["kinds"].get(kind, {}).get("fuse") if base else None
    since = store.find(key) if key else None
    names = ["subject_id", "print"]
    differs = layers.difference(folder, "golden", since, names)
    if differs is None:
        golden = layers.read(folder, "golden")
        return _Delta(
            loading.golden_rows(kind, golden.sort("subject_id"), number), golden["subject_id"], *_nobody()
        )
    both = differs.fresh.join(differs.gone, on="subject_id", how="semi")["subject_id"]
    new = differs.fresh.join(differs.gone, on="subject_id", how="anti")["subject_id"]
    gone = differs.gone.join(differs.fresh, on="subject_id", how="anti")["subject_id"]
    mine = pl.col("subject_id").is_in(differs.fresh["subject_id"].implode())
    changed = layers.read(folder, "golden", where=mine).sort("subject_id")
    return _Delta(loading.golden_rows(kind, changed, number), new, both, gone)


def _nobody() -> tuple[pl.Series, pl.Series]:
    empty = pl.Series("subject_id", [], dtype=pl.String)
    return empty, empty


def note_sources(run: Run, built: Built, store: Store) -> None:
    """Write down what the run took in and refused, source by source."""
    rows, refused = [], []
    for name, facts in built.sources.items():
        folder = store.entries / facts["standardise"]
        placed, addressed = _placed(name, facts["kind"], built, store)
        rows.append(
            RunSource(
                run=run, source=name, department=facts["department"], kind=facts["kind"], title=facts["title"],
                late=facts["late"], placed=placed, addressed=addressed,
                **{item: facts[item] for item in ("rows", "accepted", "refused", "warned", "absent", "deleted")},
                facts={item: facts[item] for item in _SHOWN if item in facts},
            )
        )  # fmt: skip
        table = pl.read_parquet(folder / "refused.parquet").head(LISTED)
        refused += [
            RefusedRow(run=run, **row)
            for row in table.select("source", "file", "row", "field", "code").iter_rows(named=True)
        ]
    with transaction.atomic():
        RunSource.objects.filter(run=run).delete()
        RefusedRow.objects.filter(run=run).delete()
        RunSource.objects.bulk_create(rows)
        RefusedRow.objects.bulk_create(refused, batch_size=1000)
    run.rows, run.accepted, run.refused = (
        sum(getattr(row, item) for row in rows) for item in ("rows", "accepted", "refused")
    )


_SHOWN = ("made_at", "files", "unknown", "missing", "notes", "warnings", "reasons", "carried", "worked")


def _placed(name: str, kind: str, built: Built, store: Store) -> tuple[int, int]:
    """Return how many of a source's records were placed, and how many had anything to place them by."""
    counts = read_json(store.entries / built.kinds[kind]["place"] / "facts.json")["counts"]
    placed, addressed = counts.get(name, (0, 0))
    return int(placed), int(addressed)


def _count_cells(run: Run, built: Built, store: Store) -> None:
    rows: list[CellCount] = []
    for kind, steps in built.kinds.items():
        golden = layers.read(store.entries / steps["fuse"], "golden", ["cell_code"])
        counted = golden.filter(pl.col("cell_code").is_not_null()).group_by("cell_code").len()
        rows += [
            CellCount(run=run, kind=kind, cell_code=cell, count=count) for cell, count in counted.iter_rows()
        ]
    with transaction.atomic():
        CellCount.objects.filter(run=run).delete()
        CellCount.objects.bulk_create(rows, batch_size=2000)


def _redirects(run: Run, built: Built, store: Store, base: Mapping[str, Any] | None) -> list[Redirect]:
    found: list[Redirect] = []
    for kind, steps in built.kinds.items():
        if base and base["kinds"].get(kind, {}).get("ids") == steps["ids"]:
            continue  # those ids were given, and their redirects published, by an earlier run
        table = pl.read_parquet(store.entries / steps["ids"] / "redirects.parquet")
        found += [Redirect(run=run, old=old, new=new or "", how=how) for old, new, how in table.iter_rows()]
    return found


def _flip(run: Run, redirects: list[Redirect], now: dt.datetime) -> None:
    """Turn readers to the new snapshot, in one small transaction."""
    with transaction.atomic():
        Redirect.objects.bulk_create(redirects, batch_size=1000)
        merged = {item.old: item.new for item in redirects if item.how == "merged"}
        _follow(merged)
        CurrentSnapshot.objects.update_or_create(id=1, defaults={"run": run, "published_at": now})
        waiting = Correction.objects.filter(id__lte=run.watermark, consumed_in=None)
        waiting.filter(state__in=[Correction.State.HOLDS, Correction.State.RESTORES]).update(consumed_in=run)
        run.state, run.ended_at = Run.State.PUBLISHED, now
        run.save()
        seen = {"run": run.run_id, "number": run.number, "rows": run.rows, "refused": run.refused}
        deposit(
            "run-published",
            f"run:{run.run_id}",
            {**seen, "manifest": digest(run.facts.get("keys", {}))},
            now=now,
        )


MergeFollower = Callable[[str, str], None]
_merge_followers: dict[str, MergeFollower] = {}


def register_on_merge(name: str, follower: MergeFollower) -> None:
    """Call ``follower(old, new)`` inside the publication of a build that merged one subject into another."""
    _merge_followers[name] = follower


def _follow(merged: Mapping[str, str]) -> None:
    """What people wrote down under an id that was merged moves to the id that took its place."""
    for old, new in merged.items():
        for model in (Correction, Dispute, Finding, LinkDecision, Consent):
            model.objects.filter(subject_id=old).update(subject_id=new)
        follow_merge(old, new)
        cases.subject_merged(old, new)
        certificates.subject_merged(old, new)
        for follower in _merge_followers.values():
            follower(old, new)


def fulfil_returns(run: Run, built: Built, store: Store, now: dt.datetime) -> int:
    """Close the returns whose department has delivered the corrected value since."""
    waiting = Return.objects.filter(state__in=[Return.State.OPEN, Return.State.ACCEPTED]).select_related(
        "correction"
    )
    by_kind: dict[str, list[Return]] = {}
    for item in waiting.iterator():
        by_kind.setdefault(item.correction.element.split(".", 1)[0], []).append(item)
    done = 0
    for kind, items in by_kind.items():
        if kind not in built.kinds:
            continue
        folder = store.entries / built.kinds[kind]["place"]
        ids = [item.record_id for item in items]
        records = layers.read(folder, "records", where=pl.col("record_id").is_in(ids))
        rows = {row["record_id"]: row for row in records.iter_rows(named=True)}
        for item in items:
            name = item.correction.element.split(".", 1)[1]
            if rows.get(item.record_id, {}).get(name, ...) == item.correction.value:
                item.state, item.answered_at = Return.State.FULFILLED, item.answered_at or now
                item.save(update_fields=["state", "answered_at"])
                done += 1
    return done
