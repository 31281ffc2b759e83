"""A demo district founded and served for a benchmark: two web processes, the jobs and the clocks beside them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def environment(var: Path) -> dict[str, str]:
    """Return the environment of an installation of its own, on the embedded database."""
    env = {**os.environ, "CHENGSHU_VAR": str(var)}
    env.pop("DATABASE_URL", None)
    return env


def found(env: dict[str, str], people: int) -> None:
    """Found a demo of so many residents."""
    command = [sys.executable, "-m", "chengshu", "demo", "--people", str(people), "--no-serve"]
    subprocess.run(command, env=env, check=True, capture_output=True)


@contextmanager
def serving(env: dict[str, str]) -> Iterator[str]:
    """Serve it; yields its address and ends the server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "chengshu", "serve", "--port", str(port), "--workers", "2"]
    server = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait_for(port)
        yield f"http://localhost:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _wait_for(port: int, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(2)
                return
        time.sleep(0.2)
    raise SystemExit("the server does not answer")
