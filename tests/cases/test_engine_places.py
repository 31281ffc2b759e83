"""When the grid changes, work follows; when a value is disputed, a case runs and every reader sees it."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, CaseEvent, Task
from chengshu.contexts.places import api as places
from chengshu.contexts.places.models import Cell, Place
from tests_support.casework import CELL, EMPTY_CELL, MONDAY, firm_facts

ON = dt.date(2026, 11, 23)
PLACES = {"440306017001000010001": (113.8895, 22.5502), "440306017001000020001": (113.8895, 22.5595)}


@pytest.fixture
def visits(district):
    """Four verifications of one cell: by place code at either end, by point, and by nothing at all."""
    for code, (lon, lat) in PLACES.items():
        Place.objects.create(
            place_code=code, building_code=code[:17], community_code=code[:12], cell_code=CELL, lon=lon, lat=lat,
            state=Place.State.ACTIVE,
        )  # fmt: skip
    more = [{"place_code": code} for code in PLACES] + [
        {"longitude": "113.8895", "latitude": "22.5502"},
        {"address": None},
    ]
    return [
        cases.open_case(
            "grid-verification",
            {name: value for name, value in firm_facts(**facts).items() if value is not None},
            cell_code=CELL, idempotency_key=f"v{number}", now=MONDAY,
        )
        for number, facts in enumerate(more)
    ]  # fmt: skip


def test_after_a_split_each_case_follows_its_address_or_its_point_else_lies_with_the_operator(
    district, visits
):
    Cell.objects.filter(pk=EMPTY_CELL).delete()
    made = places.split_cell(CELL, 2, actor=district.operator, on=ON, now=MONDAY, reason="负荷过大")
    cells = dict(Case.objects.values_list("pk", "cell_code"))
    south, north, point, nowhere = (cells[case_id] for case_id in visits)
    assert {south, north} == set(made) and point == south and nowhere == ""
    owners = dict(Task.objects.filter(open=True).values_list("case_id", "owner"))
    assert owners[visits[0]] == f"account:{district.worker.pk}" and owners[visits[3]] == "nobody"
    for case_id in visits:
        assert not cases.check_case(case_id)
    event = cases.case_view(visits[0], district.worker, now=MONDAY).events[-1]
    assert event.step == "relocated" and "负荷过大" in event.sentence["zh"] and event.grounds


def test_after_a_merge_the_cases_of_both_cells_go_on_in_the_new_one(district, visits):
    made = places.merge_cells([CELL, EMPTY_CELL], actor=district.operator, on=ON, now=MONDAY)
    assert set(Case.objects.values_list("cell_code", flat=True)) == {made}
    assert CaseEvent.objects.filter(step="relocated").count() == len(visits)
