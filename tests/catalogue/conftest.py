"""The demo district's declarations, read once for all tests of the catalogue."""

import datetime as dt

import pytest

from chengshu.contexts.catalogue import domain, store
from chengshu.kernel.resources import shipped

NOW = dt.datetime(2026, 11, 21, 8, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def declared():
    """What the demo district declares."""
    folder = shipped("districts", "baoan")
    return domain.read_folder(folder / "sources", folder / "catalogue", folder / "catalogue")


@pytest.fixture
def loaded(db, declared):
    """The catalogue of the demo district in the database."""
    return store.load(declared, now=NOW)
