"""A resident lets a service use their data, or does not, or takes it back; the sources hold to it."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import SourceRequest, registry

from .conftest import FIRM, NOW, PACK, childbirth_facts


def ask(account, element, **more):
    params = {"account": str(account.pk), "element": element}
    request = SourceRequest("", "field", element, params, NOW, pack=more.pop("pack", PACK), **more)
    return registry.source_handler("own_record")(request)


def allow(anna, elements=("person.phone",), **more):
    return subjects.consent_given(anna.subject_id, PACK, elements, by=anna, now=NOW, **more)


def test_what_a_service_uses_is_said_with_its_law_or_asks_for_consent(anna):
    uses = {use.element: use for use in subjects.consent_needed(PACK)}
    assert {"person.name", "person.resident_id", "person.phone"} <= set(uses)
    assert not uses["person.name"].needs_consent
    assert "第五条" in uses["person.name"].grounds[0]["zh"]
    assert uses["person.phone"].needs_consent
    assert uses["person.phone"].purpose["zh"] == "通知办理结果"


def test_the_law_suffices_for_a_name_and_the_look_is_on_record(anna):
    assert ask(anna, "person.name") == "王安娜"
    reads, total = identity.reads_of(anna.subject_id)
    assert total == 1
    assert reads[0].elements == ("person.name",)


def test_without_consent_the_source_itself_refuses(anna):
    with pytest.raises(Problem) as refused:
        ask(anna, "person.phone")
    assert refused.value.code == "consent-needed"
    assert identity.reads_of(anna.subject_id)[1] == 0


def test_consent_opens_the_source_and_revoking_closes_it(anna):
    given = allow(anna)
    assert ask(anna, "person.phone") == "13800138001"
    assert subjects.revoke_consent(given, by=anna, now=NOW)
    assert not subjects.revoke_consent(given, by=anna, now=NOW)
    with pytest.raises(Problem):
        ask(anna, "person.phone")
    kinds = [entry.kind for entry in ledger.entries_for(f"consent:{given}")]
    assert sorted(kinds) == ["consent-given", "consent-revoked"]


def test_consent_for_one_application_does_not_serve_the_next(anna):
    allow(anna)
    facts = childbirth_facts()
    case_id = cases.open_case(PACK, facts, opened_by=anna, idempotency_key="c:1", now=NOW)
    with pytest.raises(Problem):
        ask(anna, "person.phone")
    request = SourceRequest(
        case_id, "f", "e", {"account": str(anna.pk), "element": "person.phone"}, NOW, pack=PACK
    )
    assert registry.source_handler("own_record")(request) == "13800138001"
    (kept,) = subjects.consents_of(anna.subject_id, NOW)
    assert kept.case_id == case_id


def test_my_own_application_takes_nothing_of_what_i_allowed_for_whom_i_act(anna, staff):
    acting = identity.Acting(anna, staff.bert.subject_id, "李伯特", "mandate", 7)
    given = subjects.consent_given(staff.bert.subject_id, PACK, ["person.phone"], by=acting, now=NOW)
    cases.open_case(PACK, childbirth_facts(), opened_by=anna, idempotency_key="c:1", now=NOW)
    (kept,) = subjects.consents_of(staff.bert.subject_id, NOW)
    assert (kept.id, kept.case_id) == (given, "")


def test_whoever_acts_for_a_firm_allows_their_own_data_beside_it(anna):
    own = identity.Acting(anna, FIRM, "安娜小吃店", "mandate", 7)
    subjects.consent_given(anna.subject_id, PACK, ["person.phone"], by=own, now=NOW)
    assert subjects.own_values(cases.current_pack(PACK), own, ["person.phone"], NOW)["person.phone"].value
    behalf = {"subject_id": FIRM, "by": "mandate", "mandate": 7}
    case_id = cases.open_case(
        PACK, childbirth_facts(), opened_by=anna, idempotency_key="c:1", now=NOW, on_behalf=behalf
    )
    (kept,) = subjects.consents_of(anna.subject_id, NOW)
    assert kept.case_id == case_id


def test_consent_for_a_period_serves_until_its_last_day(anna):
    allow(anna, until=dt.date(2026, 12, 31))
    cases.open_case(PACK, childbirth_facts(), opened_by=anna, idempotency_key="c:1", now=NOW)
    assert ask(anna, "person.phone") == "13800138001"
    with pytest.raises(Problem, match="一年"):
        allow(anna, until=dt.date(2028, 1, 1))


def test_nobody_else_allows_what_is_mine(anna, staff):
    for stranger in (staff.officer, staff.bert):
        with pytest.raises(Problem) as refused:
            subjects.consent_given(anna.subject_id, PACK, ["person.phone"], by=stranger, now=NOW)
        assert refused.value.code == "consent-not-yours"
    given = allow(anna)
    with pytest.raises(Problem):
        subjects.revoke_consent(given, by=staff.bert, now=NOW)


def test_a_service_cannot_collect_consent_for_more_than_it_asks(anna):
    for elements in ([], ["person.birth_date"], ["person.phone", "person.sex"]):
        with pytest.raises(Problem) as refused:
            allow(anna, elements)
        assert refused.value.code == "consent-elements"


def test_a_use_that_names_no_service_is_refused(anna):
    with pytest.raises(Problem) as refused:
        ask(anna, "person.name", pack="")
    assert refused.value.code == "use-without-purpose"


def test_a_source_that_is_down_is_asked_and_comes_back(anna, staff):
    subjects.halt_source("public-security.residents", "down", "机房停电", actor=staff.steward, now=NOW)
    with pytest.raises(Problem) as refused:
        ask(anna, "person.name")
    assert refused.value.code == "source-halted"
    with pytest.raises(Problem):
        subjects.halt_source("public-security.residents", "down", "又一次", actor=staff.steward, now=NOW)
    assert subjects.end_halt("public-security.residents", actor=staff.steward, now=NOW)
    assert ask(anna, "person.name") == "王安娜"


def test_a_corrected_value_needs_the_same_consent_and_no_table(anna, staff):
    subjects.apply_correction(
        anna.subject_id, "person.phone", "13900139000", actor_name="陈志强", now=NOW, idempotency_key="k"
    )
    with pytest.raises(Problem):
        ask(anna, "person.phone")
    allow(anna)
    subjects.halt_source("public-security.residents", "withdrawn", "协议到期", actor=staff.steward, now=NOW)
    assert ask(anna, "person.phone") == "13900139000"
