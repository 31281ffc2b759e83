"""Parse Chinese addresses by rules and gazetteer: one, many, or a column of them.

All three take the same way through `core.Parser.row`. Many addresses are cut into runs; on a system that can fork,
the runs go to several processes, and each answers with one block of text that polars reads into columns.
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
from chengshu.batch.address.core import Row, parser
from chengshu.batch.address.model import FIELDS, ParsedAddress

COLUMNS: tuple[str, ...] = (*FIELDS, "inferred", "renamed", "error")
_CUT = "\x1f"  # cannot occur in a value: `text.clean` turns control characters into blanks
_RUN = 8_192
_WORTH_FORKING = 30_000

# What forked processes read: set just before the fork, so that no text travels to them.
_work: tuple[Sequence[str | None], str | None, date | None] = ((), None, None)


def parse(text: str | None, *, home: str | None = None, on: date | None = None) -> ParsedAddress:
    """Take one address apart.

    ``home`` is the division code of the district whose files these are: it completes short addresses.
    ``on`` is the day whose division names hold: a former name then becomes the name of that day. Without it a
    former name stays as it was written, ``division_code`` is the one in force and ``renamed`` gives today's names.
    """
    return _address(parser(home, on).row(text or ""))


def parse_many(
    texts: Iterable[str | None], *, home: str | None = None, on: date | None = None, processes: int | None = None
) -> list[ParsedAddress]:
    """Take many addresses apart, in order."""
    answers: list[ParsedAddress] = []
    for block in _blocks(list(texts), home, on, processes):
        for line in block.split("\n"):
            answers.append(_address(tuple(value or None for value in line.split(_CUT))))
    return answers


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
    texts: list[str | None] = series.cast(pl.String).to_list()
    blocks = []
    for block in _blocks(texts, home, on, processes):
        blocks.append(block)
        if progress is not None:
            progress(block.count("\n") + 1)
    frame = _frame("\n".join(blocks)) if blocks else pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    return frame.with_columns(inferred=_list_of(pl.col("inferred")), renamed=_list_of(pl.col("renamed")))


def _address(row: Row) -> ParsedAddress:
    inferred = tuple(row[14].split(",")) if row[14] else ()
    renamed = tuple(row[15].split(",")) if row[15] else ()
    return ParsedAddress(*row[:14], inferred, row[16], renamed)


def _frame(block: str) -> pl.DataFrame:
    return pl.read_csv(
        io.BytesIO(block.encode()),
        has_header=False,
        new_columns=list(COLUMNS),
        separator=_CUT,
        quote_char=None,
        infer_schema=False,
    )


def _list_of(column: pl.Expr) -> pl.Expr:
    empty = pl.lit([], dtype=pl.List(pl.String))
    # The name comes from the first branch: a literal there would rename the column.
    return pl.when(column.is_not_null()).then(column.str.split(",")).otherwise(empty)


def _blocks(
    texts: Sequence[str | None], home: str | None, on: date | None, processes: int | None
) -> Iterator[str]:
    """Parse runs of texts, one line a text, in order."""
    global _work
    runs = [(start, min(start + _RUN, len(texts))) for start in range(0, len(texts), _RUN)]
    if processes is None:
        processes = os.cpu_count() or 1 if len(texts) >= _WORTH_FORKING else 1
    parser(home, on)  # before the fork, so that all processes share one gazetteer
    _work = (texts, home, on)
    try:
        if min(processes, len(runs)) < 2 or not _can_fork():
            yield from map(_run, runs)
            return
        preload()
        yield _run(runs[0])  # here, so that the children inherit what it taught the caches
        with multiprocessing.get_context("fork").Pool(min(processes, len(runs) - 1)) as pool:
            yield from pool.imap(_run, runs[1:])
    finally:
        _work = ((), None, None)


def _can_fork() -> bool:
    """Tell whether children can be forked here: not on every system, and not from a pool's own worker."""
    return "fork" in multiprocessing.get_all_start_methods() and not multiprocessing.current_process().daemon


def _run(span: tuple[int, int]) -> str:
    """Parse one run of the shared texts; pure Python, so that it is safe in a forked process."""
    texts, home, on = _work
    row = parser(home, on).row
    cut = _CUT
    with _no_collection():
        return "\n".join(
            [cut.join([value or "" for value in row(text or "")]) for text in texts[span[0] : span[1]]]
        )


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
