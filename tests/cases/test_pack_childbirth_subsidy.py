"""The childbirth subsidy through the engine: decided in seconds, paid by finance, recovered by two officers."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, Task
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped
from chengshu.site.simulation.samples import read_samples
from tests_support.casework import MONDAY

PACK = "childbirth-subsidy"


@pytest.fixture
def people(district):
    cases.load_pack_version(shipped("packs", "cn") / PACK, MONDAY)
    for code in ("health", "finance"):
        identity.save_department(code, code, code)
    for name, department in (("he1", "health"), ("he2", "health"), ("fi1", "finance")):
        setattr(
            district,
            name,
            identity.save_account(name, display_name=name, role="officer", department=department),
        )
    return district


def apply_for(people, key="k1", **facts):
    given = dict(read_samples(cases.current_files(PACK)).openings[0].facts)
    return cases.open_case(
        PACK, {**given, **facts}, opened_by=people.resident, idempotency_key=key, now=MONDAY
    )


def do(case_id, name, data, actor, now=MONDAY):
    return cases.command(
        case_id, name, data, actor=actor, expected_version=None, idempotency_key=None, now=now
    )


def test_it_is_granted_in_the_step_that_confirms_it_and_lies_with_finance(people):
    case_id = apply_for(people)
    view = do(case_id, "confirm", {"agreed": True}, people.resident)
    assert (
        view.state == "approved"
        and Task.objects.get(case_id=case_id, open=True).owner == "department:finance"
    )
    paid = do(case_id, "pay", {"paid_on": "2026-11-23"}, people.fi1)
    assert paid.state == "receiving" and cases.check_case(case_id) == []
    # No name and no number of the family stands in the events or the projection.
    row = Case.objects.get(pk=case_id)
    assert "林小满" not in json.dumps([row.body, row.label], ensure_ascii=False)


def test_a_second_application_for_the_same_child_is_refused(people):
    apply_for(people)
    with pytest.raises(Problem) as caught:
        apply_for(people, key="k2")
    assert caught.value.code == "register-taken"


def test_a_machine_s_no_goes_to_a_person_and_recovery_needs_two(people):
    case_id = apply_for(people, registered_here=False)
    assert do(case_id, "confirm", {"agreed": True}, people.resident).state == "examining"
    do(case_id, "grant", {"findings": "已迁入"}, people.he1)
    do(case_id, "pay", {"paid_on": "2026-11-23"}, people.fi1)
    do(case_id, "find_wrong", {"wrong": "paid-twice", "wrong_text": "x", "owed": 100}, people.he1)
    with pytest.raises(Problem) as caught:
        do(case_id, "recover", {"decision_text": "x"}, people.he1)
    assert caught.value.code == "own-work"
    done = do(case_id, "recover", {"decision_text": "x"}, people.he2, MONDAY + dt.timedelta(days=1))
    assert done.state == "recovering" and cases.check_case(case_id) == []


def test_a_supervisor_sees_a_decision_that_was_opened_again_and_why_and_what_was_withdrawn(people):
    granted, gone = apply_for(people), apply_for(people, "k2", child_id="44030620250610001X")
    do(granted, "confirm", {"agreed": True}, people.resident)
    do(gone, "withdraw", {}, people.resident)
    cases.system_command(granted, "reopen", {}, idempotency_key="r", now=MONDAY)
    (again,), total, _more = cases.supervised(cases.Asked("reversed"), MONDAY)
    assert (again.case_id, total, again.closed_at) == (granted, 1, None)
    assert "复核" in again.why["zh"] + again.grounds[0].gist["zh"] and again.state["zh"] == "重新核定"
    assert again.grounds[0].key == "house:13"
    # What is decided anew later does not hide that it was opened again.
    do(granted, "stands", {"stands_text": "x"}, people.he1)
    (still,), _total, _more = cases.supervised(cases.Asked("reversed", article="house:13"), MONDAY)
    assert still.why == again.why and still.state != again.state
    (left,), _total, _more = cases.supervised(cases.Asked("withdrawn"), MONDAY)
    assert left.case_id == gone and left.grounds
