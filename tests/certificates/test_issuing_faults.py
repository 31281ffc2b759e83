"""Workers die and race: each certificate is made once, each number once, no e-mail twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests_support import driving

DRIVER = Path(__file__).parent / "issuing_driver.py"


def drive(var: Path, *words: str, url: str = "") -> dict:
    return driving.drive(DRIVER, var, *words, url=url, seconds=3000)


def sound(found: dict) -> None:
    assert found["gapless"] and found["certificates"] == found["applied"]
    assert found["broken"] == found["made_twice"] == found["mails_twice"] == []
    assert found["waiting"] == 0 and found["ledger"]
    assert set(found["deliveries"]) <= {"sent", "uncertain"}
    assert sum(found["deliveries"].values()) == found["applied"]
    assert found["mails"] >= found["deliveries"].get("sent", 0)


def test_killed_while_issuing_nothing_is_half_made_or_sent_twice(own_var):
    sound(drive(own_var, "kill", "2"))


@pytest.mark.postgres
def test_workers_at_the_same_time_make_each_certificate_once_on_postgresql(own_var, postgres_url):
    sound(drive(own_var, "race", url=postgres_url))


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_workers_at_the_same_time_make_each_certificate_once(own_var):
    sound(drive(own_var, "race"))


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_killed_a_hundred_times_nothing_is_half_made_or_sent_twice(own_var):
    sound(drive(own_var, "kill", "100"))


@pytest.mark.full
@pytest.mark.postgres
@pytest.mark.timeout(3600)
def test_killed_on_postgresql_nothing_is_half_made_or_sent_twice(own_var, postgres_url):
    sound(drive(own_var, "kill", "20", url=postgres_url))
