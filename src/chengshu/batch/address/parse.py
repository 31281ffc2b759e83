"""Parse Chinese addresses by rules and gazetteer: one, many, or a column of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from chengshu.batch.address.core import Row, parser
from chengshu.batch.address.model import FIELDS, ParsedAddress

COLUMNS: tuple[str, ...] = (*FIELDS, "inferred", "renamed", "error")


def _address(row: Row) -> ParsedAddress:
    inferred = tuple(row[14].split(",")) if row[14] else ()
    renamed = tuple(row[15].split(",")) if row[15] else ()
    return ParsedAddress(*row[:14], inferred, row[16], renamed)


def parse(text: str | None, *, home: str | None = None, on: date | None = None) -> ParsedAddress:
    """Take one address apart.

    ``home`` is the division code of the district whose files these are: it completes short addresses.
    ``on`` is the day whose division names hold; by default the latest known.
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
    row = parser(home, on).row
    return [_address(row(text or "")) for text in texts]


def parse_column(
    series: pl.Series, *, home: str | None = None, on: date | None = None, processes: int | None = None
) -> pl.DataFrame:
    """Take a column of addresses apart: one column a field, same order; ``inferred`` is a list column."""
    row = parser(home, on).row
    rows = [row(text or "") for text in series.to_list()]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    return frame.with_columns(inferred=_list_of(pl.col("inferred")), renamed=_list_of(pl.col("renamed")))


def _list_of(column: pl.Expr) -> pl.Expr:
    return (
        pl.when(column.fill_null("") == "")
        .then(pl.lit([], dtype=pl.List(pl.String)))
        .otherwise(column.str.split(","))
    )
