"""A small generated district, loaded once a test."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

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


@pytest.fixture
def district(db, settings, generated: Path) -> dict[str, int]:
    """Load it into the database, demo accounts included."""
    settings.DEMO = True
    identity.seed_demo()
    return places.load_generated(generated, shipped("districts", "baoan"), on=ON, now=NOW)


@pytest.fixture
def operator(district):
    """The district's operator."""
    return identity.account_named("operator")


@pytest.fixture
def worker(district):
    """A grid worker of the demo."""
    return identity.account_named("worker")
