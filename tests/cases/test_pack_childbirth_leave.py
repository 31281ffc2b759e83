"""The leaves of childbirth through the engine: counted from the certificate of birth; what the employer denies is inspected."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.hall import api as hall
from chengshu.contexts.identity import api as identity
from chengshu.kernel.resources import shipped
from chengshu.site.simulation.samples import read_samples
from tests_support.casework import MONDAY, days_later
from tests_support.records import publish

ME = "440306199303150020"
BORN = "2026-11-20"


@pytest.fixture
def people(district):
    for name in ("seconds-service", "childbirth-leave", "leave-inspection"):
        cases.load_pack_version(shipped("packs", "cn") / name, MONDAY)
    identity.save_department("human-resources", "人力资源局", "Human Resources")
    for name in ("hr1", "hr2"):
        officer = identity.save_account(name, display_name=name, role="officer", department="human-resources")
        setattr(district, name, officer)
    known = {"person.name": "林静雯", "person.resident_id": ME, "person.birth_date": "1993-03-15"}
    publish(MONDAY, ("P0000000012", known))
    district.parent = identity.save_account(
        "parent", display_name="林静雯", role="resident", subject_id="P0000000012"
    )
    return district


def born(people, mother=ME):
    """Put the child's certificate of birth into the parent's hands."""
    said = {
        "child_name": "林小满",
        "birth_date": BORN,
        "mother_id": mother,
        "father_id": "440306199107150015",
    }
    claims = [
        {"name": name, "label": {"zh": name, "en": name}, "raw": value, "value": {"zh": value, "en": value}}
        for name, value in said.items()
    ]
    Certificate.objects.create(
        number="BD-2026-000009", type="birth-data", case_id="B1", title_zh="出生医学证明", title_en="Birth",
        holder="林小满", holder_account=str(people.parent.pk), claims=json.dumps(claims), department="health",
        valid_from=dt.date(2026, 11, 20), issued_at=MONDAY, changed_at=MONDAY,
    )  # fmt: skip


def apply_for(people):
    facts = dict(read_samples(cases.current_files("childbirth-leave")).openings[0].facts)
    # What is typed here beside the record counts for nothing: the record's word stands.
    facts |= {"born_on": "2026-01-01", "birth_number": "TYPED", "mother_id": ME, "leave_from": "2026-11-18"}
    return cases.open_case(
        "childbirth-leave", facts, opened_by=people.parent, subject_id=people.parent.subject_id,
        idempotency_key="l1", now=MONDAY, asked=True,
    )  # fmt: skip


def do(case_id, name, actor, now=MONDAY, **data):
    return cases.command(
        case_id, name, data, actor=actor, expected_version=None, idempotency_key=None, now=now
    )


def settle(now=MONDAY):
    while cases.run_jobs(now):
        pass


def found(number):
    (run,) = hall.find_entitled(f"r{number}", MONDAY, ["childbirth-leave"])
    return run


def test_the_leave_finds_the_parent_whom_the_certificate_names_until_it_is_applied_for(people):
    born(people)
    run = found(1)
    assert (run.looked_at, run.entitled, run.fresh) == (1, 1, 1)
    assert run.grounds == ["measures:2", "house:8"] and "person.resident_id" in run.elements
    (offer,) = hall.offers_of(people.parent.subject_id)
    assert offer.title["zh"] == "您可以核定生育休假" and offer.about == "BD-2026-000009"
    case = apply_for(people)
    assert found(2).entitled == 0
    (offer,) = hall.offers_of(people.parent.subject_id)
    assert (offer.open, offer.case_id) == (False, case)


def test_who_holds_the_certificate_of_anothers_child_is_offered_no_leave(people):
    born(people, mother="440306198801010020")
    assert (found(1).looked_at, found(2).entitled) == (1, 0)
    assert hall.offers_of(people.parent.subject_id) == []


def test_a_mothers_leave_is_counted_from_the_certificate_and_her_employer_is_inspected(people):
    born(people)
    case = apply_for(people)
    assert do(case, "confirm", people.parent, agreed=True).state == "on_leave"
    settle()
    # Ninety-eight days from 18 November: 13 in November, 31, 31, and 23 in February; eighty more end on 14 May.
    body = json.loads(Case.objects.get(pk=case).body)
    assert body["kept"]["ends_on"] == "2027-02-23" and body["kept"]["bonus_until"] == "2027-05-14"
    issued = json.loads(Certificate.objects.get(type="childbirth-leave").claims)
    said = {claim["name"]: claim["raw"] for claim in issued}
    assert said["leave_until"] == "2027-02-23" and said["bonus_until"] == "2027-05-14"

    do(case, "report", people.parent, kind="cut-short", since="2026-11-23", complaint="单位要求提前上班")
    complaint = Case.objects.get(pack="leave-inspection")
    assert complaint.parent_id == case and complaint.state == "received"
    do(complaint.pk, "take_up", people.hr1)
    do(complaint.pk, "hear", people.hr1, employer_word="单位称工作繁忙")
    ordered = do(complaint.pk, "order", people.hr1, findings="少给产假", demand="补足产假")
    assert ordered.state == "correcting"
    cases.sweep(days_later(16))
    assert Case.objects.get(pk=complaint.pk).state == "fining"
    assert (
        do(
            complaint.pk,
            "fine",
            people.hr2,
            days_later(16),
            breach="protection",
            women=1,
            amount=100000,
            fine_text="未改正",
        ).state
        == "fined"
    )
    settle(days_later(16))
    assert Case.objects.get(pk=case).state == "on_leave"
    for row in Case.objects.all():
        assert cases.check_case(row.pk) == []


@pytest.mark.parametrize("mother", [None, "440306199107150015"])
def test_without_a_certificate_that_names_her_a_person_looks(people, mother):
    if mother is not None:
        born(people, mother)
    case = apply_for(people)
    assert do(case, "confirm", people.parent, agreed=True).state == "examining"
    assert not Certificate.objects.filter(type="childbirth-leave").exists()
