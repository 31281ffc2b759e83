"""The database backend ``chengshu.site.sqlite3``: Django's own, but each transaction takes its turn (see ``turns``)."""

from __future__ import annotations

from typing import Any

from django.db.backends.sqlite3 import base

from chengshu.site.sqlite3.turns import Connection, turn_at

WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "REPLAC"})


class DatabaseWrapper(base.DatabaseWrapper):
    """Begins transactions in turn; a statement that writes outside of one is a transaction of its own."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return what the driver is called with."""
        return {**super().get_connection_params(), "factory": Connection}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        """Open a connection; one at a file stands in its line."""
        connection: Connection = super().get_new_connection(conn_params)
        database = str(conn_params["database"])
        if not database.startswith((":memory:", "file:")):
            connection.turn = turn_at(database)
            connection.patience = float(conn_params.get("timeout", connection.patience))
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor that takes turns."""
        return self.connection.cursor(factory=_Cursor)

    def _start_transaction_under_autocommit(self) -> None:
        with self.wrap_database_errors:
            self.connection.begin()


class _Cursor(base.SQLiteCursorWrapper):
    """Takes a turn for a writing statement outside a transaction: it would wait for SQLite's lock alone otherwise."""

    def execute(self, query: str, params: Any = None) -> Any:
        """Run one statement."""
        connection: Any = self.connection
        if connection.in_transaction or query[:6].upper() not in WRITES:
            return super().execute(query, params)
        connection.take_turn()
        try:
            return super().execute(query, params)
        finally:
            if not connection.in_transaction:
                connection.give_turn()
