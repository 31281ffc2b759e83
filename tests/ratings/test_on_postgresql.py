"""Ratings, hotline and exports do the same on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# What hangs on the database: constraints, races, leases, sums, times.
ACTS = "once or anonymous or two_at_once or dies or masked or merged or set_aside or rates or promised"
AGAIN = ["test_rating_a_service.py", "test_hotline.py", "test_exports_and_statistics.py"]


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_the_same_tests_hold_on_postgresql(postgres_url, tmp_path):
    env = {**os.environ, "DATABASE_URL": postgres_url, "CHENGSHU_VAR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-k", ACTS, *(str(HERE / name) for name in AGAIN), "-q", "-p", "no:cacheprovider"],
        env=env, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    # Nothing was left out by a renamed act.
    assert int(done.stdout.rsplit(" passed", 1)[0].split()[-1]) >= 12
