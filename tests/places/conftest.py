"""A small generated district, loaded once a test."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import override_settings

from chengshu.batch.generate import generate
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.kernel.resources import shipped

ON = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a district of 1,500 people."""
    out = tmp_path_factory.mktemp("generated")
    generate(out, 1500, 5, ON)
    return out


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker, generated: Path) -> Iterator[dict[str, int]]:
    """Load it once for a file of tests, demo accounts included, and take it all back afterwards."""
    with django_db_blocker.unblock(), override_settings(DEMO=True), transaction.atomic():
        identity.seed_demo()
        yield places.load_generated(generated, shipped("districts", "baoan"), on=ON, now=NOW)
        transaction.set_rollback(True)


@pytest.fixture
def district(loaded, db, settings) -> dict[str, int]:
    """The loaded district; what a test changes is undone after it."""
    settings.DEMO = True
    return loaded


@pytest.fixture
def operator(district):
    """The district's operator."""
    return identity.account_named("operator")


@pytest.fixture
def worker(district):
    """A grid worker of the demo."""
    return identity.account_named("worker")
