"""A real district served by the real command, and Debian's Chromium to walk through it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import (
    DESK,
    PEOPLE,
    PHONE,
    District,
    Visitor,
    environment,
    free_port,
    ours,
    wait_for,
)
from playwright.sync_api import Browser, BrowserContext
from walking import Hours, hours_of


def founded(folders: pytest.TempPathFactory) -> Path:
    """Return the ``var/`` of a small demo district, founded once for all processes of a run; each serves a copy."""
    shared = folders.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / "founding").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "founded").exists():
            demo = District(shared / "half-founded", "", Path(os.devnull))
            built = demo.run("demo", "--people", PEOPLE, "--no-serve")
            assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
            demo.var.rename(shared / "founded")
    return shared / "founded"


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """Serve a small demo district for the session."""
    if served_already := os.environ.get(
        "CHENGSHU_TEST_URL"
    ):  # while one writes a test: a district that runs already
        yield District(Path(os.environ["CHENGSHU_TEST_VAR"]), served_already, Path(os.devnull))
        return
    folder = tmp_path_factory.mktemp("district")
    port = free_port()
    served = District(folder / "var", f"http://127.0.0.1:{port}", folder / "serve.log")
    shutil.copytree(founded(tmp_path_factory), served.var)
    command = [
        sys.executable,
        "-c",
        "from chengshu.site.cli import main; main()",
        "serve",
        "--port",
        str(port),
    ]
    with served.log.open("w") as log:
        server = subprocess.Popen(command, env=environment(served.var), stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(served.url + "/readyz", served.log)
        yield served
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def hours(district: District) -> Iterator[Hours]:
    """The hours that a test does not have."""
    with hours_of(district) as told:
        yield told


@pytest.fixture
def visit(district: District, chromium: Browser) -> Iterator[object]:
    """Open a browser for a role: ``visit("worker", phone=True)``; the empty name stays outside."""
    contexts: list[BrowserContext] = []

    def opening(username: str = "", *, phone: bool = False, **options: object) -> Visitor:
        settings = {
            "locale": "zh-CN",
            "viewport": PHONE if phone else DESK,
            "base_url": district.url,
            "reduced_motion": "reduce",
            **options,
        }
        context = chromium.new_context(**settings)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        visitor = Visitor(context, page, [], [])
        page.on("console", lambda each: visitor.errors.append(each.text) if each.type == "error" else None)
        page.on("pageerror", lambda each: visitor.errors.append(str(each)))
        page.on(
            "request", lambda each: None if ours(each.url, district.url) else visitor.outside.append(each.url)
        )
        if username:
            page.goto("/sign-in")
            door = page.locator(f"button[name=demo][value={username}]")
            if not door.is_visible():
                page.locator("details", has=door).locator("summary").click()
            door.click()
            page.wait_for_url(lambda url: "/sign-in" not in url)
        return visitor

    yield opening
    for context in contexts:
        context.close()
