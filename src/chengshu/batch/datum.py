"""Coordinates between WGS-84, GCJ-02 and BD-09, and a check whether points are what their label says.

Chinese map vendors publish GCJ-02 (about 500 m off) or BD-09 (Baidu); Chengshu stores WGS-84, which agrees with
CGCS2000 to a few centimetres. The GCJ-02 offset is not published; this is the formula in common use, and its
inverse is found by iteration to well below a millimetre.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

_SEMI_MAJOR = 6378245.0  # Krasovsky 1940, which the GCJ-02 formula uses
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BAIDU = np.pi * 3000.0 / 180.0
# Outside this box the formula leaves coordinates alone.
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)


def convert(lon: ArrayLike, lat: ArrayLike, *, datum: str) -> Pair:
    """Return WGS-84 coordinates of points given in ``datum`` (WGS-84, GCJ-02 or BD-09)."""
    if datum == "WGS-84":
        return _pair(lon, lat)
    if datum == "GCJ-02":
        return gcj02_to_wgs84(lon, lat)
    if datum == "BD-09":
        return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))
    raise ValueError(f"unknown datum {datum!r}: WGS-84, GCJ-02 or BD-09")


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift WGS-84 to GCJ-02; points outside China stay."""
    x, y = _pair(lon, lat)
    shift_x, shift_y = _offset(x, y)
    return x + shift_x, y + shift_y


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Invert the shift: four fixed-point steps, each about a thousand times closer than the last."""
    x, y = _pair(lon, lat)
    guess_x, guess_y = x, y
    for _ in range(4):
        shift_x, shift_y = _offset(guess_x, guess_y)
        guess_x, guess_y = x - shift_x, y - shift_y
    return guess_x, guess_y


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Shift GCJ-02 to Baidu's BD-09."""
    x, y = _pair(lon, lat)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BAIDU)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BAIDU)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Invert ``gcj02_to_bd09`` by iteration."""
    x, y = _pair(lon, lat)
    guess_x, guess_y = x - 0.0065, y - 0.006
    for _ in range(4):
        there_x, there_y = gcj02_to_bd09(guess_x, guess_y)
        guess_x, guess_y = guess_x + x - there_x, guess_y + y - there_y
    return guess_x, guess_y


@dataclass(frozen=True, slots=True)
class DatumCheck:
    """What a check of the label found. ``likely`` is WGS-84, GCJ-02 or unclear."""

    likely: str
    points: int
    fit_as_wgs84: float
    fit_as_gcj02: float
    how: str

    @property
    def suspicious(self) -> bool:
        """Points labelled WGS-84 look like GCJ-02: warn, and ask the department."""
        return self.likely == "GCJ-02"


def check_against_area(
    lon: ArrayLike, lat: ArrayLike, inside: Callable[[Floats, Floats], NDArray[np.bool_]]
) -> DatumCheck:
    """Compare how many points lie in the district as they are and when taken for GCJ-02.

    ``inside`` answers for WGS-84. Only points near the district's edge can tell the two apart, so the verdict
    needs at least five of them, and nine in ten must speak for one side.
    """
    x, y = _known(lon, lat)
    as_is = inside(x, y)
    converted = inside(*gcj02_to_wgs84(x, y))
    only_is, only_converted = int((as_is & ~converted).sum()), int((converted & ~as_is).sum())
    telling = only_is + only_converted
    likely = "unclear"
    if telling >= 5 and only_converted >= 0.9 * telling:
        likely = "GCJ-02"
    elif telling >= 5 and only_is >= 0.9 * telling:
        likely = "WGS-84"
    total = max(len(x), 1)
    return DatumCheck(likely, len(x), float(as_is.sum() / total), float(converted.sum() / total), "area")


def check_against_points(
    lon: ArrayLike, lat: ArrayLike, known_lon: ArrayLike, known_lat: ArrayLike
) -> DatumCheck:
    """Compare points with the known WGS-84 places of the same things, such as their matched addresses.

    The fits are median distances in metres. The verdict needs twenty points and one reading twice as close.
    """
    x, y = _pair(lon, lat)
    u, v = _pair(known_lon, known_lat)
    usable = np.isfinite(x) & np.isfinite(y) & np.isfinite(u) & np.isfinite(v)
    x, y, u, v = x[usable], y[usable], u[usable], v[usable]
    if not len(x):
        return DatumCheck("unclear", 0, float("nan"), float("nan"), "points")
    as_is = float(np.median(metres(x, y, u, v)))
    converted = float(np.median(metres(*gcj02_to_wgs84(x, y), u, v)))
    likely = "unclear"
    if len(x) >= 20 and converted * 2 < as_is:
        likely = "GCJ-02"
    elif len(x) >= 20 and as_is * 2 < converted:
        likely = "WGS-84"
    return DatumCheck(likely, len(x), as_is, converted, "points")


def metres(lon: Floats, lat: Floats, other_lon: Floats, other_lat: Floats) -> Floats:
    """Return distances in metres on a sphere, good to 0.5 % within a city."""
    middle = np.radians((lat + other_lat) / 2)
    x = np.radians(lon - other_lon) * np.cos(middle)
    y = np.radians(lat - other_lat)
    distance: Floats = np.hypot(x, y) * 6371008.8
    return distance


def _pair(lon: ArrayLike, lat: ArrayLike) -> Pair:
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


def _known(lon: ArrayLike, lat: ArrayLike) -> Pair:
    x, y = _pair(lon, lat)
    usable = np.isfinite(x) & np.isfinite(y)
    return x[usable], y[usable]


def _offset(lon: Floats, lat: Floats) -> Pair:
    """Return the GCJ-02 shift in degrees at WGS-84 points; zero outside China."""
    x, y = lon - 105.0, lat - 35.0
    root = 0.1 * np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 2.0 * root + wave
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + root + wave
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    flat = 1.0 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    meridian = _SEMI_MAJOR * (1.0 - _ECCENTRICITY_SQUARED) / (flat * np.sqrt(flat))
    parallel = _SEMI_MAJOR / np.sqrt(flat) * np.cos(phi)
    west_edge, south_edge, east_edge, north_edge = _CHINA
    inside = (lon >= west_edge) & (lon <= east_edge) & (lat >= south_edge) & (lat <= north_edge)
    shift_x = np.where(inside, np.degrees(east / parallel), 0.0)
    shift_y = np.where(inside, np.degrees(north / meridian), 0.0)
    return shift_x, shift_y
