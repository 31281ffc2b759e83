"""Fifty who write at once to one SQLite file, from two processes: in line, beside SQLite's own way of asking again.

Each holds the file for twenty milliseconds, as a submission does; one second is the least that all of them can take.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import tempfile
import threading
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from chengshu.site.sqlite3.turns import Connection, turn_at

NAME = "writers: fifty at once on one SQLite file"
PROCESSES, HOLD_SECONDS, ROUNDS = 2, 0.02, 3


def run(*, small: bool, shared: Path | None) -> dict[str, Any]:
    """Return the 95th percentile of both ways, in rounds that take turns; the median of the rounds."""
    number = 10 if small else 50
    rounds = [(_round(number, in_line=True), _round(number, in_line=False)) for _ in range(ROUNDS)]
    ours, peer = (sorted(each)[ROUNDS // 2] for each in zip(*rounds, strict=True))
    return {
        "rows": [
            {
                "what": f"{number} writers at once, 95th percentile, seconds (peer: SQLite's busy handler)",
                "ours": round(ours, 3),
                "peer": round(peer, 3),
                "ratio": round(ours / peer, 2),
            }
        ]
    }


def _round(number: int, *, in_line: bool) -> float:
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "writers.sqlite3")
        with sqlite3.connect(database) as made:
            made.execute("PRAGMA journal_mode=WAL")
            made.execute("CREATE TABLE written (at REAL)")
        told: Queue[float] = multiprocessing.Queue()
        start = multiprocessing.Event()
        workers = [
            multiprocessing.Process(
                target=_writers, args=(database, number // PROCESSES, in_line, start, told)
            )
            for _ in range(PROCESSES)
        ]
        for worker in workers:
            worker.start()
        # Until all of them stand ready.
        time.sleep(1)
        start.set()
        seconds = sorted(told.get(timeout=120) for _ in range(number))
        for worker in workers:
            worker.join()
    return seconds[max(0, -(-number * 95 // 100) - 1)]


def _writers(database: str, number: int, in_line: bool, start: Event, told: Queue[float]) -> None:
    def write() -> None:
        factory = Connection if in_line else sqlite3.Connection
        connection = sqlite3.connect(database, timeout=60, isolation_level=None, factory=factory)
        if isinstance(connection, Connection):
            connection.turn = turn_at(database)
        start.wait()
        began = time.perf_counter()
        if isinstance(connection, Connection):
            connection.begin()
        else:
            connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO written VALUES (1)")
        time.sleep(HOLD_SECONDS)
        connection.commit()
        told.put(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
