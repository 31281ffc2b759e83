"""Debian's Chromium: where it is and how it is started, for maps by software GL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
# Maps are drawn by the software GL; pages themselves are put together without it, which takes a fifth of the processor time.
FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing", "--disable-gpu-rasterization",
    "--disable-background-networking", "--no-first-run",
]  # fmt: skip


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run the browser. Its driver keeps a loop running in this thread meanwhile, and only one may.

    Django takes the loop for a view that must not wait on the database; here it is only the driver's. Inside, Django has a
    database connection of its own: a test in a transaction begins the browser when it is done with the database.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
