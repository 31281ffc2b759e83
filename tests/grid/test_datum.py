"""GCJ-02 and BD-09 in, WGS-84 kept; and a label that is wrong is noticed."""

import csv
import json

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from chengshu.batch import datum
from chengshu.kernel.resources import shipped

LON, LAT = st.floats(73.5, 135.0), st.floats(18.0, 53.5)


@given(LON, LAT)
def test_gcj02_and_back_is_the_same_point_to_a_tenth_of_a_millimetre(lon, lat):
    back = datum.gcj02_to_wgs84(*datum.wgs84_to_gcj02([lon], [lat]))
    assert datum.metres(np.array([lon]), np.array([lat]), *back)[0] < 1e-4


@given(LON, LAT)
def test_bd09_and_back_is_the_same_point_to_a_millimetre(lon, lat):
    back = datum.bd09_to_gcj02(*datum.gcj02_to_bd09([lon], [lat]))
    assert datum.metres(np.array([lon]), np.array([lat]), *back)[0] < 1e-3


def test_the_shift_in_baoan_is_the_known_half_kilometre():
    lon, lat = np.array([113.8107]), np.array([22.6393])
    distance = datum.metres(lon, lat, *datum.wgs84_to_gcj02(lon, lat))[0]
    assert 550 < distance < 650


def test_points_outside_china_are_not_shifted():
    assert datum.wgs84_to_gcj02([2.35], [48.86])[0][0] == 2.35


def test_charging_stations_labelled_wgs84_are_found_to_be_gcj02():
    folder = shipped("districts", "baoan")
    rows = list(csv.DictReader((folder / "sensing" / "charging_stations.csv").open(encoding="utf-8")))
    lon = np.array([float(row["longitude"]) for row in rows])
    lat = np.array([float(row["latitude"]) for row in rows])
    tree = json.loads((folder / "geography" / "baoan_taz.geojson").read_text("utf-8"))
    whole = shapely.union_all([shape(f["geometry"]) for f in tree["features"]])
    check = datum.check_against_area(lon, lat, lambda x, y: shapely.contains_xy(whole, x, y))
    assert check.likely == "GCJ-02" and check.suspicious and check.fit_as_gcj02 == 1.0


def test_points_that_are_wgs84_raise_no_warning():
    rng = np.random.default_rng(1)
    lon, lat = 113.85 + rng.random(200) * 0.05, 22.6 + rng.random(200) * 0.05
    assert datum.check_against_points(lon, lat, lon + 1e-5, lat).likely == "WGS-84"


def test_points_that_are_gcj02_are_told_by_known_places():
    rng = np.random.default_rng(1)
    lon, lat = 113.85 + rng.random(200) * 0.05, 22.6 + rng.random(200) * 0.05
    check = datum.check_against_points(*datum.wgs84_to_gcj02(lon, lat), lon, lat)
    assert check.likely == "GCJ-02" and check.fit_as_gcj02 < 1 < check.fit_as_wgs84


def test_too_few_points_say_nothing():
    assert datum.check_against_points([113.9], [22.6], [113.905], [22.597]).likely == "unclear"
