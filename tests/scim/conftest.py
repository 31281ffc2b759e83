from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from chengshu.contexts.identity import api as identity


@pytest.fixture
def operator(db):
    for code, name in (("market", "市场监管局"), ("grid-office", "网格办")):
        identity.save_department(code, name, code)
    return identity.save_account("op", display_name="运行员", role="operator", department="market")


@pytest.fixture
def token(operator):
    made = identity.make_token(operator, "人事系统", ["staff:provision"], timedelta(days=1), timezone.now())
    return made.secret


class Caller:
    """The personnel system."""

    def __init__(self, secret):
        self.http, self.headers = Client(), {"Authorization": f"Bearer {secret}"}

    def __call__(self, method, path, body=None, **headers):
        return self.http.generic(
            method.upper(),
            f"/scim/v2/{path}",
            "" if body is None else __import__("json").dumps(body),
            content_type="application/scim+json",
            headers={**self.headers, **headers},
        )


@pytest.fixture
def call(token):
    return Caller(token)
