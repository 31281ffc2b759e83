"""Read golden records: by key from the database, provenance from the snapshots' Parquet.

Every reader sees a record through ``effective_record``: the snapshot with the corrections laid over it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from chengshu.batch.fusion import effective
from chengshu.batch.pipeline import layers
from chengshu.batch.pipeline.fuse import CORRECTION
from chengshu.contexts.subjects.domain import (
    Cell,
    CorrectionView,
    Fact,
    FullRecord,
    Record,
    Why,
    element_order,
)
from chengshu.contexts.subjects.labels import label, labels
from chengshu.contexts.subjects.link_words import in_words
from chengshu.contexts.subjects.models import (
    Correction,
    CurrentSnapshot,
    Dispute,
    GoldenRecord,
    LinkDecision,
    Redirect,
    Run,
    RunSource,
)
from chengshu.contexts.subjects.snapshots import part
from chengshu.kernel.problems import Problem

# A correction lies over the snapshot until a run has taken it in.
_tables_of: dict[str, Mapping[str, tuple[str, Mapping[str, str]]]] = {}
LAID_OVER = Q(state__in=[Correction.State.HOLDS, Correction.State.RESTORES], consumed_in=None)


def current_run() -> Run | None:
    """Return the run whose snapshot is in force."""
    current = CurrentSnapshot.objects.select_related("run").first()
    return current.run if current else None


def in_force() -> QuerySet[GoldenRecord]:
    """Return the golden records of the snapshot in force."""
    number = CurrentSnapshot.objects.values_list("run_id", flat=True).first() or 0
    return GoldenRecord.objects.filter(Q(valid_to=None) | Q(valid_to__gt=number), valid_from__lte=number)


def people_with(
    elements: Sequence[str], subject_ids: Collection[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every living person of the snapshot in force, or those named, with some elements; for searches by a stated law.

    Corrections that no build has taken in yet are not laid over: what was put right today counts from the next build.
    """
    people = in_force().filter(kind="person")
    if subject_ids is not None:
        people = people.filter(subject_id__in=subject_ids)
    rows = people.order_by("pk").values_list("subject_id", "data")
    for subject_id, body in rows.iterator(chunk_size=5000):
        data = body if isinstance(body, dict) else json.loads(body)
        if not data.get("person.death_date"):
            yield subject_id, {name: data.get(name) for name in elements}


def some_subjects(most: int, seed: random.Random) -> list[str]:
    """Return some subjects of the snapshot in force, drawn by chance (a sample to inspect)."""
    first = in_force().order_by("pk").values_list("pk", flat=True).first()
    last = in_force().order_by("-pk").values_list("pk", flat=True).first()
    if first is None or last is None:
        return []
    drawn = [seed.randint(first, last) for _ in range(most * 3)]
    found = in_force().filter(pk__in=drawn).order_by("pk").values_list("subject_id", flat=True)
    return list(found[:most])


def follow(subject_id: str) -> tuple[str, tuple[str, ...]]:
    """Return the id in force for an id that may have been merged, and the ids on the way."""
    seen = [subject_id]
    while (
        step := Redirect.objects.filter(old=seen[-1], how="merged")
        .order_by("-pk")
        .values_list("new", flat=True)
        .first()
    ) is not None:
        if step in seen:
            break
        seen.append(step)
    return seen[-1], tuple(seen[:-1])


