"""Who is in charge of a cell: main before deputy, substitutes for the absent, nobody when nobody is left."""

from datetime import timedelta

import pytest

from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.contexts.places.models import CellCharge
from chengshu.kernel.problems import Problem

from .conftest import NOW, ON


def own_cell(worker):
    return CellCharge.objects.filter(account=worker, post="main").first().cell_id


def test_the_main_worker_comes_before_the_deputy(worker):
    people = places.people_in_charge(own_cell(worker), ON)
    assert people[0] == worker.pk and len(people) == 2


def test_a_substitute_does_the_absent_workers_cells(worker):
    other = identity.account_named("worker2")
    identity.set_absence(worker, other, ON, ON + timedelta(days=3))
    cell = own_cell(worker)
    assert worker.pk not in places.people_in_charge(cell, ON)
    assert places.people_in_charge(cell, ON)[0] == other.pk
    assert cell in places.cells_of(other, ON) and cell not in places.cells_of(worker, ON)
    assert places.people_in_charge(cell, ON + timedelta(days=4))[0] == worker.pk


def test_absent_without_a_substitute_leaves_the_deputy(worker):
    identity.set_absence(worker, None, ON, ON)
    people = places.people_in_charge(own_cell(worker), ON)
    assert worker.pk not in people and len(people) == 1


def test_a_cell_whose_people_are_all_away_is_listed(worker):
    cell = own_cell(worker)
    for charge in places.charges_of_cell(cell, ON):
        identity.set_absence(identity.account(charge.account_id), None, ON, ON)
    assert cell in places.cells_without_staff(ON)
    assert cell not in places.cells_without_staff(ON + timedelta(days=1))


def test_cells_without_a_post_are_listed(district):
    posted = set(CellCharge.objects.values_list("cell_id", flat=True))
    bare = {cell.code for cell in places.cells()} - posted
    assert set(places.cells_without_staff(ON)) == bare


def test_a_new_main_worker_ends_the_former_ones_post(operator, worker):
    cell, heir = own_cell(worker), identity.account_named("worker2")
    tomorrow = ON + timedelta(days=1)
    places.post(heir, cell, "main", on=tomorrow, actor=operator, now=NOW)
    assert places.people_in_charge(cell, ON)[0] == worker.pk
    after = places.people_in_charge(cell, tomorrow)
    assert after[0] == heir.pk and worker.pk not in after


def test_only_grid_workers_are_put_in_charge(operator, worker):
    with pytest.raises(Problem) as refused:
        places.post(operator, own_cell(worker), "main", on=ON, actor=operator, now=NOW)
    assert refused.value.code == "post-role"


def test_everything_passes_to_a_colleague_when_someone_leaves(operator, worker):
    heir, tomorrow = identity.account_named("worker2"), ON + timedelta(days=1)
    mine = set(CellCharge.objects.filter(account=worker, post="main").values_list("cell_id", flat=True))
    places.hand_over_posts(worker, heir, on=tomorrow, actor=operator, now=NOW)
    assert places.cells_of(worker, tomorrow) == []
    assert mine <= set(places.cells_of(heir, tomorrow))


def test_a_leaver_is_not_in_charge_any_more(worker):
    cell = own_cell(worker)
    identity.depart(worker, ON)
    assert worker.pk not in places.people_in_charge(cell, ON)


def test_a_thousand_cells_are_answered_in_a_few_queries(district, django_assert_max_num_queries):
    codes = [cell.code for cell in places.cells()] * 3
    with django_assert_max_num_queries(12):
        places.people_in_charge_of(codes, ON)


def test_work_of_a_cell_that_was_split_goes_to_the_people_of_its_parts(operator, worker):
    cell, tomorrow = own_cell(worker), ON + timedelta(days=1)
    before = places.people_in_charge(cell, ON)
    first, second = places.split_cell(cell, 2, actor=operator, on=ON, now=NOW)
    heir = identity.account_named("worker2")
    places.post(heir, first, "main", on=tomorrow, actor=operator, now=NOW)
    assert set(places.people_in_charge(cell, ON)) == set(before)
    assert places.people_in_charge(cell, tomorrow)[0] == heir.pk
    assert worker.pk in places.people_in_charge(second, tomorrow)
