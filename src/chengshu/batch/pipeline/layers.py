"""Tables kept as a base and layers of changes over it: a step that changes one row in a hundred writes one in a hundred.

A table ``name`` in a step's output is a list of Parquet files (``name.layers.json``), the first of them the base, and
the numbers of the rows in them that no longer hold (``name.dead.parquet``). The next run's output links the files that
are there and adds one. What differs between two outputs is read from what one has and the other has not, so a step
that follows works on that alone. A table with many layers or many dead rows is written whole again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from chengshu.batch.pipeline.store import read_json, write_json

# A table is written whole again beyond this many layers, or when this share of its rows is dead or laid over.
MOST_LAYERS = 12
MOST_LAID = 0.3
POSITION = "_position"
# A position is the number of the layer times this, and the number of the row in it.
_LAYER = 1 << 32
_PACKED: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "row_group_size": 50_000}


@dataclass(frozen=True, slots=True)
class Delta:
    """How a table differs from what it was: rows that came (whole), rows that went (the columns asked for)."""

    fresh: pl.DataFrame
    gone: pl.DataFrame


def write(folder: Path, name: str, frame: pl.DataFrame) -> None:
    """Write a table whole."""
    file = _file(folder, name)
    frame.write_parquet(folder / file, **_PACKED)
    _note(folder, name, [{"file": file, "rows": frame.height}], _no_dead())


def amend(
    folder: Path, name: str, base: Path, gone: pl.Series, fresh: pl.DataFrame, *, key: Sequence[str]
) -> None:
    """Write the table of ``base`` without the rows at the positions ``gone`` and with the rows ``fresh``.

    ``key`` sorts the table where it is written whole again.
    """
    layers = _layers(base, name)
    dead = pl.concat([_dead(base, name), gone.cast(pl.UInt64).to_frame(POSITION)]).unique().sort(POSITION)
    total = sum(layer["rows"] for layer in layers)
    laid = dead.height + fresh.height + total - int(layers[0]["rows"])
    same = dict(pl.read_parquet_schema(base / layers[0]["file"])) == dict(fresh.schema)
    if not same or len(layers) >= MOST_LAYERS or laid > MOST_LAID * max(total, 1):
        rest = read(base, name, position=True)
        rest = rest.join(gone.cast(pl.UInt64).to_frame(POSITION), on=POSITION, how="anti").drop(POSITION)
        write(folder, name, pl.concat([rest, fresh], how="diagonal_relaxed").sort(list(key)))
        return
    for layer in layers:
        _link(base / layer["file"], folder / layer["file"])
    if fresh.height:
        file = _file(folder, name)
        fresh.select(list(pl.read_parquet_schema(base / layers[0]["file"]))).write_parquet(
            folder / file, **_PACKED
        )
        layers = [*layers, {"file": file, "rows": fresh.height}]
    _note(folder, name, layers, dead)


def same(folder: Path, name: str, base: Path) -> None:
    """Take the table over from ``base`` as it is."""
    layers = _layers(base, name)
    for layer in layers:
        _link(base / layer["file"], folder / layer["file"])
    _note(folder, name, layers, _dead(base, name))


def read(
    folder: Path,
    name: str,
    columns: Sequence[str] | None = None,
    *,
    where: pl.Expr | None = None,
    position: bool = False,
) -> pl.DataFrame:
    """Read the rows that hold, or those of them for which ``where`` is true.

    With ``position`` they carry their positions, by which ``amend`` takes rows away.
    """
    dead = _dead(folder, name)
    frames = []
    for number, layer in enumerate(_layers(folder, name)):
        own = dead.filter(pl.col(POSITION) // _LAYER == number) if dead.height else dead
        if where is None:
            frames.append(_whole(folder / layer["file"], number, own, columns, position))
        else:
            frames.append(_some(folder / layer["file"], number, own, columns, where, position))
    return frames[0] if len(frames) == 1 else pl.concat(frames)


def _whole(
    path: Path, number: int, dead: pl.DataFrame, columns: Sequence[str] | None, position: bool
) -> pl.DataFrame:
    frame = pl.read_parquet(path, columns=list(columns) if columns else None)
    if not position and dead.is_empty():
        return frame
    start = number * _LAYER
    at = pl.int_range(start, start + frame.height, dtype=pl.UInt64, eager=True).alias(POSITION)
    frame = frame.with_columns(at)
    if dead.height:
        alive = pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True)
        alive = alive.scatter(dead[POSITION] - start, False)
        frame = frame.filter(alive)
    return frame if position else frame.drop(POSITION)


def _some(
    path: Path, number: int, dead: pl.DataFrame, columns: Sequence[str] | None, where: pl.Expr, position: bool
) -> pl.DataFrame:
    """Read few rows: the filter goes first, so that only their other columns are unpacked."""
    scan = pl.scan_parquet(path, row_index_name=POSITION if position or dead.height else None)
    found = scan.filter(where)
    if columns is not None:
        found = found.select(*columns, *([POSITION] if position or dead.height else []))
    frame = found.collect()
    if POSITION not in frame.columns:
        return frame
    frame = frame.with_columns((pl.col(POSITION).cast(pl.UInt64) + (number * _LAYER)).alias(POSITION))
    if dead.height:
        frame = frame.join(dead, on=POSITION, how="anti", maintain_order="left")
    # The position stands last, as when a table is read whole.
    names = [name for name in frame.columns if name != POSITION]
    return frame.select(*names, POSITION) if position else frame.select(names)


def delta(folder: Path, name: str, since: Path | None, gone: Sequence[str]) -> Delta | None:
    """Return what the table of ``folder`` has that that of ``since`` has not, and the other way round.

    None when it cannot be told from the layers: the table was written whole in between.
    """
    if since is None or not (since / f"{name}.layers.json").is_file():
        return None
    now, then = _layers(folder, name), _layers(since, name)
    if now[: len(then)] != then:
        return None
    dead, before = _dead(folder, name), _dead(since, name)
    lost = dead.join(before, on=POSITION, how="anti")
    fresh, left = [], []
    for number, layer in enumerate(now):
        path, start = folder / layer["file"], number * _LAYER
        if number >= len(then):
            own = dead.filter(pl.col(POSITION) // _LAYER == number)
            fresh.append(_whole(path, number, own, None, False))
        else:
            rows = lost.filter(pl.col(POSITION) // _LAYER == number)[POSITION] - start
            if len(rows):
                left.append(pl.read_parquet(path, columns=list(gone))[rows])
    empty = pl.read_parquet(folder / now[0]["file"], n_rows=0)
    return Delta(pl.concat([empty, *fresh]), pl.concat([empty.select(list(gone)), *left]))


def difference(folder: Path, name: str, since: Path | None, columns: Sequence[str]) -> Delta | None:
    """Return the rows of two outputs that are not in the other, as far as ``columns`` say; None without ``since``.

    Told from the layers where that can be, else by comparing the columns whole.
    """
    if since is None or not exists(since, name):
        return None
    found = delta(folder, name, since, columns)
    if found is None:
        fresh, gone = read(folder, name, columns), read(since, name, columns)
    else:
        fresh, gone = found.fresh.select(columns), found.gone
    same = list(columns)
    return Delta(
        fresh.join(gone, on=same, how="anti", nulls_equal=True),
        gone.join(fresh, on=same, how="anti", nulls_equal=True),
    )


def columns(folder: Path, name: str) -> dict[str, Any]:
    """Return the table's columns with their types."""
    return dict(pl.read_parquet_schema(folder / _layers(folder, name)[0]["file"]))


