"""Findings of a run against those known: new ones, changed ones, vanished ones; and their verification cases.

Idempotent: what a killed build left undone the next call does, and nothing is opened twice.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from chengshu.batch.pipeline.check import ON_THE_GROUND
from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity.api import mask
from chengshu.contexts.subjects.models import CurrentSnapshot, Finding, GoldenRecord, Run, RunSource
from chengshu.contexts.subjects.pieces import batched
from chengshu.contexts.subjects.snapshots import part
from chengshu.kernel.problems import Problem

PACK = "grid-verification"
PIECE = 1_000
# Finding → what the pack calls it, and the element in doubt.
QUESTIONS: dict[str, tuple[str, str]] = {
    "place-conflict": ("firm-address", "firm.address"),
    "two-homes": ("two-homes", "person.address"),
    "address-nowhere": ("address-unknown", ""),
    "crowded-flat": ("crowded-flat", ""),
    "people-in-flat": ("people-in-flat", ""),
    "record-absent": ("record-absent", ""),
    "firm-closed": ("value-conflict", "firm.status"),
    "rented-unregistered": ("value-conflict", "premises.rented"),
}
LABELS = {
    "firm.address": "企业住所",
    "person.address": "居住地址",
    "premises.address": "房屋地址",
    "facility.address": "设施地址",
    "firm.status": "登记状态",
    "premises.rented": "是否出租",
}


def settle(run: Run, now: dt.datetime) -> dict[str, int]:
    """Bring the known findings to what ``run`` found. Returns how many are new, back, vanished."""
    table = pl.read_parquet(part(run.run_id, "check", "findings.parquet"))
    known = pl.DataFrame(
        list(Finding.objects.values_list("key", "state", "digest")),
        schema={"key": pl.String, "known_state": pl.String, "known_digest": pl.String},
        orient="row",
    )
    joined = table.join(known, on="key", how="left")
    fresh = joined.filter(pl.col("known_state").is_null())
    changed = pl.col("digest") != pl.col("known_digest")
    gone_before = pl.col("known_state") == Finding.State.VANISHED
    # What a person has answered is asked again only when other values are at odds than those they saw.
    back = joined.filter(gone_before | ((pl.col("known_state") == Finding.State.ANSWERED) & changed))
    moved = joined.filter((pl.col("known_state") == Finding.State.OPEN) & changed)
    still_open = known.filter(pl.col("known_state") == Finding.State.OPEN)
    vanished = still_open.join(table, on="key", how="anti")["key"].to_list()
    for rows in batched(fresh.iter_rows(named=True), PIECE):
        Finding.objects.bulk_create([_finding(row, run) for row in rows])
    for row in back.iter_rows(named=True):
        _reopen(row, run)
    for row in moved.iter_rows(named=True):
        Finding.objects.filter(key=row["key"]).update(values=_values(row), digest=row["digest"], last_run=run)
    for keys in batched(vanished, 500):
        Finding.objects.filter(key__in=keys).update(state=Finding.State.VANISHED, last_run=run)
    Finding.objects.filter(state=Finding.State.OPEN).exclude(last_run=run).update(last_run=run)
    return {"new": fresh.height, "back": back.height, "changed": moved.height, "vanished": len(vanished)}


def _finding(row: Mapping[str, Any], run: Run) -> Finding:
    columns = ("key", "kind", "department", "elements", "reason_zh", "reason_en", "digest")
    texts = ("subject_id", "place_code", "cell_code", "community_code")
    return Finding(
        **{name: row[name] for name in columns},
        **{name: row[name] or "" for name in texts},
        values=_values(row),
        first_run=run,
        last_run=run,
    )


def _values(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = json.loads(row["values"])["values"]
    return values[:50]


def _reopen(row: Mapping[str, Any], run: Run) -> None:
    finding = Finding.objects.get(key=row["key"])
    finding.state, finding.occurrence = Finding.State.OPEN, finding.occurrence + 1
    finding.case_id, finding.values, finding.digest, finding.last_run = "", _values(row), row["digest"], run
    finding.cell_code, finding.community_code = row["cell_code"] or "", row["community_code"] or ""
    finding.save()


def open_cases(run: Run, now: dt.datetime, progress: Callable[[str, int, int], None]) -> int:
    """Open a verification case for each open finding on the ground that has none."""
    waiting = Finding.objects.filter(state=Finding.State.OPEN, case_id="", kind__in=ON_THE_GROUND)
    total, done = waiting.count(), 0
    titles = _titles(run)
    for rows in batched(waiting.order_by("pk").iterator(chunk_size=PIECE), PIECE):
        names = _names({row.subject_id for row in rows if row.subject_id})
        opened = cases.open_many(PACK, [_opening(row, titles, names, run) for row in rows], now=now)
        for row in rows:
            row.case_id = opened.case_ids[_key(row)]
        # Killed in between, the next call finds the same cases by their keys.
        Finding.objects.bulk_update(rows, ["case_id"])
        done += len(rows)
        progress("cases", done, total)
    return done


def _titles(run: Run) -> dict[str, str]:
    return {row.source: str(row.title.get("zh", row.source)) for row in RunSource.objects.filter(run=run)}


def _names(ids: set[str]) -> dict[str, tuple[str, str]]:
    """Return subject → kind and name, of the subjects in force."""
    number = CurrentSnapshot.objects.get().run_id
    found: dict[str, tuple[str, str]] = {}
    for some in batched(sorted(ids), 500):
        rows = GoldenRecord.objects.filter(subject_id__in=some, valid_from__lte=number)
        found.update({row[0]: (row[1], row[2]) for row in rows.values_list("subject_id", "kind", "name")})
    return found


def _opening(
    row: Finding, titles: Mapping[str, str], names: Mapping[str, tuple[str, str]], run: Run
) -> cases.Opening:
    kind, element = QUESTIONS[row.kind]
    if row.kind == "record-absent":
        element = row.elements[0]  # of whichever kind of subject it was
    values = [
        {
            "value": item["value"],
            "source": item["source"],
            "source_title": titles.get(item["source"], item["source"]),
        }
        for item in row.values
        if item["value"] is not None
    ]
    facts: dict[str, Any] = {
        "kind": kind, "subject_label": _label(row, names), "values": values, "finding_id": row.key,
        "run_id": run.run_id, "subject_id": row.subject_id or None, "place_code": row.place_code or None,
    }  # fmt: skip
    if element:
        facts |= {"element": element, "element_label": LABELS[element]}
    if row.kind in ("crowded-flat", "people-in-flat"):
        facts["count"] = len(row.values)
    if row.elements and row.elements[0].endswith(".address") and values:
        facts["address"] = values[0]["value"]
    return cases.Opening(
        facts={name: value for name, value in facts.items() if value is not None},
        idempotency_key=_key(row),
        subject_id=row.subject_id or None,
        cell_code=row.cell_code or None,
    )


def _key(row: Finding) -> str:
    return f"finding:{row.key}:{row.occurrence}"


def _label(row: Finding, names: Mapping[str, tuple[str, str]]) -> str:
    """Name what is to be checked without telling a person's name in a list."""
    kind, name = names.get(row.subject_id, ("", ""))
    if kind == "person":
        return mask("person.name", name) or row.subject_id
    return name or row.reason_zh


def withdraw_cases(run: Run, now: dt.datetime) -> int:
    """Withdraw the open cases of vanished findings."""
    rows = Finding.objects.filter(state=Finding.State.VANISHED, last_run=run).exclude(case_id="")
    done = 0
    for case_id in rows.values_list("case_id", flat=True):
        try:
            cases.system_command(
                case_id, "withdraw", {"run_id": run.run_id}, idempotency_key=f"withdraw:{run.run_id}", now=now
            )
            done += 1
        except Problem as problem:
            if problem.code != "command-not-now":  # a person answered meanwhile: their answer stands
                raise
    return done


def note_outcomes() -> int:
    """Mark findings answered whose case has ended since."""
    waiting = (
        Finding.objects.filter(state=Finding.State.OPEN).exclude(case_id="").values_list("pk", "case_id")
    )
    done = 0
    for some in batched(waiting.iterator(chunk_size=5_000), PIECE):
        ended = cases.outcomes([case_id for _, case_id in some])
        answered = [pk for pk, case_id in some if ended.get(case_id)]
        if answered:
            done += Finding.objects.filter(pk__in=answered).update(state=Finding.State.ANSWERED)
    return done
