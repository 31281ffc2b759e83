from __future__ import annotations

from datetime import date

import pytest

from chengshu.contexts.identity import api
from chengshu.kernel.problems import Problem

MONDAY, FRIDAY, NEXT_MONDAY = date(2026, 11, 16), date(2026, 11, 20), date(2026, 11, 23)


@pytest.fixture
def team(db):
    return [api.save_account(f"w{n}", display_name=f"网格员{n}", role="grid_worker") for n in range(4)]


def test_someone_present_does_their_own_work(team):
    assert api.on_duty(team[0], MONDAY) == team[0]


def test_a_substitute_stands_in_for_the_days_of_the_absence_and_no_longer(team):
    api.set_absence(team[0], team[1], MONDAY, FRIDAY)
    assert api.on_duty(team[0], MONDAY) == team[1] == api.on_duty(team[0], FRIDAY)
    assert api.on_duty(team[0], NEXT_MONDAY) == team[0]
    assert api.stands_in_for(team[1], FRIDAY) == [team[0]]
    assert api.stands_in_for(team[1], NEXT_MONDAY) == []


def test_a_substitute_who_is_away_too_passes_the_work_on(team):
    api.set_absence(team[0], team[1], MONDAY, FRIDAY)
    api.set_absence(team[1], team[2], MONDAY, MONDAY)
    assert api.on_duty(team[0], MONDAY) == team[2]
    assert api.on_duty(team[0], FRIDAY) == team[1]


def test_two_who_stand_in_for_each_other_leave_nobody(team):
    api.set_absence(team[0], team[1], MONDAY, FRIDAY)
    api.set_absence(team[1], team[0], MONDAY, FRIDAY)
    assert api.on_duty(team[0], MONDAY) is None


def test_an_absence_without_substitute_leaves_nobody(team):
    api.set_absence(team[0], None, MONDAY, FRIDAY)
    assert api.on_duty(team[0], MONDAY) is None


def test_a_later_entry_replaces_an_earlier_one(team):
    api.set_absence(team[0], team[1], MONDAY, FRIDAY)
    api.set_absence(team[0], team[2], MONDAY, FRIDAY)
    assert api.on_duty(team[0], MONDAY) == team[2]


def test_a_substitute_who_has_left_is_nobody(team):
    api.set_absence(team[0], team[1], MONDAY, FRIDAY)
    api.depart(team[1], MONDAY)
    assert api.on_duty(team[0], MONDAY) is None


def test_who_leaves_has_work_until_the_day_before(team):
    api.depart(team[0], FRIDAY)
    assert api.on_duty(team[0], MONDAY) == team[0]
    assert api.on_duty(team[0], FRIDAY) is None


def test_nobody_stands_in_for_themselves(team):
    with pytest.raises(Problem):
        api.set_absence(team[0], team[0], MONDAY, FRIDAY)


def test_an_absence_does_not_end_before_it_starts(team):
    with pytest.raises(Problem):
        api.set_absence(team[0], team[1], FRIDAY, MONDAY)
