"""The spec of `chengshu link`: what kind of thing two tables speak of, and which column carries which element."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import Mapped, load_yaml

KINDS = ("person", "firm", "place")


@dataclass(frozen=True)
class Value:
    """Where an element's value comes from: columns (joined by a blank) or one constant for all rows."""

    columns: tuple[str, ...] = ()
    const: str | None = None


@dataclass(frozen=True)
class Spec:
    """``left`` and ``right``: element → where its value comes from; ``right`` is None where one table is deduplicated."""

    kind: str
    left: dict[str, Value]
    right: dict[str, Value] | None


def read_spec(path: Path) -> Spec:
    """Read and check a spec; raises ``Problem`` with file and line."""
    data = load_yaml(path)
    if not isinstance(data, Mapped):
        raise Problem(
            "link-spec", "A spec is a mapping of kind, left and right", where=Where(file=str(path), line=1)
        )
    for key in data:
        if key not in ("kind", "left", "right"):
            raise _wrong(path, data.lines[key], key, "The spec knows no such key", "use kind, left and right")
    if data.get("kind") not in KINDS:
        raise _wrong(
            path,
            data.lines.get("kind", 1),
            "kind",
            "The kind is missing or unknown",
            f"use {', '.join(KINDS)}",
        )
    if not isinstance(data.get("left"), Mapped):
        raise _wrong(path, data.lines.get("left", 1), "left", "The columns of the left table are missing", "")
    right = data.get("right")
    return Spec(data["kind"], _side(path, data["left"]), None if right is None else _side(path, right))


def _side(path: Path, side: Any) -> dict[str, Value]:
    if not isinstance(side, Mapped):
        raise Problem("link-spec", "A side maps elements to columns", where=Where(file=str(path)))
    values: dict[str, Value] = {}
    for element, target in side.items():
        if isinstance(target, Mapped) and set(target) == {"const"}:
            values[element] = Value(const=str(target["const"]))
        elif isinstance(target, list) and target and all(isinstance(one, str) for one in target):
            values[element] = Value(columns=tuple(target))
        elif isinstance(target, str):
            values[element] = Value(columns=(target,))
        else:
            raise _wrong(
                path,
                side.lines[element],
                element,
                "An element is a column, a list of columns or {const: value}",
                "",
            )
    return values


def _wrong(path: Path, line: int, field: str, title: str, remedy: str) -> Problem:
    return Problem("link-spec", title, where=Where(file=str(path), line=line, field=field), remedy=remedy)


def read_table(path: Path) -> pl.DataFrame:
    """Read a CSV (UTF-8 or GB 18030), XLSX or Parquet file as text; blank cells become null, names lose their blanks."""
    if not path.is_file():
        raise Problem("file-missing", "The file does not exist", where=Where(file=str(path)))
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        frame = pl.read_parquet(path)
    elif suffix in (".xlsx", ".xls"):
        frame = pl.read_excel(path, engine="calamine", infer_schema_length=0)
    else:
        frame = _read_csv(path)
    frame = frame.rename({name: name.strip() for name in frame.columns})
    text = frame.select(pl.all().cast(pl.String).str.strip_chars())
    return text.select(pl.when(pl.all() != "").then(pl.all()))


def _read_csv(path: Path) -> pl.DataFrame:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise Problem(
                "encoding-unknown",
                "The file is neither UTF-8 nor GB 18030",
                where=Where(file=str(path)),
                remedy="save it as UTF-8",
            ) from error
    try:
        return pl.read_csv(io.StringIO(text), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise Problem(
            "csv-malformed", "The file is no well-formed CSV", detail=str(error), where=Where(file=str(path))
        ) from error


def select(table: pl.DataFrame, side: dict[str, Value], file: str) -> pl.DataFrame:
    """Return the table with one column for each element of ``side``; `id` is the row number where none is given."""
    columns = []
    for element, value in side.items():
        for name in value.columns:
            if name not in table.columns:
                raise Problem(
                    "link-column-missing",
                    f"The table has no column {name!r}",
                    where=Where(file=file, field=element),
                    remedy=f"its columns are {', '.join(table.columns)}",
                )
        if value.const is not None:
            columns.append(pl.lit(value.const, pl.String).alias(element))
        else:
            joined = (
                pl.concat_str(value.columns, separator=" ", ignore_nulls=True)
                if len(value.columns) > 1
                else None
            )
            columns.append((pl.col(value.columns[0]) if joined is None else joined).alias(element))
    if "id" not in side:
        columns.append(pl.int_range(1, pl.len() + 1).cast(pl.String).alias("id"))
    result = table.select(columns)
    if result["id"].null_count() or result["id"].n_unique() != result.height:
        raise Problem(
            "link-id",
            "The ids are not unique, or some are empty",
            where=Where(file=file, field="id"),
            remedy="leave `id` out of the spec: row numbers are used then",
        )
    return result
