"""Read one text column of a delimited file whatever its encoding, in runs, without losing a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from chengshu.kernel.problems import Problem, Where

_SAMPLE = 1 << 20
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def detect_encoding(path: Path) -> str:
    """Return the encoding of a file: by its byte order mark, else UTF-8 if it is valid, else GB18030."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    cut = sample.rfind(b"\n") + 1 or len(sample)
    try:
        sample[:cut].decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _lines(file: IO[bytes], encoding: str) -> Iterator[str]:
    """Decode line by line: a line in the other encoding is read in that, a broken one with � in place of its faults."""
    other = "gb18030" if encoding.startswith("utf-8") else "utf-8"
    for number, raw in enumerate(file):
        if number == 0 and raw.startswith(b"\xef\xbb\xbf"):
            raw = raw[3:]
        for name in ("utf-8" if encoding == "utf-8-sig" else encoding, other):
            try:
                yield raw.decode(name)
                break
            except UnicodeDecodeError:
                continue
        else:
            yield raw.decode("gb18030", "replace")


def read_column(
    path: Path, column: str, *, encoding: str | None = None, run: int = 100_000
) -> Iterator[tuple[list[str], int]]:
    """Yield runs of one column's cells and how many bytes of the file are read; short and blank rows give "".

    A blank line of a file with one column is a row with nothing in it.
    """
    csv.field_size_limit(1 << 30)
    name = encoding or detect_encoding(path)
    with path.open("rb") as raw:
        if name.startswith("utf-16"):
            text = raw.read().decode(name, "replace")
            rows = csv.reader(text.splitlines(keepends=True))
        else:
            rows = csv.reader(_lines(raw, name))
        header = next(rows, None)
        place = _place(path, column, header)
        alone = len(header or ()) == 1
        cells: list[str] = []
        for row in rows:
            if row or alone:
                cells.append(row[place] if len(row) > place else "")
            if len(cells) >= run:
                yield cells, raw.tell()
                cells = []
        yield cells, path.stat().st_size


def _place(path: Path, column: str, header: list[str] | None) -> int:
    names = [name.strip().lstrip("\ufeff") for name in header or ()]
    if column in names:
        return names.index(column)
    raise Problem(
        "column-missing",
        f"The file has no column {column}",
        detail="its columns are: " + ", ".join(names) if names else "the file is empty",
        remedy="name one of them with --column",
        where=Where(file=str(path), line=1),
    )
