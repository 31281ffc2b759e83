"""An administrator brings zones and addresses of a real district; cells are made when there are none."""

import json

import polars as pl
import pytest

from chengshu.batch.datum import wgs84_to_gcj02
from chengshu.contexts.places import api as places
from chengshu.contexts.places.models import Cell, Place
from chengshu.kernel.problems import Problem

from .conftest import NOW, ON


def zones_file(folder, polygons, codes=None):
    features = [
        {"type": "Feature", "properties": {"id": code},
         "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for code, ring in zip(codes or [f"{n}" for n in range(len(polygons))], polygons, strict=True)
    ]  # fmt: skip
    path = folder / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def square(west, south, size=0.02):
    east, north = west + size, south + size
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def test_zones_in_gcj02_are_stored_in_wgs84(tmp_path):
    ring = [
        list(map(float, point))
        for point in zip(*wgs84_to_gcj02(*zip(*square(113.9, 22.6), strict=True)), strict=True)
    ]
    (zone,) = places.read_zones(zones_file(tmp_path, [ring]), "id", "Z", "GCJ-02")
    assert zone.code == "Z0" and zone.polygon.bounds[:2] == pytest.approx((113.9, 22.6), abs=1e-7)


def test_an_outline_that_crosses_itself_is_refused_by_number_and_reason(tmp_path):
    bow = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
    with pytest.raises(Problem) as refused:
        places.read_zones(zones_file(tmp_path, [square(0, 0), bow]), "id")
    assert refused.value.where.row == 2 and "Self-intersection" in refused.value.detail


def test_a_zone_without_a_code_and_two_with_one_code_are_refused(tmp_path):
    with pytest.raises(Problem, match="no code"):
        places.read_zones(zones_file(tmp_path, [square(0, 0)]), "name")
    with pytest.raises(Problem, match="one code"):
        places.read_zones(zones_file(tmp_path, [square(0, 0), square(1, 1)], ["a", "a"]), "id")


def test_what_is_no_geojson_is_refused(tmp_path):
    path = tmp_path / "zones.geojson"
    path.write_text("<kml/>", "utf-8")
    with pytest.raises(Problem, match="GeoJSON"):
        places.read_zones(path, "id")


def test_cells_are_made_from_the_address_library_when_a_district_has_none(db, tmp_path, generated):
    places.load_zones(places.read_zones(zones_file(tmp_path, [square(113.88, 22.55, 0.1)]), "id", "Z"))
    library = pl.read_parquet(generated / "library" / "library.parquet")
    places.load_library(library.with_columns(cell_code=pl.lit(None, dtype=pl.String)))
    assert places.generate_grid(on=ON, now=NOW) == Cell.objects.count() >= 1
    inside = Place.objects.filter(lon__gt=113.89, lon__lt=113.97, lat__gt=22.56, lat__lt=22.64)
    assert inside.exists() and not inside.filter(cell_code=None).exists()


def test_a_library_without_its_columns_is_refused(db):
    with pytest.raises(Problem, match="columns"):
        places.load_library(pl.DataFrame({"place_code": ["1"]}))
