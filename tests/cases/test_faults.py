from __future__ import annotations

from pathlib import Path

import pytest

from tests_support import driving

DRIVER = Path(__file__).parent / "case_driver.py"


def drive(var: Path, *words: str, url: str = "") -> dict:
    return driving.drive(DRIVER, var, *words, url=url)


def sound(found: dict) -> None:
    assert found["faults"] == {}
    assert found["lost"] == []
    assert found["ledger"] is True
    assert found["corrections"] == found["corrections_wanted"]
    assert found["waiting_jobs"] == 0
    assert found["mails_never_sent"] == [] and found["mails_unknown"] == []
    assert found["notices_twice"] == 0


def test_killed_in_the_middle_of_steps_nothing_is_lost_or_half_done(own_var):
    found = drive(own_var, "kill", "4")
    sound(found)
    assert found["events"] > 4


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_killed_five_hundred_times_during_mixed_work_nothing_is_lost_or_half_done(own_var):
    found = drive(own_var, "kill", "500")
    sound(found)
    # Work there was, on the busiest machine too.
    assert found["acked"] > 500 and found["mails"] > 5


def one_answer_each(found: dict) -> None:
    sound(found)
    assert found["answered"] == 20 and found["told"] == 60
    assert found["ended"] == found["expired_events"] == 20


def test_workers_at_the_same_time_answer_once_and_each_term_ends_once(own_var):
    one_answer_each(drive(own_var, "race"))


@pytest.mark.postgres
def test_the_same_holds_on_postgresql(own_var, postgres_url):
    one_answer_each(drive(own_var, "race", url=postgres_url))


@pytest.mark.full
@pytest.mark.postgres
@pytest.mark.timeout(1800)
def test_killed_on_postgresql_nothing_is_lost_or_half_done(own_var, postgres_url):
    sound(drive(own_var, "kill", "20", url=postgres_url))
