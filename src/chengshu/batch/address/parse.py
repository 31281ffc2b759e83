"""Parse Chinese addresses by rules and gazetteer: one, many, or a column of them.

All three take the same way through `core.Parser.line`: how an address is read depends on its skeleton (the text with
every digit a 0), so a column is parsed skeleton by skeleton and its rows put their digits in. Many skeletons go to
several processes where the system can fork; the lines that come back are read into columns by polars.
"""

from __future__ import annotations

import gc
import io
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import polars as pl

from chengshu.batch.address.communities import preload
from chengshu.batch.address.core import CUT, Row, parser
from chengshu.batch.address.model import FIELDS, ParsedAddress

COLUMNS: tuple[str, ...] = (*FIELDS, "inferred", "renamed", "error")
_RUN = 2_048
_WORTH_FORKING = 6_000

# What forked processes read: set just before the fork, so that no text travels to them.
_work: tuple[Sequence[str], str | None, date | None] = ((), None, None)


def parse(text: str | None, *, home: str | None = None, on: date | None = None) -> ParsedAddress:
    """Take one address apart.

    ``home`` is the division code of the district whose files these are: it completes short addresses.
    ``on`` is the day whose division names hold: a former name then becomes the name of that day. Without it a
    former name stays as it was written, ``division_code`` is the one in force and ``renamed`` gives today's names.
    """
    return _address(parser(home, on).row(text or ""))


def parse_many(
    texts: Iterable[str | None],
    *,
    home: str | None = None,
    on: date | None = None,
    processes: int | None = None,
) -> list[ParsedAddress]:
    """Take many addresses apart, in order."""
    series = pl.Series([*texts], dtype=pl.String)
    return [_address(tuple(line.split(CUT))) for run in _runs(series, home, on, processes) for line in run]


def parse_column(
    series: pl.Series,
    *,
    home: str | None = None,
    on: date | None = None,
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> pl.DataFrame:
    """Take a column of addresses apart: one column a field, same order.

    ``inferred`` and ``renamed`` are list columns. ``progress`` is told how many rows each finished run had.
    """
    lines: list[str] = []
    for run in _runs(series.cast(pl.String), home, on, processes):
        lines += run
        if progress is not None:
            progress(len(run))
    frame = _frame("\n".join(lines)) if lines else pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    return frame.with_columns(inferred=_list_of(pl.col("inferred")), renamed=_list_of(pl.col("renamed")))


def _address(row: Row) -> ParsedAddress:
    inferred = tuple(row[14].split(",")) if row[14] else ()
    renamed = tuple(row[15].split(",")) if row[15] else ()
    fields = dict(zip(FIELDS, [value or None for value in row], strict=False))
    return ParsedAddress(**fields, inferred=inferred, error=row[16] or None, renamed=renamed)


def _frame(block: str) -> pl.DataFrame:
    return pl.read_csv(
        io.BytesIO(block.encode()),
        has_header=False,
        new_columns=list(COLUMNS),
        separator=CUT,
        quote_char=None,
        infer_schema=False,
    )


def _list_of(column: pl.Expr) -> pl.Expr:
    empty = pl.lit([], dtype=pl.List(pl.String))
    # The name comes from the first branch: a literal there would rename the column.
    return pl.when(column.is_not_null()).then(column.str.split(",")).otherwise(empty)


def _runs(series: pl.Series, home: str | None, on: date | None, processes: int | None) -> Iterator[list[str]]:
    """Parse a column run by run: one line a row. Each skeleton is parsed once, its rows put their digits in."""
    texts = series.fill_null("")
    skeletons: list[str] = texts.str.replace_all("[0-9]", "0").to_list()
    digits: list[str] = texts.str.replace_all("[^0-9]", "").to_list()
    lines = _lines(list(dict.fromkeys(skeletons)), home, on, processes)
    for start in range(0, len(skeletons), _RUN):
        span = slice(start, start + _RUN)
        yield [
            lines[skeleton].format(*places) if places else lines[skeleton]
            for skeleton, places in zip(skeletons[span], digits[span], strict=True)
        ]


def _lines(skeletons: list[str], home: str | None, on: date | None, processes: int | None) -> dict[str, str]:
    """Parse distinct skeletons, in several processes when they are many."""
    global _work
    runs = [(start, min(start + _RUN, len(skeletons))) for start in range(0, len(skeletons), _RUN)]
    if processes is None:
        processes = os.cpu_count() or 1 if len(skeletons) >= _WORTH_FORKING else 1
    parser(home, on)  # before the fork, so that all processes share one gazetteer
    _work = (skeletons, home, on)
    try:
        if min(processes, len(runs)) < 2 or not _can_fork():
            parsed = list(map(_run, runs))
        else:
            preload()
            parsed = [_run(runs[0])]  # here, so that the children inherit what it taught the caches
            with multiprocessing.get_context("fork").Pool(min(processes, len(runs) - 1)) as pool:
                parsed += pool.map(_run, runs[1:], chunksize=1)
    finally:
        _work = ((), None, None)
    return dict(zip(skeletons, "\n".join(parsed).split("\n") if parsed else [], strict=True))


def _can_fork() -> bool:
    """Tell whether children can be forked here: not on every system, and not from a pool's own worker."""
    return "fork" in multiprocessing.get_all_start_methods() and not multiprocessing.current_process().daemon


def _run(span: tuple[int, int]) -> str:
    """Parse one run of the shared skeletons; pure Python, so that it is safe in a forked process."""
    skeletons, home, on = _work
    line = parser(home, on).line
    with _no_collection():
        return "\n".join([line(skeleton) for skeleton in skeletons[span[0] : span[1]]])


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold the cycle collector: a run makes no cycles, and walking the gazetteer again and again is slow."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
