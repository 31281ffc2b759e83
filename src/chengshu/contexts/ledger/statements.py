"""Plain statements on the open connection, and the short transaction around them: what every act runs through.

Django's cursors and ``atomic()`` cost more than the statements of a step. What stands here does the same on the same
connection, so that ORM code, nested ``atomic()`` blocks and commit hooks work inside as ever. Statements are written
with ``%s``; errors are Django's.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from types import TracebackType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from chengshu.kernel.one_look import forget

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

    __slots__ = ("_cursor", "_db", "_errors", "_raw", "sqlite")

    def __init__(self) -> None:
        db: BaseDatabaseWrapper = connections[DEFAULT_DB_ALIAS]
        if db.connection is None:
            db.connect()
        self._db, self._raw, self.sqlite = db, db.connection, db.vendor == "sqlite"
        self._errors = db.wrap_database_errors
        if not self.sqlite:
            import psycopg

            # Binds on the server: only so can a statement be prepared once and run often.
            self._cursor = psycopg.Cursor

    def alive(self) -> bool:
        """Return whether the connection is still the one that was looked up."""
        return self._raw is not None and self._db.connection is self._raw

    @property
    def alone(self) -> bool:
        """Return whether no transaction is open, so that one may begin here."""
        db = self._db
        return not db.in_atomic_block and db.autocommit

    def run(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Run one statement; returns the driver's cursor."""
        if self._db.needs_rollback:
            self._db.validate_no_broken_transaction()
        with self._errors:
            if self.sqlite:
                return self._raw.execute(_question_marks.get(statement) or _marked(statement), values)
            return self._cursor(self._raw).execute(statement, values, prepare=True)

    def run_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """Run one statement for many rows; nothing for none."""
        if not values:
            return
        if len(values) == 1:
            self.run(statement, values[0])
            return
        if self._db.needs_rollback:
            self._db.validate_no_broken_transaction()
        with self._errors:
            if self.sqlite:
                self._raw.executemany(_question_marks.get(statement) or _marked(statement), values)
            else:
                with self._cursor(self._raw) as cursor:
                    cursor.executemany(statement, values)

    def together(self) -> AbstractContextManager[Any]:
        """Send statements without waiting for each answer (PostgreSQL); results are read once all are sent."""
        return nullcontext() if self.sqlite else self._raw.pipeline()

    def instant(self, value: dt.datetime | str | None) -> Any:
        """Return an instant as this database keeps it: SQLite has UTC text without a zone, as Django writes it."""
        return value if value is None or not self.sqlite else _as_text(value)

    def begin(self, unit: Unit) -> None:
        """Open a transaction; Django sees it as its own outermost one."""
        db = self._db
        if self.sqlite:
            # The backend's own: writers wait in line, as those of ``atomic()`` do.
            db._start_transaction_under_autocommit()
        else:
            with self._errors:
                self._raw.execute("BEGIN")
        db.autocommit = False
        db.in_atomic_block = db.commit_on_exit = True
        db.needs_rollback = False
        db.atomic_blocks.append(unit)

    def end(self, *, well: bool) -> None:
        """Commit, or roll back; hooks run after a commit."""
        db = self._db
        db.atomic_blocks.pop()
        db.in_atomic_block = False
        commit = well and not db.needs_rollback and not db.closed_in_transaction
        try:
            if commit:
                try:
                    with self._errors:
                        self._raw.commit()
                except BaseException:
                    self._abandon()
                    raise
            else:
                self._abandon()
        finally:
            db.needs_rollback = False
            if db.closed_in_transaction:
                db.connection = None
            else:
                db.autocommit = True
        if db.run_on_commit:
            db.run_and_clear_commit_hooks()

    def _abandon(self) -> None:
        """Roll back; a connection that cannot even do that is closed."""
        db = self._db
        db.run_on_commit = []
        db.savepoint_ids = []
        if db.closed_in_transaction:
            return
        try:
            with self._errors:
                self._raw.rollback()
        except Exception:
            # What cannot be rolled back is dropped by the server as soon as the connection is gone.
            db.close()


class Unit:
    """One transaction: like ``transaction.atomic()``, at a fraction of its cost where it is the outermost."""

    __slots__ = ("_inner", "_sql")

    # Django asks its outermost block this when a ``durable`` one begins inside.
    _from_testcase = False

    def __enter__(self) -> Sql:
        found = self._sql = sql()
        self._inner: Any = None
        if found.alone:
            found.begin(self)
        else:
            self._inner = transaction.atomic()
            self._inner.__enter__()
        return found

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._inner is not None:
            self._inner.__exit__(kind, error, trace)
        else:
            self._sql.end(well=kind is None)
        # What was seen before is another now; what was seen inside, if it failed, never was, nor is the look on record.
        forget()


@lru_cache(maxsize=1024)
def _as_text(value: dt.datetime | str) -> str:
    if isinstance(value, str):
        if value.endswith("+00:00"):
            return f"{value[:10]} {value[11:-6]}"
        value = dt.datetime.fromisoformat(value)
    if value.tzinfo is not dt.UTC:
        value = value.astimezone(dt.UTC)
    return value.isoformat(" ")[:-6]


def _marked(statement: str) -> str:
    marked = _question_marks[statement] = statement.replace("%s", "?")
    return marked
