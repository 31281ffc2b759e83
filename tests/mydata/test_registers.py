"""Whoever opens a restaurant is not asked what a register answers; where it is silent, late or down, they are asked as before."""

from __future__ import annotations

import datetime as dt
import uuid
from types import SimpleNamespace

import pytest
from django.test import Client

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case
from chengshu.contexts.catalogue.models import Dataset
from chengshu.contexts.hall import api as hall
from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects import api as subjects
from chengshu.contexts.subjects.models import Dispute, GoldenRecord, Run
from chengshu.kernel.problems import Problem
from chengshu.site.simulation.samples import read_samples
from tests_support.records import publish

from .conftest import ANNA, NOW, PLACE, VALUES
from .test_sourced import licence

PACK, CODE = "open-a-restaurant", "91350100M000100Y43"
BERT, BERTS = "P0000000025", {**VALUES, "person.name": "李伯特", "person.resident_id": "440306199107150015"}
BUILDING, BARE, NEXT = PLACE[:17], "440306017019000020001", "440306017019000010002"
LISTS = {
    "market.revoked_permits": ("market", "person.permit_revoked_on"),
    "urban-management.protected_places": ("urban-management", "premises.sign_ground"),
}


def premises(code, **more):
    return {"premises.address": "创业一路12号", "premises.place_code": code, **more}


@pytest.fixture
def town(db):
    for pack in (
        "value-dispute",
        "business-licence",
        "food-permit",
        "fire-safety-check",
        "sign-board",
        "joint-inspection",
        PACK,
    ):
        cases.need_shipped(pack, NOW)
    for code in ("market", "housing", "urban-management", "public-security", "data-bureau", "fire"):
        identity.save_department(code, code, code)
    for source, (department, element) in LISTS.items():
        body = {"whole": [element], "columns": [{"name": "x", "element": element}]}
        Dataset.objects.create(
            name=source, department=department, title_zh=source, title_en=source, kind="person", body=body, version=1,
            changed_at=NOW,
        )  # fmt: skip
    accepted = {
        "premises.exits": "2",
        "premises.fire_equipment": "灭火器、应急照明、排烟",
        "premises.post_code": "518101",
    }
    publish(
        NOW, (ANNA, VALUES), (BERT, {**BERTS, "person.permit_revoked_on": "2024-05-01"}),
        (PLACE, premises(PLACE, **accepted)), (BARE, premises(BARE)), (NEXT, premises(NEXT)),
        (BARE[:17], premises(BARE[:17], **{"premises.sign_ground": "历史建筑"})),
    )  # fmt: skip
    save = identity.save_account
    return SimpleNamespace(
        anna=save("anna", display_name="王安娜", role="resident", subject_id=ANNA),
        bert=save("bert", display_name="李伯特", role="resident", subject_id=BERT),
        carl=save("carl", display_name="卡尔", role="resident", subject_id=""),
        steward=save("st", display_name="林静", role="steward"),
    )


def filled(account, place=PLACE, now=NOW):
    things = ["licence", "food", "fire", "sign"]
    return hall.prefill(PACK, account, now, answers={"things": things, "place_code": place})


def test_who_is_not_on_the_list_is_not_asked_and_reads_as_of_when(town):
    barred = filled(town.anna).found["barred"]
    assert (barred.value, barred.source_code, barred.at) == (False, "market.revoked_permits", "2026-11-23")
    assert barred.source_title["zh"].endswith("名单上没有") and not barred.disputable
    looks = identity.reads_of(ANNA)[0]
    assert any("person.permit_revoked_on" in look.elements for look in looks)


def test_who_is_on_the_list_reads_so_can_dispute_it_and_is_free_after_five_years(town):
    barred = filled(town.bert).found["barred"]
    assert (barred.value, barred.source_title["zh"], barred.at) == (True, "吊销名单", "2026-10-01")
    assert barred.dispute_url == "/my/dispute/person.permit_revoked_on"
    later = dt.datetime(2029, 5, 2, 2, 0, tzinfo=dt.UTC)
    Run.objects.update(started_at=later)
    assert filled(town.bert, now=later).found["barred"].value is False


