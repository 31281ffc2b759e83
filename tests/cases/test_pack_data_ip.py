"""Data intellectual property through the engine: an objection from the street, a transfer by two, a renewal, a lapse."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.models import Mandate, PersonalRead
from chengshu.kernel.problems import Problem
from chengshu.site.simulation.samples import read_samples
from tests_support.casework import MONDAY
from tests_support.packwork import PAPER, handed, settle, take

PACK = "data-ip-registration"


@pytest.fixture
def people(district):
    identity.save_department("ip-office", "知识产权保护中心", "Intellectual Property Office")
    for name, role, department in (
        ("ip1", "officer", "ip-office"), ("ip2", "officer", "ip-office"), ("zhao", "resident", ""), ("sun", "resident", ""),
    ):  # fmt: skip
        more = {"department": department} if department else {}
        setattr(district, name, identity.save_account(name, display_name=name, role=role, **more))
    return district


def at(days, hour=1):
    return (MONDAY + dt.timedelta(days=days)).replace(hour=hour)


def applied(people, key="a1", **whose):
    facts = read_samples(cases.current_files(PACK)).openings[0].facts
    return cases.open_case(PACK, facts, opened_by=people.resident, idempotency_key=key, now=MONDAY, **whose)


def registered(people, **whose):
    case_id = applied(people, **whose)
    take(case_id, "pass", people.ip1, MONDAY)
    settle(at(30))
    with pytest.raises(Problem) as caught:
        take(case_id, "approve", people.ip1, at(30))
    assert caught.value.code == "own-work"
    take(case_id, "approve", people.ip2, at(30))
    settle(at(30))
    return case_id


def reversed_ones(now):
    lines, _total, _more = cases.supervised(cases.Asked("reversed"), now)
    return [(line.case_id, line.why["zh"], line.grounds[0].citation["zh"]) for line in lines]


def child_of(case_id):
    return Case.objects.filter(parent_id=case_id).latest("opened_at").pk


def objected(people, case_id):
    """Anyone may object on the page of the notice; the objection is a case of theirs."""
    said = {
        "objector": "某公司",
        "objection_ground": "ownership",
        "objection": "由我采集",
        "objection_proof": PAPER,
    }
    receipt = cases.public_command(
        case_id,
        "object",
        handed(said, people.zhao, at(1)),
        actor=people.zhao,
        now=at(1),
        idempotency_key="object:1",
    )
    return receipt.opened[0]


def test_a_stranger_objects_the_applicant_answers_and_the_application_goes_on(people):
    case_id = applied(people)
    take(case_id, "pass", people.ip1, MONDAY)
    child = objected(people, case_id)
    take(child, "forward", people.ip1, at(2))
    with pytest.raises(Problem):
        take(child, "answer", people.zhao, at(3), answer="x", answer_proof=PAPER)
    take(child, "answer", people.resident, at(3), answer="有采集记录", answer_proof=PAPER)
    take(child, "forward_answer", people.ip1, at(4))
    take(child, "supplement", people.zhao, at(7), supplement="无", supplement_proof=PAPER)
    settle(at(15))
    assert Case.objects.get(pk=case_id).state == "objected"
    take(child, "decide", people.ip2, at(16), holds=False, decision_text="来源证明完整")
    settle(at(16))
    assert Case.objects.get(pk=case_id).state == "deciding"
    assert cases.check_case(case_id) == cases.check_case(child) == []
    assert cases.dead_jobs() == []


def is_person(account, subject_id):
    return identity.save_account(
        account.username, display_name=account.username, role="resident", subject_id=subject_id
    )


def looked_at(child, viewer, now):
    """Whose data a look at a case puts on record."""
    cases.case_view(child, viewer, now=now)
    return set(PersonalRead.objects.filter(case_id=child).values_list("subject_id", flat=True))


def test_a_look_at_an_objection_is_put_on_record_for_who_objects_not_for_the_applicant(people):
    people.zhao = is_person(people.zhao, "P000000041")
    case_id = applied(people, subject_id="P000000033")
    take(case_id, "pass", people.ip1, MONDAY)
    assert looked_at(case_id, people.ip1, at(1)) == {"P000000033"}
    assert looked_at(objected(people, case_id), people.ip1, at(2)) == {"P000000041"}


def test_what_an_agent_files_for_the_holder_is_the_holders_matter(people):
    people.sun = is_person(people.sun, "P000000033")
    Mandate.objects.create(
        principal_id="P000000033", principal_name="孙", agent=people.resident, scope=[PACK], state="accepted",
        valid_from=dt.date(2026, 1, 1), valid_to=dt.date(2027, 12, 31), given_by=people.sun, given_by_name="孙",
        offered_at=MONDAY,
    )  # fmt: skip
    held = Mandate.objects.get()
    case_id = registered(
        people,
        subject_id="P000000033",
        on_behalf={"subject_id": "P000000033", "by": "mandate", "mandate": held.pk},
    )
    take(case_id, "cancel", people.resident, at(43), cancel_reason="不再使用")
    child = child_of(case_id)
    assert Case.objects.values_list("subject_id", "principal").get(pk=child) == ("P000000033", "P000000033")
    assert cases.case_view(child, people.sun, now=at(43)).on_behalf["by"] == "mandate"
    assert cases.case_view(child, people.resident, now=at(43))
    Mandate.objects.update(state="revoked")
    with pytest.raises(Problem):
        cases.case_view(child, people.resident, now=at(43))


def test_an_objection_that_holds_ends_the_application(people):
    case_id = applied(people)
    take(case_id, "pass", people.ip1, MONDAY)
    child = objected(people, case_id)
    take(child, "forward", people.ip1, at(2))
    settle(at(20))
    take(child, "decide", people.ip2, at(21), holds=True, decision_text="权属有争议")
    settle(at(21))
    assert Case.objects.get(pk=case_id).outcome == "opposed"
    ((upset, why, ground),) = reversed_ones(at(21))
    assert upset == case_id and "异议" in why and "第十二条" in ground
    # The data set is free again for whoever owns it.
    assert applied(people, key="a2") != case_id


def test_silence_for_ten_working_days_is_withdrawal(people):
    case_id = applied(people)
    take(case_id, "correct", people.ip1, MONDAY, lacking="请补充来源证明")
    settle(at(14, hour=15))
    assert Case.objects.get(pk=case_id).state == "correcting"
    settle(at(15))
    assert Case.objects.get(pk=case_id).outcome == "deemed-withdrawn"
    (line,), _total, _more = cases.supervised(cases.Asked("withdrawn"), at(15))
    assert line.case_id == case_id and "第八条" in line.grounds[0].citation["zh"]


def test_both_parties_transfer_and_only_the_new_holder_acts(people):
    case_id = registered(people)
    take(
        case_id, "transfer", people.resident, at(40),
        new_holder="新示例公司", new_holder_id="91110108MA02EXAM0Y", partner=["sun"], transfer_paper=PAPER,
    )  # fmt: skip
    child = child_of(case_id)
    with pytest.raises(Problem) as caught:
        take(child, "accept", people.ip1, at(41))
    assert caught.value.code == "guard-refused"
    take(child, "join", people.sun, at(41))
    take(child, "accept", people.ip1, at(42))
    settle(at(42))
    certificate = Certificate.objects.get()
    assert certificate.issues.latest("version").holder == "新示例公司"
    # The certificate is on the page of the new holder, and on that of the former one no more.
    assert list(certificates.certificates_of(people.sun)) == [certificate]
    assert not certificates.certificates_of(people.resident).exists()
    assert "91110108MA02EXAM0Y" not in certificate.holder_mark and certificate.holder_mark
    with pytest.raises(Problem):
        take(case_id, "cancel", people.resident, at(43), cancel_reason="不再使用")
    take(case_id, "cancel", people.sun, at(43), cancel_reason="不再使用")
    take(child_of(case_id), "accept", people.ip1, at(44))
    settle(at(44))
    assert Case.objects.get(pk=case_id).outcome == "cancelled"
    # The holder's own wish undoes no decision of the office.
    assert reversed_ones(at(44)) == []
    assert certificates.entry("data-ip", 1).state != "active" and cases.check_case(case_id) == []


def test_it_is_renewed_within_its_last_month_else_it_lapses(people):
    case_id = registered(people)
    end = dt.datetime(2029, 12, 23, 3, tzinfo=dt.UTC)
    with pytest.raises(Problem):
        take(case_id, "renew", people.resident, end - dt.timedelta(days=40), still_used=True)
    take(case_id, "renew", people.resident, end - dt.timedelta(days=10), still_used=True)
    take(child_of(case_id), "accept", people.ip1, end - dt.timedelta(days=8))
    settle(end)
    row = Case.objects.get(pk=case_id)
    assert row.state == "registered" and cases.check_case(case_id) == []
    settle(end.replace(year=2032) + dt.timedelta(days=1))
    assert Case.objects.get(pk=case_id).outcome == "lapsed"


def test_a_supervisor_sees_what_the_office_cancelled_and_on_which_instrument(people):
    case_id = registered(people)
    take(
        case_id, "cancel_by_office", people.ip1, at(40), instrument="（2026）京73民终1号民事判决书", instrument_file=PAPER
    )  # fmt: skip
    ((upset, why, ground),) = reversed_ones(at(40))
    assert upset == case_id and "民事判决书" in why and "第十八条" in ground
    # A later note of the machine on the ended case does not take the reason's place.
    cases.system_command(
        case_id, "changed", {"child": case_id, "child_outcome": "refused"}, idempotency_key="n", now=at(41)
    )
    assert reversed_ones(at(41)) == [(upset, why, ground)]
    (standing,) = [line for line in cases.standing(at(41)) if line.pack == PACK]
    assert (standing.ended, standing.reversed, standing.withdrawn) == (1, 1, 0)
    (cause,) = cases.ending_causes(at(41))
    assert cause.outcome["zh"] == "登记已注销并公告" and cause.count == 1
