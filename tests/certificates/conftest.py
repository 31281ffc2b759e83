"""A small real district, one case, and a way to ask for effects as a pack's step would."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.kernel.resources import shipped
from chengshu.procedure.ports import Actor, EffectRequest, registry
from tests_support.casework import CELL, MONDAY, firm_facts, make_cells, make_staff


@pytest.fixture
def district(db, settings):
    settings.PUBLIC_URL = "http://hub.example"
    cases.load_pack_version(shipped("packs", "cn", "grid-verification"), MONDAY)
    make_cells()
    identity.save_department("ip-office", "知识产权保护中心", "Intellectual Property Office")
    return make_staff()


@pytest.fixture
def opened(district):
    """A case to hang certificates on."""
    return cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="finding:1", now=MONDAY
    )


class Steps:
    """Runs effects the way a step does: inside ones in one transaction, each under a key of its own."""

    def __init__(self) -> None:
        self.number = 0
        self.now = MONDAY

    def request(self, case_id: str, effect: str, params: dict, **more) -> EffectRequest:
        self.number += 1
        return EffectRequest(
            case_id, effect, params, more.get("facts", {}), more.get("data", {}), Actor("system", "系统"), self.now,
            more.get("key", f"{case_id}:{self.number}:{effect}"),
        )  # fmt: skip

    def __call__(self, case_id: str, effect: str, **params):
        request = self.request(case_id, effect, params)
        with transaction.atomic():
            return registry.effect_handler(effect)(request)

    def run_jobs(self, seconds: int = 1) -> int:
        self.now += dt.timedelta(seconds=seconds)
        return cases.run_jobs(self.now)


@pytest.fixture
def step():
    return Steps()


@pytest.fixture
def certificate(step, opened):
    """A data-IP certificate, made whole by its job."""
    done = step(
        opened, "issue_certificate", type="data-ip", holder="示例数据科技有限公司", valid_from=dt.date(2026, 11, 23),
        valid_to=dt.date(2029, 11, 22), claims={"dataset": "停车泊位数据集", "rows": 12_000_000},
    )  # fmt: skip
    assert step.run_jobs() == 1
    from chengshu.contexts.certificates.models import Certificate

    return Certificate.objects.get(number=done["certificate"])
