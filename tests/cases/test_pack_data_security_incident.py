"""A data-security incident through the engine: graded at once, reported, commanded, summed up; a drill; a late report."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Notice, Task
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY

PACK = "data-security-incident"
FACTS = {
    "drill": False, "happened": True, "title": "生产数据平台数据泄露", "unit": "示例制造有限公司", "contact": "安全负责人",
    "noticed_on": "2026-11-23", "description": "监测发现数据外传", "first_measures": "已切断外联", "sector": "industry",
    "data_class": "important", "threat": "serious", "production_harm": "none", "loss": 0, "people": 0,
    "sensitive_people": 0, "other_harm": "none",
}  # fmt: skip
SUMMARY = dict.fromkeys(
    ("cause", "full_course", "responsibility", "impact", "lessons", "improvements"), "已查明"
)


@pytest.fixture
def people(district):
    identity.save_department("industry", "工业和信息化局", "Industry and Information Technology")
    district.local = identity.save_account("in1", display_name="孙工", role="officer", department="industry")
    district.cert = identity.save_account("cert", display_name="支撑机构", role="resident")
    return district


def opened(people, **facts):
    return cases.open_case(
        PACK, {**FACTS, **facts}, opened_by=people.resident, idempotency_key="i1", now=MONDAY
    )


def take(case_id, name, actor, now=MONDAY, **data):
    return cases.command(
        case_id, name, data, actor=actor, expected_version=None, idempotency_key=None, now=now
    )


def hours(number):
    return MONDAY + dt.timedelta(hours=number)


def test_a_major_incident_is_commanded_traced_and_summed_up(people):
    case_id = opened(people)
    with pytest.raises(Problem):
        take(case_id, "handle", people.resident)
    take(case_id, "report", people.resident, course="9时发现")
    assert take(case_id, "assess", people.local, assessed="major", assessment="属实").state == "commanded"
    assert Task.objects.filter(case_id=case_id, open=True).count() == 3
    take(case_id, "call_support", people.local, bodies=["cert"], task="溯源")
    take(case_id, "trace", people.cert, found="来自某代理")
    take(
        case_id, "progress", people.resident, hours(5), situation="已控制", measures="恢复备份", restored=True
    )
    take(case_id, "close", people.operator, hours(6), closing="已恢复")
    take(case_id, "summarise", people.resident, hours(7), **SUMMARY)
    done = take(case_id, "accept_summary", people.local, hours(8))
    while cases.run_jobs(hours(8)):
        pass
    assert (done.state, done.outcome) == ("closed", "closed") and cases.check_case(case_id) == []
    assert cases.dead_jobs() == []


def test_who_does_not_report_on_the_day_is_noticed(people):
    case_id = opened(people)
    cases.sweep(hours(16))
    told = set(Notice.objects.filter(case_id=case_id).values_list("owner", flat=True))
    assert told == {f"account:{people.resident.pk}", "department:industry"}
    assert take(case_id, "report", people.resident, hours(17), course="补报").state == "reported"


def test_a_drill_runs_the_same_steps_and_is_marked(people):
    case_id = opened(people, drill=True, threat="slight")
    assert take(case_id, "handle", people.resident).state == "self_handling"
    take(case_id, "progress", people.resident, hours(2), situation="演练", measures="演练", restored=True)
    take(case_id, "close", people.resident, hours(3), closing="演练结束")
    brief = cases.case_brief(case_id)
    assert brief.drill and brief.ended and cases.check_case(case_id) == []
