"""Ratings, hotline and exports do the same on PostgreSQL: their tests run there again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
AGAIN = ["test_rating_a_service.py", "test_hotline.py", "test_exports_and_statistics.py"]


@pytest.mark.full
def test_the_same_tests_hold_on_postgresql(postgres_url, tmp_path):
    env = {**os.environ, "DATABASE_URL": postgres_url, "CHENGSHU_VAR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *(str(HERE / name) for name in AGAIN), "-q", "-p", "no:cacheprovider"],
        env=env, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
