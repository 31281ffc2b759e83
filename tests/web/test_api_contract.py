"""Schemathesis tries every call against the API's own description: no server error, no undocumented answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
import schemathesis
from django.core.cache import cache
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.forms import SCOPES
from chengshu.interfaces.rest import authentication
from chengshu.interfaces.rest.api import api
from chengshu.site.wsgi import application

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DESCRIPTION = schemathesis.openapi.from_dict(dict(api.get_openapi_schema()))
DESCRIPTION.app = application
CALLS = {found.ok().label: found.ok() for found in DESCRIPTION.get_all_operations()}
PATIENT = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)


@pytest.fixture
def tokens(browsers, monkeypatch):
    """A token of each staff role with every scope; rates are out of the way (they have tests of their own)."""
    endless = identity.Rate(capacity=10**9, per_second=10**6)
    monkeypatch.setattr(authentication, "OF_ACCOUNT", endless)
    monkeypatch.setattr(authentication, "OF_ADDRESS", endless)
    cache.clear()
    staff = [identity.account_named(f"web-{role}") for role in ("steward", "officer", "grid_worker")]
    return [
        identity.make_token(each, "x", list(SCOPES), timedelta(days=1), timezone.now()).secret
        for each in staff
    ]


@pytest.mark.parametrize("label", sorted(CALLS))
def test_every_call_keeps_to_the_description(label, tokens):
    for secret in tokens:
        headers = {"Authorization": f"Bearer {secret}"}

        @PATIENT
        @given(case=CALLS[label].as_strategy())
        def keeps(case):
            case.call_and_validate(headers=headers, checks=CHECKS)  # noqa: B023 — called before the loop goes on

        keeps()


def test_every_call_names_itself_and_says_what_it_does():
    for call in CALLS.values():
        raw = call.definition.raw
        assert raw.get("summary") and raw.get("tags"), call.label


def test_every_guarded_call_refuses_an_unknown_token(client, db):
    for call in CALLS.values():
        if call.definition.raw.get("security") and call.method == "get":
            path = call.path.replace("{", "").replace("}", "")
            answer = client.get(path, headers={"Authorization": "Bearer cs_invented"})
            assert answer.status_code == 401, call.label
            assert answer["Content-Type"] == "application/problem+json"
