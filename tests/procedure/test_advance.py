from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped
from chengshu.kernel.workdays import official_calendar
from chengshu.procedure.case import OPEN_TERMS, RUNNING, Case, apply, fold
from chengshu.procedure.clock import Clock
from chengshu.procedure.loader import load_files, load_pack
from chengshu.procedure.machine import MACHINE, Command, advance, allowed, begin
from chengshu.procedure.model import SYSTEM
from chengshu.procedure.ports import Actor
from tests_support.small_pack import small_pack

MONDAY = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
SMALL = load_files(small_pack())
GRID = load_pack(shipped("packs", "cn", "grid-verification"))
FINDING = load_pack(shipped("packs", "cn", "department-finding"))
CLERK = Actor("7", "周敏", frozenset({"clerk"}))
FACTS = {
    "kind": "firm-address",
    "subject_id": "F1",
    "subject_label": "某公司",
    "element": "firm.address",
    "values": [{"value": "甲路1号"}, {"value": "乙路2号"}],
}


def opened(**facts) -> Case:
    return begin(SMALL, "C1", {"kind": "plain", **facts}, MACHINE, MONDAY).case


def test_the_first_step_that_holds_is_taken_and_rests_on_its_ground_and_its_rows():
    outcome = advance(SMALL, opened(kind="odd"), Command("decide", CLERK, {"verdict": "bad"}), {}, MONDAY)
    assert outcome.event["step"] == "decide-bad"
    assert outcome.event["rows"] == {"level": "other"}
    assert outcome.grounds == ("law:2",)
    with pytest.raises(Problem) as caught:
        advance(SMALL, opened(), Command("decide", CLERK, {"verdict": "bad"}), {}, MONDAY)
    assert caught.value.code == "guard-refused"


def test_money_is_compared_with_the_parameter_of_the_day():
    outcome = advance(SMALL, opened(amount=100_001), Command("decide", CLERK, {"verdict": "bad"}), {}, MONDAY)
    assert outcome.event["rows"] == {"level": "much"}
    with pytest.raises(Problem):
        advance(SMALL, opened(amount=100_000), Command("decide", CLERK, {"verdict": "bad"}), {}, MONDAY)


def test_advance_changes_nothing_it_was_given():
    case = opened()
    before = (dict(case.kept), dict(case.terms), case.version, dict(case.facts))
    advance(SMALL, case, Command("decide", CLERK, {"verdict": "good"}), {}, MONDAY)
    assert (dict(case.kept), dict(case.terms), case.version, dict(case.facts)) == before


def test_the_same_inputs_give_the_same_outcome():
    case, command = opened(), Command("decide", CLERK, {"verdict": "good", "note": "好"})
    assert advance(SMALL, case, command, {}, MONDAY).event == advance(SMALL, case, command, {}, MONDAY).event


def test_errors_of_a_form_come_back_together():
    with pytest.raises(Problem) as caught:
        advance(SMALL, opened(), Command("decide", CLERK, {"note": "x" * 30, "colour": "red"}), {}, MONDAY)
    codes = {name: error["code"] for name, error in caught.value.extra["errors"].items()}
    assert codes == {"verdict": "required", "note": "too-long", "colour": "unknown"}


def test_a_term_ends_at_midnight_of_its_last_day_and_not_before():
    case = opened()
    assert case.terms["answer"]["due_on"] == "2026-11-25"
    last = dt.datetime(2026, 11, 25, 15, 59, 59, tzinfo=dt.UTC)
    with pytest.raises(Problem) as caught:
        advance(SMALL, case, Command("expired", MACHINE, term="answer"), {}, last)
    assert caught.value.code == "term-not-due"
    outcome = advance(
        SMALL, case, Command("expired", MACHINE, term="answer"), {}, last + dt.timedelta(seconds=1)
    )
    assert outcome.case.state == "late"
    assert outcome.case.terms["answer"]["state"] == "expired"
    with pytest.raises(Problem) as caught:
        advance(
            SMALL, outcome.case, Command("expired", MACHINE, term="answer"), {}, last + dt.timedelta(days=9)
        )
    assert caught.value.code == "term-not-running"


