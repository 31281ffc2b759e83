"""Someone calls too often: the limit holds over all web processes of the machine, and for nobody else."""

import subprocess
import sys
import time

import pytest

from chengshu.contexts.identity.buckets import BucketFile
from chengshu.contexts.identity.rates import Rate, take_from_bucket
from chengshu.kernel.problems import Problem

CALLER = """
import sys
from pathlib import Path
from chengshu.contexts.identity.buckets import BucketFile
shared = BucketFile(Path(sys.argv[1]))
print(sum(shared.take("api:7", 40, 0.000001, 1000.0) == 0 for _ in range(30)))
"""


def test_four_processes_together_get_as_many_calls_as_one_would(tmp_path):
    command = [sys.executable, "-c", CALLER, str(tmp_path / "rates.bin")]
    callers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sum(int(caller.communicate(timeout=60)[0]) for caller in callers) == 40


def test_an_empty_bucket_says_when_to_come_back_and_refills_evenly(tmp_path):
    rate, now = Rate(capacity=3, per_second=0.5), 1_000_000.0
    for _ in range(3):
        take_from_bucket("api", "7", rate, now)
    with pytest.raises(Problem) as refused:
        take_from_bucket("api", "7", rate, now)
    assert refused.value.status == 429 and refused.value.extra["retry_after"] == 2
    take_from_bucket("api", "8", rate, now)
    take_from_bucket("api", "7", rate, now + 2)
    with pytest.raises(Problem):
        take_from_bucket("api", "7", rate, now + 2)


def test_a_flood_of_new_callers_needs_no_more_room_and_little_time(tmp_path):
    path = tmp_path / "rates.bin"
    shared = BucketFile(path)
    size, started = path.stat().st_size, time.perf_counter()
    for number in range(20_000):
        assert shared.take(f"address:{number}", 10, 1.0, 1000.0 + number) == 0
    assert path.stat().st_size == size
    assert time.perf_counter() - started < 5
