"""Consents, lots and offers hold on PostgreSQL as they do on SQLite: the same tests, over the other database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.full
def test_what_holds_on_sqlite_holds_on_postgresql(postgres_url):
    files = [str(HERE / f"test_{name}.py") for name in ("consents", "offers", "seconds", "sourced")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *files, "-q", "-x", "-p", "no:cacheprovider"],
        env={**os.environ, "DATABASE_URL": postgres_url}, cwd=HERE.parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
