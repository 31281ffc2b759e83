"""Decisions of seconds: fifty people press the button at once; decision, number and credential, then the sealed PDF by job.

A demo of its own is founded and served (two web processes, the jobs and clocks beside them); the presses come over HTTP.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from _serving import environment, serving
from _serving import found as found_demo

NAME = "seconds: automatic decisions"
DRIVER = Path(__file__).with_name("_seconds.py")
GOAL_SECONDS, GOAL_PAPERS = 1.0, 10.0


def run(*, small: bool, shared: Path | None) -> dict[str, Any]:
    """Return the rows."""
    number = 10 if small else 50
    given = os.environ.get("CHENGSHU_BENCH_DEMO")
    with tempfile.TemporaryDirectory() as folder:
        var = Path(given) if given else Path(folder)
        env = environment(var)
        if not given:
            found_demo(env, 400)
        found = pressed(var, env, number)
    wrong = [name for name in ("decided", "numbers", "credentials") if found[name] != number]
    if wrong:
        raise SystemExit(f"not all {number} were decided: {found}")
    return {
        "rows": [
            {
                "what": f"{number} pressed at once: decision, number, credential; 95th percentile, seconds",
                "ours": round(found["p95"], 3),
                "goal": GOAL_SECONDS,
            },
            {"what": "median, seconds", "ours": round(found["p50"], 3)},
            {"what": f"all {number} decided, seconds", "ours": round(found["all_in"], 2)},
            {
                "what": f"all {number} PDFs sealed by job, seconds",
                "ours": round(found["papers"], 2),
                "goal": GOAL_PAPERS,
            },
        ]
    }


def pressed(var: Path, env: dict[str, str], number: int) -> dict[str, Any]:
    """Serve the demo and let the driver press."""
    with serving(env) as address:
        press = [sys.executable, str(DRIVER), str(var), address, str(number)]
        done = subprocess.run(press, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
