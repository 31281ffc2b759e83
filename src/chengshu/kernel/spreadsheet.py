"""CSV that spreadsheets open rightly: read as UTF-8, and no cell is run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from chengshu.kernel.problems import Problem, Where

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


def csv_lines(rows: Iterable[Sequence[Any]], *, marked: bool = True) -> Iterator[str]:
    """Yield CSV lines of safe cells; the first begins with the mark by which spreadsheets know UTF-8, where it is one's first."""
    mark = _MARK if marked else ""
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([safe_cell(cell) for cell in row])
        yield mark + line.getvalue()
        mark = ""


def csv_rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """Read a small CSV file (UTF-8 or GB 18030) and check that it has the columns ``needed``."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError as error:
            raise Problem(
                "encoding-unknown", "The file is neither UTF-8 nor GB 18030", where=Where(file=path.name),
                remedy="save it as UTF-8",
            ) from error  # fmt: skip
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in needed if name not in (reader.fieldnames or [])]
    if missing:
        raise Problem(
            "columns-missing", "The file lacks columns", where=Where(file=path.name), detail=", ".join(missing),
            remedy=f"columns: {', '.join(needed)}",
        )  # fmt: skip
    return list(reader)
