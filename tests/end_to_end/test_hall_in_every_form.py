"""The hall in every form that it promises: large letters, on paper, with scripts switched off."""

from __future__ import annotations

import csv
import re
from collections import deque
from itertools import islice
from urllib.parse import urlsplit

import pytest
from browsing import DESK, PHONE
from test_every_page import SMALL, route_of, violations

pytestmark = [pytest.mark.browser, pytest.mark.full]
# Where each visitor's walk begins; links lead on, but only within the hall.
STARTS = {
    "": ["/hall/", "/hall/search?q=出生", "/hall/items/", "/hall/ratings/", "/hall/statistics"],
    "applicant": ["/my/", "/my/code", "/my/cases", "/my/mandates/", "/my/ratings/", "/my/offers"],
    "resident": [
        "/my/",
        "/my/cases",
        "/my/mandates/",
        "/my/mandates/give",
        "/my/data/consents",
        "/my/offers",
    ],
    "clerk": ["/window/mandates/new", "/window/", "/services/", "/hotline/"],
    "officer-market": ["/hall/items/guides/", "/hall/statistics", "/exports/"],
}
HALL = re.compile(r"^/(hall|my|window|hotline|exports|services|wallet)(/|$)")
LIMIT = 60
PAPER = {"width": 718, "height": 1000}  # A4 less margins of 1 cm, in CSS pixels
# Nothing of a control belongs on paper; nothing may be cut off at its edge.
CONTROLS = """() => [...document.querySelectorAll(
    '.masthead-tools, .wide-menu, .skip, .filters, .actions, .pagination, .no-print')]
  .filter(e => e.getClientRects().length).map(e => e.outerHTML.slice(0, 120))"""
# What a reader without scripts could press in vain, or could not send.
DEAD = """() => [
  ...[...document.querySelectorAll('button, [role=button]')].filter(e => e.getClientRects().length && !e.form),
  ...[...document.querySelectorAll('a')].filter(e => e.getClientRects().length && /^(#|javascript:|)$/.test(
      e.getAttribute('href') ?? '')),
  ...[...document.querySelectorAll('main form')].filter(e => ![...e.elements].some(c => c.type === 'submit')),
  ...[...document.querySelectorAll('[hx-get], [hx-post]')].filter(e => e.getClientRects().length
      && !e.closest('form') && !/every/.test(e.getAttribute('hx-trigger')) && !(e.tagName === 'A' && e.getAttribute('href'))),
].map(e => e.outerHTML.slice(0, 160))"""


def hall_pages(page, starts):
    """Walk the hall's links from where the visitor begins; yield one address for each route."""
    seen, queue = set(), deque(starts)
    while queue and len(seen) < LIMIT:
        path = queue.popleft()
        route = route_of(urlsplit(path).path)
        if route is None or route in seen or not HALL.match(path):
            continue
        seen.add(route)
        answer = page.request.get(path, max_redirects=0)
        if answer.status >= 300 or "text/html" not in answer.headers.get("content-type", ""):
            continue
        page.goto(path)
        yield path
        links = page.eval_on_selector_all("a[href]", "links => links.map(a => a.getAttribute('href'))")
        queue += [link for link in links if link.startswith("/")]


def begun(page, pack):
    """Begin an application, so that there are questions, tasks and answers to look at; return their addresses."""
    page.goto(f"/hall/apply/{pack}/")
    page.get_by_role("button", name=re.compile("^(开始|接着填)$")).click()
    return [urlsplit(page.url).path, *(f"/hall/apply/{pack}/{name}" for name in ("data", "tasks", "check"))]


def served(page, var):
    """Begin to serve a resident at the window, found by number and name as they stand in the demo's own table."""
    with (var / "sources" / "public-security" / "residents.csv").open(encoding="utf-8-sig") as rows:
        people = [(row["zjhm"], row["xm"]) for row in islice(csv.DictReader(rows), 10)]
    for number, name in people:
        page.goto("/window/")
        page.locator("[name=resident_id]").fill(number)
        page.locator("[name=name]").fill(name)
        page.get_by_role("button", name="查找").click()
        if page.url.endswith("/window/ground"):
            break
    page.locator("[name=ground]").first.check()
    page.locator("main form button").last.click()


def in_large_letters(page, path):
    page.context.add_cookies([{"name": "size", "value": "large", "url": page.url}])
    page.reload()
    wrong = []
    for size, scheme in ((DESK, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > size["width"]:
            wrong.append(f"{path} large at {size['width']}: {wide} wide")
        wrong += violations(page, f"{path} large {scheme} {size['width']}")
    return wrong + [f"{path} large: small {each}" for each in page.evaluate(SMALL)]


def on_paper(page, path):
    page.set_viewport_size(PAPER)
    # Who reads at night prints at night too: paper stays white.
    page.emulate_media(media="print", color_scheme="dark")
    wrong = [f"{path} printed: {each}" for each in page.evaluate(CONTROLS)]
    if (wide := page.evaluate("document.documentElement.scrollWidth")) > PAPER["width"]:
        wrong.append(f"{path} printed: {wide} wide")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    if ground != "rgb(255, 255, 255)":
        wrong.append(f"{path} printed on {ground}")
    wrong += violations(page, f"{path} printed", ["color-contrast"])
    page.emulate_media(media="screen")
    return wrong


def without_script(page, path, heading):
    answer = page.goto(path)
    wrong = [f"{path} without script: dead {each}" for each in page.evaluate(DEAD)]
    if answer.status != 200 or page.locator("h1").inner_text() != heading:
        wrong.append(f"{path} without script: {answer.status} {page.locator('h1').all_inner_texts()}")
    return wrong


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("role", STARTS)
def test_the_hall_is_whole_in_large_letters_on_paper_and_without_script(visit, district, role):
    visitor, plain = visit(role), visit(java_script_enabled=False).page
    starts, wrong, walked = list(STARTS[role]), [], 0
    if role == "applicant":
        starts += begun(visitor.page, "childbirth-subsidy")
    if role == "clerk":
        served(visitor.page, district.var)
    plain.context.add_cookies(visitor.context.cookies())
    for path in hall_pages(visitor.page, starts):
        walked += 1
        heading = visitor.page.locator("h1").inner_text()
        wrong += in_large_letters(visitor.page, path)
        wrong += on_paper(visitor.page, path)
        wrong += without_script(plain, path, heading)
    assert walked >= len(STARTS[role])
    assert not wrong + visitor.errors, "\n".join(wrong + visitor.errors)
