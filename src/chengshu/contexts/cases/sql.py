"""Plain statements on the open connection: what the hot path of a case step runs, without the ORM's and cursors' cost.

Used inside ``transaction.atomic()`` only. Errors are Django's, as everywhere. Statements are written with ``%s``.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

_encode: Callable[[Any], str] = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":")
).encode
_question_marks: dict[str, str] = {}


_local = threading.local()


def sql() -> Sql:
    """Return this thread's statements on its open connection; looking the connection up costs more than a statement."""
    found: Sql | None = getattr(_local, "sql", None)
    if found is None or not found.alive():
        found = _local.sql = Sql()
    return found


class Sql:
    """Runs statements on one connection."""

    __slots__ = ("_db", "_raw", "sqlite")

    def __init__(self) -> None:
        db: BaseDatabaseWrapper = connections[DEFAULT_DB_ALIAS]
        if db.connection is None:
            db.connect()
        self._db, self._raw, self.sqlite = db, db.connection, db.vendor == "sqlite"

    def alive(self) -> bool:
        """Return whether the connection is still the one that was looked up."""
        return self._raw is not None and self._db.connection is self._raw

    def run(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Run one statement; returns the driver's cursor."""
        if self.sqlite:
            statement = _question_marks.get(statement) or _marked(statement)
        with self._db.wrap_database_errors:
            return self._raw.execute(statement, values)

    def run_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """Run one statement for many rows; nothing for none."""
        if not values:
            return
        if len(values) == 1:
            self.run(statement, values[0])
            return
        with self._db.wrap_database_errors:
            if self.sqlite:
                self._raw.executemany(_question_marks.get(statement) or _marked(statement), values)
            else:
                with self._raw.cursor() as cursor:
                    cursor.executemany(statement, values)

    def instant(self, value: dt.datetime | str | None) -> Any:
        """Return an instant as this database keeps it: SQLite has UTC text without a zone, as Django writes it."""
        if value is None or not self.sqlite:
            return value
        if isinstance(value, str):
            if value.endswith("+00:00"):
                return f"{value[:10]} {value[11:-6]}"
            value = dt.datetime.fromisoformat(value)
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ")


def dump(value: Any) -> str:
    """Return canonical JSON text (keys sorted; no floats reach here, so it equals RFC 8785 for our values)."""
    return _encode(value)


def _marked(statement: str) -> str:
    marked = _question_marks[statement] = statement.replace("%s", "?")
    return marked
