"""A government app through the engine: filed, found to burden people, mended, then hardly used and merged."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY
from tests_support.packwork import PAPER, entries, officer, opened, settle, sound, state, take

GOOD = dict.fromkeys(
    ("no_check_in", "no_ranking", "no_forced_login", "stable", "protected", "complaints_open"), True
)


@pytest.fixture
def people(district):
    district.first, district.second = officer("data1", "data-bureau"), officer("data2", "data-bureau")
    return district


def at(days, hour=2):
    return (MONDAY + dt.timedelta(days=days)).replace(hour=hour)


def filed(people):
    case_id = opened("app-filing", people.officer, MONDAY)
    take(case_id, "approve_need", people.first, at(1))
    take(case_id, "file", people.officer, at(2), app_version="1.0", tests=PAPER, operations="专人运维")
    take(case_id, "complete", people.first, at(3))
    take(case_id, "admit", people.second, at(4), **GOOD)
    settle(at(4))
    return case_id


def month(**more):
    return {
        "month": "2026-12", "entitled": 1000, "active": 500, "same_purpose": False, "asked_again": 0, "unfiled_change": False,
        "forced": False, **more,
    }  # fmt: skip


def test_what_asks_twice_is_mended_and_what_nobody_uses_is_merged(people):
    case_id = filed(people)
    assert entries("government-apps") == ["宝安网格通"]
    assert take(case_id, "monitor", people.first, at(35), **month()).state == "filed"
    assert take(case_id, "monitor", people.first, at(36), **month(asked_again=4)).state == "found"
    take(case_id, "order_mending", people.first, at(37), order_text="取消重复填报")
    take(case_id, "mended", people.officer, at(40), done_text="改为自动带出")
    take(case_id, "accept_mending", people.first, at(41))
    assert take(case_id, "monitor", people.first, at(66), **month(active=20)).state == "found"
    take(case_id, "order_merging", people.first, at(67), into_app="i深圳", order_text="并入统一入口")
    take(case_id, "merged", people.officer, at(80), done_text="功能已迁移")
    settle(at(80))
    assert state(case_id) == "merged" and sound(case_id) == []


def test_a_street_builds_no_app_and_hears_why(people):
    case_id = opened("app-filing", people.officer, MONDAY, level="street")
    with pytest.raises(Problem) as caught:
        take(case_id, "approve_need", people.first, at(1))
    assert caught.value.code == "guard-refused"
    assert (
        take(case_id, "refuse_need", people.first, at(1), reason_text="县以下单位不建设").state == "refused"
    )


def test_what_lacks_and_is_not_supplied_is_abandoned_by_the_clock(people):
    case_id = opened("app-filing", people.officer, MONDAY)
    take(case_id, "approve_need", people.first, at(1))
    take(case_id, "file", people.officer, at(2), app_version="1.0", tests=PAPER, operations="专人运维")
    take(case_id, "ask", people.first, at(3), lacking="等级保护测评报告")
    # Thursday 26 November; 27 Nov, 30 Nov to 4 Dec, 7 to 10 Dec are ten working days.
    settle(at(17))
    assert state(case_id) == "lacking"
    settle(at(18))
    assert state(case_id) == "abandoned" and sound(case_id) == []
