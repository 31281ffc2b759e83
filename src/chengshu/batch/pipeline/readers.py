"""Intake: one delivered file, workbook, Parquet file or SQL result becomes text columns with row numbers.

Every reader yields frames of text; what cannot be cut into a row is refused with its row number and reason.
Memory holds one frame, never a whole CSV file.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from chengshu.batch.declarations import Source
from chengshu.batch.pipeline.encoding import SEPARATOR, Scan, decode_row, decode_rows
from chengshu.kernel.problems import Problem, Where

BLOCK = 1 << 24
ROWS = 100_000
# A workbook of real tables packs 5 to 30 to one; a bomb packs a thousand to one.
MAX_UNPACKED = 2_000_000_000
MAX_RATIO = 200
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".parquet")


@dataclass(slots=True)
class Refusal:
    """A row that did not come in."""

    row: int
    field: str
    code: str
    raw: str = ""


@dataclass(slots=True)
class Reading:
    """What a reader learns on the way, beside the batches it yields."""

    header: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    encodings: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def read_file(path: Path, source: Source, found: Scan, reading: Reading) -> Iterator[pl.DataFrame]:
    """Yield text frames with a column ``_row`` (data rows counted from 1), whatever the file's form."""
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _read_parquet(path, reading)
    if ending in (".xlsx", ".xlsm", ".xls"):
        return _read_workbook(path, source.sheet, reading)
    if found.encoding == "utf-16":
        return _read_csv_text(path, reading)
    return _read_csv(path, found, reading)


def _read_csv(path: Path, found: Scan, reading: Reading) -> Iterator[pl.DataFrame]:
    with path.open("rb") as handle:
        yield from _cut(handle, path, found.encoding == "utf-8", reading)


def _read_csv_text(path: Path, reading: Reading) -> Iterator[pl.DataFrame]:
    """UTF-16 contains bytes of commas inside characters: it is re-coded as a stream first."""
    import codecs
    import tempfile

    with tempfile.TemporaryFile() as copy:
        try:
            with codecs.open(str(path), "r", "utf-16") as handle:
                while text := handle.read(1 << 20):
                    copy.write(text.encode("utf-8"))
        except UnicodeError as error:
            raise Problem(
                "encoding-broken", "The file is not well-formed UTF-16", where=Where(file=str(path))
            ) from error
        copy.seek(0)
        yield from _cut(copy, path, True, reading)


