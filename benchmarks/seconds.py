"""Decisions of seconds: fifty people press the button at once; decision, number and credential, then the sealed PDF by job.

A demo of its own is founded and served (two web processes, the jobs and clocks beside them); the presses come over HTTP.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "seconds: automatic decisions"
DRIVER = Path(__file__).with_name("_seconds.py")
GOAL_SECONDS, GOAL_PAPERS = 1.0, 10.0


def run(*, small: bool, shared: Path | None) -> dict[str, Any]:
    """Return the rows."""
    number = 10 if small else 50
    given = os.environ.get("CHENGSHU_BENCH_DEMO")
    with tempfile.TemporaryDirectory() as folder:
        var = Path(given) if given else Path(folder)
        env = {**os.environ, "CHENGSHU_VAR": str(var)}
        env.pop("DATABASE_URL", None)
        if not given:
            command = [sys.executable, "-m", "chengshu", "demo", "--people", "400", "--no-serve"]
            subprocess.run(command, env=env, check=True, capture_output=True)
        found = served(var, env, number)
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


def served(var: Path, env: dict[str, str], number: int) -> dict[str, Any]:
    """Serve the demo, let the driver press; the server ends with it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "chengshu", "serve", "--port", str(port), "--workers", "2"]
    server = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(port)
        press = [sys.executable, str(DRIVER), str(var), f"http://localhost:{port}", str(number)]
        done = subprocess.run(press, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def wait_for(port: int, seconds: float = 60.0) -> None:
    """Wait until the pages answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(2)
                return
        time.sleep(0.2)
    raise SystemExit("the server does not answer")