@pytest.mark.parametrize("hours_late", [0, 9, 50])
def test_the_day_on_which_a_term_ends_is_the_first_of_the_next_and_is_not_counted(hours_late):
    # Five workdays from Mon 23 Nov end with Mon 30 Nov; 1, 2 and 3 Dec are three more, however late the sweep comes.
    case = begin(GRID, "C1", FACTS, MACHINE, MONDAY).case
    swept = dt.datetime(2026, 11, 30, 16, tzinfo=dt.UTC) + dt.timedelta(hours=hours_late)
    case = advance(GRID, case, Command("expired", MACHINE, term="first_visit"), {}, swept).case
    follow_up = case.terms["follow_up"]
    assert (case.state, follow_up["due_on"]) == ("overdue", "2026-12-03")
    assert follow_up["en"].startswith("2026-11-30 + 3 workdays = 2026-12-03")
    assert (
        Clock(official_calendar()).recount(GRID.deadlines["follow_up"], follow_up)["due_on"] == "2026-12-03"
    )


def test_a_term_in_hours_begins_at_the_minute_at_which_the_one_before_ended():
    incident = load_pack(shipped("packs", "cn", "data-security-incident"))
    item, clock = incident.deadlines["progress"], Clock(official_calendar())
    midnight = dt.datetime(2026, 11, 24, 16, tzinfo=dt.UTC)
    first = clock.start(item, midnight - dt.timedelta(hours=24))
    over = {**first, "state": "expired"}
    later = midnight + dt.timedelta(minutes=7)
    (again,) = clock.step(incident, {"progress": over}, "responding", later, ended=over)
    assert (again["started"], again["due_at"]) == ("2026-11-24T16:00:00+00:00", "2026-11-25T16:00:00+00:00")


def test_nobody_decides_on_their_own_work():
    pack = load_files(
        small_pack(
            states__yaml=("    form: decide\n    sets", "    form: decide\n    not_who: [opened]\n    sets")
        )
    )
    boss = Actor("9", "主管", frozenset({"clerk", "system"}))
    case = begin(pack, "C1", {"kind": "plain"}, boss, MONDAY).case
    with pytest.raises(Problem) as caught:
        advance(pack, case, Command("decide", boss, {"verdict": "good"}), {}, MONDAY)
    assert caught.value.code in ("own-work", "guard-refused")
    assert advance(pack, case, Command("decide", CLERK, {"verdict": "good"}), {}, MONDAY).case.state == "good"


def test_a_year_without_a_calendar_makes_a_term_provisional_and_loading_it_recounts():
    december = dt.datetime(2026, 12, 31, 2, 0, tzinfo=dt.UTC)
    case = begin(SMALL, "C1", {"kind": "plain"}, MACHINE, december).case
    term = case.terms["answer"]
    assert term["provisional"] is True
    from chengshu.kernel.workdays import CalendarYear

    year = CalendarYear(2027, frozenset({dt.date(2027, 1, 1)}), frozenset(), "test")
    known = Clock(official_calendar().with_years([year]))
    again = known.recount(SMALL.deadlines["answer"], term)
    assert (term["due_on"], again["due_on"], again["provisional"]) == ("2027-01-04", "2027-01-05", False)


# The allowed steps of the two packs, written by hand from their house rules: state → command → roles.
OPEN = {
    command: {"worker"}
    for command in ("confirm", "correct", "add_address", "count", "count_people", "cannot_verify", "report")
} | {"withdraw": {"system", "steward"}, "result": {"system"}}
ALLOWED_GRID = {
    "to_visit": OPEN | {"expired": {"system"}},
    "second_visit": OPEN | {"expired": {"system"}},
    "overdue": OPEN | {"remind": {"system"}},
} | {
    state: {"result": {"system"}}
    for state in ("confirmed", "corrected", "proposed", "counted", "unverified", "withdrawn")
}
ALLOWED_FINDING = {
    "received": {"accept": {"officer"}, "return": {"officer"}, "late": {"system"}},
    "working": {"ask": {"officer"}, "result": {"officer"}, "late": {"system"}},
    "asked": {"answer": {"finder"}, "unanswered": {"system"}},
    "routing": {"route": {"supervisor"}, "end": {"supervisor"}, "late": {"system"}},
} | {state: {} for state in ("filed", "guided", "mended", "unfounded", "ended")}


@pytest.mark.parametrize(
    ("pack", "table"), [(GRID, ALLOWED_GRID), (FINDING, ALLOWED_FINDING)], ids=["grid", "finding"]
)
def test_every_allowed_step_is_allowed_and_the_complement_is_refused(pack, table):
    assert set(table) == set(pack.states)
    for state in pack.states:
        for command in pack.commands():
            for role in (*pack.roles, SYSTEM):
                case = Case("C1", pack.id, state=state, version=1, facts=FACTS, kept=pack.initial)
                actor = Actor("5", "某人", frozenset({role}))
                wanted = role in table[state].get(command, set())
                try:
                    advance(pack, case, Command(command, actor, {}), {}, MONDAY)
                    refused = ""
                except Problem as problem:
                    refused = problem.code
                forbidden = refused in ("command-not-now", "command-not-yours")
                assert forbidden is not wanted, (state, command, role, refused)


