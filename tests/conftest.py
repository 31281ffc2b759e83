"""What all tests share: a folder of their own for ``var/``, and a real PostgreSQL or browser for those that ask."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests_support.chromium import running_chromium
from tests_support.postgres import new_database, running_postgres


@pytest.fixture(autouse=True)
def own_var(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give each test its own ``var/``: no test reads what another left."""
    var = tmp_path / "var"
    var.mkdir()
    monkeypatch.setenv("CHENGSHU_VAR", str(var))
    settings = request.getfixturevalue("settings")
    settings.VAR_DIR = var
    settings.MEDIA_ROOT = var / "files"
    # Most tests sign in by name; those about second factors ask for them.
    settings.SECOND_FACTOR_ROLES = []
    return var


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL that lives as long as this test process."""
    # Not below pytest's own folder: run as root, the server has another user, who may not look in there.
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """Address of a new, empty database."""
    return new_database(postgres_server)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, for one module."""
    with running_chromium() as browser:
        yield browser
