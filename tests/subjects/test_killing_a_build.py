"""A build killed anywhere leaves what was published in force, and the next one goes on and ends the same."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import FAR, HOME, Base

CALL = [sys.executable, "-c", "from chengshu.site.cli import main; main()", "build", "--no-cases", "--json"]


def command(base: Base) -> list[str]:
    return [
        *CALL, "--sources", str(base.root / "data"), "--declarations", str(base.root / "sources"),
        "--library", str(base.root / "library.parquet"), "--home", "440306",
    ]  # fmt: skip


def environment(var: Path) -> dict[str, str]:
    return {**os.environ, "CHENGSHU_VAR": str(var), "DJANGO_SETTINGS_MODULE": "chengshu.site.settings"}


def build(base: Base, var: Path) -> dict:
    done = subprocess.run(command(base), env=environment(var), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-500:]
    return json.loads(done.stdout.splitlines()[-1])


def in_force(var: Path) -> dict[str, str]:
    """Read what readers see, straight from the database."""
    with sqlite3.connect(f"file:{var / 'chengshu.sqlite3'}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "select subject_id, data from subjects_goldenrecord, (select run_id n from subjects_currentsnapshot) "
            "where valid_from <= n and (valid_to is null or valid_to > n) order by 1"
        ).fetchall()
    assert len(rows) == len({subject for subject, _ in rows}), "a subject has two records in force"
    return dict(rows)


def no_subject_twice_and_no_gap(var: Path, before: dict[str, str], straight: dict[str, str]) -> None:
    """Readers see all of the last build or all of this one; whoever had an id keeps it.

    New subjects are compared by what is known of them: one build over two deliveries may number them otherwise than
    two builds over one each.
    """
    now = in_force(var)
    assert now == before or sorted(now.values()) == sorted(straight.values()), "readers see half of a build"
    assert before.keys() <= now.keys()


def kill_once(base: Base, var: Path, after: float) -> None:
    process = subprocess.Popen(
        command(base), env=environment(var), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def change(base: Base, number: int) -> None:
    base.tables["public-security.residents"][0][3] = f"138001{number:05}"
    base.tables["health.patients"][1][4] = HOME if number % 2 else FAR
    # Unlike names: two that differ by a digit at one address would be held to be one firm, and rightly so.
    name = "".join(chr(0x4E00 + (7_919 * number + 1_013 * place) % 20_000) for place in range(4))
    base.tables["tax.taxpayers"].append([f"n{number}", f"{name}商行", "", HOME, "正常", "2026-10-01"])
    base.write()


def kill_many(base: Base, tmp_path: Path, times: int) -> None:
    """Kill builds at random moments; after each, readers see the last published state and nothing else."""
    random.seed(7)
    killed, straight = tmp_path / "killed", tmp_path / "straight"
    killed.mkdir()
    straight.mkdir()
    base.write()
    build(base, killed)
    start = time.perf_counter()
    build(base, straight)
    usual = time.perf_counter() - start
    for number in range(times):
        before = in_force(killed)
        if number % 5 == 0:
            change(base, number)
            build(base, straight)
        kill_once(base, killed, random.uniform(0.25, 1.0) * usual)
        no_subject_twice_and_no_gap(killed, before, in_force(straight))
    build(base, killed)
    assert sorted(in_force(killed).values()) == sorted(in_force(straight).values())


def test_a_build_killed_at_random_moments_ends_like_one_that_was_not(base, tmp_path):
    kill_many(base, tmp_path, 2)


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_a_build_killed_two_hundred_times_ends_like_one_that_was_not(base, tmp_path):
    kill_many(base, tmp_path, 200)


@pytest.mark.full
@pytest.mark.postgres
def test_the_same_build_on_postgresql(base, tmp_path, postgres_url):
    import psycopg

    base.write()
    var = tmp_path / "pg"
    var.mkdir()
    env = {**environment(var), "DATABASE_URL": postgres_url}
    for expected in (3, 4):
        done = subprocess.run(command(base), env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-500:]
        with psycopg.connect(postgres_url) as connection:
            rows = connection.execute(
                "select subject_id, data->>'person.name' from subjects_goldenrecord"
            ).fetchall()
        assert len(rows) == expected and ("王安娜" in {name for _, name in rows})
        base.tables["health.patients"][1][3] = "13800138009"
        base.write()


def small_disk() -> None:
    """Let no file of this process grow beyond 300 kB: what a full disk does to whoever writes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))


@pytest.mark.full
def test_a_build_on_a_full_disk_says_so_and_leaves_what_was_published(base, tmp_path):
    var = tmp_path / "disk"
    var.mkdir()
    base.write()
    build(base, var)
    before = in_force(var)
    change(base, 1)
    failed = subprocess.run(
        command(base),
        env=environment(var),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_disk,
    )
    assert failed.returncode not in (0, -signal.SIGXFSZ), failed.stdout[-500:]
    assert in_force(var) == before
    build(base, var)
    assert "商行" in "".join(in_force(var).values())
