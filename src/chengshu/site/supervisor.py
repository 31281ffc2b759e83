"""Runs the parts of a district as child processes: starts them again when they die, stops them together."""

from __future__ import annotations

import signal
import subprocess
import time
from types import FrameType

import structlog

log = structlog.get_logger("chengshu.supervisor")
STOP_SECONDS = 15.0
MAX_RESTARTS_A_MINUTE = 5


class Part:
    """One child process and when it was last started."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.command = name, command
        self.starts: list[float] = []
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the process (again)."""
        self.starts = [t for t in self.starts if t > time.monotonic() - 60] + [time.monotonic()]
        self.process = subprocess.Popen(self.command)
        return self.process

    def keeps_dying(self) -> bool:
        """Tell whether restarting has stopped making sense."""
        return len(self.starts) > MAX_RESTARTS_A_MINUTE


def supervise(commands: dict[str, list[str]]) -> int:
    """Run ``commands`` until SIGTERM, SIGINT or a part that keeps dying; returns the exit code."""
    stopping = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    parts = [Part(name, command) for name, command in commands.items()]
    code = 0
    while not stopping:
        time.sleep(0.2)
        for part in parts:
            if part.process.poll() is None or stopping:
                continue
            log.warning("part-died", part=part.name, exit_code=part.process.returncode)
            if part.keeps_dying():
                stopping, code = True, 1
                break
            part.start()
    stop_all(parts)
    return code


def stop_all(parts: list[Part]) -> None:
    """Ask every part to stop, wait, then kill what is left."""
    for part in parts:
        if part.process.poll() is None:
            part.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for part in parts:
        try:
            part.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("part-killed", part=part.name)
            part.process.kill()
            part.process.wait()
