"""Who does what in a case at run time: agents, reviewers, finance, the public; claiming, delegating, handing over."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, CaseEvent, CaseParty, Task
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from tests_support.casework import CELL, MONDAY, days_later, firm_facts
from tests_support.engine_pack import OPINION, PERMIT, write_pack


@pytest.fixture
def packs(tmp_path, district):
    cases.load_pack_version(write_pack(tmp_path / "opinion", OPINION), MONDAY)
    cases.load_pack_version(write_pack(tmp_path / "permit", PERMIT), MONDAY)
    identity.save_department("finance", "财政局", "Finance")
    save = identity.save_account
    return SimpleNamespace(
        applicant=save("ap", display_name="顾晓", role="resident"),
        agent=save("ag", display_name="代理", role="resident"),
        objector=save("ob", display_name="梁辉", role="resident"),
        second=save("o3", display_name="孙二", role="officer", department="market"),
        cashier=save("fi", display_name="蒋芳", role="officer", department="finance"),
        expert=save("ex", display_name="专家", role="officer", department="fire"),
        **vars(district),
    )


def permit(people, key="p1", **facts):
    return cases.open_case(
        "permit",
        {"title": "甲", "payee": "王五", **facts},
        opened_by=people.applicant,
        idempotency_key=key,
        now=MONDAY,
    )


def do(case_id, name, actor, data=None, now=MONDAY, **more):
    return cases.command(
        case_id, name, data or {}, actor=actor, expected_version=None, idempotency_key=None, now=now, **more
    )


def owners(case_id, role):
    found = Task.objects.filter(case_id=case_id, role=role, open=True)
    return sorted(found.values_list("owner", flat=True))


def refused(call, *args, **kwargs):
    with pytest.raises(Problem) as caught:
        call(*args, **kwargs)
    return caught.value.code


def steps(case_id):
    return list(CaseEvent.objects.filter(case_id=case_id).order_by("seq").values_list("step", flat=True))


def test_a_pack_names_the_department_and_the_label_of_what_people_open(packs):
    case = Case.objects.get(pk=permit(packs))
    assert (case.department, case.label) == ("market", "甲（许可）")
    assert owners(case.pk, "clerk") == ["department:market"]
    assert not cases.check_case(case.pk)


def test_an_agent_acts_for_the_applicant_until_the_authority_ends(packs):
    case_id = permit(packs)
    assert refused(do, case_id, "plead", packs.agent) == "case-unknown"
    do(case_id, "appoint", packs.applicant, {"account": "ag", "until": "2026-11-25"})
    assert owners(case_id, "agent") == [f"account:{packs.agent.pk}"]
    assert cases.case_view(case_id, packs.agent, now=MONDAY).commands
    assert cases.parties.end_parties(days_later(2)) == 0, "the last day is whole"
    assert cases.parties.end_parties(days_later(3)) == 1
    assert steps(case_id)[-1] == "party-ended" and owners(case_id, "agent") == ["nobody"]
    # The file closes with the authority, also to an agent who had a task of the case.
    assert refused(cases.case_view, case_id, packs.agent, now=days_later(3)) == "case-unknown"
    assert refused(do, case_id, "plead", packs.agent, now=days_later(3)) == "case-unknown"
    assert not cases.check_case(case_id)


def test_an_authority_is_taken_back_and_who_is_nobody_cannot_be_appointed(packs):
    case_id = permit(packs)
    do(case_id, "appoint", packs.applicant, {"account": str(packs.agent.pk)})
    do(case_id, "appoint", packs.applicant, {"account": "re"})
    assert len(owners(case_id, "agent")) == 2
    do(case_id, "dismiss", packs.applicant, {"account": "ag"})
    assert owners(case_id, "agent") == [f"account:{packs.resident.pk}"]
    assert refused(do, case_id, "dismiss", packs.applicant, {"account": "ag"}) == "party-unknown"
    assert refused(do, case_id, "appoint", packs.applicant, {"account": "no-such"}) == "account-unknown"
    assert CaseParty.objects.filter(removed_at=None).count() == 1
    assert not cases.check_case(case_id)


def test_reviewers_are_asked_by_name_and_their_marks_come_back_to_the_parent(packs):
    case_id = permit(packs, reviewers=["ex", "o2"])
    children = list(Case.objects.filter(parent_id=case_id).order_by("pk"))
    assert sorted(child.assignee for child in children) == sorted(
        [str(packs.expert.pk), str(packs.fireman.pk)]
    )
    mine = next(child for child in children if child.assignee == str(packs.expert.pk))
    assert refused(do, mine.pk, "mark", packs.fireman, {"score": 1}) == "case-unknown"
    do(mine.pk, "mark", packs.expert, {"score": 80})
    assert cases.run_jobs(MONDAY) == 1
    body = json.loads(Case.objects.get(pk=case_id).body)
    assert body["kept"]["points"] == 80
    event = json.loads(CaseEvent.objects.filter(case_id=case_id).latest("seq").body)
    assert event["data"]["child_outcome"] == "given"
    sentence = cases.case_view(case_id, packs.applicant, now=MONDAY).events[-1].sentence["zh"]
    assert "已给出意见" in sentence, "people read the outcome in the child pack's words"


def test_a_substitute_stands_in_for_a_reviewer_who_is_away(packs):
    day = MONDAY.date()
    identity.set_absence(packs.expert, packs.fireman, day, day + dt.timedelta(days=2))
    case_id = permit(packs, reviewers=["ex"])
    child = Case.objects.get(parent_id=case_id)
    assert owners(child.pk, "reviewer") == [f"account:{packs.fireman.pk}"]
    do(child.pk, "mark", packs.fireman, {"score": 60})


def test_the_public_objects_without_seeing_the_file(packs):
    case_id = permit(packs)
    assert [step.id for step in cases.public_commands(case_id, packs.objector, MONDAY)] == ["object"]
    send = {"actor": packs.objector, "now": MONDAY, "idempotency_key": "k"}
    receipt = cases.public_command(case_id, "object", {"why": "不实"}, **send)
    again = cases.public_command(case_id, "object", {"why": "不实"}, **send)
    assert receipt.seq == again.seq == 2 and receipt.leaf_id and len(receipt.opened) == 1
    assert refused(cases.case_view, case_id, packs.objector, now=MONDAY) == "case-unknown"
    assert refused(do, case_id, "object", packs.objector, {"why": "x"}) == "case-unknown"
    assert refused(cases.public_command, case_id, "refuse", {}, **send) == "command-not-now"
    assert "不实" not in CaseEvent.objects.get(case_id=case_id, seq=2).body
    # Their own objection is a case of theirs.
    assert cases.case_view(receipt.opened[0], packs.objector, now=MONDAY).state == "asked"
    # An empty answer comes back by field.
    with pytest.raises(Problem) as caught:
        cases.public_command(case_id, "object", {}, **{**send, "idempotency_key": "k2"})
    assert set(caught.value.extra["errors"]) == {"why"}


def test_one_officer_claims_and_the_others_wait(packs):
    case_id = permit(packs)
    claiming = cases.claiming
    assert claiming.may_claim(case_id, packs.officer, MONDAY) == {"claim", "delegate"}
    done = claiming.claim(case_id, packs.officer, MONDAY, expected_version=1)
    assert owners(case_id, "clerk") == [f"account:{packs.officer.pk}"] and done.seq == 2
    assert refused(claiming.claim, case_id, packs.second, MONDAY) == "task-claimed"
    assert refused(claiming.claim, case_id, packs.second, MONDAY, expected_version=1) == "case-changed"
    assert refused(do, case_id, "charge", packs.second) == "task-claimed"
    assert cases.case_view(case_id, packs.second, now=MONDAY).commands == [], "seen, not worked"
    claiming.give_back(case_id, packs.officer, "", MONDAY)
    assert owners(case_id, "clerk") == ["department:market"]
    claiming.delegate(case_id, packs.officer, packs.second, "专长", MONDAY)
    assert claiming.may_claim(case_id, packs.second, MONDAY) == {"delegate", "give_back"}
    claiming.give_back(case_id, packs.second, "材料与我有关", MONDAY)
    assert refused(claiming.give_back, case_id, packs.second, "x", MONDAY) == "claim-none"
    assert (
        refused(claiming.delegate, case_id, packs.officer, packs.cashier, "x", MONDAY) == "delegate-nothing"
    )
    assert refused(claiming.claim, case_id, packs.fireman, MONDAY) == "case-unknown"
    assert steps(case_id)[1:] == ["claimed", "released", "delegated", "returned"]
    view = cases.case_view(case_id, packs.officer, now=MONDAY)
    assert "材料与我有关" in view.events[-1].sentence["zh"] and view.events[-1].grounds
    assert not cases.check_case(case_id)


def test_whoever_leaves_leaves_no_work_behind_and_each_case_says_where_it_went(packs):
    visit = cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="v", now=MONDAY
    )
    done = cases.hand_over(packs.worker, None, actor=packs.operator, reason="调离", now=MONDAY)
    assert (done.moved, done.refused) == (0, 1)
    assert owners(visit, "worker") == ["nobody"] and steps(visit)[-1] == "handed-over"
    claimed = permit(packs)
    cases.claiming.claim(claimed, packs.officer, MONDAY)
    done = cases.hand_over(packs.officer, None, actor=packs.operator, reason="调离", now=MONDAY)
    assert (done.moved, done.refused) == (1, 0) and owners(claimed, "clerk") == ["department:market"]
    said = cases.case_view(claimed, packs.second, now=MONDAY).events[-1].sentence["zh"]
    assert "周敏" in said and "市场监管局" in said
    assert not cases.check_case(visit) and not cases.check_case(claimed)


def test_the_operator_replaces_a_reviewer_but_never_by_the_applicant(packs):
    case_id = permit(packs, reviewers=["ex"])
    child = Case.objects.get(parent_id=case_id)
    assert refused(
        cases.reassign, child.pk, packs.applicant, actor=packs.operator, reason="x", now=MONDAY
    ) == ("reassign-nothing")
    cases.reassign(child.pk, packs.second, actor=packs.operator, reason="回避", now=MONDAY)
    assert cases.access_case(child.pk, packs.operator, MONDAY).level == "masked", "to reassign is not to read"
    do(child.pk, "mark", packs.second, {"score": 5})
    assert not cases.check_case(child.pk)


def test_the_applicants_pages_are_not_for_those_who_work_the_case(packs):
    case_id = permit(packs)
    assert cases.receipt_of(case_id, packs.applicant, now=MONDAY).case_id == case_id
    for staff in (packs.officer, packs.operator, packs.worker):
        assert refused(cases.receipt_of, case_id, staff, now=MONDAY) == "case-unknown"
    assert cases.case_view(case_id, packs.officer, now=MONDAY).state, (
        "they have the file, and the look is on record"
    )


def test_many_cases_are_reviewed_at_once_and_each_refusal_is_named(packs):
    ids = [permit(packs, key=f"b{n}") for n in range(3)]
    cases.claiming.claim(ids[1], packs.second, MONDAY)
    found = cases.command_many([*ids, "C0"], "refuse", {}, actor=packs.officer, key="bulk", now=MONDAY)
    codes = {case_id: problem.code if problem else "" for case_id, problem in found.items()}
    assert codes == {ids[0]: "", ids[1]: "task-claimed", ids[2]: "", "C0": "case-unknown"}


def test_remarks_stay_inside_and_are_erased_with_the_rest(packs):
    case_id = permit(packs)
    cases.comments.add_comment(case_id, packs.officer, "电话核实过", MONDAY)
    assert [item.text for item in cases.comments.comments_of(case_id, packs.second, MONDAY)] == ["电话核实过"]
    for outsider, code in ((packs.applicant, "comments-inside"), (packs.fireman, "case-unknown")):
        assert refused(cases.comments.comments_of, case_id, outsider, MONDAY) == code
    assert refused(cases.comments.add_comment, case_id, packs.officer, "  ", MONDAY) == "form-invalid"
    assert "电话" not in json.dumps(cases.case_view(case_id, packs.applicant, now=MONDAY), default=str)
    cases.erase_personal(case_id, MONDAY)
    assert [item.text for item in cases.comments.comments_of(case_id, packs.second, MONDAY)] == [""]
