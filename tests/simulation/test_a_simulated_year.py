"""A stretch of simulated time finds nothing wrong, and the oracle that judges it counts as the kernel does."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.contexts.cases.invariants import TermSeen
from chengshu.kernel.resources import shipped
from chengshu.kernel.terms import Stop, Term, Unit, due
from chengshu.kernel.workdays import official_calendar
from chengshu.procedure.clock import Clock
from chengshu.procedure.loader import load_pack
from chengshu.site.simulation.night import begins_with_the_end
from chengshu.site.simulation.oracle import Notices, due_day

NOTICES = Notices(2019, 2045, {})
STARTS = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2026, 6, 1), timezones=st.just(dt.UTC))


def live(tmp_path, *options):
    program = [sys.executable, "-c", "from chengshu.site.cli import main; main()"]
    command = [*program, "simulate", "--json", "--folder", str(tmp_path / "var")]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run([*command, *options], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout, done.stderr[-3000:]
    return done.returncode, json.loads(done.stdout)


def test_a_week_of_work_leaves_nothing_without_owner_term_ground_source_or_record(tmp_path):
    code, report = live(tmp_path, "--days", "7", "--people", "200", "--openings", "8")
    assert report["faults"] == [] and code == 0
    assert report["steps"] > 100 and report["terms_checked"] > 50 and report["values_checked"] > 200


@pytest.mark.parametrize(
    ("started", "sound"),
    [
        ("2026-11-30T15:59:59+00:00", True),
        ("2026-11-30T16:00:00+00:00", False),
        ("2026-12-02T01:00:00+00:00", False),
    ],
)
def test_the_night_finds_a_term_that_does_not_begin_with_the_end_of_the_one_before_it(started, sound):
    pack = load_pack(shipped("packs", "cn", "grid-verification"))
    clock, monday = Clock(official_calendar()), dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC)
    ended = {**clock.start(pack.deadlines["first_visit"], monday), "state": "expired"}
    assert ended["due_on"] == "2026-11-30"
    item = pack.deadlines["follow_up"]
    term = clock.start(item, dt.datetime.fromisoformat(started))
    assert begins_with_the_end(TermSeen("C1", pack.id, 2, item, term, ended)) is sound
    assert begins_with_the_end(TermSeen("C1", pack.id, 2, item, term))


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_a_year_of_all_packs(tmp_path):
    code, report = live(tmp_path, "--days", "365")
    assert report["faults"] == [] and code == 0
    assert all(report["opened"].values()) and report["outage_days"] > 5 and report["handed_over"] > 0
    assert report["migrated"] > 0 and report["terms_recounted_for_a_calendar"] > 0


@settings(max_examples=300, deadline=None)
@given(STARTS, st.integers(1, 60), st.sampled_from([Unit.WORKDAYS, Unit.DAYS, Unit.MONTHS, Unit.YEARS, Unit.HOURS]),
       st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), max_size=2))  # fmt: skip
def test_the_oracle_and_the_kernel_count_every_term_alike(start, amount, unit, gaps):
    amount = min(amount, 10) if unit is Unit.YEARS else amount
    stops, at = [], start
    for wait, length in gaps:
        begin = at + dt.timedelta(days=wait, hours=3)
        at = begin + dt.timedelta(days=length, hours=5)
        stops.append(Stop(begin, at))
    kernel = due(Term(amount, unit), start, official_calendar(), stops)
    written = [[stop.start.isoformat(), stop.end.isoformat()] for stop in stops]
    assert due_day(amount, unit.value, start.isoformat(), written, NOTICES) == kernel.on
