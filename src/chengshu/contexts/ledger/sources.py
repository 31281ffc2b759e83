"""Where a verification reads leaves from: SQLite, PostgreSQL, or the entry bundles of an export. No Django
here.

Each source can be opened again by its ``spec`` in another process, so that both cores work.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from chengshu.contexts.ledger.domain import HEADER, Row, parse_leaf
from chengshu.contexts.ledger.tiles import TileStore
from chengshu.kernel import merkle
from chengshu.kernel.problems import Problem

Spec = tuple[str, str, str]
# Rows a query joins into one text: building one long string in C costs a third of fetching rows one by one.
AT_ONCE = 4096
_COLUMNS = "position, id, kind, reference, at, digest"
_LEAF = f"'{HEADER}' || {{n}} || id || {{n}} || kind || {{n}} || reference || {{n}} || at || {{n}} || digest"


class Source(Protocol):
    """Reads leaves in order of position."""

    spec: Spec | None

    def texts(self, start: int, stop: int) -> list[bytes]:
        """Return the texts at ``start`` … ``stop`` - 1; fewer when some are missing."""

    def rows(self, start: int, stop: int) -> Iterator[tuple[int, Row]]:
        """Yield (position, row), skipping what is missing."""

    def end(self) -> int:
        """Return the first position behind all numbered rows."""


class SqlSource:
    """Rows of the table ``ledger_leaf``, over a DB-API connection."""

    def __init__(self, connection: Any, mark: str, spec: Spec | None) -> None:
        self.connection, self.mark, self.spec = connection, mark, spec
        if mark == "?":
            text = _LEAF.format(n="char(10)")
            self._joined = (
                f"SELECT COUNT(*), CAST(GROUP_CONCAT(leaf, char(30)) AS BLOB) FROM (SELECT {text} AS leaf"
            )
        else:
            text = _LEAF.format(n="chr(10)")
            self._joined = f"SELECT COUNT(*), STRING_AGG(leaf, chr(30) ORDER BY position) FROM (SELECT position, {text} AS leaf"
        self._range = f"FROM ledger_leaf WHERE position >= {mark} AND position < {mark} ORDER BY position"

    def texts(self, start: int, stop: int) -> list[bytes]:
        """Return the texts at ``start`` … ``stop`` - 1; fewer when some are missing."""
        found: list[bytes] = []
        for first in range(start, stop, AT_ONCE):
            last = min(first + AT_ONCE, stop)
            count, joined = self._query(f"{self._joined} {self._range}) AS leaves", (first, last))[0]
            if count:
                data = joined.encode() if isinstance(joined, str) else bytes(joined)
                found += data.split(b"\x1e")
        return found

    def rows(self, start: int, stop: int) -> Iterator[tuple[int, Row]]:
        """Yield (position, row), skipping what is missing."""
        for first in range(start, stop, AT_ONCE):
            for position, *values in self._query(
                f"SELECT {_COLUMNS} {self._range}", (first, min(first + AT_ONCE, stop))
            ):
                yield position, Row(*values)

    def end(self) -> int:
        """Return the first position behind all numbered rows."""
        found = self._query("SELECT MAX(position) FROM ledger_leaf", ())[0][0]
        return 0 if found is None else int(found) + 1

    def _query(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        cursor = self.connection.cursor()
        try:
            cursor.execute(sql, values)
            result: list[Any] = cursor.fetchall()
            return result
        finally:
            cursor.close()


class BundleSource:
    """The entry bundles of an export."""

    def __init__(self, tiles: TileStore, size: int) -> None:
        self.tiles, self.size = tiles, size
        self.spec: Spec | None = ("bundles", str(tiles.folder), f"{tiles.suite.name} {size}")

    def texts(self, start: int, stop: int) -> list[bytes]:
        """Return the texts at ``start`` … ``stop`` - 1; fewer when a bundle is damaged."""
        found: list[bytes] = []
        try:
            found.extend(self.tiles.entries(start, stop))
        except Problem:
            return found
        return found

    def rows(self, start: int, stop: int) -> Iterator[tuple[int, Row]]:
        """Yield (position, row), skipping what is missing or unreadable."""
        for first in range(start, stop, 256):
            try:
                for position, text in enumerate(self.tiles.entries(first, min(first + 256, stop)), first):
                    yield position, parse_leaf(text.decode(errors="replace"))
            except Problem:
                continue

    def end(self) -> int:
        """Return the size that was asked for."""
        return self.size


def open_source(spec: Spec) -> Source:
    """Open a source again, in another process."""
    kind, address, extra = spec
    if kind == "sqlite":
        connection = sqlite3.connect(f"{Path(address).as_uri()}?mode=ro", uri=True, check_same_thread=False)
        connection.execute("PRAGMA mmap_size=1073741824")
        return SqlSource(connection, "?", spec)
    if kind == "postgresql":
        import psycopg

        return SqlSource(psycopg.connect(address, autocommit=True), "%s", spec)
    suite, _, size = extra.partition(" ")
    return BundleSource(TileStore(Path(address), merkle.SUITES[suite]), int(size))