def _cut(handle: Any, path: Path, plain: bool, reading: Reading) -> Iterator[pl.DataFrame]:
    """Cut bytes into rows and cells; rows with too many or too few cells are refused."""
    header, delimiter = _header(handle, path)
    reading.header = header
    bad: list[tuple[int, int, str]] = []

    def on_bad(row: Any) -> str:
        bad.append((row.number or 0, row.actual_columns, row.text[:2000]))
        return "skip"

    names = [f"c{index}" for index in range(len(header))]
    try:
        stream = pa_csv.open_csv(
            handle,
            read_options=pa_csv.ReadOptions(
                block_size=BLOCK, use_threads=False, column_names=names, skip_rows_after_names=1
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=on_bad
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.binary() for name in names},
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
        counter = _RowNumbers(bad, len(header), reading)
        for batch in stream:
            rows = counter.numbers(batch.num_rows)
            yield _decode_batch(batch, header, rows, plain, reading)
        counter.finish()
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise Problem(
            "csv-broken",
            "The file cannot be cut into rows",
            detail=str(error)[:300],
            where=Where(file=str(path)),
            remedy="look for a quote that is opened and never closed",
        ) from error


class _RowNumbers:
    """Numbers the rows that came through, leaving out those the parser refused in between."""

    def __init__(self, bad: list[tuple[int, int, str]], width: int, reading: Reading) -> None:
        self.bad, self.width, self.reading = bad, width, reading
        self.next, self.taken = 1, 0

    def numbers(self, count: int) -> Sequence[int]:
        """Return the numbers of the next ``count`` rows."""
        if self.taken == len(self.bad):
            self.next += count
            return range(self.next - count, self.next)
        numbers: list[int] = []
        # The parser's number counts the header as row 1, so data row n is its row n + 1.
        gaps = {number - 1 for number, _, _ in self.bad[self.taken :]}
        while len(numbers) < count:
            if self.next in gaps:
                self._refuse(self.next)
            else:
                numbers.append(self.next)
            self.next += 1
        return numbers

    def finish(self) -> None:
        """Refuse what stood after the last good row."""
        while self.taken < len(self.bad):
            self._refuse(self.bad[self.taken][0] - 1)

    def _refuse(self, row: int) -> None:
        _, cells, text = self.bad[self.taken]
        self.taken += 1
        code = "cells-missing" if cells < self.width else "cells-extra"
        self.reading.refused.append(Refusal(row, "", code, text))


def _header(handle: Any, path: Path) -> tuple[list[str], str]:
    """Read the header line; the delimiter is what it holds most of among comma, tab, semicolon and bar."""
    first = handle.readline(1 << 20)
    handle.seek(0)
    if first.startswith(b"\xef\xbb\xbf"):
        first = first[3:]
    decoded = decode_row(first)
    if decoded is None or not first.strip():
        raise Problem("table-empty", "The file has no header line", where=Where(file=str(path), line=1))
    text = decoded[0].rstrip("\r\n")
    delimiter = max(",\t;|", key=text.count)
    names = [name.strip().lstrip("\ufeff") for name in next(csv.reader([text], delimiter=delimiter))]
    return _unique_names(names, path), delimiter


def _unique_names(names: list[str], path: Path) -> list[str]:
    for name in names:
        if name and names.count(name) > 1:
            raise Problem(
                "column-twice",
                f"Two columns are called '{name}'",
                where=Where(file=str(path), line=1, field=name),
                remedy="give each column its own name",
            )
    return [name or f"column {index + 1}" for index, name in enumerate(names)]


def _decode_batch(
    batch: pa.RecordBatch, header: list[str], rows: Sequence[int], plain: bool, reading: Reading
) -> pl.DataFrame:
    if plain:
        reading.encodings.add("utf-8")
        columns = [column.cast(pa.string()) for column in batch.columns]
        frame = pl.from_arrow(pa.record_batch(columns, names=header))
        assert isinstance(frame, pl.DataFrame)
        return frame.with_columns(pl.Series("_row", rows, dtype=pl.Int64))
    separator = SEPARATOR.decode()
    joined = pc.binary_join_element_wise(*batch.columns, SEPARATOR)
    lines = pl.DataFrame(
        {"_row": pl.Series(rows, dtype=pl.Int64), "bytes": pl.Series(joined, dtype=pl.Binary)}
    )
    text, encodings = decode_rows(lines["bytes"])
    reading.encodings |= encodings
    lines = lines.with_columns(text.alias("text")).with_columns(cells=pl.col("text").str.split(separator))
    for number, raw in lines.filter(pl.col("text").is_null()).select("_row", "bytes").iter_rows():
        shown = raw.replace(SEPARATOR, b",").decode("utf-8", "replace")
        reading.refused.append(Refusal(number, "", "encoding", shown))
    whole = pl.col("cells").list.len() == len(header)
    for number, shown in lines.filter(~whole).select("_row", "text").iter_rows():
        reading.refused.append(Refusal(number, "", "control-character", shown))
    kept = lines.filter(whole)
    return kept.select(
        *(pl.col("cells").list.get(index).alias(name) for index, name in enumerate(header)), pl.col("_row")
    )


def _read_parquet(path: Path, reading: Reading) -> Iterator[pl.DataFrame]:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise Problem(
            "parquet-broken", "This is not a readable Parquet file", where=Where(file=str(path))
        ) from error
    reading.header = list(file.schema_arrow.names)
    start = 1
    for batch in file.iter_batches(batch_size=ROWS):
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        yield _texts(frame, start)
        start += batch.num_rows


def _texts(frame: pl.DataFrame, start: int) -> pl.DataFrame:
    """Turn typed columns into text; whole numbers lose their '.0'."""
    columns = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if kind.is_float():
            whole = column.is_finite() & (column == column.round()) & (column.abs() < 1e15)
            column = pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(
                column.cast(pl.String)
            )  # fmt: skip
        elif kind.is_temporal() or kind == pl.Boolean or kind.is_numeric():
            column = column.cast(pl.String)
        elif kind != pl.String:
            column = column.cast(pl.String, strict=False)
        columns.append(column.fill_null("").alias(name))
    return frame.select(columns).with_columns(
        pl.int_range(start, start + frame.height, dtype=pl.Int64).alias("_row")
    )


def check_archive(path: Path) -> None:
    """Refuse a workbook that unpacks to more than it can honestly hold (a zip bomb)."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(item.file_size for item in archive.infolist())
        nested = [
            item.filename for item in archive.infolist() if item.filename.lower().endswith((".zip", ".gz"))
        ]
    packed = max(path.stat().st_size, 1)
    if unpacked > MAX_UNPACKED or (unpacked > 50_000_000 and unpacked / packed > MAX_RATIO) or nested:
        raise Problem(
            "archive-bomb",
            "The workbook unpacks to far more than its size: it is refused",
            detail=f"{packed} bytes hold {unpacked}",
            where=Where(file=str(path)),
            remedy="export the table as CSV",
        )


def _read_workbook(path: Path, sheet: str | None, reading: Reading) -> Iterator[pl.DataFrame]:
    import python_calamine as calamine

    check_archive(path)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        name = sheet or book.sheet_names[0]
        table = book.get_sheet_by_name(name)
    except Exception as error:  # calamine has one error class for each form of workbook
        raise Problem(
            "workbook-broken",
            "The workbook cannot be read",
            detail=str(error)[:300],
            where=Where(file=str(path)),
            remedy=f"check that it opens in a spreadsheet program and has the sheet '{sheet or 1}'",
        ) from error
    if len(book.sheet_names) > 1 and sheet is None:
        reading.notes.append(f"read the first of {len(book.sheet_names)} sheets: {name}")
    yield from _sheet_frames(table, path, reading)


def _sheet_frames(table: Any, path: Path, reading: Reading) -> Iterator[pl.DataFrame]:
    merged = _Merged(table.merged_cell_ranges or [])
    if merged.count:
        reading.notes.append(f"filled {merged.count} merged ranges")
    first = table.start[0] if table.start else 0
    left = table.start[1] if table.start else 0
    header: list[str] | None = None
    kept: list[list[str]] = []
    number, start = 0, 1
    for index, cells in enumerate(table.iter_rows()):
        values = merged.fill(first + index, left, [_cell(value) for value in cells])
        if header is None:
            # A title above the table spans one merged cell: the header is the first row with several names.
            if len({value for value in values if value}) > 1 or len(values) == 1:
                header = _unique_names(values, path)
                reading.header = header
            continue
        number += 1
        if any(values):
            kept.append([*values, str(number)])
        if len(kept) >= ROWS:
            yield _rows_frame(kept, header)
            kept, start = [], number + 1
    if header is None:
        raise Problem("table-empty", "The sheet has no header row", where=Where(file=str(path)))
    if kept or start == 1:
        yield _rows_frame(kept, header)


def _rows_frame(rows: list[list[str]], header: list[str]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=dict.fromkeys([*header, "_row"], pl.String), orient="row")
    return frame.with_columns(pl.col("_row").cast(pl.Int64))


class _Merged:
    """Gives every cell of a merged range the value of its first cell."""

    def __init__(self, ranges: list[Any]) -> None:
        self.count = len(ranges)
        self.open: dict[int, list[tuple[int, int, int, int]]] = {}
        for (top, left), (bottom, right) in ranges:
            for row in range(top, bottom + 1):
                self.open.setdefault(row, []).append((top, left, bottom, right))
        self.values: dict[tuple[int, int], str] = {}

    def fill(self, row: int, offset: int, values: list[str]) -> list[str]:
        """Return the row's values with merged cells filled."""
        for top, left, _, right in self.open.get(row, ()):
            if row == top and 0 <= left - offset < len(values):
                self.values[(top, left)] = values[left - offset]
            for column in range(left, right + 1):
                if 0 <= column - offset < len(values):
                    values[column - offset] = self.values.get((top, left), "")
        return values


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Beyond 2**53 a spreadsheet has already lost digits: keep the form that shows it.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    return str(value)


def read_sql(source: Source, reading: Reading) -> Iterator[pl.DataFrame]:
    """Run the declared query on SQLite or PostgreSQL, read only, and yield text frames."""
    assert source.sql is not None
    url = os.path.expandvars(source.sql.url)
    if url.startswith("sqlite:///"):
        return _read_sqlite(url.removeprefix("sqlite:///"), source, reading)
    if url.startswith(("postgresql://", "postgres://")):
        return _read_postgres(url, source, reading)
    raise Problem(
        "sql-address",
        "The database address is not understood",
        where=Where(file=source.path),
        remedy="write sqlite:///FILE or postgresql://USER@HOST/NAME ($NAME is read from the environment)",
    )


def _read_sqlite(file: str, source: Source, reading: Reading) -> Iterator[pl.DataFrame]:
    assert source.sql is not None
    if not Path(file).is_file():
        raise Problem("file-missing", "The database file does not exist", where=Where(file=file))
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        yield from _cursor_frames(connection.execute(source.sql.query), reading)
    except sqlite3.Error as error:
        raise _sql_problem(source, error) from error
    finally:
        connection.close()


def _read_postgres(url: str, source: Source, reading: Reading) -> Iterator[pl.DataFrame]:
    import psycopg

    assert source.sql is not None
    try:
        with (
            psycopg.connect(url, options="-c default_transaction_read_only=on") as connection,
            connection.cursor(name="intake") as cursor,
        ):
            cursor.execute(source.sql.query.encode())
            yield from _cursor_frames(cursor, reading)
    except psycopg.Error as error:
        raise _sql_problem(source, error) from error


def _sql_problem(source: Source, error: Exception) -> Problem:
    return Problem("sql-failed", "The query failed", detail=str(error)[:300], where=Where(file=source.path))


def _cursor_frames(cursor: Any, reading: Reading) -> Iterator[pl.DataFrame]:
    number = 0
    while rows := cursor.fetchmany(ROWS):
        reading.header = [column[0] for column in cursor.description]
        texts = [[*(_cell(value) for value in row), str(number + index)] for index, row in enumerate(rows, 1)]
        number += len(rows)
        yield _rows_frame(texts, reading.header)
    if number == 0:
        reading.header = [column[0] for column in cursor.description]
