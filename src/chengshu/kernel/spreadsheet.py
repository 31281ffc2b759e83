"""CSV that spreadsheets open rightly: read as UTF-8, and no cell is run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# What starts a formula in a spreadsheet, also behind blanks.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARK = "\ufeff"


def safe_cell(cell: Any) -> str:
    """Return the cell as text that no spreadsheet takes for a formula: one gets an apostrophe before it; None is empty."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def unsafe_cell(cell: str) -> str:
    """Take the apostrophe of ``safe_cell`` off again."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip(" ").startswith(FORMULA) else cell


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield CSV lines of safe cells; the first begins with the mark by which spreadsheets know UTF-8."""
    mark = _MARK
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([safe_cell(cell) for cell in row])
        yield mark + line.getvalue()
        mark = ""
