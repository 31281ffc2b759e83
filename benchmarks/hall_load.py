"""The hall under load: two hundred users with eight seconds of thought for ten minutes, on the machine that serves them.

The generator's own processor time is reported, because it takes from the same cores.
"""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from _serving import environment, found, serving

NAME = "hall: pages under load"
USERS_FILE = Path(__file__).with_name("_hall_users.py")
GOAL_MS = 300


def run(*, small: bool, shared: Path | None) -> dict[str, Any]:
    """Return the rows."""
    del shared
    users, seconds = (20, 20) if small else (200, int(os.environ.get("CHENGSHU_BENCH_SECONDS", "600")))
    given = os.environ.get("CHENGSHU_BENCH_DEMO")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = environment(Path(given) if given else folder / "var")
        if not given:
            found(env, 2_000)
        with serving(env) as address:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            rows = driven(address, users, seconds, folder)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    total = rows["Aggregated"]
    said = f"{users} users, {seconds} s"
    return {
        "rows": [
            {"what": f"{said}: 95th percentile, ms", "ours": float(total["95%"]), "goal": f"≤ {GOAL_MS}"},
            {"what": "median, ms", "ours": float(total["50%"])},
            {"what": "requests a second", "ours": round(float(total["Requests/s"]), 1)},
            {"what": "requests", "ours": int(total["Request Count"])},
            {"what": "errors", "ours": int(total["Failure Count"]), "goal": "0"},
            {"what": "the generator's own processor, share of one core", "ours": round(spent / seconds, 2)},
            *(
                {"what": f"  {page}: 95th percentile, ms", "ours": float(row["95%"])}
                for page, row in sorted(rows.items())
                if page != "Aggregated"
            ),
        ]
    }


def driven(address: str, users: int, seconds: int, folder: Path) -> dict[str, dict[str, str]]:
    """Let locust drive the pages; returns its statistics by page."""
    command = [
        sys.executable, "-m", "locust", "-f", str(USERS_FILE), "--headless", "--only-summary",
        "--host", address, "-u", str(users), "-r", str(max(1, users // 20)),
        "-t", f"{seconds}s", "--csv", str(folder / "load"), "--exit-code-on-error", "0",
    ]  # fmt: skip
    env = {**os.environ, "CHENGSHU_BENCH_PASSWORD": "chengshu-demo"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    with (folder / "load_stats.csv").open(encoding="utf-8") as file:
        return {row["Name"]: row for row in csv.DictReader(file)}
