"""Runs a driver: a program of its own that is killed, raced and restarted while a test watches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def drive(driver: Path, var: Path, *words: str, url: str = "", seconds: int = 1500) -> dict:
    """Run a driver over ``var``, or over the database at ``url``, and return what its last line says."""
    env = {**os.environ, "CHENGSHU_VAR": str(var), "DJANGO_SETTINGS_MODULE": "chengshu.site.settings"}
    env.pop("DATABASE_URL", None)
    if url:
        env["DATABASE_URL"] = url
    done = subprocess.run(
        [sys.executable, str(driver), *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
