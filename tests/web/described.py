"""The API's description as schemathesis reads it, and the small world in which it is tried."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import schemathesis
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.forms import SCOPES
from chengshu.interfaces.rest import authentication
from chengshu.interfaces.rest.api import api
from chengshu.site.simulation.samples import read_samples
from chengshu.site.wsgi import application
from tests_support.casework import CELL, firm_facts, make_cells, make_staff

PACK = "childbirth-subsidy"
# What a well-formed request may be answered with: schemathesis' own list. 422 comes to it only for the calls that describe
# in a sentence what of a well-formed request they may refuse, for no schema can say it (see ``rest/wording.py``).
ANSWERS = ["2xx", "3xx", "401", "403", "404", "409", "429"]
SENT = Counter()


def description(*, coverage: bool, roads: str = ""):
    """Return the API (or the paths that fit ``roads``) as schemathesis sees it, every one of its checks on."""
    raw = json.loads(json.dumps(api.get_openapi_schema()))
    raw["paths"] = {path: calls for path, calls in raw["paths"].items() if re.match(roads, path)}
    hanging = [
        call["operationId"]
        for calls in raw["paths"].values()
        for call in calls.values()
        if "422" in call["responses"]
    ]
    accepted = {"positive_data_acceptance": {"expected-statuses": [*ANSWERS, "422"]}}
    config = {
        "phases": {"coverage": {"enabled": coverage}},
        "checks": {"positive_data_acceptance": {"expected-statuses": ANSWERS}},
        "operations": [{"include-operation-id": hanging, "checks": accepted}],
    }
    found = schemathesis.openapi.from_dict(raw, config=SchemathesisConfig.from_dict(config))
    found.app = application
    return found


def patient(examples: int, **more):
    """Return settings that do not mind a slow machine and try the same each time."""
    return settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), **more,
    )  # fmt: skip


@contextmanager
def small_world(patched):
    """Found a district with staff, packs and two cases; give each role a token of every scope, by role."""
    endless = identity.Rate(capacity=10**9, per_second=10**6)
    patched.setattr(authentication, "OF_ACCOUNT", endless)
    patched.setattr(authentication, "OF_ADDRESS", endless)
    cache.clear()
    now = timezone.now()
    with transaction.atomic():
        make_cells()
        staff = make_staff()
        for code in ("health", "data-bureau"):
            identity.save_department(code, code, code)
        carer = identity.save_account("hc", display_name="卫健", role="officer", department="health")
        for pack in ("grid-verification", PACK):
            cases.need_shipped(pack, now)
        cases.open_case(
            "grid-verification", firm_facts(), opened_by=None, cell_code=CELL, subject_id="F000000017",
            idempotency_key="k", now=now,
        )  # fmt: skip
        people = {
            "steward": staff.steward, "officer": carer, "grid_worker": staff.worker,
            "operator": staff.operator, "resident": staff.resident,
        }  # fmt: skip
        yield {
            role: identity.make_token(each, "x", list(SCOPES), timedelta(days=1), now).secret
            for role, each in people.items()
        }
        transaction.set_rollback(True)


def samples():
    """Return openings and answers of the pack, from its golden cases."""
    return read_samples(cases.current_files(PACK))
