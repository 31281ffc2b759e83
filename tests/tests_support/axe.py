"""Holds a page in a browser to axe: one list of rules for all tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What another size of the window may change.
BY_SIZE = ("target-size", "scrollable-region-focusable", "region")
_SCRIPT = Axe().axe_script


def violations(page: Page, only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return what breaks our rules, or ``only`` the rules named; axe itself is loaded once into each page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT)
    options = {"runOnly": list(only) or {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = page.evaluate("options => axe.run(options)", options)["violations"]
    return found


def faults(page: Page, only: Sequence[str] = ()) -> list[str]:
    """Return what breaks the rules, each in a line: the rule and the first places."""
    return [
        f"{each['id']} {[node['target'] for node in each['nodes']][:3]}" for each in violations(page, only)
    ]
