from __future__ import annotations

import pytest
from django.test import Client

from chengshu.contexts.identity import api


@pytest.fixture
def django_test_client_factory():
    """Makes another browser."""
    return Client


@pytest.fixture(autouse=True)
def quick_hashing(request, settings):
    """Argon2 is slow on purpose; one test looks at it."""
    if "argon2" not in request.node.name:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def empty_buckets():
    """No test is throttled by another."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def people(db):
    """One account of each role; passwords are known."""
    api.save_department("market", "市场监管局", "Market Supervision")
    made = {}
    for role in api.ALL_ROLES:
        made[role] = api.save_account(
            role,
            display_name=f"某{role}",
            role=role,
            department="market" if role == "officer" else None,
            subject_id="P0000000017" if role == "resident" else "",
            password="a long password",
        )
    return made
