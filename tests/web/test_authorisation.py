"""The matrix ``authorisation.yaml`` (every address × every role) holds in the code, both ways."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from routes import all_routes

from chengshu.contexts.identity.api import ALL_ROLES
from chengshu.kernel.strict_yaml import load_yaml

MATRIX = {
    row["route"]: row["who"] for row in load_yaml(Path(__file__).with_name("authorisation.yaml"))["routes"]
}
SAMPLES = {"int": "1", "str": "X", "slug": "x", "path": "x", "uuid": "00000000-0000-0000-0000-000000000000"}
PAGES = {name: route for name, route in all_routes().items() if route.pattern is not None}


def wanted(who):
    if who == "public":
        return "public"
    return sorted(ALL_ROLES) if who == "signed-in" else sorted(who)


def test_every_address_stands_in_the_matrix_and_every_line_has_an_address():
    routes = set(all_routes())
    assert sorted(routes - set(MATRIX)) == [], "add these to tests/web/authorisation.yaml"
    assert sorted(set(MATRIX) - routes) == [], "these lines have no address any more"


@pytest.mark.parametrize("name", sorted(all_routes()))
def test_the_code_lets_in_whom_the_matrix_names(name):
    assert all_routes()[name].who == wanted(MATRIX[name])


def address_of(name):
    filled = re.sub(r"<(?:(\w+):)?\w+>", lambda match: SAMPLES[match[1] or "str"], name)
    return "/" + re.sub(r"[\^$]", "", filled)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_who_is_not_named_is_turned_away_and_who_is_gets_an_answer(name, browsers):
    who, address = wanted(MATRIX[name]), address_of(name)
    for role, browser in browsers.items():
        answer = browser.get(address)
        if answer.status_code == 405:
            answer = browser.post(address)
        turned_away = answer.status_code == 403 or "/sign-in?" in answer.get("Location", "")
        allowed = who == "public" or role in who
        assert turned_away is not allowed, f"{role or 'visitor'} → {answer.status_code}"
        assert answer.status_code < 500 or name == "readyz", f"{role or 'visitor'} → {answer.status_code}"
