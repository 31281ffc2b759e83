"""A couple marry and expect a child; somebody has died: each by one form, through the real steps of the departments."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from types import SimpleNamespace

import pytest
from django.test import Client

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, CaseEvent
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects.models import Consent
from chengshu.site.simulation.samples import read_samples
from tests_support.casework import MONDAY, days_later
from tests_support.records import publish

ME = "P0000000012"
DEAD = "440306195001010032"
OFFICES = (
    "civil-affairs", "health", "public-security", "human-resources", "medical-insurance", "finance", "data-bureau",
)  # fmt: skip
PACKS = (
    "marriage-registration", "maternity-service-record", "marriage-and-birth", "death-data", "household-cancellation",
    "pension-end-and-funeral-subsidy", "insurance-account-inheritance", "after-death",
)  # fmt: skip
MARRIED = {"both_present": True, "willing": True, "single": True}


@pytest.fixture
def people(db):
    """The applicant, whom the population register knows, and an officer of each department."""
    known = {
        "person.name": "林静雯", "person.resident_id": "440306199303150020", "person.birth_date": "1993-03-15",
    }  # fmt: skip
    publish(MONDAY, (ME, known))
    for name in PACKS:
        cases.need_shipped(name, MONDAY)
    found = SimpleNamespace(
        lin=identity.save_account("lin", display_name="林静雯", role="resident", subject_id=ME)
    )
    for office in OFFICES:
        identity.save_department(office, office, office)
        name = office.replace("-", "_")
        setattr(
            found, name, identity.save_account(name, display_name=name, role="officer", department=office)
        )
    return found


def apply(people, pack, *, key="first", **facts):
    """Open a one-thing by the answers of its first golden case, changed by ``facts``."""
    said = {**read_samples(cases.current_files(pack)).openings[0].facts, **facts}
    opened = cases.open_case(
        pack, said, opened_by=people.lin, subject_id=ME, idempotency_key=key, now=MONDAY, asked=True
    )
    settle()
    return opened


def settle(now=MONDAY):
    while cases.run_jobs(now):
        pass


def do(whole, part, command, actor, now=MONDAY, **data):
    """Take a step of a part."""
    cases.command(
        child(whole, part), command, data, actor=actor, expected_version=None, idempotency_key=None, now=now
    )
    settle(now)


def parts(whole):
    """Return how far each part is, as the one page of progress shows it to who asked for the whole."""
    progress = cases.progress_of(whole, identity.account_named("lin"), now=MONDAY)
    return {line.id: line.state for line in progress.lines}


def child(whole, part):
    return body(whole)["parts"][part]["case"]


def seen(whole, part, officer):
    return cases.case_view(child(whole, part), officer, now=MONDAY)


def children(whole):
    return list(Case.objects.filter(parent=whole).values_list("pk", flat=True))


def body(case_id):
    return json.loads(Case.objects.get(pk=case_id).body)


def stands(whole):
    """Return in which state each opened part's own case is."""
    return {
        name: Case.objects.get(pk=state["case"]).state
        for name, state in body(whole)["parts"].items()
        if state.get("case")
    }


def sound(whole):
    for row in Case.objects.filter(pk=whole) | Case.objects.filter(parent=whole):
        assert cases.check_case(row.pk) == []


def paper(people, number, kind, **said):
    """Put a record that an agency made into the applicant's hands; the hospital names who died."""
    claims = [
        {"name": name, "label": {"zh": name, "en": name}, "raw": value, "value": {"zh": str(value), "en": str(value)}}
        for name, value in said.items()
    ]  # fmt: skip
    Certificate.objects.create(
        number=number, type=kind, case_id=number[-6:], title_zh=kind, title_en=kind, holder="林德发",
        holder_account=str(people.lin.pk), holder_id=ME, claims=json.dumps(claims), department="health",
        valid_from=dt.date(2026, 11, 20), issued_at=MONDAY, changed_at=MONDAY,
    )  # fmt: skip


def package(people, whole):
    """Fetch the one package of results; returns its list."""
    browser = Client()
    browser.force_login(people.lin)
    answer = browser.get(f"/my/cases/{whole}/package.zip")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as found:
        listed = json.loads(found.read("list.json"))
        for each in listed["files"]:
            assert found.read(each["name"]).startswith(b"%PDF")
    return listed


COUPLE = {"appointment": "2026-12-08", "expecting_on": "2027-05-01"}
DEATH = {"died_on": "2026-11-20"}


def recorded(people):
    """The hospital recorded the death, the agencies the pension and the account."""
    paper(
        people, "DR-2026-000001", "death-record", deceased="林德发", deceased_id=DEAD, died_on="2026-11-20",
        place="hospital", institution="宝安区（演示）人民医院", cause="illness",
    )  # fmt: skip
    paper(people, "PR-2026-000002", "pension-record", insured_id=DEAD, insured_as="resident")
    paper(people, "IA-2026-000003", "insurance-account", insured_id=DEAD, balance=320000)


def allow(people, pack):
    """Allow in the hall, before the first question, what the whole and its parts use of one's data."""
    browser = Client()
    browser.force_login(people.lin)
    assert browser.post(f"/hall/apply/{pack}/begin").url.endswith("/data")
    assert browser.post(f"/hall/apply/{pack}/data", {"allow": "yes"}).status_code == 302
    Consent.objects.update(until=days_later(80))