def effective_record(subject_id: str) -> Record:
    """Return a subject's record as readers see it: snapshot ⊕ corrections. A merged id leads to the one in force."""
    row = in_force().filter(subject_id=subject_id).first()
    now_id = subject_id
    if row is None:
        now_id = follow(subject_id)[0]
        row = in_force().filter(subject_id=now_id).first()
    if row is None:
        raise Problem("subject-unknown", _("没有这条记录"), detail=subject_id, status=404)
    data = row.data if isinstance(row.data, dict) else json.loads(row.data)
    values = {name: value for name, value in data.items() if value is not None}
    laid = (
        Correction.objects.filter(LAID_OVER, subject_id=now_id).order_by("pk").values_list("element", "value")
    )
    values = effective(values, laid)
    disputed = Dispute.objects.filter(subject_id=now_id, closed_at=None).values_list("element", flat=True)
    place = values.get(f"{row.kind}.place_code") or row.place_code
    return Record(
        subject_id=now_id,
        kind=row.kind,
        values=values,
        place_code=place,
        cell_code=row.cell_code,
        community_code=row.community_code,
        since_run=Run.objects.values_list("run_id", flat=True).get(number=row.valid_from),
        disputed=frozenset(disputed),
        asked_for=subject_id,
    )


def provenance(record: Record) -> list[Cell]:
    """Return every value that any record has of the subject, winners first, with file and row."""
    path = part(record.since_run, f"fuse-{record.kind}", "cells.parquet")
    if not path.is_file():
        return []
    with duckdb.connect() as con:
        rows = con.execute(
            'select element, value, source, record_id, "at", "rank", agrees from read_parquet(?) '
            "where subject_id = ? order by element, rank",
            [str(path), record.subject_id],
        ).fetchall()
        run = current_run()
        spots = _spots(con, record.kind, [row[3] for row in rows], run)
    departments = {name: department for name, (department, _title) in tables_of(run).items()}
    return [
        Cell(
            element=element, value=value, source=source, department=departments.get(source, ""), record_id=record_id,
            at=at, rank=rank, agrees=agrees, **spots.get(record_id, {}),
        )
        for element, value, source, record_id, at, rank, agrees in rows
    ]  # fmt: skip


def tables_of(run: Run | None) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Return table → department and title of a run; a published run's tables never change."""
    if run is None:
        return {}
    known = _tables_of.get(run.run_id)
    if known is None:
        rows = RunSource.objects.filter(run=run).values_list("source", "department", "title")
        known = {source: (department, dict(title)) for source, department, title in rows}
        _tables_of.clear()
        if run.state == Run.State.PUBLISHED and known:
            _tables_of[run.run_id] = known
    return known


def _spots(
    con: duckdb.DuckDBPyConnection, kind: str, ids: Sequence[str], run: Run | None
) -> dict[str, dict[str, Any]]:
    """Return record → file, row and absence. They are looked up now: rows shift when a department adds a line."""
    table = _table(f"place-{kind}", "records", run)
    if table is None or not ids:
        return {}
    wanted = sorted(set(ids))
    rows = con.execute(
        f"select record_id, file, row, absent_since, source, hash from {table} "
        f"where record_id in ({', '.join('?' * len(wanted))})",
        wanted,
    ).fetchall()
    today = _rows_today(con, {(source, digest) for *_, source, digest in rows}, run)
    found = {}
    for record_id, file, row, absent_since, source, digest in rows:
        file, row = today.get((source, digest), (file, row))
        found[record_id] = {"file": file, "row": row, "absent_since": absent_since}
    return found


def _rows_today(
    con: duckdb.DuckDBPyConnection, wanted: set[tuple[str, int]], run: Run | None
) -> dict[tuple[str, int], tuple[str, int]]:
    """Return (source, digest of the row) → file and row in the last delivery."""
    found = {}
    for source in sorted({item[0] for item in wanted}):
        path = _current(f"intake-{source}", "rows.parquet", run)
        digests = [digest for name, digest in wanted if name == source]
        if path is not None:
            marks = ", ".join("?" * len(digests))
            rows = con.execute(
                f"select hash, _file, _row from read_parquet(?) where hash in ({marks}) order by _file desc, _row desc",
                [str(path), *digests],
            ).fetchall()
            found.update({(source, digest): (file, row) for digest, file, row in rows})
    return found


