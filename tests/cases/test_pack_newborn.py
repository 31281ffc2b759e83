"""What follows a birth, and what it takes to open a restaurant: each by one form, through the real steps of the departments."""

from __future__ import annotations

import json

import pytest
from django.db import transaction

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.mydata.prefill import prefill
from chengshu.contexts.identity import api as identity
from chengshu.kernel.one_look import one_look
from chengshu.kernel.resources import shipped
from chengshu.procedure.ports import Actor, EffectRequest, registry
from chengshu.site.simulation.samples import read_samples
from tests_support.casework import MONDAY
from tests_support.records import publish

BIRTH = (
    "birth-record", "birth-data", "household-registration", "newborn-insurance", "social-security-card",
    "childbirth-subsidy", "newborn",
)  # fmt: skip
SHOP = (
    "business-licence", "food-permit", "fire-safety-check", "sign-board", "joint-inspection",
    "open-a-restaurant",
)  # fmt: skip
DEATH = ("birth-record", "death-data", "household-cancellation", "after-death")
CODE = "92440306MA5EXAMP00"


@pytest.fixture
def people(district):
    for department in ("health", "public-security", "market", "fire", "urban-management", "data-bureau"):
        identity.save_department(department, department, department)
        for number in "12":
            name = f"{department}{number}"
            account = identity.save_account(name, display_name=name, role="officer", department=department)
            setattr(district, name.replace("-", "_"), account)
    known = {
        "person.name": "林静雯",
        "person.resident_id": "440306199303150020",
        "person.birth_date": "1993-03-15",
    }
    publish(MONDAY, ("P0000000012", known))
    district.parent = identity.save_account(
        "parent", display_name="林静雯", role="resident", subject_id="P0000000012"
    )
    return district


def loaded(*names):
    cases.load_pack_version(shipped("packs", "cn") / "seconds-service", MONDAY)
    for name in names:
        cases.load_pack_version(shipped("packs", "cn") / name, MONDAY)


def sample(pack, **facts):
    given = dict(read_samples(cases.current_files(pack)).openings[0].facts)
    return {**given, **facts}


def do(case_id, name, actor, **data):
    return cases.command(
        case_id, name, data, actor=actor, expected_version=None, idempotency_key=None, now=MONDAY
    )


def settle():
    while cases.run_jobs(MONDAY):
        pass


def parts(case_id):
    body = json.loads(Case.objects.get(pk=case_id).body)
    return {name: state["state"] for name, state in body["parts"].items()}


def child(case_id, part):
    return json.loads(Case.objects.get(pk=case_id).body)["parts"][part]["case"]


def delivered(people):
    """The hospital records a birth and signs; the number of its record fills the parents' form."""
    facts = sample("birth-record", parent_subject=people.parent.subject_id, born_on="2026-11-20")
    record = cases.open_case(
        "birth-record", facts, opened_by=people.health1, idempotency_key="birth", now=MONDAY
    )
    do(record, "sign", people.health2)
    # Only what lies with the parent's account counts as their record.
    Certificate.objects.filter(type="birth-record").update(holder_account=str(people.parent.pk))
    return Certificate.objects.get(type="birth-record").number


def test_a_birth_ends_with_certificate_household_insurance_card_and_subsidy(people):
    loaded(*BIRTH)
    number = delivered(people)
    facts = sample("newborn", born_on="2026-11-20", record_number=number, applicant_born_on="1993-03-15")
    case = cases.open_case(
        "newborn", facts, opened_by=people.parent, subject_id=people.parent.subject_id, idempotency_key="n1",
        now=MONDAY,
    )  # fmt: skip
    settle()
    # The certificate of birth comes in the same second; the household waits for the police to give the number.
    assert parts(case)["birth"] == "done" and parts(case)["hukou"] == "open"
    assert Certificate.objects.filter(type="birth-data", holder="林小满").count() == 1
    hukou = child(case, "hukou")
    assert Case.objects.get(pk=hukou).state == "numbering"
    do(
        hukou, "register", people.public_security1, child_id="440306202602260021", household_number="H-1"
    )  # fmt: skip
    settle()
    assert set(parts(case).values()) == {"done"} and Case.objects.get(pk=case).outcome == "done"
    # The child's number came from its household entry: nobody typed it, and no case of the family shows it openly.
    card = Certificate.objects.get(type="social-security-card")
    assert "440306202602260021" in card.claims
    assert "440306202602260021" not in json.dumps([row.body for row in Case.objects.all()])
    for row in Case.objects.all():
        assert cases.check_case(row.pk) == []
    # Each part says where each of its facts came from: a certificate of an earlier part, or the one application.
    said = hall.origins_of(child(case, "card"))
    assert "户口登记" in said["holder_id"]["zh"] and said["phone"]["zh"] == f"“新生儿出生一件事”的申请 {case}"
    for name in parts(case):
        number, wrong = hall.check_origins(child(case, name))
        assert number and not wrong, (name, wrong)


