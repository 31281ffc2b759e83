"""Schemathesis walks the API along its links: open a case, look at it, take the next step; begin a draft, save it, send it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from described import PACK, description, patient, samples, small_world
from django.db import transaction

pytestmark = pytest.mark.django_db
WALKED = Counter()
# Who takes which road.
ROADS = {"/drafts": "resident", "/services": "resident", "/mandates": "resident", "/subjects": "steward"}
FROM_OPENING = r"^/api/v1/(services/[^/]+/cases|cases/\{)"
FROM_DRAFT = r"^/api/v1/(drafts|cases/\{)"
OPENED = {"POST /api/v1/services/{pack}/cases", "GET /api/v1/cases/{case_id}"}
SENT_OFF = {"POST /api/v1/drafts", "PUT /api/v1/drafts/{draft_id}"}


def road_of(case):
    return case.operation.path.removeprefix("/api/v1")


def fill(case, known):
    """Put in what stands in no schema: the name of the pack, and the answers of its forms."""
    road, facts = road_of(case), {"facts": dict(known.openings[0].facts)}
    if road == "/services/{pack}/cases":
        case.path_parameters["pack"], case.body = PACK, facts
    elif road == "/drafts" and case.method == "POST":
        case.body = {"pack": PACK}
    elif road == "/drafts/{draft_id}" and case.method == "PUT":
        case.body = facts
    elif road.endswith("/commands/{command}"):
        answers = known.answers.get(str(case.path_parameters["command"])) or [{}]
        case.body = {"data": json.loads(json.dumps(dict(answers[0]), default=str))}


def role_of(case, at_work):
    """Return who sends a call; whoever is at work looks at cases and takes their steps."""
    if "case_id" in (case.path_parameters or {}):
        return at_work
    return next((who for road, who in ROADS.items() if road_of(case).startswith(road)), "officer")


def walker(tokens, roads, at_work):
    """Return the state machine of the description, which signs in and fills in the forms of the pack."""
    known, described = samples(), description(coverage=False, roads=roads)

    class Walker(described.as_state_machine()):
        def setup(self):
            self.before = transaction.savepoint()

        def teardown(self):
            # Every way begins in the same world.
            transaction.savepoint_rollback(self.before)
            super().teardown()

        def before_call(self, case):
            if case.meta.generation.mode.is_positive:
                fill(case, known)

        def get_call_kwargs(self, case):
            return {"headers": {"Authorization": f"Bearer {tokens[role_of(case, at_work)]}"}}

        def validate_response(self, response, case, additional_checks=None, **kwargs):
            WALKED[f"{case.method} {case.operation.path}", response.status_code] += 1
            # As the machine itself does, but saying whose token it is: otherwise it counts as one made up.
            case.validate_response(
                response, additional_checks=additional_checks, headers=kwargs["headers"],
                transport_kwargs=kwargs, recorder=self.recorder,
            )  # fmt: skip

    return Walker


@pytest.fixture
def tokens(db, monkeypatch):
    with small_world(monkeypatch) as made:
        yield made


def walk(tokens, roads, ways, steps, at_work="resident"):
    walker(tokens, roads, at_work).run(settings=patient(ways, stateful_step_count=steps))
    print(sum(WALKED.values()), "calls:", dict(WALKED))
    return {call for (call, status), _ in WALKED.items() if status < 300}


@pytest.mark.parametrize(
    ("roads", "goal"), [(FROM_OPENING, OPENED), (FROM_DRAFT, SENT_OFF)], ids=["opening", "draft"]
)
def test_the_links_lead_where_they_say(roads, goal, tokens):
    assert walk(tokens, roads, 6, 8) >= goal


@pytest.mark.full
def test_long_ways_along_the_links(tokens):
    reached = walk(tokens, FROM_OPENING, 40, 12) | walk(tokens, FROM_DRAFT, 40, 12)
    command = "POST /api/v1/cases/{case_id}/commands/{command}"
    assert reached >= OPENED | SENT_OFF | {command, "POST /api/v1/drafts/{draft_id}/submit"}
    walk(tokens, FROM_OPENING, 20, 12, "officer")
    walk(tokens, "", 30, 12, "officer")
