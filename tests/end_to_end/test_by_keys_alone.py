"""An application and an official's step by keys alone: Tab reaches everything, the focus shows, and nothing holds it."""

from __future__ import annotations

import re

import pytest
from browsing import text
from test_applying_in_the_hall import ANSWERS

pytestmark = pytest.mark.browser
MOST = 120
# Where the focus is must be seen: an outline, a shadow or an underline that the same element does not have without it.
FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const seen = getComputedStyle(e), label = e.labels && e.labels[0] ? getComputedStyle(e.labels[0]) : seen;
  const shown = s => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none';
  // A date is several stops in one element: the browser itself marks the part that has the focus.
  const visible = e.type === 'date' || shown(seen) || shown(label) || shown(getComputedStyle(e, '::before'));
  return {shown: visible, html: e.outerHTML.slice(0, 120)};
}"""


def tab_to(page, selector):
    """Press Tab until an element that fits has the focus; each stop on the way shows itself."""
    hidden = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused and not focused["shown"]:
            hidden.append(focused["html"])
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            assert not hidden, hidden
            return
    raise AssertionError(f"Tab does not lead to {selector} on {page.url}")


def press(page, selector, key="Enter"):
    tab_to(page, selector)
    before = page.url
    page.keyboard.press(key)
    page.wait_for_function(
        "before => location.href !== before || document.querySelector('.error-summary')", arg=before
    )
    page.wait_for_load_state()


def type_in(page, name):
    """Answer a field of the page by the keys that its kind takes."""
    field = page.locator(f'main [name="{name}"]').first
    kind = field.evaluate("e => e.tagName === 'SELECT' ? 'select' : e.type")
    if kind in ("radio", "checkbox"):
        tab_to(page, f'[name="{name}"]')
        wanted, steps = ANSWERS.get(name), 0
        while (
            kind == "radio"
            and wanted
            and steps < 20
            and page.evaluate("document.activeElement.value") != wanted
        ):
            page.keyboard.press("ArrowDown")
            steps += 1
        page.keyboard.press("Space")
        return
    tab_to(page, f'[name="{name}"]')
    if kind == "select":
        page.keyboard.press("ArrowDown")
    elif kind == "date":
        field.fill(ANSWERS.get(name, "2026-05-01"))
    else:
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(ANSWERS.get(name, "1"))


def test_somebody_applies_by_keys_alone(visit):
    page = visit("applicant").page
    page.goto("/hall/apply/maternity-service-record/")
    press(page, "main form button")
    if page.url.endswith("/data"):
        if page.locator("input[name=allow]").count():
            tab_to(page, "input[name=allow]")
            page.keyboard.press("Space")
        press(page, "main form button:not([name])")
    for _ in range(40):
        if "/q/" not in page.url:
            break
        type_in(page, page.url.split("/q/")[1].split("?")[0])
        press(page, "main form .actions button, main form button.button")
    assert page.url.endswith("/check"), text(page)[:600]
    for number in range(page.locator("main form.declare input[type=checkbox]").count()):
        name = page.locator("main form.declare input[type=checkbox]").nth(number).get_attribute("name")
        tab_to(page, f'[name="{name}"]')
        page.keyboard.press("Space")
    press(page, "main form.declare button")
    assert "/done/" in page.url, text(page)[:600]


def test_a_worker_takes_a_step_by_keys_alone(visit):
    page = visit("worker").page
    page.goto("/cases/")
    press(
        page, "main table a[href*='/cases/C'], main .task a[href*='/cases/C'], main a.task[href*='/cases/C']"
    )
    case = re.search(r"/cases/(C[0-9A-Z]+)", page.url)
    assert case, page.url
    # A finding is reported: the case stays on the list for the other tests of this district.
    press(page, "main a[href$='/do/report']")
    fields = "main form :is(input:not([type=file], [type=hidden]), select, textarea)[name]"
    names = page.locator(fields).evaluate_all("all => [...new Set(all.map(e => e.name))]")
    for name in names:
        type_in(page, name)
    press(page, "main form .actions button")
    assert "已记录" in text(page), text(page)[:800]