def test_a_record_that_no_hospital_made_is_looked_at_by_a_person(people):
    loaded(*BIRTH)
    facts = sample("birth-data", born_on="2026-11-20", record_number="BR-TYPED")
    case = cases.open_case(
        "birth-data", facts, opened_by=people.parent, idempotency_key="b1", now=MONDAY, asked=True
    )
    assert do(case, "confirm", people.parent, agreed=True).state == "examining"


def test_a_restaurant_opens_after_one_visit_of_two_departments(people):
    loaded(*SHOP)
    facts = sample("open-a-restaurant", opens_on="2026-12-20")
    case = cases.open_case(
        "open-a-restaurant", facts, opened_by=people.parent, idempotency_key="r1", now=MONDAY
    )
    settle()
    do(child(case, "licence"), "register", people.market1, credit_code=CODE)
    settle()
    assert parts(case) == {
        "licence": "done", "food": "open", "fire": "open", "sign": "done", "visit": "open"
    }  # fmt: skip
    visit = child(case, "visit")
    do(visit, "report_food", people.market2, food_ok=True, food_findings="设备齐全")
    do(visit, "report_fire", people.fire1, fire_ok=False, fire_findings="疏散通道被占")
    settle()
    # Food is permitted; the fire permit that came by promise stands still until the fault is mended.
    assert Certificate.objects.get(type="food-permit").state == "active"
    assert Certificate.objects.get(type="fire-check").state == "suspended"
    fire = child(case, "fire")
    do(fire, "mended", people.parent, what="已清理")
    do(fire, "inspect", people.fire2, passed=True, findings="已整改", seconded_by="黄伟")
    settle()
    assert Certificate.objects.get(type="fire-check").state == "active"
    assert Case.objects.get(pk=case).outcome == "done"
    assert Certificate.objects.get(type="business-licence").holder == facts["shop_name"]


def test_a_part_finds_the_certificate_that_an_earlier_one_brought_in_the_same_press(people):
    loaded(*DEATH)
    number = "440306195001010032"
    request = EffectRequest(
        cases.open_case(
            "birth-record", sample("birth-record"), opened_by=people.health1, idempotency_key="b", now=MONDAY
        ),
        "issue_certificate",
        {
            "type": "death-record", "holder": "林某", "valid_from": MONDAY.date(),
            "claims": {
                "deceased": "林某", "deceased_id": number, "died_on": "2026-11-20", "place": "hospital",
                "institution": "某医院", "cause": "illness",
            },
        },
        {}, {}, Actor("system", "系统"), MONDAY, "death-record",
    )  # fmt: skip
    with transaction.atomic():
        registry.effect_handler("issue_certificate")(request)
    facts = sample("after-death", deceased_id=number, died_on="2026-11-20", things=["death", "household"])
    Certificate.objects.update(holder_account=str(people.parent.pk))
    with one_look():
        # The page looks before anything is opened: no certificate of death yet.
        prefill("after-death", people.parent, MONDAY)
        case = cases.open_case(
            "after-death", facts, opened_by=people.parent, subject_id=people.parent.subject_id,
            idempotency_key="d1", now=MONDAY,
        )  # fmt: skip
    settle()
    assert parts(case)["death"] == "done" and parts(case)["household"] == "done"
