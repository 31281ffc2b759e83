"""A museum licenses an image through the engine: offered, applied for, signed by another, sampled, disputed, ended."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY
from tests_support.packwork import PAPER, officer, opened, resident, settle, sound, state, take

CODE = "91350100M000100Y43"


@pytest.fixture
def people(district):
    district.curator, district.director = officer("curator", "culture"), officer("director", "culture")
    district.firm = resident("studio")
    return district


def at(days, hour=2):
    return (MONDAY + dt.timedelta(days=days)).replace(hour=hour)


def negotiated(people, key="k1"):
    case_id = opened("museum-licensing", people.curator, MONDAY, key=key)
    take(case_id, "approve_content", people.director, at(1))
    take(case_id, "publish_offer", people.curator, at(2), offer_until="2026-12-10")
    cases.public_command(
        case_id, "apply", {"firm": "示例文创", "credit_code": CODE, "plan": "文具系列"},
        actor=people.firm, now=at(3), idempotency_key=f"apply:{key}",
    )  # fmt: skip
    settle(at(18))
    take(
        case_id, "select", people.curator, at(18),
        licensee=["studio"], licensee_name="示例文创", licensee_code=CODE, no_conflict=True, reasons="方案成熟",
    )  # fmt: skip
    take(case_id, "agree", people.curator, at(20), fee=5_000_000, payment="一次付清", outputs_owner="shared")
    return case_id


def sign(case_id, actor, number="SQ-1"):
    return take(
        case_id, "sign", actor, at(21),
        contract_number=number, subject="数字影像一件", scope="文具", nature_agreed="sole",
        starts_on="2026-12-20", ends_on="2027-12-19",
        dispute_way="arbitration", breach_rule="终止授权", contract=PAPER,
    )  # fmt: skip


def test_a_licence_is_signed_by_another_hand_watched_and_settled(people):
    case_id = negotiated(people)
    with pytest.raises(Problem) as caught:
        sign(case_id, people.curator)
    assert caught.value.code == "own-work"
    sign(case_id, people.director)
    settle(at(21))
    take(case_id, "submit_sample", people.firm, at(30), product="笔记本")
    take(case_id, "pass_sample", people.curator, at(31))
    take(case_id, "dispute", people.firm, at(60), claim="提成计算有误")
    take(case_id, "settle", people.director, at(70), settlement="重新计算", goes_on=True)
    assert state(case_id) == "running"
    settle(dt.datetime(2027, 12, 19, 17, tzinfo=dt.UTC))
    assert state(case_id) == "archiving"
    take(case_id, "archive", people.curator, dt.datetime(2027, 12, 22, 2, tzinfo=dt.UTC), file_number="SQ-1")
    assert state(case_id) == "archived" and sound(case_id) == []


def test_a_sole_licence_keeps_a_second_one_out(people):
    first, second = negotiated(people), negotiated(people, key="k2")
    sign(first, people.director)
    with pytest.raises(Problem) as caught:
        sign(second, people.director, number="SQ-2")
    assert caught.value.code == "register-taken" and state(second) == "contracting"
