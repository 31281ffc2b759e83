"""An operator keeps the grid: points, load, split and merge with history, special grids."""

import numpy as np
import pytest
import shapely

from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.places import api as places
from chengshu.contexts.places.models import Cell, CellCharge, Place, SpecialMember
from chengshu.kernel.problems import Problem

from .conftest import NOW, ON


def busiest():
    return max(places.cells(), key=lambda cell: cell.residents)


def test_a_loaded_district_has_its_divisions_zones_cells_and_addresses(district):
    assert district["zones"] == 86 and district["divisions"] == 231
    figures = places.load_figures(ON)
    assert figures.cells == district["cells"] >= 86 and figures.residents == 1500
    assert Place.objects.filter(state=Place.State.ACTIVE).count() == district["addresses"]
    assert places.community_name("440306017001") == "宝民社区"


def test_a_point_leads_to_its_cell_zone_and_special_grids(district):
    row = Place.objects.exclude(cell_code=None).first()
    located = places.locate(row.lon, row.lat)
    assert located.cell == row.cell_code and located.cell.startswith(located.zone)
    assert set(located.special) == {"security", "work-safety", "fire", "traffic"}
    assert places.locate(120.0, 30.0) is None


def test_gcj02_points_are_converted_before_they_are_placed(district):
    from chengshu.batch.datum import wgs84_to_gcj02

    row = Place.objects.exclude(cell_code=None).last()
    lon, lat = wgs84_to_gcj02([row.lon], [row.lat])
    assert places.locate(float(lon[0]), float(lat[0]), datum="GCJ-02").cell == row.cell_code


def test_each_base_cell_lies_in_exactly_one_cell_of_each_special_grid(district):
    cells = Cell.objects.count()
    assert SpecialMember.objects.count() == 4 * cells
    assert SpecialMember.objects.values("grid").distinct().count() == 4 * min(124, cells)


def test_a_split_cell_passes_addresses_load_and_staff_to_its_parts(operator):
    old = busiest()
    held = Place.objects.filter(cell_code=old.code).count()
    staff = places.people_in_charge(old.code, ON)
    made = places.split_cell(old.code, 3, actor=operator, on=ON, now=NOW, reason="人多")
    assert len(made) == 3 and all(code.startswith(old.zone) for code in made)
    assert not places.cell(old.code).in_force and places.current_cells(old.code) == sorted(made)
    assert sum(Place.objects.filter(cell_code=code).count() for code in made) == held
    assert all(places.people_in_charge(code, ON) == staff for code in made)
    assert sum(places.cell(code).residents for code in made) == pytest.approx(old.residents, abs=2)
    assert places.cell_history(made[0])[0].before == (old.code,)
    assert [entry.kind for entry in ledger.entries_for(f"cell:{old.code}")][-1] == "cell-split"
    shapes = [shapely.from_geojson(Cell.objects.get(pk=code).geometry) for code in made]
    assert shapely.coverage_is_valid(shapes)


def test_points_go_to_the_new_cells_at_once(operator):
    old = busiest()
    row = Place.objects.filter(cell_code=old.code).first()
    assert places.locate(row.lon, row.lat).cell == old.code
    made = places.split_cell(old.code, 2, actor=operator, on=ON, now=NOW)
    assert places.locate(row.lon, row.lat).cell in made


def test_split_and_merged_again_covers_the_same_ground(operator):
    old = busiest()
    before = shapely.from_geojson(Cell.objects.get(pk=old.code).geometry)
    made = places.split_cell(old.code, 2, actor=operator, on=ON, now=NOW)
    whole = places.merge_cells(made, actor=operator, on=ON, now=NOW)
    after = shapely.from_geojson(Cell.objects.get(pk=whole).geometry)
    assert before.symmetric_difference(after).area < 1e-12
    assert whole not in (old.code, *made), "a number is never used again"
    assert places.current_cells(old.code) == [whole]
    assert SpecialMember.objects.filter(cell_id=whole).count() == 4


def test_cells_of_two_zones_are_not_merged(operator):
    one, two = places.cells()[0], next(c for c in places.cells() if c.zone != places.cells()[0].zone)
    with pytest.raises(Problem, match="片区"):
        places.merge_cells([one.code, two.code], actor=operator, on=ON, now=NOW)


def test_a_cell_that_was_split_cannot_be_split_again(operator):
    old = busiest()
    places.split_cell(old.code, 2, actor=operator, on=ON, now=NOW)
    with pytest.raises(Problem) as refused:
        places.split_cell(old.code, 2, actor=operator, on=ON, now=NOW)
    assert refused.value.code == "cell-not-in-force"


def test_a_listener_hears_of_old_and_new_cells(operator):
    heard = []
    places.register_cells_changed("test", lambda old, new: heard.append((old, new)))
    try:
        old = busiest()
        made = places.split_cell(old.code, 2, actor=operator, on=ON, now=NOW)
    finally:
        places.register_cells_changed("test", lambda old, new: None)
    assert heard == [((old.code,), tuple(made))]


def test_proposals_name_the_cell_that_has_grown_too_full(district):
    cell = busiest()
    loads = {c.code: c.residents for c in places.cells()} | {cell.code: 2400}
    places.set_cell_loads(loads)
    first = places.balance_proposals()[0]
    assert (first.kind, first.cells, first.parts) == ("split", (cell.code,), 2)


def test_the_grid_is_not_loaded_twice(district, generated):
    with pytest.raises(Problem, match="already has cells"):
        places.load_cells(generated / "library" / "cells.geojson", on=ON, now=NOW)


def test_many_points_are_located_in_one_call(district):
    lon, lat = np.array([113.9, 113.85, np.nan]), np.array([22.56, 22.6, 22.6])
    found = places.locate_many(lon, lat)
    assert len(found) == 3 and found[2] is None


def test_zones_come_with_counts_that_other_contexts_offer(district):
    cell = places.cells()[0]
    places.register_counts("test", lambda _cells: {cell.code: 7}, zh="测试", en="Test")
    try:
        tree = places.zones_geojson()
        by_code = {f["properties"]["code"]: f["properties"] for f in tree["features"]}
        assert by_code[cell.zone]["test"] == 7
        assert places.cells_geojson(cell.zone)["features"][0]["properties"]["test"] == 7
    finally:
        from chengshu.contexts.places import counts

        counts._KINDS.pop("test")


def test_posts_name_only_known_people_and_cells(district, tmp_path):
    bad = tmp_path / "posts.csv"
    bad.write_text("username,cell,post\nworker,Z0-000,main\n", "utf-8")
    with pytest.raises(Problem) as refused:
        places.load_posts(bad, on=ON)
    assert refused.value.where.row == 1
    assert CellCharge.objects.count() == district["posts"]
