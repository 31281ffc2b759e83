"""What tests of items and search share: the shipped items, loaded once a test, and browsers of two departments."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.test import Client

from chengshu.contexts.hall import api as hall
from chengshu.contexts.identity import api as identity
from chengshu.kernel.resources import shipped

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
FOLDER = shipped("districts", "baoan", "items")


@pytest.fixture(autouse=True)
def empty_buckets():
    cache.clear()


@pytest.fixture
def items(db):
    """The items that ship, loaded."""
    return hall.load_items(FOLDER, now=NOW)


def officer(name, department):
    identity.save_department(department, department, department)
    account = identity.save_account(name, display_name=name, role="officer", department=department)
    browser = Client()
    browser.force_login(account)
    return browser


@pytest.fixture
def market(db):
    return officer("market-officer", "market")


@pytest.fixture
def police(db):
    return officer("police-officer", "public-security")