def test_a_couple_marries_in_person_and_the_expected_birth_is_registered_in_the_same_moment(people):
    allow(people, "marriage-and-birth")
    whole = apply(people, "marriage-and-birth", **COUPLE)
    # The rules let them come; the birth waits for the registrar.
    assert parts(whole) == {"marriage": "open", "maternity": "waiting"}
    assert stands(whole) == {"marriage": "appointed"}
    day = days_later(15)
    do(whole, "marriage", "register", people.civil_affairs, day, **MARRIED)
    assert parts(whole) == {"marriage": "done", "maternity": "done"}
    assert Case.objects.get(pk=whole).outcome == "done"
    # The spouse stands there as the registrar registered them.
    record = Certificate.objects.get(type="maternity-record")
    said = {claim["name"]: claim["raw"] for claim in json.loads(record.claims)}
    assert said["spouse_name"] == "周远"
    progress = cases.progress_of(whole, people.lin, now=day)
    assert (progress.done, progress.total, progress.asks) == (2, 2, 0)
    listed = package(people, whole)
    assert listed["outcome"]["zh"] == progress.state["zh"]
    assert {each["of"] for each in listed["files"]} == {child(whole, "marriage"), child(whole, "maternity")}
    sound(whole)


def test_what_the_records_of_a_couple_do_not_bear_out_is_looked_at_by_people(people):
    # Her number says that she is a woman; and a fourth child is beyond what the rules register by themselves.
    whole = apply(people, "marriage-and-birth", **COUPLE, sex="male", order=4)
    assert stands(whole) == {"marriage": "examining"}
    do(whole, "marriage", "grant", people.civil_affairs, findings="已核对")
    assert (stands(whole), parts(whole)["maternity"]) == ({"marriage": "appointed"}, "waiting")
    do(whole, "marriage", "register", people.civil_affairs, **MARRIED)
    assert stands(whole) == {"marriage": "done", "maternity": "examining"}
    do(whole, "maternity", "refuse", people.health, ground="not-in-charge", refusal_text="不在本区办理")
    assert Case.objects.get(pk=whole).outcome == "partly"
    sound(whole)


def test_after_a_death_that_the_records_know_all_is_decided_at_once_and_paid_later(people):
    recorded(people)
    whole = apply(people, "after-death", **DEATH, balance=99_999_999)
    assert set(parts(whole).values()) == {"done"} and Case.objects.get(pk=whole).outcome == "done"
    # Nothing was decided before what it rests on, although it was one moment.
    opened = [event.case.pack for event in CaseEvent.objects.filter(case__parent=whole, seq=1).order_by("pk")]
    assert opened[:2] == ["death-data", "household-cancellation"]
    assert set(opened[2:]) == {"pension-end-and-funeral-subsidy", "insurance-account-inheritance"}
    assert stands(whole) == {"death": "done", "household": "done", "pension": "granted", "account": "granted"}
    # The agency's statement says what is left, not who asks for it.
    said = {name: value for name, _, value in seen(whole, "account", people.medical_insurance).facts}
    assert said["balance"] == "3,200.00 元"
    # What is paid after the whole has ended moves it no more.
    steps = CaseEvent.objects.filter(case_id=whole).count()
    for part in ("pension", "account"):
        do(whole, part, "pay", people.finance, days_later(3), paid_on="2026-11-26")
    assert CaseEvent.objects.filter(case_id=whole).count() == steps
    kinds = {"death-data", "household-cancelled"}
    assert (
        set(Certificate.objects.filter(case_id__in=children(whole)).values_list("type", flat=True)) == kinds
    )
    assert {child(whole, "death"), child(whole, "household")} <= {
        each["of"] for each in package(people, whole)["files"]
    }
    sound(whole)


def test_a_death_that_no_hospital_recorded_is_looked_at_and_what_follows_waits_and_goes_its_own_ways(people):
    whole = apply(people, "after-death", **DEATH)
    assert stands(whole) == {"death": "examining"}
    assert {parts(whole)[name] for name in ("household", "pension", "account")} == {"waiting"}
    do(whole, "death", "grant", people.health, findings="已核对")
    # The certificate that a person issued is a record: the registration ends by the rules. No agency's record: people look.
    assert stands(whole) == {
        "death": "done",
        "household": "done",
        "pension": "examining",
        "account": "examining",
    }
    do(whole, "pension", "ask", people.human_resources, lacking="参保凭证")
    progress = cases.progress_of(whole, people.lin, now=MONDAY)
    assert (progress.done, progress.total, progress.asks) == (2, 4, 1)
    do(whole, "account", "grant", people.medical_insurance, findings="已核对")
    do(whole, "pension", "supplement", people.lin, explanation="没有")
    do(whole, "pension", "refuse", people.human_resources, ground="not-insured", refusal_text="没有参保")
    row = Case.objects.get(pk=whole)
    assert (row.state, row.outcome) == ("partly", "partly")
    assert cases.progress_of(whole, people.lin, now=MONDAY).done == 3
    sound(whole)


@pytest.mark.parametrize(
    ("pack", "said", "first"),
    [("marriage-and-birth", COUPLE, "marriage"), ("after-death", DEATH, "death")],
)
def test_withdrawing_the_whole_withdraws_its_parts_and_one_may_apply_again(people, pack, said, first):
    whole = apply(people, pack, **said)
    cases.command(
        whole, "withdraw", {}, actor=people.lin, expected_version=None, idempotency_key=None, now=MONDAY
    )
    settle()
    assert Case.objects.get(pk=whole).outcome == "withdrawn"
    assert stands(whole) == {first: "withdrawn"}
    assert cases.progress_of(whole, people.lin, now=MONDAY).asks == 0
    again = apply(people, pack, **said, key="again")
    assert parts(again)[first] == "open"
    sound(whole)
