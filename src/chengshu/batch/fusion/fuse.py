"""Fusion of the records of each subject into one golden record, with every value and its origin kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from chengshu.batch.fusion.steps import Step, fusion_steps
from chengshu.kernel.problems import Problem

META = {
    "record_id": pl.String,
    "source": pl.String,
    "file": pl.String,
    "row": pl.Int64,
    "at": pl.String,
}


@dataclass(frozen=True)
class Fused:
    """What fusion made.

    ``golden``: subject_id and one text column for each element (its full code, as `person.name`). ``cells``: subject_id,
    element, value, source, file, row, record_id, at, rank (0 wins), agrees, disputed; lazy, so that a city's cells need
    not fit in memory. ``conflicts``: subject_id, element, values, sources, agree (lists in order of rank), disputed.
    """

    golden: pl.DataFrame
    cells: pl.LazyFrame
    conflicts: pl.DataFrame


def fuse(
    kind: str,
    records: pl.DataFrame,
    assignment: pl.DataFrame,
    authority: Mapping[str, Sequence[str]],
    *,
    disputed: pl.DataFrame | None = None,
    cells_to: Path | None = None,
    memory: str = "3GB",
    progress: Callable[[Step], None] | None = None,
) -> Fused:
    """Fuse ``records`` (record_id, source, file, row, at and one column for each element) by ``assignment``.

    ``assignment``: record_id, subject_id. ``authority``: element → its sources, the most authoritative first; other
    sources come after them; among equals the later ``at`` (ISO text) wins. A column `name` stands for the element
    `<kind>.name`; a column with a dot is taken as the element's full code. ``disputed``: subject_id, element. With
    ``cells_to`` the cells are written to that Parquet file (sorted by subject) and read from there.
    """
    elements = element_columns(kind, records)
    if not elements:
        raise Problem("fuse-no-elements", "The records have no column that carries a value", status=500)
    steps = fusion_steps(elements, str(cells_to) if cells_to else None)
    # What does not fit in memory is spilled beside the cells, or where temporary files belong.
    spill = tempfile.TemporaryDirectory(prefix="fusion-", dir=cells_to.parent if cells_to else None)
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 2,
        "memory_limit": memory,
        "preserve_insertion_order": False,
        "temp_directory": spill.name,
    }
    con = duckdb.connect(config=config)
    try:
        con.execute("set enable_progress_bar = false")
        con.register("records", _with_meta(records))
        con.register("assignment", assignment.select("record_id", "subject_id"))
        con.register("authority", _authority(authority))
        con.register("disputed", _disputed(disputed))
        for step in steps:
            con.execute(step.sql)
            if progress:
                progress(step)
        cells = pl.scan_parquet(cells_to) if cells_to else _table(con, "cells").lazy()
        return Fused(_table(con, "golden"), cells, _table(con, "conflicts"))
    finally:
        con.abort()
        con.close()
        spill.cleanup()


def element_columns(kind: str, records: pl.DataFrame) -> list[tuple[str, str]]:
    """Return (column, element code) of the columns of ``records`` that carry values."""
    return [(name, name if "." in name else f"{kind}.{name}") for name in records.columns if name not in META]


def explain(kind: str, records: pl.DataFrame) -> str:
    """Return the SQL that `fuse` would run on records with these columns, step by step."""
    return "\n".join(str(step) for step in fusion_steps(element_columns(kind, records)))


def _table(con: duckdb.DuckDBPyConnection, name: str) -> pl.DataFrame:
    frame: pl.DataFrame = con.sql(f"select * from {name}").pl()
    return frame


def _with_meta(records: pl.DataFrame) -> pl.DataFrame:
    return records.with_columns(
        (pl.col(name) if name in records.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in META.items()
    )


def _authority(authority: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    rows = [
        (element, source, rank)
        for element, sources in authority.items()
        for rank, source in enumerate(sources)
    ]
    return pl.DataFrame(
        rows, schema={"element": pl.String, "source": pl.String, "rank": pl.Int64}, orient="row"
    )


def _disputed(disputed: pl.DataFrame | None) -> pl.DataFrame:
    if disputed is None:
        return pl.DataFrame(schema={"subject_id": pl.String, "element": pl.String})
    return disputed.select("subject_id", "element").unique()
