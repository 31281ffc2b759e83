"""Turns at a SQLite file: its writers wait in line, across threads and processes.

SQLite lets one writer in at a time; whoever comes meanwhile asks again after ever longer pauses, up to a tenth of a second,
and whoever asks at the right moment is next. Fifty who come at once leave the file idle for most of the time. Here they stand
in line: a lock for the threads of a process, a lock on a file beside the database for the processes. SQLite's own lock still
decides: who takes no turn loses time, never data.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading

SUFFIX = "-turn"


class Turn:
    """The line of one process at one database file; one thread at a time has the turn."""

    def __init__(self, database: str) -> None:
        self._threads = threading.Lock()
        self._file = os.open(database + SUFFIX, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)

    def take(self, seconds: float) -> None:
        """Wait for the turn. Raises ``sqlite3.OperationalError`` as SQLite does when the threads ahead take too long.

        The head of a process's line waits for as long as the writer of another process lives; the kernel ends the turn of
        a process that dies.
        """
        if not self._threads.acquire(timeout=seconds):
            raise sqlite3.OperationalError("database is locked")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    def give(self) -> None:
        """Let the next one in."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()


_turns: dict[tuple[int, str], Turn] = {}
_making = threading.Lock()


def turn_at(database: str) -> Turn:
    """Return this process's line at a database file; a forked process stands in a line of its own."""
    key = (os.getpid(), database)
    with _making:
        if key not in _turns:
            _turns[key] = Turn(database)
        return _turns[key]


class Connection(sqlite3.Connection):
    """A connection whose transactions take their turn at the file; ``turn`` is none for a database in memory."""

    turn: Turn | None = None
    patience = 30.0
    _has_turn = False

    def begin(self) -> None:
        """Begin a transaction that writes, when it is our turn."""
        self.take_turn()
        try:
            self.execute("BEGIN IMMEDIATE")
        except BaseException:
            self.give_turn()
            raise

    def commit(self) -> None:
        """Commit, and let the next writer in."""
        try:
            super().commit()
        finally:
            if not self.in_transaction:
                self.give_turn()

    def rollback(self) -> None:
        """Roll back, and let the next writer in."""
        try:
            super().rollback()
        finally:
            if not self.in_transaction:
                self.give_turn()

    def close(self) -> None:
        """Close; what was not committed is gone, and the next writer comes in."""
        try:
            super().close()
        finally:
            self.give_turn()

    def take_turn(self) -> None:
        """Stand in line, unless it is our turn already."""
        if self.turn is not None and not self._has_turn:
            self.turn.take(self.patience)
            self._has_turn = True

    def give_turn(self) -> None:
        """Let the next one in, if it was our turn."""
        if self._has_turn:
            self._has_turn = False
            assert self.turn is not None
            self.turn.give()
