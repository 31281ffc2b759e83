"""Social assistance through the engine: from the application to the monthly payment, a review that reduces, the end by death."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases import watching
from chengshu.contexts.cases.models import Case, CaseEvent, PaymentOrder
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects import api as subjects
from chengshu.contexts.subjects.models import GoldenRecord
from chengshu.kernel.resources import shipped
from chengshu.site.simulation.samples import read_samples
from tests_support.casework import MONDAY, days_later
from tests_support.records import publish

PACK, ME = "social-assistance", "P0000000012"
KNOWN = {
    "person.name": "周玉兰", "person.resident_id": "440306197105120024", "person.birth_date": "1971-05-12",
}  # fmt: skip


@pytest.fixture
def people(district):
    cases.load_pack_version(shipped("packs", "cn") / PACK, MONDAY)
    for code, zh, en in (
        ("street-office", "街道办事处", "Street Office"),
        ("civil-affairs", "民政局", "Civil Affairs"),
        ("finance", "财政局", "Finance"),
    ):
        identity.save_department(code, zh, en)
    for name, department in (
        ("zou", "street-office"), ("qiu", "street-office"), ("tan", "civil-affairs"), ("yao", "civil-affairs"),
    ):  # fmt: skip
        account = identity.save_account(name, display_name=name, role="officer", department=department)
        setattr(district, name, account)
    publish(MONDAY, (ME, KNOWN))
    district.zhou = identity.save_account("zhou", display_name="周玉兰", role="resident", subject_id=ME)
    return district


def do(case_id, name, actor, now, **data):
    return cases.command(
        case_id, name, data, actor=actor, expected_version=None, idempotency_key=None, now=now
    )


def settle(now):
    while cases.sweep(now) or cases.run_jobs(now):
        pass


def kept(case_id):
    return json.loads(Case.objects.get(pk=case_id).body)["kept"]


def granted(people, members=2, income=150000):
    """Take a household from its application to the decision: seven days of notice lie between."""
    samples = read_samples(cases.current_files(PACK))
    facts = {**samples.openings[0].facts, "applicant_name": "别人", "applicant_id": "440306195003080018"}
    case = cases.open_case(
        PACK, facts, opened_by=people.zhou, subject_id=ME, idempotency_key="a1", now=MONDAY, asked=True
    )
    # Who applies is whom the register knows, whatever was typed.
    assert cases.case_facts(case)["facts"]["applicant_name"] == "周玉兰"
    do(case, "accept", people.zou, MONDAY)
    do(case, "request_check", people.zou, MONDAY)
    [within, *_] = samples.answers["answer_check"]
    do(case, "answer_check", people.tan, MONDAY, **within)
    day = MONDAY.date().isoformat()
    do(case, "visit", people.zou, MONDAY, visited_on=day, visitors=2, how_visited="home", seen="租住一室")
    do(case, "neighbours", people.zou, MONDAY, asked_on=day, how_asked="neighbours", told="打零工")
    do(case, "opine", people.zou, MONDAY, **found(members, income))
    assert Case.objects.get(pk=case).state == "noticed"
    settle(days_later(8))
    assert Case.objects.get(pk=case).state == "confirming"
    decided = do(case, "confirm", people.yao, days_later(8), category="a", confirm_text="符合条件")
    assert decided.state == "receiving"
    settle(days_later(8))
    return case


def found(members, income=150000):
    return {
        "kind": "allowance", "members": members, "income": income, "assets": 800000, "homes": 1, "cars": 0,
        "alone": "none", "incapable": "none", "supporter": "none", "cause": "none", "opinion": "收入低于标准",
    }  # fmt: skip


def paid():
    return list(PaymentOrder.objects.order_by("pk").values_list("payee", "amount"))


def dies(now):
    """The register of residents delivers a death; the build tells whoever watches it."""
    # A run is called by its time of day.
    at = now + dt.timedelta(minutes=now.day)
    publish(at, (ME, {**KNOWN, "person.death_date": "2026-12-10"}))
    cases.follow_records(subjects.said_of, now)


def test_a_household_is_paid_every_month_reduced_by_a_review_and_goes_on_when_the_applicant_dies(people):
    case = granted(people)
    # 1365.00 x 2 - 1500.00 = 1230.00, from the month after: decided on 1 December, first paid with 1 January.
    assert kept(case)["amount"] == 123000 and kept(case)["next_on"] == "2027-01-01"
    assert Certificate.objects.get(type=PACK).state == "active"
    settle(dt.datetime(2027, 1, 1, 23, tzinfo=dt.UTC))
    # The standard of 2027 carries it along: 1230.00 + (1420.00 - 1365.00) x 2 = 1340.00.
    assert paid() == [("周玉兰", 134000)]

    now = dt.datetime(2027, 1, 4, 1, tzinfo=dt.UTC)
    do(case, "report_change", people.zhou, now, change="work", change_text="找到工作")
    do(case, "report_review", people.zou, now, **found(2, 200000))
    assert do(case, "adjust", people.tan, now, adjust_text="收入增加").state == "receiving"
    settle(now)
    # 1420.00 x 2 - 2000.00 = 840.00.
    assert kept(case)["amount"] == 84000
    settle(dt.datetime(2027, 2, 1, 23, tzinfo=dt.UTC))
    assert paid()[1:] == [("周玉兰", 84000)]

    now = dt.datetime(2027, 2, 8, 1, tzinfo=dt.UTC)
    dies(now)
    assert Case.objects.get(pk=case).state == "reviewing"
    dies(now + dt.timedelta(days=1))
    settle(dt.datetime(2027, 3, 1, 23, tzinfo=dt.UTC))
    assert paid()[2:] == [("周小军", 84000)]
    assert cases.check_case(case) == []


def granted_to_nobody_on_record(people):
    """Open a case of somebody of whom no record says anything."""
    facts = {
        **read_samples(cases.current_files(PACK)).openings[0].facts,
        "applicant_id": "440306195003080018",
    }
    return cases.open_case(
        PACK, facts, opened_by=people.zhou, subject_id="P0000000090", idempotency_key="a2", now=MONDAY
    )


def test_a_death_that_the_register_brings_ends_what_one_person_received(people, monkeypatch):
    case = granted(people, members=1, income=20000)
    officer = cases.case_view(case, people.zou, now=days_later(8))
    assert {
        field.name: field.value for item in officer.commands if item.name == "died" for field in item.fields
    } == {"died_on": None}
    GoldenRecord.objects.filter(subject_id=ME).update(data={**KNOWN, "person.death_date": "2026-12-10"})
    # What the register says stands in the form before anything is pressed: the look is on record.
    officer = cases.case_view(case, people.zou, now=days_later(20))
    assert [f.value for item in officer.commands if item.name == "died" for f in item.fields] == [
        "2026-12-10"
    ]
    assert any("person.death_date" in look.elements for look in identity.reads_of(ME)[0])
    monkeypatch.setattr(watching, "AT_ONCE", 1)
    another = granted_to_nobody_on_record(people)
    assert cases.follow_records(subjects.said_of, days_later(20)) == 1
    assert cases.follow_records(subjects.said_of, days_later(20)) == 0
    ended = Case.objects.get(pk=case)
    assert (ended.state, ended.outcome, Case.objects.get(pk=another).state) == ("died", "died", "received")
    # The day is personal: it is sealed, and the key under which it was told does not give it away.
    keys = CaseEvent.objects.filter(case=case).values_list("idempotency_key", "body")
    assert any((key or "").startswith("record:died:") for key, _ in keys)
    assert not any("2026-12-10" in f"{key} {json.loads(body).get('data')}" for key, body in keys)
    settle(days_later(200))
    assert paid() == [] and Certificate.objects.get(type=PACK).state == "revoked"
    assert cases.check_case(case) == []
