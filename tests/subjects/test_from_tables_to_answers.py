"""The loop: tables in, one base out, conflicts to the grid worker, the answer back to record and department."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.ledger.models import LeafRow
from chengshu.contexts.subjects import api
from chengshu.contexts.subjects.models import Correction, Finding, GoldenRecord, Return
from chengshu.kernel.problems import Problem
from tests_support.casework import CELL

from .conftest import FAR, FAR_IN_FULL, HOME, NOW, OTHER, OTHER_IN_FULL


def answer(staff, case_id, value, name="confirm", key="k1"):
    data = {"value": value} if name == "confirm" else {"corrected": value}
    return cases.command(
        case_id, name, data, actor=staff.worker, expected_version=None, idempotency_key=key, now=NOW
    )  # fmt: skip


@pytest.fixture
def built(base, staff):
    return base.build()


def test_four_tables_become_two_people_and_one_firm(base, built):
    assert built.state == "published" and built.accepted == 6
    assert built.facts["subjects"] == {"firm": 1, "person": 2}
    record = api.record_of(base.find("李伯特"))
    address = next(fact for fact in record.facts if fact.element == "person.address")
    assert (address.value, address.origin.source, address.origin.file, address.origin.row) == (
        OTHER_IN_FULL, "public-security.residents", "residents.csv", 2,
    )  # fmt: skip
    assert address.origin.value == OTHER, "the source's own text stays beside the library's"
    assert [(cell.value, cell.source, cell.at, cell.agrees) for cell in address.losers] == [
        (FAR, "health.patients", "2026-09-01", False)
    ]
    assert record.record.cell_code == CELL


def test_a_conflict_becomes_a_case_of_the_worker_in_charge(base, built, staff):
    found = {row.kind: row for row in Finding.objects.all()}
    assert set(found) == {"two-homes", "place-conflict"}
    tasks = cases.tasks_for(staff.worker, now=NOW)
    assert {task.case_id for task in tasks.rows} == {row.case_id for row in found.values()}
    view = cases.case_view(found["two-homes"].case_id, staff.worker, now=NOW)
    assert "王" not in str(view.title) and "李伯特" not in str(view.title)


def test_building_again_opens_no_case_twice(base, built):
    before = list(Finding.objects.values_list("key", "case_id", "occurrence"))
    assert base.build().state == "unchanged"
    base.tables["tax.taxpayers"].append(["21", "新店", "", HOME, "正常", "2026-10-01"])
    assert base.build().state == "published"
    assert list(Finding.objects.values_list("key", "case_id", "occurrence")) == before


def test_a_finding_that_is_gone_withdraws_its_case(base, built, staff):
    base.tables["tax.taxpayers"][0][3] = HOME
    run = base.build()
    row = Finding.objects.get(kind="place-conflict")
    assert row.state == "vanished" and run.facts["cases"]["withdrawn"] == 1
    assert cases.outcomes([row.case_id]) == {row.case_id: "withdrawn"}
    base.tables["tax.taxpayers"][0][3] = OTHER
    base.build()
    again = Finding.objects.get(kind="place-conflict")
    assert again.state == "open" and again.occurrence == 2 and again.case_id != row.case_id


def test_the_workers_answer_changes_the_record_at_once_and_comes_back_to_the_department(base, built, staff):
    subject = base.find("李伯特")
    case_id = Finding.objects.get(kind="two-homes").case_id
    answer(staff, case_id, FAR)
    record = api.record_of(subject)
    assert record.record.values["person.address"] == FAR
    assert record.record.place_code == "440306017019000030003"
    fact = next(fact for fact in record.facts if fact.element == "person.address")
    assert (
        fact.corrected.made_by == "陈志强" and fact.corrected.case_id == case_id and fact.corrected.confirms
    )
    row = Return.objects.get()
    assert (row.department, row.record_value, row.state) == ("public-security", OTHER, "open")
    assert row.due_on == dt.date(2026, 12, 7)  # ten working days after 23 November
    assert LeafRow.objects.filter(kind="correction", reference=f"correction:{row.correction_id}").exists()


def test_a_correction_stays_in_every_later_run_and_its_finding_is_answered(base, built, staff):
    subject = base.find("李伯特")
    answer(staff, Finding.objects.get(kind="two-homes").case_id, FAR)
    base.tables["public-security.residents"].append(["3", "赵新", "", "", HOME, "2026-10-02"])
    run = base.build()
    correction = Correction.objects.get(element="person.address")
    assert correction.consumed_in == run
    assert GoldenRecord.objects.get(subject_id=subject, valid_to=None).data is not None
    record = api.record_of(subject)
    assert record.record.values["person.address"] == FAR_IN_FULL
    assert Finding.objects.get(kind="two-homes").state == "answered"
    for _ in range(2):
        base.tables["public-security.residents"][2][3] += "1"
        base.build()
    assert api.effective_record(subject).values["person.address"] == FAR_IN_FULL


def test_a_correction_made_while_a_build_runs_survives_it(base, built, monkeypatch):
    from chengshu.contexts.subjects import publishing

    subject = base.find("李伯特")
    real = publishing.publish

    def meanwhile(*args, **options):
        api.apply_correction(
            subject, "person.phone", "13900139000", actor_name="现场", now=NOW, idempotency_key="meanwhile"
        )
        return real(*args, **options)

    monkeypatch.setattr(publishing, "publish", meanwhile)
    base.tables["public-security.residents"][0][3] = "13800138009"
    run = base.build()
    assert run.state == "published"
    assert Correction.objects.get().consumed_in is None
    assert api.effective_record(subject).values["person.phone"] == "13900139000"
    monkeypatch.undo()
    later = base.build()
    assert Correction.objects.get().consumed_in == later
    assert api.effective_record(subject).values["person.phone"] == "13900139000"


def test_a_correction_to_nothing_holds(base, built):
    subject = base.find("李伯特")
    api.apply_correction(subject, "person.phone", None, actor_name="x", now=NOW, idempotency_key="n")
    assert api.effective_record(subject).values["person.phone"] is None
    base.build()
    assert api.effective_record(subject).values.get("person.phone") is None


def test_the_same_correction_sent_twice_counts_once(base, built):
    subject = base.find("李伯特")
    twice = [
        api.apply_correction(subject, "person.phone", "1", actor_name="x", now=NOW, idempotency_key="k")
        for _ in range(2)
    ]
    assert twice[0] == twice[1] and Correction.objects.count() == 1


def test_a_department_accepts_and_its_next_delivery_fulfils_the_return(base, built, staff):
    answer(staff, Finding.objects.get(kind="two-homes").case_id, FAR)
    row = Return.objects.get()
    with pytest.raises(Problem):
        api.accept(row.pk, department="health", actor=staff.health, now=NOW)
    api.accept(row.pk, department="public-security", actor=staff.public_security, now=NOW)
    base.tables["public-security.residents"][1][4] = FAR
    base.build()
    row.refresh_from_db()
    assert row.state == "fulfilled"


def test_a_disputed_correction_is_shown_as_disputed_until_the_decider_has_decided(base, built, staff):
    subject = base.find("李伯特")
    answer(staff, Finding.objects.get(kind="two-homes").case_id, FAR)
    base.build()
    dispute = api.dispute(
        Return.objects.get().pk,
        department="public-security",
        actor=staff.public_security,
        reason="已实地走访",
        now=NOW,
    )
    assert "person.address" in api.effective_record(subject).disputed
    assert (dispute.decider, dispute.decide_by) == ("data-bureau", dt.date(2026, 11, 30))
    api.decide(
        dispute.pk,
        department="data-bureau",
        actor=staff.data_bureau,
        uphold=True,
        reason="走访记录可靠",
        now=NOW,
    )
    record = api.effective_record(subject)
    assert record.values["person.address"] == OTHER and not record.disputed
    base.build()
    assert api.effective_record(subject).values["person.address"] == OTHER_IN_FULL
    assert Return.objects.get().state == "overruled"


def test_what_a_source_rejects_goes_on_to_the_decider(base, built, staff):
    subject = base.find("李伯特")
    number = api.dispute_value(
        subject,
        "person.phone",
        claimed="13911112222",
        reason="换号了",
        actor=staff.resident,
        now=NOW,
        idempotency_key="d",
    )
    row = api.decide(
        number,
        department="public-security",
        actor=staff.public_security,
        uphold=False,
        reason="档案如此",
        now=NOW,
    )
    assert row.stage == "decider" and "person.phone" in api.effective_record(subject).disputed
    api.decide(
        number, department="data-bureau", actor=staff.data_bureau, uphold=True, reason="有话单", now=NOW
    )
    record = api.effective_record(subject)
    assert record.values["person.phone"] == "13911112222" and not record.disputed


def test_a_withdrawn_correction_that_a_run_had_taken_in_gives_the_sources_value_back_at_once(base, built):
    subject = base.find("李伯特")
    number = api.apply_correction(subject, "person.phone", "1", actor_name="x", now=NOW, idempotency_key="k")
    base.build()
    api.withdraw_correction(number, reason="错了", actor_name="y", now=NOW)
    assert api.effective_record(subject).values["person.phone"] == "13800138002"
    base.build()
    assert api.effective_record(subject).values["person.phone"] == "13800138002"