def test_a_list_that_is_down_old_or_never_came_answers_nothing(town):
    subjects.halt_source("market.revoked_permits", "down", "停电", actor=town.steward, now=NOW)
    assert filled(town.anna).asked["barred"] == "halted"
    assert filled(town.bert).asked["barred"] == "halted"
    subjects.end_halt("market.revoked_permits", actor=town.steward, now=NOW)
    assert filled(town.anna, now=NOW + dt.timedelta(days=32)).asked["barred"] == "old-list"
    Run.objects.get().sources.filter(source="market.revoked_permits").update(late=True)
    assert filled(town.anna).asked["barred"] == "no-value"
    assert filled(town.carl).asked["barred"] == "no-record"


def test_a_list_that_was_withdrawn_does_not_say_no_though_it_came_a_week_ago(town):
    next_week = NOW + dt.timedelta(days=7, minutes=1)
    run = publish(next_week)
    run.sources.filter(source="market.revoked_permits").delete()
    assert filled(town.anna, now=next_week).asked["barred"] == "no-value"
    # A build that only tried delivered nothing; one that found nothing new did.
    tried = Run.objects.create(
        run_id="t", state=Run.State.UNCHANGED, started_at=next_week, facts={"dry_run": True}
    )
    row = {"source": "market.revoked_permits", "department": "market", "kind": "person"}
    row["title"] = {"zh": "吊销名单", "en": "Revoked permits"}
    run.sources.create(**row, late=True)
    tried.sources.create(**row)
    later = NOW + dt.timedelta(days=33)
    assert filled(town.anna, now=next_week).found["barred"].at == NOW.date().isoformat()
    assert filled(town.anna, now=later).asked["barred"] == "old-list"
    Run.objects.filter(pk=tried.pk).update(facts={"dry_run": False})
    assert filled(town.anna, now=later).found["barred"].at == next_week.date().isoformat()


def test_a_list_is_as_old_as_its_file_however_often_it_is_built(town):
    later = NOW + dt.timedelta(days=20, minutes=1)
    known = publish(later).sources.filter(source="market.revoked_permits")
    made = NOW - dt.timedelta(days=10)
    known.update(facts={"made_at": made.isoformat(timespec="seconds")})
    assert filled(town.anna, now=later).found["barred"].at == made.date().isoformat()
    assert filled(town.anna, now=later + dt.timedelta(days=2)).asked["barred"] == "old-list"
    # A clock that runs ahead makes no list younger than the build that read it.
    known.update(facts={"made_at": (later + dt.timedelta(days=99)).isoformat(timespec="seconds")})
    assert filled(town.anna, now=later + dt.timedelta(days=32)).asked["barred"] == "old-list"


@pytest.mark.parametrize(
    ("number", "answer"),
    [("440306197001010015", True), ("440306197001010016", False), ("", False)],
)
def test_a_namesake_on_the_list_whose_number_tells_nobody_apart_leaves_the_question_open(
    town, number, answer
):
    """A row without a number, or with a wrong digit, was not joined to its person: that list's silence says nothing of them."""
    namesake = {"person.name": VALUES["person.name"], "person.permit_revoked_on": "2024-05-01"}
    GoldenRecord.objects.filter(subject_id=ANNA).update(
        data={**VALUES, "person.resident_id": "440306199003070029"}
    )
    numbered = {"person.resident_id": number} if number else {}
    publish(NOW + dt.timedelta(minutes=1), ("P0000000049", namesake | numbered))
    form = filled(town.anna)
    assert ("barred" in form.found) is answer
    assert form.asked.get("barred") == (None if answer else "no-value")


def test_a_place_is_on_the_list_by_its_building_and_one_that_nobody_knows_is_asked_about(town):
    free, listed = filled(town.anna, NEXT).found["protected"], filled(town.anna, BARE).found["protected"]
    assert (free.value, free.at, free.disputable) == (False, "2026-11-23", False)
    assert (listed.value, listed.dispute_url) == (True, f"/my/dispute/place/{BARE[:17]}/premises.sign_ground")
    assert filled(town.anna, "440306017019000090001").asked["protected"] == "no-record"
    subjects.halt_source("urban-management.protected_places", "down", "停电", actor=town.steward, now=NOW)
    assert filled(town.anna, BARE).asked["protected"] == "halted"


def test_the_acceptance_fills_exits_and_equipment_where_there_was_one(town):
    found = filled(town.anna).found
    assert (found["exits"].value, found["post_code"].value) == (2, "518101")
    assert found["fire_equipment"].value == ["extinguishers", "emergency-light", "smoke-exhaust"]
    assert found["exits"].source_title["zh"] == "消防验收备案"
    assert found["exits"].dispute_url == f"/my/dispute/place/{PLACE}/premises.exits"
    asked = filled(town.anna, BARE).asked
    assert asked["exits"] == asked["fire_equipment"] == asked["post_code"] == "no-value"
    subjects.halt_source("housing.fire_acceptances", "down", "停电", actor=town.steward, now=NOW)
    held = filled(town.anna)
    assert "exits" not in held.found and "post_code" in held.found