def _table(folder: str, name: str, run: Run | None = None) -> str | None:
    """Return a table of the current snapshot as SQL, if it is there."""
    run = run or current_run()
    path = part(run.run_id, folder, "") if run else None
    return layers.relation(path, name) if path is not None and layers.exists(path, name) else None


def _current(folder: str, file: str, run: Run | None) -> Path | None:
    path = part(run.run_id, folder, file) if run else None
    return path if path and path.is_file() else None


def record_of(subject_id: str) -> FullRecord:
    """Return the record with, for each element, value, source, file, row, time, the values that lost, and disputes."""
    record = effective_record(subject_id)
    by_element: dict[str, list[Cell]] = {}
    for cell in provenance(record):
        by_element.setdefault(cell.element, []).append(cell)
    corrections = {item.element: item for item in corrections_of(record.subject_id) if item.state == "holds"}
    names = sorted({*record.values, *by_element, *corrections}, key=element_order)
    texts = labels()
    facts = tuple(
        _fact(name, record, by_element.get(name, []), corrections.get(name), texts) for name in names
    )
    gone = Redirect.objects.filter(new=record.subject_id, how="merged").values_list("old", flat=True)
    return FullRecord(record, facts, tuple(sorted(gone)))


def _fact(
    name: str,
    record: Record,
    cells: list[Cell],
    correction: CorrectionView | None,
    texts: Mapping[str, Mapping[str, str]],
) -> Fact:
    from_sources = [cell for cell in cells if cell.source != CORRECTION]
    first = from_sources[0] if from_sources else None
    value = record.values.get(name)
    if correction is None and first is not None:
        return Fact(name, label(name, texts), value, first, tuple(from_sources[1:]), name in record.disputed)
    # A person's word stands first: every source's value is among those that lost, or agreed.
    return Fact(
        name, label(name, texts), value, None, tuple(from_sources), name in record.disputed, correction
    )


def corrections_of(subject_id: str) -> list[CorrectionView]:
    """Return the corrections of a subject, newest first."""
    rows = (
        Correction.objects.filter(subject_id=subject_id)
        .exclude(state=Correction.State.RESTORES)
        .order_by("-pk")
    )
    return [
        CorrectionView(
            row.pk,
            row.element,
            row.value,
            row.previous,
            row.confirms,
            row.state,
            row.case_id,
            row.made_by,
            row.made_at,
        )
        for row in rows
    ]


def records_in(subject_id: str, kind: str) -> list[str]:
    """Return the ids of the records that make up a subject."""
    table = _table(f"ids-{kind}", "assignment")
    if table is None:
        return []
    with duckdb.connect() as con:
        rows = con.execute(
            f"select record_id from {table} where subject_id = ? and present order by 1", [subject_id]
        ).fetchall()
    return [row[0] for row in rows]


def why_one(subject_id: str, kind: str) -> list[Why]:
    """Return the evidence that holds a subject's records together: model, sure keys, people's words."""
    ids = records_in(subject_id, kind)
    table = _table(f"link-{kind}", "pairs")
    found: list[Why] = []
    if table is not None and len(ids) > 1:
        marks = ", ".join("?" * len(ids))
        with duckdb.connect() as con:
            rows = con.execute(
                f"select left_id, right_id, probability, reasons from {table} "
                f"where left_id in ({marks}) and right_id in ({marks}) order by probability desc, 1, 2",
                [*ids, *ids],
            ).fetchall()
        found = [
            Why(left, right, p, tuple(_reason(r) for r in reasons or ())) for left, right, p, reasons in rows
        ]
    said = LinkDecision.objects.filter(undone_at=None, left_id__in=ids, right_id__in=ids, decision="same")
    found += [Why(row.left_id, row.right_id, None, (), row.made_by) for row in said.order_by("pk")]
    return found


def _reason(item: Any) -> tuple[str, str, float | None]:
    if isinstance(item, dict):
        compared, level = in_words(str(item.get("comparison", "")), str(item.get("level", "")))
        return compared, level, item.get("weight")
    return str(item), "", None