COMMANDS = st.sampled_from(
    [
        ("confirm", "worker", {"value": "甲路1号"}),
        ("correct", "worker", {"corrected": "丙路3号"}),
        ("cannot_verify", "worker", {"reason": "nobody-home"}),
        ("cannot_verify", "worker", {"reason": "demolished"}),
        ("report", "worker", {"finding": "fire-hazard", "description": "楼道堆物"}),
        ("add_address", "worker", {"found_address": "丁路4号", "photo": ["a"]}),
        ("count", "worker", {"trading": 1, "photo": ["a"]}),
        ("result", "system", {"child": "C2", "child_outcome": "已立案"}),
        ("withdraw", "steward", {"run_id": "R2"}),
        ("confirm", "steward", {"value": "甲路1号"}),
        ("nonsense", "worker", {}),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(COMMANDS, st.integers(0, 60 * 24 * 9)), max_size=12),
    st.sampled_from(["firm-address", "crowded-flat", "address-unknown"]),
)
def test_replaying_events_gives_the_case_that_was_reached(commands, kind):
    facts = {**FACTS, "kind": kind, "count": 9, "address": "甲路1号"}
    outcome = begin(GRID, "C1", facts, MACHINE, MONDAY)
    case, secrets, events, now = outcome.case, outcome.personal, [outcome.event], MONDAY
    refusals: list[int] = []
    for (name, role, data), minutes in commands:
        now += dt.timedelta(minutes=minutes)
        for term in [term for term in case.terms.values() if term["state"] == RUNNING]:
            if dt.datetime.fromisoformat(term["due_at"]) <= now:
                ended = advance(
                    GRID,
                    case,
                    Command(GRID.deadlines[term["id"]].on_expiry, MACHINE, term=term["id"]),
                    secrets,
                    now,
                )
                case, events = ended.case, [*events, ended.event]
        actor = MACHINE if role == "system" else Actor("5", "某人", frozenset({role}))
        try:
            taken = advance(GRID, case, Command(name, actor, data), secrets, now)
        except Problem as problem:
            refusals.append(problem.status)
            continue
        case, events = taken.case, [*events, taken.event]
        assert taken.event["grounds"]
    assert all(status < 500 for status in refusals)
    assert fold("C1", GRID.id, events) == case
    state = GRID.states[case.state]
    alive = [term for term in case.terms.values() if term["state"] in OPEN_TERMS]
    assert bool(alive) is not state.final
    calendar = official_calendar()
    for term in case.terms.values():
        assert (
            term["due_on"] is None
            or calendar.is_workday(dt.date.fromisoformat(term["due_on"]))
            or term["provisional"]
        )


def test_folding_needs_no_pack_and_evaluates_nothing(monkeypatch):
    outcome = begin(GRID, "C1", FACTS, MACHINE, MONDAY)
    step = advance(
        GRID,
        outcome.case,
        Command("cannot_verify", Actor("5", "x", frozenset({"worker"})), {"reason": "refused"}),
        {},
        MONDAY,
    )
    from chengshu.procedure.expressions import Expression

    monkeypatch.setattr(Expression, "evaluate", lambda *_: pytest.fail("an expression was evaluated"))
    assert fold("C1", GRID.id, [outcome.event, step.event]) == step.case
    assert apply(outcome.case, step.event) == step.case


def test_what_can_be_done_now_is_offered_and_nothing_else():
    case = begin(GRID, "C1", FACTS, MACHINE, MONDAY).case
    worker = Actor("5", "x", frozenset({"worker"}))
    assert [step.command for step in allowed(GRID, case, worker, MONDAY)] == [
        "confirm",
        "correct",
        "cannot_verify",
        "report",
    ]
    assert allowed(GRID, case, Actor("6", "y", frozenset()), MONDAY) == []


def test_no_case_begins_before_its_pack_is_in_force():
    with pytest.raises(Problem) as caught:
        begin(GRID, "C1", FACTS, MACHINE, dt.datetime(2025, 12, 31, 15, 0, tzinfo=dt.UTC))
    assert caught.value.code == "pack-not-in-force"
    assert GRID.in_force(GRID.valid_from) and not GRID.in_force(GRID.valid_from - dt.timedelta(days=1))