def test_what_a_register_says_of_a_place_goes_to_its_department_when_it_is_wrong(town):
    page = Client()
    page.force_login(town.anna)
    url = f"/my/dispute/place/{PLACE}/premises.exits"
    shown = page.get(url)
    assert shown.status_code == 200 and "2" in shown.content.decode()
    key = shown.context["form"]["key"].value()
    assert page.post(url, {"key": key, "claimed": "3", "reason": "后门已开通"}).status_code == 302
    raised = Dispute.objects.get()
    assert (raised.decider, raised.claimed, raised.subject_id) == ("housing", "3", PLACE)
    assert filled(town.anna).found["exits"].disputed
    assert page.get(url).status_code == 404
    assert page.get(f"/my/dispute/place/{PLACE}/premises.place_code").status_code == 404
    assert page.get(f"/my/dispute/place/{BERT}/person.phone").status_code == 404


def test_a_place_one_disputed_stands_in_ones_list_and_the_page_says_when_it_is_too_often(town, monkeypatch):
    page, other = Client(), Client()
    page.force_login(town.anna)
    body = {"claimed": "3", "reason": "后门已开通", "key": uuid.uuid4()}
    page.post(f"/my/dispute/place/{PLACE}/premises.exits", body)
    listed = page.get("/my/data/disputes").content.decode()
    assert "创业一路12号" in listed and "应该是 3" in listed
    other.force_login(identity.save_account("dora", display_name="多拉", role="resident", subject_id=BERT))
    assert "创业一路12号" not in other.get("/my/data/disputes").content.decode()
    monkeypatch.setattr("chengshu.contexts.subjects.returns.MOST_PLACES_A_DAY", 1)
    url = f"/my/dispute/place/{PLACE}/premises.fire_equipment"
    refused = page.post(url, body | {"key": uuid.uuid4()})
    assert refused.status_code == 422 and "明天再试" in refused.content.decode()
    assert Dispute.objects.count() == 1


def test_one_account_does_not_bury_registers_under_disputes_of_places(town):
    def raised(number, now=NOW, by=town.anna):
        return subjects.dispute_place(
            PLACE, "premises.exits", claimed="3", reason="", actor=by, raised_for=by.subject_id, now=now,
            idempotency_key=f"k{number}",
        )  # fmt: skip

    first = raised(0)
    row = Dispute.objects.get()
    for number in range(1, 20):
        row.pk, row.idempotency_key = None, f"k{number}"
        row.save(force_insert=True)
    with pytest.raises(Problem) as caught:
        raised(20)
    assert (caught.value.code, caught.value.status) == ("too-often", 429)
    # The same press again is no twenty-first; others, and tomorrow, are free. Each finds their own.
    assert raised(0) == first and raised(21, by=town.bert) and raised(22, NOW + dt.timedelta(days=1, hours=1))
    assert subjects.disputes_raised(ANNA, town.anna.pk).count() == 21
    assert subjects.disputes_raised(BERT, town.bert.pk).get().raised_by_account == town.bert.pk


def decided(account):
    """Apply for a food permit, saying that no permit was ever revoked; returns what the list and the table said."""
    facts = {
        name: value
        for name, value in read_samples(cases.current_files(PACK)).openings[0].facts.items()
        if value is not None
    }
    facts |= {"things": ["food"], "old_code": CODE, "barred": False}
    whole = cases.open_case(PACK, facts, opened_by=account, idempotency_key="a", now=NOW)
    food = Case.objects.get(parent=whole, pack="food-permit")
    known = cases.case_facts(food.pk)
    return known["facts"].get("barred_listed"), cases.case_facts(food.pk)["kept"].get("says")


@pytest.mark.parametrize("down", [False, True])
def test_the_list_decides_whatever_is_typed_and_where_it_is_silent_the_word_counts(town, down):
    if down:
        subjects.halt_source("market.revoked_permits", "down", "停电", actor=town.steward, now=NOW)
    licence(town.bert, CODE, firm_name="小店", address="创业一路12号", number="YZ-1")
    listed, says = decided(town.bert)
    assert (listed, says == "barred") == ((None, False) if down else (True, True))
