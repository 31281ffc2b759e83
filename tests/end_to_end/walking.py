"""What the walks of the packs share: a form filled in, a word of the public, a term that ends, a page looked at."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from browsing import DESK, PHONE, District, environment, fill, opened, text
from playwright.sync_api import Page

from chengshu.kernel.workdays import official_calendar
from tests_support import axe

PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n"
# Each run has names of its own: a served district may have seen this test before.
MARK = os.urandom(3).hex()
TODAY = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
# One case's term ends as if its day had come (the other cases of the district stay where they are), or somebody takes a
# step whose like was seen in the browser already. One process for the whole walk: starting it is what costs.
HOURS = """
import datetime as dt, json, sys, time, django
django.setup()
from chengshu.contexts.cases import api, store
from chengshu.contexts.cases.models import Case, CaseTerm
from chengshu.contexts.identity.models import Account
for line in sys.stdin:
    case, command, who, data, term = json.loads(line)
    if who:
        actor = Account.objects.get(username=who)
        # A job opens what a step sends out.
        for _ in range(100 if term else 0):
            found = Case.objects.filter(parent_id=case, assignee=str(actor.pk)).last()
            case = found.pk if found else time.sleep(0.2) or case
            if found:
                break
        api.command(case, command, data, actor=actor, expected_version=None, idempotency_key=None, now=dt.datetime.now(dt.UTC))
    else:
        ends = CaseTerm.objects.get(case_id=case, state="running", term=term)
        store.command(case, command, {}, actor=None, now=ends.due_at + dt.timedelta(hours=1), term=term)
    print("done", flush=True)
"""


def after(days: int) -> str:
    """Return the day so many days from today, as a form takes it."""
    return (TODAY + dt.timedelta(days=days)).isoformat()


def due_after(days: int) -> str:
    """Return the last day of a term of so many days: where it is a day off, the next working day."""
    day = TODAY + dt.timedelta(days=days)
    while not official_calendar().is_workday(day):
        day += dt.timedelta(days=1)
    return day.isoformat()


def apply_for(page: Page, pack: str, sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Fill in the form of a service section by section; return the case."""
    page.goto(f"/services/{pack}")
    page.get_by_role("button", name="开始填写").click()
    page.goto(re.sub(r"/sections/.*", "", page.url) + f"/sections/{next(iter(sections))}")
    for answers in sections.values():
        fill(page, answers)
        page.get_by_role("button", name="保存并继续").click()
    page.get_by_role("button", name="确认并提交").click()
    assert "已收到您的申请" in text(page)
    return page.url.rsplit("/", 1)[1]


def claim(page: Page, case: str) -> None:
    """Take a case out of the department's queue."""
    page.goto(f"/cases/{case}")
    page.get_by_role("button", name="领取").click()
    assert page.get_by_role("button", name="领取").count() == 0


def say_in_public(page: Page, notice: str, command: str, answers: Mapping[str, Any]) -> str:
    """Find a notice among all of them, take the public's step on it; return the number that confirms it."""
    page.goto(f"/notices/?q={notice}")
    page.get_by_role("link", name=notice).first.click()
    panel = page.locator(".public-command", has=page.locator(f"input[value={command}]"))
    panel.locator(".open-form > summary").click()
    fill(page, answers, f"{command}-")
    panel.locator("form .actions button").click()
    assert "已收到" in text(page)
    return re.search(r"回执号 ([\w-]+)", text(page))[1]


def wait_to_see(page: Page, address: str, words: str) -> None:
    """Open a page again until it shows what a job in the background brings."""
    opened(page, address, lambda: words in text(page))


def find_task(page: Page, words: str) -> str:
    """Find a case in one's own list; return its number."""
    wait_to_see(page, f"/cases/?q={words}", words)
    return page.locator("[data-row] a", has_text=words).first.get_attribute("href").rsplit("/", 1)[1]


def faults(page: Page) -> list[str]:
    """Return what axe finds on a page, on a desk and on a phone, and where it is wider than the screen."""
    found = []
    for size, rules in ((DESK, ()), (PHONE, axe.BY_SIZE)):
        page.set_viewport_size(size)
        if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            found.append(f"{page.url}: wider than {size['width']}")
        found += [f"{page.url}: {each}" for each in axe.faults(page, rules)]
    page.set_viewport_size(DESK)
    return found


class Hours:
    """The hours that a test does not have."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def end(self, case: str, term: str, command: str) -> None:
        """Let a running term of one case end: the command of its clock is given as of an hour later."""
        self._send([case, command, "", {}, term])

    def take(self, case: str, who: str, command: str, **data: Any) -> None:
        """Let somebody take a step that was seen in the browser before."""
        self._send([case, command, who, data, ""])

    def take_on(self, parent: str, who: str, command: str, **data: Any) -> None:
        """Let somebody take a step on the case that another one sent to them."""
        self._send([parent, command, who, data, "child"])

    def _send(self, what: list[Any]) -> None:
        print(json.dumps(what), file=self.process.stdin, flush=True)
        # What is logged stands on the same stream; it ends where the process does.
        if "done" not in (line.strip() for line in self.process.stdout):
            raise AssertionError(self.process.stderr.read()[-2000:])


@contextmanager
def hours_of(district: District) -> Iterator[Hours]:
    """Start what ends terms and takes repeated steps on a district."""
    surroundings = {**environment(district.var), "DJANGO_SETTINGS_MODULE": "chengshu.site.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", HOURS], env=surroundings, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        yield Hours(process)
        process.stdin.close()
