"""Refused rows out, and mended ones in again. They leave by an export (hall.exports), which adds lines and a column of its own.

The file can be opened in a spreadsheet: cells that a spreadsheet would run as a formula begin with an apostrophe,
which is taken off on the way back. A mend holds as long as the department delivers the same bad row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from chengshu.batch.declarations import Column, Source, Text
from chengshu.batch.pipeline import readers, values
from chengshu.batch.pipeline.encoding import scan
from chengshu.batch.pipeline.reasons import reason
from chengshu.contexts.subjects.builds import mends_dir
from chengshu.contexts.subjects.models import RunSource
from chengshu.contexts.subjects.snapshots import part
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.spreadsheet import unsafe_cell

# What an export adds: the line that says whose copy it is, at the end, and a check code in each row.
MARK, CHECK_CODE = "【", "校验码"
LEADING = ("source", "file", "row", "field", "reason", "reason_en", "row_digest")


@dataclass(frozen=True, slots=True)
class Refused:
    """The refused rows of one source of a run: what leads each row, and its cells as the department sent them."""

    names: tuple[str, ...]
    rows: tuple[tuple[tuple[Any, ...], tuple[str, ...]], ...]


def refused_rows(run_id: str, source: str) -> Refused | None:
    """Return the refused rows of one source of a run with field and reason; None where there are none."""
    if not RunSource.objects.filter(run__run_id=run_id, source=source).exists():
        return None
    path = part(run_id, f"source-{source}", "refused.parquet")
    if not path.is_file():
        return None
    table = pl.read_parquet(path)
    cells = [json.loads(text) for text in table["cells"]]
    names = tuple(dict.fromkeys(name for row in cells for name in row))
    rows = []
    for row, own in zip(table.iter_rows(named=True), cells, strict=True):
        zh, en = reason(row["code"])
        # The digest keeps a letter in front: a spreadsheet would round twenty digits.
        lead = (row["source"], row["file"], row["row"], row["field"], zh, en, f"d{row['mends']}")
        rows.append((lead, tuple(own.get(name, "") for name in names)))
    return Refused(names, tuple(rows))


def resubmit(path: Path) -> int:
    """Take a mended refused-rows file: its rows stand in for the refused ones from the next build on."""
    frame = _read(path)
    lacking = [name for name in ("source", "row_digest") if name not in frame.columns]
    if lacking:
        raise Problem(
            "not-a-refused-file",
            f"The file has no column {', '.join(lacking)}",
            where=Where(file=str(path)),
            remedy="mend the file that the run page gives, with its values whole, and keep its first columns",
        )
    count = 0
    for (source,), rows in frame.partition_by("source", as_dict=True).items():
        count += _keep(str(source), rows, path)
    return count


def _read(path: Path) -> pl.DataFrame:
    blank = Source("a.b", "a", Text("", ""), "person", (), (Column("", ""),), Text("", ""))
    frames = list(readers.read_file(path, blank, scan(path), readers.Reading()))
    if not frames:
        raise Problem("table-empty", "The file has no rows", where=Where(file=str(path)))
    frame = pl.concat(frames)
    first = frame.columns[0]
    return frame.filter(~pl.col(first).str.starts_with(MARK).fill_null(False))


def _keep(source: str, rows: pl.DataFrame, path: Path) -> int:
    names = [name for name in rows.columns if name not in (*LEADING, CHECK_CODE, "_row", "_raw")]
    digests = rows["row_digest"].str.strip_chars().str.extract(r"^d(\d+)$").cast(pl.UInt64, strict=False)
    if digests.null_count():
        row = int(rows.filter(digests.is_null())["_row"][0])
        where = Where(file=str(path), row=row, field="row_digest")
        raise Problem(
            "row-digest", "The row's digest was changed", where=where, remedy="leave that column as it was"
        )
    for name in names:
        bad = rows.filter(pl.col(name).str.strip_chars().str.contains(values.SCIENTIFIC))
        if bad.height and rows[name].str.len_chars().max() > 11:
            where = Where(file=str(path), row=int(bad["_row"][0]), field=name)
            raise Problem("scientific-notation", "A spreadsheet wrote a number in scientific notation", where=where,
                          remedy="set the column to text before typing the number")  # fmt: skip
    clean = [pl.col(name).map_elements(unsafe_cell, return_dtype=pl.String) for name in names]
    mended = rows.select(pl.Series("mends", digests), *clean)
    target = mends_dir() / f"{source}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_file():
        mended = pl.concat([pl.read_parquet(target), mended], how="diagonal").unique(
            "mends", keep="last", maintain_order=True
        )
    aside = target.with_suffix(".aside")
    mended.write_parquet(aside)
    aside.rename(target)
    return rows.height
