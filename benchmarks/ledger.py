"""The ledger beside a plain SQLite hash chain and pymerkle, in one run: appends and verification.

Every figure is the best of a few rounds that take turns, so that a busy neighbour hits ours and the peer
alike. All databases lie in one folder on the same disk, in WAL mode with full sync.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NAME = "ledger"
NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
ROUNDS = 3


def payloads(number: int) -> list[bytes]:
    """Return canonical payloads like those of case events."""
    return [
        b'{"event":"step","n":%d,"pack":"grid-verification","state":"confirmed"}' % n for n in range(number)
    ]


class Chain:
    """The peer: rows in SQLite, each with the hash of the one before."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute(
            "CREATE TABLE chain (id INTEGER PRIMARY KEY, kind TEXT, reference TEXT, hash BLOB)"
        )
        self.head = b"\0" * 32

    def append(self, data: list[bytes], a_commit: int) -> None:
        """Append rows, so many a commit."""
        for start in range(0, len(data), a_commit):
            self.connection.execute("BEGIN IMMEDIATE")
            for n, payload in enumerate(data[start : start + a_commit], start):
                self.head = hashlib.sha256(self.head + payload).digest()
                self.connection.execute(
                    "INSERT INTO chain (kind, reference, hash) VALUES (?, ?, ?)",
                    ("case.event", f"case:{n}", self.head),
                )
            self.connection.execute("COMMIT")


def rate(number: int, work: Callable[[], Any]) -> float:
    """Return how many a second."""
    started = time.perf_counter()
    work()
    return number / (time.perf_counter() - started)


def measure(folder: Path, singles: int, many: int) -> dict[str, float]:
    """Run all rounds in this process, whose CHENGSHU_VAR is ``folder``; returns the best of each."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", "ledger", skip_checks=True, verbosity=0)
    from chengshu.contexts.ledger import api

    api.deposit("case.event", "case:first", {}, now=NOW)
    api.sequence(NOW)
    best: dict[str, float] = {}
    for number in range(ROUNDS):
        for name, value in one_round(api, folder, number, singles, many):
            best[name] = max(best.get(name, 0.0), value)
    return best


def one_round(api: Any, folder: Path, number: int, singles: int, many: int) -> Iterator[tuple[str, float]]:
    """Yield (what, rate) of one round."""
    import pymerkle

    few, data = payloads(singles), payloads(many)
    chain = Chain(folder / f"chain{number}.sqlite3")
    yield "chain one", rate(singles, lambda: chain.append(few, 1))
    started = time.perf_counter()
    one_a_commit(api, few)
    yield "ours one", singles / (time.perf_counter() - started)
    api.sequence(NOW)
    yield "ours one signed", singles / (time.perf_counter() - started)
    yield "chain many", rate(many, lambda: chain.append(data, 1000))
    tree = pymerkle.SqliteTree(str(folder / f"tree{number}.sqlite3"), algorithm="sha256")
    yield "pymerkle many", rate(many, lambda: tree.append_entries(data, chunksize=100_000))
    acts = [api.Deposit("case.event", f"case:{n:09}", payload) for n, payload in enumerate(data)]
    yield "ours many", rate(many, lambda: api.append_many(acts, now=NOW))
    api.sequence(NOW)
    yield "ours unplaced", rate(many, lambda: api.deposit_many(acts, now=NOW))
    yield "ours sequence", rate(many, lambda: api.sequence(NOW))

    memory = pymerkle.InmemoryTree(algorithm="sha256")

    def in_memory() -> None:
        for payload in data:
            memory.append_entry(payload)
        memory.get_root()

    yield "pymerkle verify", rate(many, in_memory)
    report: Any = None

    def verify() -> None:
        nonlocal report
        report = api.verify()

    started = time.perf_counter()
    verify()
    if not report.ok:
        raise RuntimeError(f"the ledger does not verify: {report.findings[:3]}")
    yield "ours verify", report.size / (time.perf_counter() - started)


def one_a_commit(api: Any, data: list[bytes]) -> None:
    """Append each act in a transaction of its own; the sequencer numbers them later."""
    for n, payload in enumerate(data):
        api.append("case.event", f"case:{n}", payload, now=NOW)


def run(*, small: bool = False, shared: Path | None = None) -> dict[str, Any]:
    """Measure in a process of its own, with a folder of its own; rows with peers, ratios and goals."""
    singles, many = (300, 30_000) if small else (3000, 400_000)
    with tempfile.TemporaryDirectory(dir=os.environ.get("CHENGSHU_BENCH_DIR")) as folder:
        values = {**os.environ, "CHENGSHU_VAR": folder, "DJANGO_SETTINGS_MODULE": "chengshu.site.settings"}
        values.pop("DATABASE_URL", None)
        command = [sys.executable, __file__, "--measure", folder, str(singles), str(many)]
        done = subprocess.run(command, env=values, check=True, stdout=subprocess.PIPE, text=True)
    best = json.loads(done.stdout.splitlines()[-1])
    return {"name": NAME, "rows": rows(best)}


def rows(best: dict[str, float]) -> list[dict[str, Any]]:
    """Return the figures as rows."""
    plan = [
        ("appends a second, one a commit", "ours one", "chain one", "SQLite hash chain", 0.7, None),
        ("the same, then numbered, tiled and signed", "ours one signed", "chain one", "SQLite hash chain", None, None),
        ("appends a second, batched, numbered", "ours many", "chain many", "hash chain, 1,000 a commit", None, 150_000),
        ("appends a second, batched, numbered", "ours many", "pymerkle many", "pymerkle SqliteTree", None, 150_000),
        ("appends a second, batched, without positions", "ours unplaced", "chain many", "hash chain", None, None),
        ("leaves numbered, tiled and signed a second", "ours sequence", None, "", None, None),
        ("leaves verified a second, rows, tiles, signatures", "ours verify", "pymerkle verify", "pymerkle in memory",
         None, 500_000),
    ]  # fmt: skip
    found = []
    for what, ours, peer, peer_name, ratio_goal, goal in plan:
        value, other = best[ours], best.get(peer or "")
        ratio = round(value / other, 2) if other else None
        reached = (ratio or 0) >= ratio_goal if ratio_goal else (value >= goal if goal else None)
        found.append({
            "what": what, "ours": round(value), "peer": round(other) if other else None, "peer_name": peer_name,
            "ratio": ratio, "goal": f"{ratio_goal} x" if ratio_goal else goal, "reached": reached,
        })  # fmt: skip
    return found


def main() -> None:
    """Run from the command line: ``python benchmarks/ledger.py [--small] [--json]``."""
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
        return
    result = run(small="--small" in sys.argv)
    if "--json" in sys.argv:
        print(json.dumps(result, ensure_ascii=False))
        return
    for row in result["rows"]:
        print(f"{row['what']:<52} {row['ours']:>10,}  peer {row['peer'] or 0:>10,} ({row['peer_name']})"
              f"  ratio {row['ratio']}  goal {row['goal']}")  # fmt: skip


if __name__ == "__main__":
    main()
