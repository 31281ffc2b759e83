"""A resident looks at their own data: what is held, who read it, and "this is wrong"."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from chengshu.contexts.hall.domain import my_fields
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.subjects.domain import Cell, Fact, FullRecord, Record
from chengshu.contexts.subjects.models import CurrentSnapshot, Dispute, GoldenRecord, Redirect, Run

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
ME, OTHER, MERGED = "P0000000017", "P0000000025", "P0000000033"
VALUES = {
    "person.name": "欧阳娜",
    "person.phone": "13800138000",
    "person.place_code": "440306001012000171203",
}


def golden(subject_id, run, **values):
    data = {**VALUES, **values}
    GoldenRecord.objects.create(
        subject_id=subject_id, kind="person", valid_from=run.number, name=data["person.name"], data=data
    )


@pytest.fixture
def me(browsers):
    """The resident's browser, with a record in the snapshot in force and one of somebody else."""
    run = Run.objects.create(run_id="r1", state=Run.State.PUBLISHED, started_at=NOW)
    CurrentSnapshot.objects.create(run=run, published_at=NOW)
    golden(ME, run)
    golden(OTHER, run, **{"person.name": "某某某"})
    return browsers["resident"]


def cell(value, source, rank, agrees):
    return Cell(
        "person.phone",
        value,
        source,
        source.split(".")[0],
        f"{source}:1",
        "2026-03-01T00:00:00",
        rank,
        agrees,
    )


def test_i_see_each_value_and_everyone_who_holds_it():
    won = cell("13800138000", "public-security.residents", 0, True)
    same = cell("13800138000", "health.patients", 1, True)
    lost = cell("13900139000", "housing.tenancies", 2, False)
    fact = Fact("person.phone", {"zh": "电话", "en": "Phone"}, "13800138000", won, (same, lost))
    record = Record(ME, "person", {"person.phone": "13800138000"}, "", "", "", "r1")
    tables = {"health.patients": {"zh": "居民健康档案", "en": "Health records"}}
    departments = {"health": {"zh": "卫生健康局", "en": "Health"}}
    (field,) = my_fields(FullRecord(record, (fact,)), tables, departments)
    assert [holder.agrees for holder in field.holders] == [True, True, False]
    assert [holder.value for holder in field.others] == ["13900139000"]
    assert field.holders[1].table["zh"] == "居民健康档案"
    assert field.holders[1].department["zh"] == "卫生健康局"
    assert field.holders[0].at == "2026-03-01"
    assert field.may_dispute


def test_what_the_system_made_itself_is_not_disputed_but_what_it_was_made_from():
    fact = Fact("person.place_code", {"zh": "码", "en": "code"}, "440306", None)
    record = Record(ME, "person", {}, "", "", "", "r1")
    (field,) = my_fields(FullRecord(record, (fact,)), {}, {})
    assert not field.may_dispute


def test_my_page_shows_my_values_masked_until_i_uncover_them_and_nobody_elses(me):
    page = me.get("/my/").content.decode()
    assert "13800138000" not in page and "138" in page
    assert not identity.reads_of(ME)[1]
    one = me.post("/my/data/", {"show": "person.phone"})
    assert "13800138000" in one.content.decode() and "欧阳娜" not in one.content.decode()
    assert one["Cache-Control"] == "no-store"
    whole = me.post("/my/data/", {"show": "all"}).content.decode()
    assert "欧阳娜" in whole and "13800138000" in whole
    assert "某某某" not in page + whole


def test_my_own_look_is_on_record_once_a_day(me):
    me.post("/my/data/", {"show": "all"})
    me.post("/my/data/", {"show": "all"})
    reads, total = identity.reads_of(ME)
    assert total == 1
    assert reads[0].purpose == "own-data"


def test_an_account_without_a_person_is_told_what_to_do(browsers, me):
    account = identity.account_named("web-resident")
    account.subject_id = ""
    account.save()
    assert "核对身份" in me.get("/my/").content.decode()
    assert me.get("/my/dispute/person.phone").status_code == 404


def test_i_see_who_read_my_data_when_and_why(me):
    worker = identity.account_named("web-grid_worker")
    identity.record_read(worker, ME, "verification", ["person.phone"], timezone.now(), case_id="C123")
    identity.record_read(worker, OTHER, "verification", ["person.phone"], timezone.now(), case_id="C999")
    page = me.get("/my/reads").content.decode()
    assert "grid_worker" in page and "上门核查" in page and "C123" in page
    assert "C999" not in page


def test_the_reads_come_in_pages(me):
    worker = identity.account_named("web-grid_worker")
    for minute in range(30):
        at = NOW + timedelta(minutes=minute)
        identity.record_read(worker, ME, "verification", ["person.phone"], at, case_id=f"C{minute:03}")
    first, second = (me.get(f"/my/reads?page={number}").content.decode() for number in (1, 2))
    assert "C029" in first and "C000" not in first
    assert "C000" in second and "C029" not in second


def test_i_take_the_proof_of_a_read_with_me(me):
    worker = identity.account_named("web-grid_worker")
    read = identity.record_read(worker, ME, "verification", ["person.phone"], NOW)
    others = identity.record_read(worker, OTHER, "verification", ["person.phone"], NOW)
    ledger.sequence(NOW)
    proof = me.get(f"/my/reads/{read.id}/proof").json()
    assert proof["read"]["subject"] == ME
    assert proof["receipt"]["leaf_id"] == read.leaf_id
    assert me.get(f"/my/reads/{others.id}/proof").status_code == 404


def test_i_dispute_a_value_and_everyone_sees_it_disputed(me):
    form = {"claimed": "13900139000", "reason": "换号了", "key": str(uuid.uuid4())}
    assert me.post("/my/dispute/person.phone", form).status_code == 302
    dispute = Dispute.objects.get()
    assert (dispute.subject_id, dispute.element, dispute.claimed) == (ME, "person.phone", "13900139000")
    page = me.get("/my/").content.decode()
    assert "有异议，处理中" in page
    assert "/my/dispute/person.phone" not in page
    assert me.get("/my/dispute/person.phone").status_code == 404


def test_a_form_sent_twice_disputes_once(me):
    form = {"claimed": "13900139000", "reason": "", "key": str(uuid.uuid4())}
    me.post("/my/dispute/person.phone", form)
    me.post("/my/dispute/person.phone", form)
    assert Dispute.objects.count() == 1


@pytest.mark.parametrize("answer", [{}, {"claimed": "x", "absent": "on"}])
def test_a_dispute_says_what_is_right_or_that_there_is_nothing(me, answer):
    page = me.post("/my/dispute/person.phone", {**answer, "reason": "", "key": str(uuid.uuid4())})
    assert page.status_code == 422
    assert not Dispute.objects.exists()


def test_when_two_records_turn_out_to_be_me_my_account_and_my_reads_follow(me):
    worker = identity.account_named("web-grid_worker")
    identity.record_read(worker, ME, "verification", ["person.phone"], NOW)
    run = Run.objects.get()
    GoldenRecord.objects.filter(subject_id=ME).delete()
    golden(MERGED, run)
    Redirect.objects.create(old=ME, new=MERGED, how="merged", run=run)
    page = me.post("/my/data/", {"show": "all"}).content.decode()
    assert "欧阳娜" in page
    assert identity.account_named("web-resident").subject_id == MERGED
    assert any(read.purpose == "verification" for read in identity.reads_of(MERGED)[0])
