"""Every address of the matrix that answers with a page, drawn as someone who may see it: no axe violation, large letters too.

The walks of ``tests/end_to_end`` follow links in a served district; here each page is drawn with an object of its own, so that
none is left out because no link led to it. What pages ask for besides (styles, scripts, pictures) comes from the static files.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.db import transaction
from test_authorisation import MATRIX, OPEN, ROUTES, TRIED, in_the_world, reached, trial  # noqa: F401
from trying import RELATIONS, address_of

from tests_support import axe
from tests_support.chromium import running_chromium

pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.django_db]
HOST = "http://testserver"
FEWEST = 110
LOOKS = [
    ({"width": 1280, "height": 900}, "light", ""),
    ({"width": 390, "height": 844}, "dark", "large"),
]


def who_may(row):
    """Return a role that is let in, and whose object it then looks at."""
    for role in row.roles if row.who != "public" else ("", *row.roles):
        if row.of == OPEN:
            return role, "own"
        for relation in RELATIONS:
            if relation in reached(row, role):
                return role, relation
    return None


def drawn(world, row, letters):
    """Return the page as HTML; nothing where the address answers with something else."""
    found = who_may(row)
    if found is None or " " in row.route or row.send:
        return None
    role, relation = found
    client = world.browsers[role]
    given = world.object_for(row, role, relation)
    with transaction.atomic():
        client.cookies["size"] = letters
        answer = client.get(address_of(row.route, given))
        transaction.set_rollback(True)
    said = answer.status_code == 200 and answer.get("Content-Type", "").startswith("text/html")
    html = b"".join(answer).decode() if said else ""
    # A part that a page fetches into itself is drawn in that page.
    return html if html.lstrip().lower().startswith("<!doctype") else None


def from_static(route):
    """Answer what a page asks for besides itself."""
    path = urlsplit(route.request.url).path
    found = finders.find(path.removeprefix("/static/")) if path.startswith("/static/") else None
    if found:
        route.fulfill(path=found)
    else:
        route.abort()


def violations(page, html, size, scheme):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.unroute_all()
    page.route("**/*", from_static)
    page.route(f"{HOST}/", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    page.goto(f"{HOST}/", wait_until="load")
    return axe.faults(page)


@pytest.mark.timeout(3600)
def test_no_page_of_the_matrix_has_a_violation(in_the_world):  # noqa: F811
    pages = {
        (route, letters): html
        for route in TRIED
        if not ROUTES[route].by_token
        for _size, _scheme, letters in LOOKS
        if (html := drawn(in_the_world, MATRIX[route], letters)) is not None
    }
    wrong = []
    with running_chromium() as chromium:
        page = chromium.new_context(locale="zh-CN").new_page()
        for route, _letters in sorted(each for each in pages if not each[1]):
            for size, scheme, letters in LOOKS:
                found = violations(page, pages[route, letters], size, scheme)
                wrong += [f"{route} at {size['width']} {letters}: {each}" for each in found]
    assert not wrong, "\n".join(wrong)
    assert len(pages) >= FEWEST * len(LOOKS), len(pages)
