"""Every page of every role: no axe violation, light and dark, desk and phone; nothing from outside; one heading."""

from __future__ import annotations

from collections import deque
from urllib.parse import urlsplit

import pytest
from browsing import DESK, PHONE
from django.urls import Resolver404, resolve
from playwright.sync_api import Error

from tests_support import axe

pytestmark = pytest.mark.browser
# Two walks of about the same length: in each, a route that one role has shown is not shown again by the next.
WALKS = [
    ["", "applicant", "resident", "officer-ip", "clerk"],
    ["worker", "steward", "officer-market", "officer-finance", "operator"],
]
ROLES = [role for walk in WALKS for role in walk]
NOT_PAGES = ("/api/v1/openapi.json", "/metrics", "/healthz", "/readyz", "/i18n/", "/static/", "/sign-out")
LIMIT = 60
# What another theme changes, and what another size may change besides.
BY_THEME = ("color-contrast",)
BY_SIZE = (*axe.BY_SIZE, "page-has-heading-one")
# Controls smaller than 44 px, links in running text left out (WCAG 2.2 allows those).
SMALL = """() => [...document.querySelectorAll(
    'button, .button, .tool, select, input:not([type=hidden]), summary, .tabs a, .task')]
  .filter(e => e.getClientRects().length && !e.closest('.maplibregl-map'))
  .map(e => [e, ((/checkbox|radio/.test(e.type) && e.labels[0]) || e).getBoundingClientRect()])
  .filter(([e, box]) => box.height < 43.5 && box.width > 1)
  .map(([e]) => e.outerHTML.slice(0, 120))"""

INLINE = """() => [...document.querySelectorAll('[style], [onclick], [onchange], [onsubmit]')]
  .filter(e => e.getClientRects().length && !e.closest('[data-map], .maplibregl-map'))
  .map(e => e.outerHTML.slice(0, 120))"""


def route_of(path):
    try:
        return resolve(path).route
    except Resolver404:
        return None


def pages_of(page, wrong, known=()):
    """Walk the links from the front page; yield one address for each route not known yet; dead links are wrong."""
    seen, queue = set(), deque(["/"])
    while queue and len(seen) < LIMIT:
        path = queue.popleft()
        route = route_of(urlsplit(path).path)
        if route is None or route in seen or (route in known and path != "/") or path.startswith(NOT_PAGES):
            continue
        seen.add(route)
        try:
            answer = page.goto(path)
        except Error as told:
            if "Download is starting" not in told.message:
                raise
            continue
        if answer.status >= 400:
            wrong.append(f"{path} → {answer.status}")
        if not answer.ok or answer.request.redirected_from or "html" not in answer.headers["content-type"]:
            continue
        yield path
        for link in page.eval_on_selector_all("a[href]", "links => links.map(a => a.getAttribute('href'))"):
            parts = urlsplit(link)
            if not parts.netloc and not parts.scheme and parts.path.startswith("/"):
                queue.append(parts.path + (f"?{parts.query}" if parts.query else ""))


def violations(page, where, only=()):
    return [f"{where}: {each}" for each in axe.faults(page, only)]


def check(visitor, known, schemes, by_size=()):
    """Walk the pages of one visitor; return what is wrong with them. ``by_size``: the rules to look at again on a phone."""
    page, wrong = visitor.page, []
    for path in pages_of(page, wrong, known):
        if page.locator("[data-map]").count():
            page.wait_for_selector(".maplibregl-canvas")
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > size["width"]:
                wrong.append(f"{path} at {size['width']}: {wide} wide")
            for scheme in schemes[size["width"]]:
                page.emulate_media(color_scheme=scheme)
                again = scheme != schemes[size["width"]][0]
                only = BY_THEME if again else by_size if size is PHONE else ()
                wrong += violations(page, f"{path} {scheme} {size['width']}", only)
        wrong += [f"{path}: small {each}" for each in page.evaluate(SMALL)]
        if page.locator("h1").count() != 1:
            wrong.append(f"{path}: {page.locator('h1').count()} h1")
        wrong += [f"{path}: inline {each}" for each in page.evaluate(INLINE)]
    return wrong + [f"outside: {each}" for each in visitor.outside] + visitor.errors


@pytest.mark.parametrize("roles", WALKS, ids=["of residents", "of offices"])
def test_every_page_is_accessible_on_a_desk_and_fits_a_phone(visit, roles):
    """Colours in the dark are held by the long walks of each role in each theme."""
    wrong, known = [], set()
    for role in roles:
        visitor = visit(role)
        visitor.page.on("framenavigated", lambda frame: known.add(route_of(urlsplit(frame.url).path)))
        wrong += [
            f"{role or 'visitor'} {each}"
            for each in check(visitor, set(known), {1280: ["light"], 390: ["dark"]}, BY_SIZE)
        ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.full
@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_the_role_is_accessible_in_each_theme_at_each_size(visit, role):
    both = ["light", "dark"]
    wrong = check(visit(role), set(), {1280: both, 390: both})
    assert not wrong, "\n".join(wrong)


def test_the_keyboard_reaches_the_content_first(visit):
    page = visit().page
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_menu_works_on_a_phone_without_script(visit):
    page = visit("steward", phone=True).page
    plain = visit("", phone=True, java_script_enabled=False).page
    plain.goto("/")
    plain.locator(".phone-menu summary").click()
    assert plain.locator(".phone-menu a").first.is_visible()
    page.goto("/")
    page.locator(".phone-menu summary").click()
    page.keyboard.press("Escape")
    assert not page.locator(".phone-menu a").first.is_visible()


def test_theme_letters_and_language_are_kept(visit):
    page = visit().page
    page.goto("/about")
    page.locator(".pop:has(button[value=dark]) summary").click()
    page.locator("button[name=theme][value=dark]").click()
    assert page.url.endswith("/about")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.locator(".pop:has(button[value=dark]) summary").click()
    page.locator("button[name=size][value=large]").click()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    page.locator("button[name=language][value=en]").click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert "About this site" in page.locator("h1").inner_text()
