"""A mandatory standard through the engine: suggested by a citizen, commented on by the public, released, in force."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY
from tests_support.packwork import PAPER, entries, kept, officer, opened, resident, settle, sound, state, take

PACK = "mandatory-standard"


@pytest.fixture
def people(district):
    district.authority = officer("sac", "standards")
    district.expert = resident("expert")
    return district


def at(days, hour=2):
    return (MONDAY + dt.timedelta(days=days)).replace(hour=hour)


def day(days):
    return (MONDAY + dt.timedelta(days=days)).date().isoformat()


def comment(case_id, people, days, words):
    cases.public_command(
        case_id, "comment", {"opinion": words}, actor=people.resident, now=at(days), idempotency_key=words
    )


def planned(people):
    case_id = opened(PACK, people.resident, MONDAY, kind="public", department=None)
    take(case_id, "adopt", people.authority, at(1), to_department="fire")
    take(case_id, "publish_project", people.authority, at(2), project_until=day(32))
    comment(case_id, people, 3, "赞成立项")
    settle(at(33))
    take(case_id, "approve_project", people.authority, at(34), plan_number="20260001-Q-000")
    return case_id


def submitted(people):
    case_id = planned(people)
    take(
        case_id, "publish_draft", people.fireman, at(40),
        all_mandatory=True, verifiable=True, no_drafters_named=True, comments_until=day(100), draft=PAPER,
    )  # fmt: skip
    comment(case_id, people, 50, "建议明确过渡期")
    settle(at(101))
    take(case_id, "submit_review", people.fireman, at(102), handled="已采纳", chair=["expert"])
    take(case_id, "pass_review", people.expert, at(103), minutes="一致同意")
    take(case_id, "submit_approval", people.fireman, at(104), approval_draft=PAPER)
    return case_id


def test_a_citizens_suggestion_becomes_a_standard_in_force(people):
    case_id = submitted(people)
    take(case_id, "release", people.authority, at(110), number="GB 46000-2027", in_force_on=day(300))
    take(case_id, "publish_text", people.authority, at(115), address="https://openstd.samr.gov.cn/46000")
    settle(at(299))
    assert state(case_id) == "waiting"
    settle(at(300))
    assert state(case_id) == "in_force" and kept(case_id, "opinions") == 2
    assert entries("mandatory-standards") == ["GB 46000-2027"] and sound(case_id) == []


def test_whoever_drafted_does_not_review(people):
    case_id = planned(people)
    take(
        case_id, "publish_draft", people.fireman, at(40),
        all_mandatory=True, verifiable=True, no_drafters_named=True, comments_until=day(100), draft=PAPER,
    )  # fmt: skip
    settle(at(101))
    take(case_id, "submit_review", people.fireman, at(102), handled="已采纳", chair=[people.fireman.username])
    with pytest.raises(Problem) as caught:
        take(case_id, "pass_review", people.fireman, at(103), minutes="同意")
    assert caught.value.code == "own-work"


def test_one_title_has_one_project(people):
    planned(people)
    second = opened(PACK, people.fireman, MONDAY, key="k2")
    with pytest.raises(Problem) as caught:
        take(second, "publish_project", people.authority, at(2), project_until=day(32))
    assert caught.value.code == "register-taken"
