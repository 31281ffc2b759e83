"""Random packs, random commands: replay equals what was reached, terms end on days of the law, nothing without a ground."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import Unit, legal_day
from chengshu.kernel.workdays import official_calendar
from chengshu.procedure.case import OPEN_TERMS, RUNNING, SUSPENDED, Case, Event, fold
from chengshu.procedure.complement import check_complement
from chengshu.procedure.diff import differences
from chengshu.procedure.drawing import draw
from chengshu.procedure.files import PackFiles
from chengshu.procedure.loader import load_files
from chengshu.procedure.machine import MACHINE, Command, advance, begin
from chengshu.procedure.model import Pack
from chengshu.procedure.ports import Actor
from chengshu.procedure.svg import svg
from tests_support.small_pack import TEXTS

START = dt.datetime(2026, 9, 24, 1, 0, tzinfo=dt.UTC)
TERMS = ["1 workday", "3 workdays", "10 workdays", "2 days", "1 month", "2 years", "36 hours", "at once"]
GUARDS = [
    "",
    "data.n > 3",
    "case.sum < 9",
    "facts.odd",
    "data.n >= case.sum and not facts.odd",
    "children.open == 0",
]


@st.composite
def packs(draw_: Any) -> Pack:
    """A sound pack by construction: a chain of states to the end, more steps across, a term in each state."""
    number = draw_(st.integers(1, 4))
    names = [f"s{index}" for index in range(number)]
    steps: list[dict[str, Any]] = []
    for index, name in enumerate(names):
        target = names[index + 1] if index + 1 < number else "done"
        steps.append({"id": f"on{index}", "command": "go", "from": [name], "to": target, "by": ["clerk"]})
    for index in range(draw_(st.integers(0, 4))):
        guard = draw_(st.sampled_from(GUARDS))
        steps.append(
            {
                "id": f"x{index}",
                "command": f"x{index}",
                "from": draw_(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)),
                "to": draw_(st.sampled_from([*names, "done", "stay"])),
                "by": draw_(st.sampled_from([["clerk"], ["chief"], ["clerk", "chief"], ["system"]])),
                "once": draw_(st.booleans()),
                **({"when": guard} if guard else {}),
            }
        )
    for step in steps:
        step |= {
            "form": "say",
            "sets": {"sum": "case.sum + data.n"},
            "cite": [draw_(st.sampled_from(["law:1", "law:2"]))],
        }
    expired = {"id": "expired", "from": names, "to": "stay", "by": ["system"], "cite": ["law:2"]}
    deadlines = {}
    for name in names:
        away = draw_(
            st.lists(st.sampled_from([other for other in names if other != name] or [name]), max_size=1)
        )
        deadlines[f"t-{name}"] = {
            "starts_on": [name],
            "runs_while": [name],
            "suspended_while": [other for other in away if other != name],
            "restarts": draw_(st.booleans()),
            **draw_(
                st.sampled_from(
                    [{"term": term} for term in TERMS]
                    + [{"until": "facts.day"}, {"until": "plus(today, '1 month')"}]
                )
            ),
            "on_expiry": "expired",
            "cite": ["law:2"],
        }
    return load_files(PackFiles("random", _texts(names, [*steps, expired], deadlines)))


def _texts(names: list[str], steps: list[dict[str, Any]], deadlines: dict[str, Any]) -> dict[str, str]:
    states: dict[str, Any] = {name: {"tasks": ["clerk"]} for name in names}
    states["done"] = {"final": True, "outcome": "done"}
    files: dict[str, Any] = {
        "states.yaml": {
            "start": names[0],
            "keeps": {"sum": {"type": "integer", "initial": 0}},
            "opening": {"by": ["system"], "cite": ["law:1"]},
            "administration": {"by": ["chief"], "cite": ["law:1"]},
            "states": states,
            "transitions": steps,
        },
        "deadlines.yaml": {"deadlines": deadlines},
        "form.yaml": {
            "facts": {
                "odd": {"type": "boolean", "element": "case.kind", "required": True},
                "day": {"type": "date", "element": "case.date", "required": True},
            },
            "forms": {
                "say": {"fields": {"n": {"type": "integer", "element": "case.count", "required": True}}}
            },
        },
    }
    words = {
        "title": "x",
        "case": "x",
        "states": dict.fromkeys(states, "x"),
        "outcomes": {"done": "x"},
        "commands": dict.fromkeys([step.get("command", step["id"]) for step in steps], "x"),
        "sentences": dict.fromkeys(["opened", *[step["id"] for step in steps]], "x"),
        "terms": dict.fromkeys(deadlines, "x"),
        "roles": {"clerk": "x", "chief": "x"},
        "fields": {name: {"label": "x"} for name in ("odd", "day", "n")},
    }
    files["texts/zh.yaml"] = files["texts/en.yaml"] = words
    made = {path: json.dumps(data) for path, data in files.items()}
    return {"pack.yaml": TEXTS["pack.yaml"], "articles.yaml": TEXTS["articles.yaml"], **made}


MOVES = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from(["clerk", "chief", "system"]),
        st.integers(-2, 12),
        st.integers(0, 60 * 24 * 40),
    ),
    max_size=10,
)


def let_terms_end(pack: Pack, case: Case, events: list[Event], now: dt.datetime) -> Case:
    for _ in range(50):
        ending = sorted(
            (str(term["due_at"]), term["id"])
            for term in case.terms.values()
            if term["state"] == RUNNING
            and term["due_at"]
            and dt.datetime.fromisoformat(term["due_at"]) <= now
        )
        if not ending:
            return case
        at = max(dt.datetime.fromisoformat(ending[0][0]), dt.datetime.fromisoformat(events[-1]["at"]))
        ended = advance(pack, case, Command("expired", MACHINE, term=ending[0][1]), {}, at)
        case, events[len(events) :] = ended.case, [ended.event]
    raise AssertionError("terms end for ever")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(packs(), MOVES, st.booleans(), st.dates(dt.date(2026, 8, 1), dt.date(2028, 12, 31)))
def test_replaying_equals_what_was_reached_and_every_term_ends_on_a_day_of_the_law(pack, moves, odd, day):
    opened = begin(pack, "C1", {"odd": odd, "day": day}, MACHINE, START)
    case, events, now = opened.case, [opened.event], START
    commands, statuses = [*pack.commands(), "nonsense"], [0]
    for which, role, number, minutes in moves:
        now += dt.timedelta(minutes=minutes)
        case = let_terms_end(pack, case, events, now)
        actor = MACHINE if role == "system" else Actor("5", "某人", frozenset({role}))
        command = Command(commands[which % len(commands)], actor, {"n": number})
        try:
            taken = advance(pack, case, command, {}, now)
        except Problem as problem:
            statuses.append(problem.status)
            continue
        assert taken.case.version == case.version + 1
        case, events = taken.case, [*events, taken.event]
    assert max(statuses) < 500
    stored: list[Event] = json.loads(json.dumps(events))
    assert fold("C1", pack.id, stored) == case
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["grounds"] and set(event["grounds"]) <= set(pack.articles) for event in events)
    assert len(
        {event["step"] for event in events if event["step"] in {s.id for s in pack.transitions if s.once}}
    ) == sum(event["step"] in {step.id for step in pack.transitions if step.once} for event in events)
    check_terms(pack, case)


def check_terms(pack: Pack, case: Case) -> None:
    calendar = official_calendar()
    alive = [term for term in case.terms.values() if term["state"] in OPEN_TERMS]
    assert bool(alive) is not pack.states[case.state].final
    for term in case.terms.values():
        item = pack.deadlines[term["id"]]
        if term["due_on"] is None:
            assert term["state"] == SUSPENDED or item.until is None
            continue
        due = dt.date.fromisoformat(term["due_on"])
        assert dt.datetime.fromisoformat(str(term["due_at"])) > START - dt.timedelta(days=400)
        if item.until is not None:
            assert term["until"] == term["due_on"]
        elif item.term_on(legal_day(START)).unit in (Unit.WORKDAYS, Unit.DAYS, Unit.MONTHS, Unit.YEARS):
            assert calendar.is_workday(due) and (calendar.known(due.year) or term["provisional"])
        assert term["zh"] and term["en"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(packs(), packs())
def test_random_packs_are_drawn_compared_and_let_nothing_through(pack, other):
    drawing = draw(pack, "zh")
    assert svg(drawing) == svg(draw(pack, "zh"))
    assert len(drawing.boxes) == len(pack.states)
    for one in drawing.boxes:
        for two in drawing.boxes:
            apart = one.x + one.width <= two.x or two.x + two.width <= one.x or one.y != two.y
            assert one is two or apart, "two states lie over each other"
    assert check_complement(pack).let_through == ()
    assert differences(pack, pack) == []
    forth, back = differences(pack, other), differences(other, pack)
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted((item.part, item.key, item.change) for item in forth) == sorted(
        (item.part, item.key, turned[item.change]) for item in back
    )
