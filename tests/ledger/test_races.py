"""Many clerks act at once, sequencers race and die: no act is lost, none counted twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("race_worker.py")
CHECK = """
import json, datetime as dt, sys, time
import django; django.setup()
from chengshu.contexts.ledger import api
from chengshu.contexts.ledger.models import LeafRow, Log
for _ in range(100):  # the lease of a killed sequencer runs out by itself
    api.sequence(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=20))
    if not api.status()["waiting"]: break
rows = list(LeafRow.objects.order_by("position").values_list("position", "reference"))
report = api.verify(processes=1)
print(json.dumps({"positions": [p for p, _ in rows], "names": [r for _, r in rows], "ok": report.ok,
                  "findings": [f.text for f in report.findings], "size": report.size}))
"""


def environment(var, url=None):
    values = {**os.environ, "CHENGSHU_VAR": str(var), "DJANGO_SETTINGS_MODULE": "chengshu.site.settings"}
    values.pop("DATABASE_URL", None)
    return {**values, "DATABASE_URL": url} if url else values


def migrate(values):
    command = [sys.executable, "-m", "django", "migrate", "ledger", "--skip-checks", "--verbosity", "0"]
    subprocess.run(command, env=values, check=True, timeout=120)


def start(values, mode, number, seconds):
    command = [sys.executable, str(WORKER), mode, str(number), str(seconds)]
    return subprocess.Popen(command, env=values, stdout=subprocess.PIPE, text=True)


def end(process):
    """Wait for a worker and return what it did."""
    return json.loads(process.communicate(timeout=300)[0].splitlines()[-1])


def check(values):
    done = subprocess.run(
        [sys.executable, "-c", CHECK], env=values, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def race(values, seconds):
    migrate(values)
    writers = [start(values, "write", n, seconds) for n in range(3)] + [start(values, "bulk", 9, seconds)]
    sequencers = [start(values, "sequence", n, seconds + 1) for n in range(2)]
    kept = [name for process in writers for name in end(process)]
    numbered = [end(process)[0] for process in sequencers]
    assert all(process.returncode == 0 for process in (*writers, *sequencers))
    result = check(values)
    assert sorted(result["names"]) == sorted(kept)
    assert result["positions"] == list(range(len(kept)))
    assert result["ok"] and result["size"] == len(kept), result["findings"]
    assert sum(numbered) <= len(kept) and max(numbered) > 0


def test_late_commits_are_never_lost_on_sqlite(tmp_path):
    race(environment(tmp_path), 3)


@pytest.mark.postgres
def test_late_commits_are_never_lost_on_postgresql(tmp_path, postgres_url):
    race(environment(tmp_path, postgres_url), 3)


def killing(values, kills, seed):
    """Kill the sequencer at random moments while clerks work."""
    migrate(values)
    chance = random.Random(seed)
    writer = start(values, "write", 1, 2 + kills * 2)
    for number in range(kills):
        process = start(values, "sequence", number, 60)
        # Killed at its work, not while it loads its modules.
        assert process.stdout.readline() == "begun\n"
        time.sleep(chance.random() * 0.5)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    kept = end(writer)
    result = check(values)
    assert sorted(result["names"]) == sorted(kept) and result["ok"], result["findings"]
    assert result["positions"] == list(range(len(kept)))


def test_a_killed_sequencer_leaves_a_whole_ledger(tmp_path):
    killing(environment(tmp_path), 4, seed=1)


@pytest.mark.full
def test_a_sequencer_killed_forty_times_leaves_a_whole_ledger(tmp_path):
    killing(environment(tmp_path), 40, seed=2)
