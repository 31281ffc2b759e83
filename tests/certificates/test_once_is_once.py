"""What can be had only once is granted once, however many apply at the same time, and stays granted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests_support import driving

DRIVER = Path(__file__).parent / "once_driver.py"
ONE = ["done", "register-taken", "register-taken", "register-taken"]


def once(found: dict) -> None:
    assert found["got"] == [ONE] * 5
    assert found["later"] == ["register-taken"] * 5
    assert found["issued"] == found["kept"] == 5


def test_of_several_who_apply_for_a_child_at_once_one_gets_it_and_nobody_later(own_var):
    once(driving.drive(DRIVER, own_var))


@pytest.mark.postgres
def test_the_same_holds_on_postgresql(own_var, postgres_url):
    once(driving.drive(DRIVER, own_var, url=postgres_url))
