"""A form is filled from what is known, each value with source, day and a way to dispute it; the rest says why it is asked."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.mydata.fitting import fitted
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Acting
from chengshu.contexts.subjects import api as subjects
from chengshu.procedure.types import Type

from .conftest import ANNA, FIRM, NOW, PACK, PLACE, apply
from .test_offers import entry


def test_each_value_comes_with_its_table_its_day_and_a_way_to_dispute_it(anna):
    found = hall.prefill(PACK, anna, NOW)
    name = found.found["applicant_name"]
    assert (name.value, name.at, name.source_code) == ("王安娜", "2026-10-01", "public-security.residents")
    assert name.source_title["zh"] == "常住人口登记"
    assert name.dispute_url == "/my/dispute/person.name"
    assert found.asked["phone"] == "no-consent"


def test_with_consent_it_is_filled_and_with_the_source_down_it_is_asked(anna, staff):
    subjects.consent_given(ANNA, PACK, ["person.phone"], by=anna, now=NOW)
    assert hall.prefilled(PACK, anna, NOW)["phone"].value == "13800138001"
    subjects.halt_source("public-security.residents", "down", "停电", actor=staff.steward, now=NOW)
    found = hall.prefill(PACK, anna, NOW)
    assert "applicant_name" not in found.found
    assert found.asked["applicant_name"] == found.asked["phone"] == "halted"


def test_a_certificate_fills_what_it_says_and_can_be_disputed(anna):
    assert hall.prefill(PACK, anna, NOW).asked["child_id"] == "no-certificate"
    entry(anna, "HK-2026-0001")
    child = hall.prefilled(PACK, anna, NOW)["child_id"]
    assert child.value == "440306202506100028"
    assert "HK-2026-0001" in child.source_title["zh"]
    assert child.dispute_url == "/my/dispute/certificate/HK-2026-0001/child_id"


def test_a_disputed_value_says_so(anna):
    subjects.dispute_value(
        ANNA, "person.name", claimed="王安", reason="", actor=anna, now=NOW, idempotency_key="d"
    )
    name = hall.prefilled(PACK, anna, NOW)["applicant_name"]
    assert name.disputed and not name.disputable


def test_nobody_without_a_record_is_filled_anything(staff):
    found = hall.prefill(PACK, staff.bert, NOW)
    assert not found.found
    assert found.asked["applicant_name"] == "no-record"


def test_the_whole_form_is_one_look_and_few_queries(anna):
    entry(anna, "HK-2026-0001")
    subjects.consent_given(ANNA, PACK, ["person.phone"], by=anna, now=NOW)
    with CaptureQueriesContext(connection) as seen:
        hall.prefill(PACK, anna, NOW)
    assert len(seen) <= 24, [query["sql"][:80] for query in seen]
    assert identity.reads_of(ANNA)[1] == 1


def test_for_a_firm_the_firms_record_answers_and_for_the_agent_their_own(anna):
    acting = Acting(anna, FIRM, "安娜小吃店", "mandate", 7, None)
    held = subjects.own_values(cases.current_pack(PACK), acting, ["person.name"], NOW)["person.name"]
    assert held.value == "王安娜"
    assert subjects.subject_for(acting, "firm.name") == FIRM
    assert subjects.subject_for(Acting(anna, ANNA, "王安娜"), "firm.name") == ""


def test_the_premises_at_a_chosen_address_are_known_and_their_owner_masked(world):
    held = subjects.premises_values(PLACE, ["premises.area_m2", "premises.use", "premises.owner_name"])
    assert held["premises.area_m2"].value == "88.5"
    assert held["premises.use"].source_title["zh"] == "房屋登记"
    assert (
        held["premises.owner_name"].value.startswith("李") and "伯特" not in held["premises.owner_name"].value
    )
    assert subjects.premises_values("440306999999999999999", ["premises.use"]) == {}


def test_an_earlier_answer_of_mine_is_found_and_nobody_elses(anna, staff):
    apply(anna)
    found = cases.earlier_answers(anna, "", ["subsidy.bank_account"])
    assert found["subsidy.bank_account"].value == "6217000000000000001"
    assert cases.earlier_answers(staff.bert, "", ["subsidy.bank_account"]) == {}


PACK_WORDS = SimpleNamespace(
    text=lambda key, language: {"choices.sex.male": "男", "choices.sex.female": "女"}.get(key, "")
)


def field(kind, **more):
    return SimpleNamespace(
        name="sex",
        type=Type(kind, tuple(more.pop("choices", ()))),
        most=more.pop("most", 20),
        format=more.pop("format", ""),
    )


@pytest.mark.parametrize(
    ("item", "value", "expected"),
    [
        (field("choice", choices=["male", "female"]), "女", "female"),
        (field("choice", choices=["male", "female"]), "未知", None),
        (field("integer"), "88.5", 88),
        (field("money"), "12.50", 1250),
        (field("boolean"), "是", True),
        (field("boolean"), "大概", None),
        (field("date"), "2026-02-30", None),
        (field("text", format="resident_id"), "440306199303150021", None),
        (field("text", most=2), "三个字", None),
    ],
)  # fmt: skip
def test_a_value_is_taken_as_the_field_takes_it_or_asked(item, value, expected):
    assert fitted(PACK_WORDS, item, value) == expected


@given(st.one_of(st.text(max_size=30), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=True)))
def test_no_value_of_a_register_breaks_a_form(value):
    for kind in ("text", "choice", "integer", "money", "boolean", "date"):
        got = fitted(PACK_WORDS, field(kind, choices=["male"]), value)
        assert got is None or isinstance(got, str | int | bool)


def test_a_copy_of_my_data_holds_all_and_only_i_can_take_it(anna, staff, browser):
    subjects.consent_given(ANNA, PACK, ["person.phone"], by=anna, now=NOW)
    assert browser.post("/my/data/copies").status_code == 302
    from chengshu.contexts.hall.mydata.models import DataExport

    row = DataExport.objects.get()
    assert hall.make_copies(row.asked_at) == 1
    body = json.loads(browser.get(f"/my/data/copies/{row.pk}.json").content)
    assert {item["element"]: item["value"] for item in body["held"]}["person.phone"] == "13800138001"
    assert body["consents"] and body["reads"]["total"] >= 1
    assert "13800138001" in browser.get(f"/my/data/copies/{row.pk}/print").content.decode()
    from django.test import Client

    other = Client()
    other.force_login(staff.bert)
    assert other.get(f"/my/data/copies/{row.pk}.json").status_code == 404
    browser.post("/my/data/copies")
    assert DataExport.objects.count() == 1  # one a day
    row.refresh_from_db()
    hall.make_copies(row.expires_at)
    assert browser.get(f"/my/data/copies/{row.pk}.json").status_code == 404


def test_a_copy_that_cannot_be_made_stops_nobody_elses(anna, staff, browser, monkeypatch):
    from chengshu.contexts.hall.mydata import export
    from chengshu.contexts.hall.mydata.models import DataExport
    from chengshu.contexts.hall.mydata.room import Room

    def broken(room, now):
        if room.subject_id != ANNA:
            raise ValueError("a damaged snapshot")
        return {"what": "all"}

    monkeypatch.setattr(export, "gathered", broken)
    bert = identity.Acting(staff.bert, staff.bert.subject_id, "李伯特")
    first = export.ask(Room(bert, bert.subject_id), NOW)
    export.ask(Room(identity.Acting(anna, ANNA, "王安娜"), ANNA), NOW)
    assert hall.make_copies(NOW) == 1
    for _ in range(export.ATTEMPTS):
        hall.make_copies(NOW)
    first.refresh_from_db()
    assert first.state == DataExport.State.FAILED and first.problem


def test_i_dispute_what_my_certificate_says_and_the_issuing_department_answers(anna, staff, browser):
    entry(anna, "HK-2026-0001")
    url = "/my/dispute/certificate/HK-2026-0001/child_name"
    assert "王小满" in browser.get(url).content.decode()
    key = "6f1c0b2e-9b1e-4f39-8d4e-0d5d5f0d7a11"
    assert browser.post(url, {"claimed": "王大满", "reason": "写错了", "key": key}).status_code == 302
    (dispute,) = subjects.Dispute.objects.all()
    assert (dispute.decider, dispute.element) == ("public-security", "certificate.HK-2026-0001.child_name")
    assert "王大满" in browser.get("/my/data/disputes").content.decode()
    officer = identity.save_account("ps", display_name="吴刚", role="officer", department="public-security")
    cases.command(dispute.case_id, "accept", {"reason_text": "确有错误"}, actor=officer, expected_version=None,
                  idempotency_key=None, now=NOW)  # fmt: skip
    dispute.refresh_from_db()
    assert dispute.closed_at is not None
    assert browser.get("/my/dispute/certificate/HK-9/child_name").status_code == 404


ROOM = ("data/", "reads", "data/consents", "data/disputes", "data/copies", "offers", "decisions/lots")


@pytest.mark.parametrize("path", ROOM)
def test_each_page_of_my_room_asks_the_database_little(path, anna, browser):
    subjects.consent_given(ANNA, PACK, ["person.phone"], by=anna, now=NOW)
    entry(anna, "HK-2026-0001")
    browser.get(f"/my/{path}")
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(f"/my/{path}").status_code == 200
    assert len(seen) <= 15, "\n".join(query["sql"][:130] for query in seen)


def test_i_take_a_consent_back_on_its_page(anna, browser):
    given_ = subjects.consent_given(ANNA, PACK, ["person.phone"], by=anna, now=NOW)
    assert "通知办理结果" in browser.get("/my/data/consents").content.decode()
    assert browser.post(f"/my/data/consents/{given_}/revoke").status_code == 302
    assert "已撤回" in browser.get("/my/data/consents").content.decode()


def test_who_acts_in_some_matters_only_does_not_see_everything_that_is_held(
    anna, staff, monkeypatch, browser
):
    from chengshu.contexts.hall.mydata import room

    some = Acting(anna, FIRM, "安娜小吃店", "mandate", 1, frozenset({PACK}))
    monkeypatch.setattr(room.identity, "acting", lambda request: some)
    assert "受托" in browser.get("/my/data/").content.decode()
    assert browser.get("/my/data/consents").status_code == 404
