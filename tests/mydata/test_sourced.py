"""A decision of seconds rests on what the record says: what an applicant types there counts for nothing."""

from __future__ import annotations

import datetime as dt
import json

from django.db import connection
from django.test.utils import CaptureQueriesContext

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.hall import api as hall
from chengshu.kernel.one_look import one_look
from chengshu.site.simulation.samples import read_samples

from .conftest import NOW, PACK, childbirth_facts, confirm

BIRTH = "birth-data"
TYPED = {
    "applicant_name": "王安娜", "applicant_id": "440306199303150020", "applicant_born_on": "1993-03-15",
    "phone": "13800138001", "child_name": "王小满", "sex": "female", "born_on": "2026-11-10", "born_at": "08:35",
    "weeks": 39, "weight_g": 9999, "length_cm": 50, "hospital": "自己写的医院", "midwife": "陈丽",
    "relation": "mother",
}  # fmt: skip


def record(account, number="BR-2026-000007", **more):
    """Give the mother a record that the hospital reported."""
    said = {"sex": "female", "born_on": "2026-11-10", "born_at": "08:35", "weeks": 39, "weight_g": 3280, "length_cm": 50,
            "hospital": "宝安区（演示）妇幼保健院", "midwife": "陈丽",
            "mother_name": "王安娜", "mother_id": "440306199303150020", **more}  # fmt: skip
    claims = [{"name": name, "label": {"zh": name, "en": name}, "raw": value, "value": {"zh": str(value), "en": str(value)}}
              for name, value in said.items()]  # fmt: skip
    Certificate.objects.create(
        number=number, type="birth-record", case_id=number[-6:], title_zh="分娩信息", title_en="Record", holder="王安娜",
        holder_account=str(account.pk), holder_id=account.subject_id, claims=json.dumps(claims), department="health",
        valid_from=dt.date(2026, 1, 1), issued_at=NOW, changed_at=NOW,
    )  # fmt: skip


def licence(account, code, **more):
    """Give somebody the licence of their shop."""
    said = {"credit_code": code, **more}
    claims = [{"name": name, "label": {"zh": name, "en": name}, "raw": value, "value": {"zh": value, "en": value}}
              for name, value in said.items()]  # fmt: skip
    Certificate.objects.create(
        number="YZ-2026-000001", type="business-licence", case_id="X2", title_zh="营业执照", title_en="Licence", holder="王安娜",
        holder_account=str(account.pk), holder_id=account.subject_id, claims=json.dumps(claims), department="market",
        valid_from=dt.date(2026, 1, 1), issued_at=NOW, changed_at=NOW,
    )  # fmt: skip


def applied(account, key, number="BR-MADE-UP", child="王小满"):
    facts = {**TYPED, "child_name": child, **({"record_number": number} if number else {})}
    case_id = cases.open_case(BIRTH, facts, opened_by=account, idempotency_key=key, now=NOW, asked=True)
    return confirm(case_id, account)


def test_a_record_number_that_one_types_leads_to_a_person(anna):
    cases.need_shipped(BIRTH, NOW)
    view = applied(anna, "a")
    assert view.state == "examining"


def test_the_hospitals_record_decides_at_once_and_overrules_what_was_typed(anna):
    cases.need_shipped(BIRTH, NOW)
    record(anna)
    view = applied(anna, "b", number="")
    assert view.state == "done"
    said = {label["zh"]: value for _name, label, value in view.facts}
    assert any("3280" in str(value) for value in said.values())
    assert not any("9999" in str(value) or "自己写的医院" in str(value) for value in said.values())


def test_a_mother_whom_the_hospital_did_not_record_is_looked_at_by_a_person(anna):
    cases.need_shipped(BIRTH, NOW)
    record(anna, mother_name="李安", mother_id="440306199303150047")
    assert applied(anna, "c", number="").state == "examining"


def entry(account):
    """Give somebody the household entry of their child."""
    said = {
        "child_name": "王小满",
        "child_id": "440306202506100028",
        "birth_date": "2025-06-10",
        "number": "HE-2026-000001",
    }
    claims = [{"name": name, "label": {"zh": name, "en": name}, "raw": value, "value": {"zh": value, "en": value}}
              for name, value in said.items()]  # fmt: skip
    Certificate.objects.create(
        number="HE-2026-000001", type="household-entry", case_id="X3", title_zh="户口登记", title_en="Entry", holder="王安娜",
        holder_account=str(account.pk), holder_id=account.subject_id, claims=json.dumps(claims),
        department="public-security", valid_from=dt.date(2026, 1, 1), issued_at=NOW, changed_at=NOW,
    )  # fmt: skip


def subsidised(account, key, **typed):
    given = {"asked": True, "opened_by": account, "idempotency_key": key, "now": NOW}
    case_id = cases.open_case(PACK, childbirth_facts(**typed), **given)
    return confirm(case_id, account)


def test_the_subsidy_is_granted_to_whom_the_register_knows_not_to_the_number_that_is_typed(staff):
    entry(staff.anna)
    # Another's number, a man's, who would be the father: the register says whose account it is.
    typed = {"relation": "father", "applicant_id": "440306199107150015", "applicant_born_on": "1991-07-15"}
    view = subsidised(staff.anna, "s1", **typed)
    assert view.state == "examining"
    assert cases.case_facts(view.case_id)["facts"]["applicant_id"] == "440306199303150020"


