"""What depends on the database in the engine's run-time side, once more on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ACTS = (
    "claims or agent_acts or authority_is or fee_is or draft_is or published_year or new_version or objects or leaves_no_work "
    "or figures_and_lists or article_narrows or beyond_what or work_there or more_work"
)


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_the_engine_does_the_same_on_postgresql(own_var, postgres_url):
    env = {**os.environ, "CHENGSHU_VAR": str(own_var), "DATABASE_URL": postgres_url}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", ACTS, str(HERE / "test_engine_people.py"),
         str(HERE / "test_engine_means.py"), str(HERE / "test_supervisors_figures.py")],
        env=env, capture_output=True, text=True, timeout=580, check=False, cwd=HERE.parent.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    # Nothing was skipped or left out by a renamed act.
    assert int(done.stdout.rsplit(" passed", 1)[0].split()[-1]) >= 14
