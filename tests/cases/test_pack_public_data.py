"""Public data resources through the engine: registered, disputed from the street, operated within bounds, wound up."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case
from chengshu.contexts.certificates.models import Certificate
from chengshu.contexts.identity import api as identity
from chengshu.contexts.messages import api as messages
from chengshu.kernel.problems import Problem
from chengshu.site.simulation.samples import read_samples
from tests_support import packwork
from tests_support.casework import MONDAY
from tests_support.packwork import PAPER

PACK = "public-data-resource"

GRANT = {
    "operator_name": "示例数据运营有限公司", "operator_code": "91440300MA5EXAMP0X", "operator_account": ["ops"],
    "manager_name": "政务服务和数据管理局", "manager_code": "11440306MB2EXAM00Y", "mode": "by-field",
    "fields": ["transport"], "grant_conditions": "仅限停车诱导", "model": "自主运营", "term_end": "2026-12-31",
    "exit_plan": "期满删除", "safety_duty": "等保三级", "decision_paper": PAPER,
}  # fmt: skip
PRODUCT = {
    "product": "停车诱导服务", "purpose": "industry", "product_field": "transport", "charge_needed": True,
    "product_price": 50000, "raw_data": False,
}  # fmt: skip


@pytest.fixture
def people(district):
    identity.save_department("data-bureau", "政务服务和数据管理局", "Data Bureau")
    identity.save_department("development", "发展和改革局", "Development")
    for name, department in (("da1", "data-bureau"), ("da2", "data-bureau"), ("de1", "development")):
        account = identity.save_account(name, display_name=name, role="officer", department=department)
        setattr(district, name, account)
    for name in ("ops", "audit1"):
        setattr(district, name, identity.save_account(name, display_name=name, role="resident"))
    return district


def take(case_id, name, actor, now=MONDAY, /, **data):
    return packwork.take(case_id, name, actor, now, **data)


def days(number):
    return MONDAY + dt.timedelta(days=number)


def settle(now):
    cases.sweep(now)
    while cases.run_jobs(now):
        pass


@pytest.fixture
def resource(people):
    facts = dict(read_samples(cases.current_files(PACK)).openings[0].facts)
    case_id = cases.open_case(PACK, facts, opened_by=people.de1, idempotency_key="r1", now=MONDAY)
    take(case_id, "register", people.da1)
    return case_id


@pytest.fixture
def operation(people, resource):
    take(resource, "authorise", people.da1, **GRANT)
    child = Case.objects.get(parent_id=resource).pk
    with pytest.raises(Problem) as caught:
        take(child, "approve", people.da1)
    assert caught.value.code == "own-work"
    take(child, "approve", people.da2, days(1))
    return child


def refused(case_id, name, actor, now, **data):
    with pytest.raises(Problem) as caught:
        take(case_id, name, actor, now, **data)
    return caught.value.code


def test_anyone_disputes_what_is_registered_and_the_source_answers(people, resource):
    said = {"disputed": "某停车场泊位数不符"}
    cases.public_command(resource, "dispute", said, actor=people.resident, now=days(1), idempotency_key="d1")
    take(resource, "answer", people.de1, days(2), answer_text="已更正", corrected=True)
    assert [row.kind for row in messages.find_notices(now=days(2))] == ["answered", "registered"]
    take(
        resource, "grant_audit", people.da1, days(2),
        auditors=["audit1"], authority="审计通知书1号", audit_until="2026-12-31",
    )  # fmt: skip
    take(resource, "audit_note", people.audit1, days(3), audit_finding="材料完整")
    assert cases.check_case(resource) == []


def test_the_operator_keeps_within_scope_and_price_and_winds_up_at_the_end(people, resource, operation):
    assert refused(operation, "list_product", people.ops, days(2), **PRODUCT) == "guard-refused"
    take(operation, "set_cap", people.da2, days(2), price_cap=50000, price_basis="经核定")
    take(operation, "list_product", people.ops, days(3), **PRODUCT)
    beyond = {**PRODUCT, "product_field": "health"}
    assert refused(operation, "list_product", people.ops, days(3), **beyond) == "guard-refused"
    take(operation, "request_use", people.ops, days(3), use_text="信贷评分", use_field="finance")
    assert Case.objects.get(pk=operation).state == "operating"
    granted = [row for row in messages.find_notices(now=days(3)) if row.kind in ("granted", "product")]
    assert len(granted) == 2
    # Fen to the engine and the ledger, yuan to people.
    shown = {item["name"]: item for row in granted for item in json.loads(row.fields)}["product_price"]
    assert (shown["raw"], shown["value"]) == (50000, {"zh": "500.00 元", "en": "500.00 yuan"})
    assert refused(resource, "strike_off", people.da1, days(4), strike_reason="停用") == "guard-refused"
    settle(days(39))
    assert Case.objects.get(pk=operation).state == "winding_up"
    take(operation, "confirm_exit", people.da1, days(45), data_deleted=True, handed_over="已移交")
    settle(days(45))
    take(resource, "strike_off", people.da1, days(46), strike_reason="停用")
    assert Case.objects.get(pk=resource).outcome == "struck-off"
    assert {row.state for row in Certificate.objects.filter(case_id=resource)} == {"revoked"}
    assert cases.check_case(operation) == cases.check_case(resource) == [] and cases.dead_jobs() == []
