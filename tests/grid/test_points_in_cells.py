"""Which cell a point lies in: exact at borders, one cell for each point, fast enough for a million."""

import json

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box, shape

from chengshu.batch.grid import CellIndex, Load, Zone, clean_zones, generate_cells
from chengshu.kernel.resources import shipped


@pytest.fixture(scope="module")
def zones():
    tree = json.loads(shipped("districts", "baoan", "geography", "baoan_taz.geojson").read_text("utf-8"))
    return [Zone(f"Z{f['properties']['taz']}", shape(f["geometry"])) for f in tree["features"]]


@pytest.fixture(scope="module")
def cells(zones):
    return generate_cells(zones, random_load(zones, 8000, seed=3), total=900)


def random_load(zones, count, seed):
    rng = np.random.default_rng(seed)
    bounds = shapely.bounds(np.array([zone.polygon for zone in zones]))[rng.integers(0, len(zones), count)]
    lon = bounds[:, 0] + rng.random(count) * (bounds[:, 2] - bounds[:, 0])
    lat = bounds[:, 1] + rng.random(count) * (bounds[:, 3] - bounds[:, 1])
    return Load(lon, lat, rng.integers(1, 300, count).astype(float), rng.integers(0, 60, count).astype(float))


def oracle(polygons, lon, lat):
    """The first polygon that covers the point, by shapely's tree."""
    points, found = shapely.STRtree(polygons).query(shapely.points(lon, lat), predicate="intersects")
    first = np.full(len(lon), len(polygons))
    np.minimum.at(first, points, found)
    return np.where(first == len(polygons), -1, first)


def test_random_points_fall_where_the_independent_tree_says(cells):
    index = CellIndex.build([c.code for c in cells], [c.polygon for c in cells])
    rng = np.random.default_rng(5)
    west, south, east, north = shapely.total_bounds(index.polygons)
    lon = west - 0.01 + rng.random(100_000) * (east - west + 0.02)
    lat = south - 0.01 + rng.random(100_000) * (north - south + 0.02)
    assert (index.locate(lon, lat) == oracle(index.polygons, lon, lat)).all()


def test_points_on_borders_belong_to_the_first_cell_that_touches_them(cells):
    index = CellIndex.build([c.code for c in cells], [c.polygon for c in cells])
    corners = shapely.get_coordinates(index.polygons)
    middles = (corners[:-1] + corners[1:]) / 2
    for points in (corners, middles):
        found = index.locate(points[:, 0], points[:, 1])
        expected = oracle(index.polygons, points[:, 0], points[:, 1])
        # A middle of a slanted border may miss both sides by a rounding: then the nearer cell has it.
        assert (found[expected >= 0] == expected[expected >= 0]).all()
    assert (index.locate(corners[:, 0], corners[:, 1]) >= 0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 5), st.integers(1, 5)), min_size=1,
             max_size=8),
    st.lists(st.tuples(st.integers(-4, 72), st.integers(-4, 72)), min_size=1, max_size=60),
    st.integers(300, 60_000),
)  # fmt: skip
def test_any_boxes_and_any_points_overlaps_included(boxes, points, pixels):
    polygons = [box(x, y, x + w, y + h) for x, y, w, h in boxes]
    index = CellIndex.build([str(n) for n in range(len(boxes))], polygons, pixels=pixels)
    lon, lat = np.array(points, dtype=float).T / 4
    assert (index.locate(lon, lat) == oracle(np.array(polygons), lon, lat)).all()


def test_a_cell_with_a_hole_does_not_hold_what_lies_in_the_hole():
    ring = box(0, 0, 10, 10).difference(box(4, 4, 6, 6))
    index = CellIndex.build(["ring"], [ring], pixels=400)
    assert index.locate_codes(np.array([5.0, 1.0, 4.0]), np.array([5.0, 1.0, 5.0])) == [None, "ring", "ring"]


def test_points_without_coordinates_have_no_cell():
    index = CellIndex.build(["a"], [box(0, 0, 1, 1)])
    assert index.locate_codes(np.array([np.nan, 0.5]), np.array([0.5, np.nan])) == [None, None]


def test_ill_formed_geometry_is_refused_by_its_code():
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(ValueError, match="bow"):
        CellIndex.build(["bow"], [bow])


def test_an_index_without_cells_places_nothing():
    assert CellIndex.build([], []).locate(np.array([1.0]), np.array([1.0])).tolist() == [-1]


def test_generated_cells_tile_the_zones_exactly(zones, cells):
    assert shapely.coverage_is_valid([cell.polygon for cell in cells])
    assert all(cell.polygon.is_valid and cell.polygon.area > 0 for cell in cells)
    whole = sum(zone.polygon.area for zone in clean_zones(zones))
    assert sum(cell.polygon.area for cell in cells) == pytest.approx(whole, rel=1e-6)


def test_cleaning_moves_a_zone_by_less_than_half_a_percent(zones):
    for before, after in zip(zones, clean_zones(zones), strict=True):
        assert before.polygon.symmetric_difference(after.polygon).area < 0.005 * before.polygon.area


def test_cells_are_made_to_the_size_of_the_load(zones):
    load = random_load(zones, 30_000, seed=9)
    cells = generate_cells(zones, load)
    residents = np.array([cell.residents for cell in cells])
    assert 0.8 < np.median(residents) / 1000 < 1.2
    assert (residents < 2200).all()


def test_the_full_district_has_about_4833_cells(zones):
    assert abs(len(generate_cells(zones, random_load(zones, 40_000, seed=1), total=4833)) - 4833) <= 5


def test_the_same_load_gives_the_same_cells(zones):
    load = random_load(zones, 5000, seed=4)
    first, second = (generate_cells(zones, load, total=300) for _ in range(2))
    assert [(c.code, c.polygon.wkb) for c in first] == [(c.code, c.polygon.wkb) for c in second]
