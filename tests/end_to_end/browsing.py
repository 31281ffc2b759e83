"""What the browser tests share: the served district, the visitor, the sizes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

PEOPLE = "2000"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@dataclass
class District:
    """A served demo district."""

    var: Path
    url: str
    log: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ``chengshu`` on this district."""
        command = [sys.executable, "-c", "from chengshu.site.cli import main; main()", *arguments]
        return subprocess.run(command, env=environment(self.var), capture_output=True, text=True, timeout=600)


def environment(var: Path) -> dict[str, str]:
    """Return the environment of a district of its own."""
    return {**os.environ, "CHENGSHU_VAR": str(var), "CHENGSHU_LOG": "WARNING"}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Visitor:
    """Someone in front of a browser: what went wrong on the way is kept."""

    context: BrowserContext
    page: Page
    errors: list[str]
    outside: list[str]


def wait_for(url: str, log: Path) -> None:
    """Wait until the address answers 200."""
    for _ in range(240):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.25)
    pytest.fail("the server did not start:\n" + log.read_text()[-3000:])


def ours(url: str, base: str) -> bool:
    """Say whether an address belongs to the district."""
    return url.startswith((base, "data:", "blob:"))


def text(page: Page) -> str:
    """Return what stands in the main part of a page."""
    return page.locator("main").inner_text()


def fill(page: Page, answers: Mapping[str, Any], prefix: str = "") -> None:
    """Fill in a form by the names of its fields; bytes are a PDF, lists are boxes to tick."""
    for name, value in answers.items():
        field = page.locator(f"[name='{prefix}{name}']")
        kind = field.first.evaluate("e => e.tagName === 'SELECT' ? 'select' : e.type")
        if kind == "checkbox":
            for each in value:
                page.locator(f"[name='{prefix}{name}'][value='{each}']").check()
        elif kind == "radio":
            page.locator(f"[name='{prefix}{name}'][value='{value}']").check()
        elif kind == "select":
            field.select_option(value)
        elif kind == "file":
            field.set_input_files({"name": f"{name}.pdf", "mimeType": "application/pdf", "buffer": value})
        else:
            field.fill(value)


def opened(page: Page, address: str, ready: Callable[[], bool], seconds: float = 30) -> None:
    """Open a page, again and again until it is ready: what a job brings reaches it a moment later."""
    until = time.monotonic() + seconds
    page.goto(address)
    while not ready():
        assert time.monotonic() < until, f"{address}: {text(page)[:2000]}"
        page.wait_for_timeout(250)
        page.goto(address)


def act(page: Page, case: str, command: str, answers: Mapping[str, Any] | None = None) -> None:
    """Take one step on the case's page, by its link."""
    link = page.locator(f"a[href='/cases/{case}/do/{command}']")
    opened(page, f"/cases/{case}", lambda: link.count() == 1)
    link.click()
    fill(page, answers or {})
    page.locator("main form .actions button").click()
    page.wait_for_url(f"**/cases/{case}")
    assert "已记录" in text(page)
