"""Schemathesis tries every call against the API's own description, with every check it knows."""

from __future__ import annotations

import pytest
from described import SENT, description, patient, small_world
from hypothesis import strategies as st

pytestmark = pytest.mark.django_db
DESCRIPTION, TO_THE_EDGE = description(coverage=False), description(coverage=True)
CALLS = {found.ok().label: found.ok() for found in DESCRIPTION.get_all_operations()}


@pytest.fixture(scope="module")
def tokens(django_db_setup, django_db_blocker):
    """A token of each role; what one call changes, the next one finds."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patched, small_world(patched) as made:
        yield made
        print(sum(SENT.values()), "calls of", len(SENT), "operations")


def keeps(case, secret):
    headers = {"Authorization": f"Bearer {secret}"}
    SENT[case.operation.label] += 1
    case.call_and_validate(headers=headers)


@DESCRIPTION.given(role=st.sampled_from(["officer", "operator", "steward", "resident", "grid_worker"]))
@DESCRIPTION.parametrize()
@patient(8)
def test_every_call_keeps_to_the_description(case, role, tokens):
    keeps(case, tokens[role])


@pytest.mark.full
@TO_THE_EDGE.given(role=st.sampled_from(["officer", "operator", "steward", "resident", "grid_worker"]))
@TO_THE_EDGE.parametrize()
@patient(60)
def test_every_call_keeps_to_the_description_at_every_edge(case, role, tokens):
    keeps(case, tokens[role])


def test_every_call_names_itself_and_says_what_it_does():
    for call in CALLS.values():
        raw = call.definition.raw
        assert raw.get("summary") and raw.get("tags"), call.label


def test_every_guarded_call_refuses_an_unknown_token(client, db):
    for call in CALLS.values():
        if call.definition.raw.get("security") and call.method == "get":
            path = call.path.replace("{", "").replace("}", "")
            answer = client.get(path, headers={"Authorization": "Bearer cs_invented"})
            assert answer.status_code == 401, call.label
            assert answer["Content-Type"] == "application/problem+json"