def heavy(folder: Path, name: str) -> bool:
    """Say whether the table should be written whole again at the next occasion."""
    layers = _layers(folder, name)
    total = sum(layer["rows"] for layer in layers)
    return len(layers) >= MOST_LAYERS or total - int(layers[0]["rows"]) > MOST_LAID * max(total, 1)


def height(folder: Path, name: str) -> int:
    """Return how many rows hold."""
    return int(sum(layer["rows"] for layer in _layers(folder, name))) - _dead(folder, name).height


def relation(folder: Path, name: str) -> str:
    """Return the table as SQL for DuckDB, to look up a few rows."""
    dead = folder / f"{name}.dead.parquet"
    parts = []
    for number, layer in enumerate(_layers(folder, name)):
        path, start = str(folder / layer["file"]).replace("'", "''"), number * _LAYER
        part = f"select * from read_parquet('{path}', file_row_number = true)"
        if dead.is_file():
            held = str(dead).replace("'", "''")
            part += (
                f" where file_row_number + {start} not in (select {POSITION}::bigint from read_parquet('{held}') "
                f"where {POSITION} between {start} and {start + _LAYER - 1})"
            )
        parts.append(part)
    return "(" + " union all ".join(parts) + ")"


def exists(folder: Path, name: str) -> bool:
    """Say whether the folder holds a table of this name."""
    return (folder / f"{name}.layers.json").is_file()


def _file(folder: Path, name: str) -> str:
    # The folder is named after the digest of its inputs: no two layers of different content share a name.
    return f"{name}-{folder.name.rsplit('-', 1)[-1]}.parquet"


def _layers(folder: Path, name: str) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = read_json(folder / f"{name}.layers.json")["layers"]
    return layers


def _no_dead() -> pl.DataFrame:
    return pl.DataFrame(schema={POSITION: pl.UInt64})


def _dead(folder: Path, name: str) -> pl.DataFrame:
    path = folder / f"{name}.dead.parquet"
    return pl.read_parquet(path) if path.is_file() else _no_dead()


def _note(folder: Path, name: str, layers: list[dict[str, Any]], dead: pl.DataFrame) -> None:
    if dead.height:
        dead.write_parquet(folder / f"{name}.dead.parquet")
    write_json(folder / f"{name}.layers.json", {"layers": layers})


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
