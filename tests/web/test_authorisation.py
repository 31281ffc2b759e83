"""The matrix ``authorisation.yaml`` (every address × every role × whose object) holds in the code, both ways; it is tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction
from routes import all_routes
from trying import KINDS, REACH, RELATIONS, Row, Trial, has_parameters, silence_rates

from chengshu.contexts.identity.api import ALL_ROLES
from chengshu.kernel.strict_yaml import load_yaml

TABLE = load_yaml(Path(__file__).with_name("authorisation.yaml"))
OPEN, EVERYONE = "open", "everyone"
ROUTES = all_routes()


def row_of(line):
    of = line.get("of", OPEN)
    reach = line.get("reach") or TABLE["objects"].get(of, {}).get("reach", {})
    return Row(
        line["route"], line["who"], of, dict(reach), dict(line.get("with", {})), dict(line.get("send", {}))
    )


LINES = {line["route"]: line for line in TABLE["routes"]}
MATRIX = {route: row_of(line) for route, line in LINES.items()}
TRIED = sorted(set(MATRIX) & set(ROUTES))


def wanted(who):
    if who == "public":
        return "public"
    return sorted(ALL_ROLES) if who == "signed-in" else sorted(who)


def test_every_address_stands_in_the_matrix_and_every_line_has_an_address():
    assert sorted(set(ROUTES) - set(MATRIX)) == [], "add these to tests/web/authorisation.yaml"
    assert sorted(set(MATRIX) - set(ROUTES)) == [], "these lines have no address any more"
    assert len(LINES) == len(TABLE["routes"]), "an address stands there twice"


def test_every_address_that_names_something_says_whose_it_is():
    silent = [route for route, line in LINES.items() if has_parameters(route) and "of" not in line]
    assert silent == [], "say `of:` in tests/web/authorisation.yaml: a kind of objects/, or `open`"


def test_every_kind_of_object_is_made_and_says_how_far_each_role_reaches():
    assert set(TABLE["objects"]) == set(KINDS)
    used = {row.of for row in MATRIX.values()} - {OPEN}
    assert used == set(KINDS)
    for row in MATRIX.values():
        assert set(row.reach) <= {*ALL_ROLES, EVERYONE} and set(row.reach.values()) <= set(REACH), row.route


@pytest.mark.parametrize("name", TRIED)
def test_the_code_lets_in_whom_the_matrix_names(name):
    assert ROUTES[name].who == wanted(MATRIX[name].who)


@pytest.fixture(scope="module")
def trial(request, django_db_setup, django_db_blocker, tmp_path_factory):
    """One world for all addresses; what an asking changes is taken back each time."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock():
        from django.conf import settings

        patched.setattr(settings, "VAR_DIR", folder / "var")
        patched.setattr(settings, "MEDIA_ROOT", folder / "var" / "files")
        patched.setattr(settings, "SECOND_FACTOR_ROLES", [])
        silence_rates(patched)
        with transaction.atomic():
            made = Trial(folder, [MATRIX[name] for name in TRIED])
            made.folder = folder
            yield made
            transaction.set_rollback(True)


@pytest.fixture
def in_the_world(trial, settings):
    """Files, too, are those of the world."""
    settings.VAR_DIR, settings.MEDIA_ROOT = trial.folder / "var", trial.folder / "var" / "files"
    settings.SECOND_FACTOR_ROLES = []
    return trial


@pytest.mark.django_db
@pytest.mark.parametrize("name", TRIED)
def test_who_asks_gets_in_exactly_as_far_as_the_matrix_says(name, in_the_world):
    row, wrong = MATRIX[name], []
    for role in ("", *ALL_ROLES):
        named = row.who == "public" or (role and role in row.roles)
        for relation in RELATIONS if named and row.of != OPEN else ["own"]:
            inside, status = in_the_world.let_in(row, role, relation, by_token=ROUTES[name].by_token)
            expected = named and (row.of == OPEN or relation in reached(row, role))
            if inside is not bool(expected) or (status >= 500 and name != "readyz"):
                wrong.append(f"{role or 'visitor'}, {relation}: {'in' if inside else 'out'} ({status})")
    assert not wrong, "; ".join(wrong)


def reached(row, role):
    return REACH[row.reach.get(role, row.reach.get(EVERYONE, "none"))]
