"""The public reads a notice: exactly the fields given, for as long as it is open."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.messages import api
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY

NOTICE = {
    "kind": "registration", "title": "停车泊位数据集登记公示", "until": dt.date(2026, 12, 4),
    "fields": {"dataset": "停车泊位数据集", "applicant": "示例公司"},
}  # fmt: skip


def at(day, hour, minute=0):
    return dt.datetime(2026, 12, day, hour, minute, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def test_a_notice_is_open_to_the_end_of_its_last_day_in_china(ask):
    ask("publish_notice", **NOTICE)
    assert api.find_notices(now=at(4, 23, 59)).count() == 1
    assert api.find_notices(now=at(5, 0)).count() == 0
    assert api.find_notices(now=at(5, 0), ended=True).count() == 1


def test_the_same_step_publishes_once(ask):
    first = ask("publish_notice", **NOTICE)
    assert ask("publish_notice", **NOTICE) == first
    assert api.find_notices(now=MONDAY).count() == 1


def test_a_notice_is_found_by_what_it_shows_and_ends_by_a_step(ask):
    ask("publish_notice", **NOTICE)
    assert api.find_notices(now=MONDAY, text="示例 泊位").count() == 1
    assert api.find_notices(now=MONDAY, text="别的").count() == 0
    later = MONDAY + dt.timedelta(hours=1)
    assert len(ask("end_notice", kind="registration", key="step:2", now=later)["notices"]) == 1
    assert api.find_notices(now=later).count() == 0


def test_a_notice_that_would_be_over_at_once_is_refused(ask):
    with pytest.raises(Problem, match="截止日"):
        ask("publish_notice", **(NOTICE | {"until": dt.date(2026, 11, 1)}))
