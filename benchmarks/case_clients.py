"""Durable case steps on PostgreSQL, sixteen clients at once, ledger included: each client a process with its own connection.

The peer is the same number of clients that do the floor in plain SQL: one event and one state a transaction, prepared
statements. Clients and server share the machine's cores.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "case clients"
CLIENTS, GOAL, STEPS = 16, 2_000, 5
FOLDER = Path(__file__).parent


class Clients:
    """So many processes of one engine on one database."""

    def __init__(self, name: str, folder: Path, url: str) -> None:
        self.ready, self.rates = False, []
        env = {**os.environ, "DATABASE_URL": url, "CHENGSHU_VAR": str(folder)}
        first = self._start(name, folder, env)
        self._wait(first, "ready")
        env["CHENGSHU_BENCH_READY"] = "1"
        self.all = [first, *(self._start(name, folder, env) for _ in range(CLIENTS - 1))]
        for process in self.all[1:]:
            self._wait(process, "ready")

    def round(self, cases: int) -> float:
        """Let every client run so many cases at the same time; returns steps a second of all together."""
        started = time.perf_counter()
        for process in self.all:
            process.stdin.write(f"{cases}\n")
            process.stdin.flush()
        for process in self.all:
            self._wait(process, "rate")
        return CLIENTS * cases * STEPS / (time.perf_counter() - started)

    def close(self) -> None:
        """Let the processes end."""
        for process in self.all:
            process.communicate(timeout=60)

    @staticmethod
    def _start(name: str, folder: Path, env: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "engine_peers", name, str(folder)],
            cwd=FOLDER, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    @staticmethod
    def _wait(process: subprocess.Popen[str], word: str) -> None:
        for line in process.stdout or ():
            if line.startswith(word):
                return
        raise RuntimeError(f"a client ended: {process.args}")


def run(*, small: bool = False, shared: Path | None = None) -> dict[str, Any]:
    """Measure ours and plain SQL in rounds that take turns."""
    sys.path.insert(0, str(FOLDER.parent / "tests"))
    from tests_support.postgres import new_database, running_postgres

    rounds, cases = (2, 5) if small else (7, 60)
    rates: dict[str, list[float]] = {"ours": [], "raw_postgres": []}
    with tempfile.TemporaryDirectory(dir=os.environ.get("CHENGSHU_BENCH_DIR")) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir(mode=0o755)
        with running_postgres(folder / "postgres") as url:
            clients = {engine: Clients(engine, folder, new_database(url)) for engine in rates}
            for turn in range(rounds + 1):
                for engine, some in clients.items():
                    rate = some.round(cases if turn else 3)
                    if turn:
                        rates[engine].append(rate)
            for some in clients.values():
                some.close()
    ours, raw = (statistics.median(rates[engine]) for engine in rates)
    row = {
        "what": f"durable steps on PostgreSQL, {CLIENTS} clients, a second",
        "ours": round(ours),
        "peer": round(raw),
        "peer_name": "plain SQL, one event and one state a transaction, as many clients",
        "ratio": round(ours / raw, 2),
        "goal": GOAL,
        "reached": ours >= GOAL,
    }
    return {"name": NAME, "rows": [row]}


if __name__ == "__main__":
    print(json.dumps(run(small="--small" in sys.argv), indent=2, ensure_ascii=False))
