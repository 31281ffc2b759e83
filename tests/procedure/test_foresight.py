"""By when is it decided at the latest? Days counted by hand over the packs that ship."""

from __future__ import annotations

import datetime as dt
from functools import cache

from chengshu.kernel.resources import shipped
from chengshu.procedure.files import read_files
from chengshu.procedure.foresight import foresee
from chengshu.procedure.guards import HOLDS, OPEN, Guards
from chengshu.procedure.loader import load_files
from chengshu.procedure.machine import MACHINE, begin, default_clock

MONDAY = dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC)


@cache
def pack(name):
    return load_files(read_files(shipped("packs", "cn", name)))


def seen(name, **more):
    return foresee(pack(name), MONDAY, default_clock(), pack_named=pack, **more)


def test_the_slowest_way_uses_every_term_to_its_last_day():
    found = seen("grid-verification")
    # 23 Nov + 5 workdays = 30 Nov; nobody at home on the last day; 30 Nov + 3 workdays = 3 Dec.
    assert [(leg.state, leg.due_on.isoformat(), leg.cite) for leg in found.legs] == [
        ("to_visit", "2026-11-30", ("house:3",)),
        ("second_visit", "2026-12-03", ("house:4",)),
    ]
    assert found.decided_by == dt.date(2026, 12, 3) and found.complete and not found.provisional


def test_that_an_office_is_late_is_no_way_to_decide_but_its_silence_may_be():
    assert "overdue" not in {leg.state for leg in seen("grid-verification").legs}
    # The source's silence counts as rejection: said or not on Mon 30 Nov, the decider has the five workdays after it.
    found = seen("value-dispute")
    assert [leg.due_on for leg in found.legs] == [dt.date(2026, 11, 30), dt.date(2026, 12, 7)]
    assert found.legs[-1].state == "with_decider" and found.decided_by == dt.date(2026, 12, 7)


def test_an_objection_on_the_last_day_of_the_notice_is_walked_in_its_own_pack():
    found = seen("data-ip-registration")
    # 3, 10 and 3 workdays to 15 Dec; notice to 29 Dec; there an objection of 3 + 10 + 3 + 5 + 10 workdays.
    assert [leg.state for leg in found.legs] == [
        "received",
        "correcting",
        "received",
        "noticed",
        "objected",
        "deciding",
    ]
    assert [leg.due_on.isoformat() for leg in found.legs[:4]] == [
        "2026-11-26",
        "2026-12-10",
        "2026-12-15",
        "2026-12-29",
    ]
    waiting = found.legs[4]
    assert waiting.cite and waiting.provisional and "waits for a child case" in waiting.en
    assert found.decided_by is not None and found.decided_by > dt.date(2027, 2, 1) and found.provisional


def test_a_running_case_is_foreseen_from_where_it_stands():
    facts = {"kind": "crowded-flat", "subject_label": "某栋503", "count": 20}
    case = begin(pack("grid-verification"), "C1", facts, MACHINE, MONDAY).case
    later = MONDAY + dt.timedelta(days=2)
    found = foresee(pack("grid-verification"), later, default_clock(), case=case)
    assert found.legs[0].due_on == dt.date(2026, 11, 30) and found.legs[0].starts == dt.date(2026, 11, 25)


def test_what_the_answers_close_is_not_walked_and_what_is_open_is_said():
    # A promise is granted on the spot where the table says so; what an inspection asks for is another way.
    assert seen("fire-safety-check").conditional
    promised = seen("fire-safety-check", facts={"way": "promise"})
    checked = seen("fire-safety-check", facts={"way": "check"})
    assert (
        "examining" not in {leg.state for leg in promised.legs} and promised.decided_by < checked.decided_by
    )
    # An address that nobody found: the visit cannot confirm a firm's address, whoever visits.
    found = seen("grid-verification", facts={"kind": "address-unmatched", "address": "x"})
    assert [(leg.step, leg.conditional) for leg in found.legs] == [("visit-again", True), ("give-up", False)]
    # The last way of a command is open as long as one before it may be taken.
    assert next(leg for leg in checked.legs if leg.step == "confirm-examined").conditional


def test_a_condition_that_the_day_may_still_turn_closes_nothing():
    born = (MONDAY - dt.timedelta(days=4 * 366)).date().isoformat()
    guards = Guards(pack("childbirth-subsidy"), default_clock(), {"facts.born_on": born})
    year = next(
        step
        for step in pack("childbirth-subsidy").transitions
        if step.when and "full_years" in step.when.source
    )
    assert guards.of(year, MONDAY) is OPEN
    young = Guards(pack("childbirth-subsidy"), default_clock(), {"facts.born_on": "2026-01-01"})
    assert young.of(year, MONDAY) is HOLDS
    assert Guards(pack("childbirth-subsidy"), default_clock(), {}).of(year, MONDAY) is OPEN
