from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from chengshu.contexts.identity import api as identity


@pytest.fixture(autouse=True)
def empty_buckets():
    """No test is throttled by another."""
    cache.clear()


@pytest.fixture
def browsers(db):
    """A signed-in browser for each role, and one for a visitor under the empty name."""
    identity.save_department("market", "市场监管局", "Market Supervision")
    made = {"": Client()}
    for role in identity.ALL_ROLES:
        account = identity.save_account(
            f"web-{role}",
            display_name=role,
            role=role,
            department="market" if role == "officer" else None,
            subject_id="P0000000017" if role == "resident" else "",
        )
        made[role] = Client()
        made[role].force_login(account)
    return made
