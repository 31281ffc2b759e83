"""The parts of a served district: one that dies is started again, one that keeps dying ends the whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = """
import sys
from chengshu.site.supervisor import supervise
sys.exit(supervise({"part": [sys.executable, "-c", sys.argv[1]]}))
"""


def start(code: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, code], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def wait_for(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_killed_part_is_started_again_and_all_stop_on_sigterm(tmp_path):
    pids = tmp_path / "pids"
    code = f"import os,time; open({str(pids)!r},'a').write(f'{{os.getpid()}}\\n'); time.sleep(60)"
    supervisor = start(code)
    try:
        wait_for(lambda: lines(pids) == 1)
        os.kill(int(pids.read_text().split()[0]), signal.SIGKILL)
        wait_for(lambda: lines(pids) == 2)
    finally:
        supervisor.terminate()
    assert supervisor.wait(20) == 0
    second = int(pids.read_text().split()[1])
    wait_for(lambda: not Path(f"/proc/{second}").exists())


def test_a_part_that_keeps_dying_ends_with_an_error(tmp_path):
    assert start("raise SystemExit(7)").wait(30) == 1
