"""The same case of five durable steps on every engine, in one run: ours, django-fsm-2, viewflow, SpiffWorkflow, DBOS, raw SQL.

Ours does the most in each step: roles, form, guard, term, task, event, projection, idempotency key and ledger leaf. The
peers keep what they keep by themselves; django-fsm-2, which keeps no history, is also shown with one row of it a step.
All lie in one folder, on SQLite in WAL mode with full sync and immediate transactions. Every engine has a process of its
own; they take turns in short rounds, so that a busy neighbour hits all alike, and the median of each one's rounds counts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NAME = "engines"
PEERS = {
    "raw": ("raw SQL, one event and one state a transaction", None),
    "fsm": ("django-fsm-2, no history", 1.5),
    "fsm_history": ("django-fsm-2 with a row of history a step", None),
    "viewflow": ("viewflow", 3.0),
    "spiff": ("SpiffWorkflow, its JSON in SQLite", None),
    "durable": ("DBOS", 4.0),
}


class Engine:
    """One engine in its own process."""

    def __init__(self, name: str, folder: Path) -> None:
        env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.rates: list[float] = []
        self.busy: list[float] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine_peers", name, str(folder)],
            cwd=Path(__file__).parent,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answer("ready")

    def round(self, cases: int) -> None:
        """Run so many cases and note steps a second, and processor time a step."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{cases}\n")
        self.process.stdin.flush()
        _, rate, busy = self._answer("rate").split()
        self.rates.append(float(rate))
        self.busy.append(float(busy))

    def close(self) -> None:
        """Let the process end."""
        self.process.communicate(timeout=60)

    def _answer(self, word: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return line
        raise RuntimeError(f"the engine ended: {self.process.args}")


def run(*, small: bool = False, shared: Path | None = None) -> dict[str, Any]:
    """Measure every engine; rows with peers, ratios and goals."""
    rounds, cases = (4, 30) if small else (12, 120)
    with tempfile.TemporaryDirectory(dir=os.environ.get("CHENGSHU_BENCH_DIR")) as folder:
        engines = {name: Engine(name, Path(folder)) for name in ("ours", *PEERS)}
        for engine in engines.values():
            engine.round(10)
            engine.rates.clear()
            engine.busy.clear()
        for _ in range(rounds):
            for engine in engines.values():
                engine.round(cases)
        for engine in engines.values():
            engine.close()
    rate = {name: statistics.median(engine.rates) for name, engine in engines.items()}
    busy = {name: statistics.median(engine.busy) for name, engine in engines.items()}
    rows = []
    for name, (title, goal) in PEERS.items():
        ratio = rate["ours"] / rate[name]
        rows.append(
            {
                "what": f"durable steps of one case, a second; processor: {busy['ours']:.0f} µs a step, peer {busy[name]:.0f}",
                "ours": round(rate["ours"]),
                "peer": round(rate[name]),
                "peer_name": title,
                "ratio": round(ratio, 2),
                "goal": f"{goal} x" if goal else None,
                "reached": ratio >= goal if goal else None,
            }
        )
    return {"name": NAME, "rows": rows}


if __name__ == "__main__":
    print(json.dumps(run(small="--small" in sys.argv), indent=2, ensure_ascii=False))
