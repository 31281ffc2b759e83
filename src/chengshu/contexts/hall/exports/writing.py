"""Writing the file of an export: rows come one after the other, pass through a draft on the disk, and are never all in memory."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from chengshu.contexts.hall.exports import watermark
from chengshu.contexts.hall.exports.lists import Table
from chengshu.kernel.spreadsheet import csv_lines

# Rows are put in the order of the copy within so many.
BLOCK = 5_000
CHECK_CODE = "校验码"
LONGEST_CELL = 32_767


@dataclass(slots=True)
class Body:
    """The rows of a file, written as a draft: how many there are, whom they concern, whether the list goes on."""

    path: Path
    rows: int = 0
    persons: set[str] = field(default_factory=set)
    more: bool = False


def write_body(table: Table, fingerprint: str, path: Path) -> Body:
    """Write the rows of a list, each with its check code, block by block in the order of this copy."""
    body, lines = Body(path), iter(table.lines)
    with path.open("w", encoding="utf-8", newline="") as out:
        while block := list(islice(lines, min(BLOCK, table.most - body.rows))):
            body.persons.update(person for _, person in block if person.startswith("P"))
            for place in watermark.order_of(fingerprint, len(block), body.rows):
                cells = [*block[place - body.rows][0], watermark.check_code(fingerprint, place)]
                out.writelines(csv_lines([cells], marked=False))
            body.rows += len(block)
    body.more = body.rows >= table.most and next(lines, None) is not None
    return body


def write_csv(table: Table, body: Body, line: str, path: Path) -> None:
    """Write the file: the line, the head, the rows, the line again.

    Without the line above the head where the list says so: for a file that a program reads back.
    """
    with path.open("w", encoding="utf-8", newline="") as out:
        out.writelines(csv_lines(_above(table, line)))
        with body.path.open(encoding="utf-8", newline="") as rows:
            shutil.copyfileobj(rows, out)
        out.writelines(csv_lines([[line]], marked=False))


def write_workbook(table: Table, body: Body, line: str, path: Path) -> None:
    """Write the same as a spreadsheet, row by row."""
    # Late: most processes never write a workbook, and the library takes a while to load.
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE as UNWRITABLE

    book = Workbook(write_only=True)
    sheet = book.create_sheet("1")
    with body.path.open(encoding="utf-8", newline="") as rows:
        for cells in _all_rows(_above(table, line), csv.reader(rows), [[line]]):
            sheet.append([UNWRITABLE.sub("", str(cell))[:LONGEST_CELL] for cell in cells])
    book.save(path)


FORMATS = {
    "csv": (write_csv, "text/csv; charset=utf-8"),
    "xlsx": (write_workbook, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def _above(table: Table, line: str) -> list[list[str]]:
    head = [*table.columns, CHECK_CODE]
    return [head] if table.head_first else [[line], head]


def _all_rows(*parts: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    for part in parts:
        yield from part