def test_the_mother_whom_the_register_knows_has_the_subsidy_at_once_and_who_is_in_none_meets_a_person(staff):
    entry(staff.anna)
    assert subsidised(staff.anna, "s2").state == "approved"
    entry_of = Certificate.objects.get(number="HE-2026-000001")
    entry_of.pk, entry_of.number, entry_of.case_id = None, "HE-2026-000002", "X4"
    entry_of.holder_account, entry_of.holder_id = str(staff.bert.pk), staff.bert.subject_id
    entry_of.claims = entry_of.claims.replace("440306202506100028", "440306202506100036")
    entry_of.save()
    assert subsidised(staff.bert, "s3").state == "examining"


def restaurants():
    for pack in ("business-licence", "food-permit", "fire-safety-check", "sign-board", "joint-inspection"):
        cases.need_shipped(pack, NOW)
    cases.need_shipped("open-a-restaurant", NOW)
    samples = read_samples(cases.current_files("open-a-restaurant")).openings[0].facts
    return {name: value for name, value in samples.items() if value is not None} | {"things": ["food"]}


def food_of(account, facts, key):
    whole = cases.open_case("open-a-restaurant", facts, opened_by=account, idempotency_key=key, now=NOW)
    return cases.case_facts(Case.objects.get(parent=whole, pack="food-permit").pk)["facts"]


def test_a_part_sees_what_was_issued_earlier_in_the_same_press(anna):
    code = "91440300MA5DA1X78B"
    facts = restaurants() | {"old_code": code}
    with one_look():
        assert food_of(anna, facts | {"old_code": "91350100M000100Y43"}, "one").get("licence_number") is None
        licence(anna, code, firm_name=facts["shop_name"], address=facts["address"])
        assert food_of(anna, facts, "two").get("licence_number") == "YZ-2026-000001"


def test_a_part_asks_each_record_once_when_it_opens(anna):
    facts = restaurants() | {"old_code": "91440300MA5DA1X78B"}
    licence(anna, facts["old_code"])
    with CaptureQueriesContext(connection) as asked:
        food_of(anna, facts, "once")
    about = [each["sql"] for each in asked if each["sql"].startswith("SELECT")]
    twice = {
        sql: about.count(sql) for sql in about if "certificates_certificate" in sql or "subjects_" in sql
    }
    assert twice and set(twice.values()) == {1}, twice


def test_a_part_rests_on_the_record_too_whatever_its_questionnaire_says(anna):
    for pack in ("business-licence", "food-permit", "fire-safety-check", "sign-board", "joint-inspection"):
        cases.need_shipped(pack, NOW)
    cases.need_shipped("open-a-restaurant", NOW)
    licence(anna, "91440300MA5DA1X78B")
    samples = read_samples(cases.current_files("open-a-restaurant")).openings[0].facts
    facts = {name: value for name, value in samples.items() if value is not None}
    facts |= {"things": ["food"], "old_code": "91350100M000100Y43"}
    whole = cases.open_case("open-a-restaurant", facts, opened_by=anna, idempotency_key="r", now=NOW)
    food = Case.objects.get(parent=whole, pack="food-permit")
    # The code that was typed is of no licence of theirs: it vouches for nothing, and a person looks.
    found = cases.case_facts(food.pk)["facts"]
    assert (found.get("licence_number"), found["credit_code"], food.state) == (
        None,
        "91350100M000100Y43",
        "examining",
    )


def test_of_two_children_the_record_that_was_chosen_is_meant(anna):
    cases.need_shipped(BIRTH, NOW)
    record(anna, "BR-2026-000007")
    record(anna, "BR-2026-000008", weight_g=2950, sex="male")
    # Nobody but the mother knows which child it is about.
    assert applied(anna, "c", number="").state == "examining"
    assert applied(anna, "d", number="BR-2026-000099", child="王小丰").state == "examining"
    first = applied(anna, "e", number="BR-2026-000007")
    assert first.state == "done" and shown(first, "3280") and not shown(first, "2950")
    second = applied(anna, "f", number="BR-2026-000008")
    assert second.state == "done" and shown(second, "2950") and not shown(second, "3280")


def test_who_has_two_children_is_offered_both_and_their_data_once_one_is_chosen(anna):
    cases.need_shipped(BIRTH, NOW)
    record(anna, "BR-2026-000007")
    record(anna, "BR-2026-000008", weight_g=2950)
    asked = hall.prefill(BIRTH, anna, NOW)
    assert asked.asked["record_number"] == asked.asked["weight_g"] == "several"
    assert asked.choices == {"record_number": ["BR-2026-000007", "BR-2026-000008"]}
    found = hall.prefill(BIRTH, anna, NOW, answers={"record_number": "BR-2026-000008"}).found
    assert found["weight_g"].value == 2950 and found["record_number"].value == "BR-2026-000008"


def test_who_the_population_register_does_not_have_is_looked_at_by_a_person(world):
    cases.need_shipped(BIRTH, NOW)
    record(world.bert)
    assert applied(world.bert, "g", number="").state == "examining"


def shown(view, text):
    return any(text in str(value) for _name, _label, value in view.facts)
