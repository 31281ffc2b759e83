"""A resident with a golden record, a firm, a flat, and the childbirth subsidy."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from django.test import Client

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from tests_support.records import publish

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
PACK = "childbirth-subsidy"
ANNA, FIRM, FLAT = "P0000000017", "F0000000013", "R0000000018"
PLACE = "440306017019000010001"
VALUES = {
    "person.name": "王安娜", "person.resident_id": "440306199303150020", "person.phone": "13800138001",
    "person.birth_date": "1993-03-15", "person.sex": "女", "person.place_code": PLACE,
}  # fmt: skip


@pytest.fixture
def world(db):
    for pack in ("value-dispute", "seconds-review", PACK):
        cases.need_shipped(pack, NOW)
    for code in ("health", "finance", "market", "data-bureau", "public-security"):
        identity.save_department(code, code, code)
    firm = {
        "firm.name": "安娜小吃店",
        "firm.credit_code": "91350100M000100Y43",
        "firm.legal_representative": "王安娜",
    }
    flat = {"premises.address": "创业一路12号301", "premises.area_m2": "88.5", "premises.use": "住宅",
            "premises.owner_name": "李伯特", "premises.place_code": PLACE}  # fmt: skip
    publish(NOW, (ANNA, VALUES), (FIRM, firm), (FLAT, flat))
    save = identity.save_account
    return SimpleNamespace(
        anna=save("anna", display_name="王安娜", role="resident", subject_id=ANNA),
        bert=save("bert", display_name="李伯特", role="resident", subject_id="P0000000025"),
        steward=save("st", display_name="林静", role="steward"),
        officer=save("o1", display_name="何琳", role="officer", department="health"),
        second=save("o2", display_name="曹颖", role="officer", department="health"),
        market=save("o3", display_name="周敏", role="officer", department="market"),
        operator=save("op", display_name="刘伟", role="operator"),
    )


@pytest.fixture
def anna(world):
    return world.anna


@pytest.fixture
def staff(world):
    return world


@pytest.fixture
def browser(anna):
    made = Client()
    made.force_login(anna)
    return made


def childbirth_facts(**more):
    return {
        "child_name": "王小满", "child_id": "440306202506100028", "born_on": "2025-06-10", "registered_here": True,
        "entry_number": "HE-2026-000001",
        "birth_proof": "register", "applicant_name": "王安娜", "applicant_id": "440306199303150020",
        "applicant_born_on": "1993-03-15",
        "phone": "13800138001", "relation": "mother", "payee": "王安娜", "bank_account": "6217000000000000001",
        "truthful": True, **more,
    }  # fmt: skip


def apply(account, key="c:1", now=NOW, **more):
    """Apply for the subsidy and confirm: decided in seconds where nothing speaks against it."""
    case_id = cases.open_case(PACK, childbirth_facts(**more), opened_by=account, idempotency_key=key, now=now)
    confirm(case_id, account, now)
    return case_id


def confirm(case_id, account, now=NOW):
    """Confirm what one has applied for: the rules decide, or a person has it on the desk."""
    return cases.command(
        case_id, "confirm", {"agreed": True}, actor=account, expected_version=None, idempotency_key=None, now=now,
    )  # fmt: skip
