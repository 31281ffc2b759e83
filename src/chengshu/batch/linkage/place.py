"""Linking places (points of interest) of two maps: names, branches, parts, distance, telephone and address at once.

The weight of each level is learned from the tables themselves, without labels: expectation maximisation in which the
candidates of one place compete, because a place on one clean map is at most one place on the other. Expert numbers
stand in as if 30 pairs had been seen, so small tables work as well. A constant shift between the maps (a datum
that nobody declared) is measured on the pairs of unique equal names and taken out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch import datum as datums
from chengshu.batch.linkage import codes, explain
from chengshu.batch.linkage.cluster import Graph, Rules, clusters
from chengshu.batch.linkage.components import Ints
from chengshu.batch.linkage.place_levels import COMPARISONS, Evidence, learn
from chengshu.batch.linkage.place_text import address_parts, grams, take_apart
from chengshu.kernel.problems import Problem

_METRE = 1 / 111195
_WIDE, _NARROW, _MANY = 1500.0, 700.0, 30_000
_BOUND = (
    -1.0
)  # the best F1 lies at half the F1 reached, and what a taken rival leaves over is likelier than it was
_KEEP = 25  # candidates kept for each place, the most alike and nearest


def link_places(
    left: pl.DataFrame, right: pl.DataFrame | None, *, progress: Callable[[str], None] = lambda step: None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (pairs held to be one, other candidates) of two tables of places, or of one with itself."""
    if "name" not in left.columns or (right is not None and "name" not in right.columns):
        raise Problem("link-no-name", "Places are linked by name and position: the element `name` is missing")
    progress("standardise")
    a = _standard(left)
    b = a if right is None else _standard(right)
    progress("block")
    pairs = _candidates(a, b, itself=right is None)
    pairs = _without_shift(pairs, a, b)
    progress("estimate")
    evidence = learn(pairs, a, b, itself=right is None)
    progress("cluster")
    return _result(evidence, a, b, itself=right is None)


def _standard(table: pl.DataFrame) -> pl.DataFrame:
    def column(name: str) -> pl.Series:
        return (
            table[name] if name in table.columns else pl.Series(name, [None] * table.height, dtype=pl.String)
        )

    lon, lat = (column(name).cast(pl.Float64, strict=False).to_numpy() for name in ("longitude", "latitude"))
    lon, lat = _in_wgs84(lon, lat, column("datum"))
    names = take_apart(column("name"))
    phones = column("phone").str.split(";").list.eval(codes.phone(pl.element())).list.drop_nulls()
    frame = (
        pl.DataFrame({"id": table["id"]}).hstack(names.drop("name")).hstack(address_parts(column("address")))
    )
    return frame.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        phones.alias("phones"),
        pl.Series("lon", lon).fill_nan(None),
        pl.Series("lat", lat).fill_nan(None),
    )


def _in_wgs84(
    lon: NDArray[np.float64], lat: NDArray[np.float64], datum: pl.Series
) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = lon.copy(), lat.copy()
    impossible = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)) | ((lon == 0) & (lat == 0))
    lon[impossible] = lat[impossible] = np.nan
    for name in datum.drop_nulls().unique().to_list():
        standard = {"WGS84": "WGS-84", "CGCS2000": "WGS-84", "GCJ02": "GCJ-02", "BD09": "BD-09"}.get(
            name.upper().replace("-", "").replace("_", "").replace("LL", ""), name
        )
        if standard not in ("WGS-84", "GCJ-02", "BD-09"):
            raise Problem(
                "datum-unknown", f"The datum {name!r} is not known", remedy="write WGS-84, GCJ-02 or BD-09"
            )
        where = (datum == name).fill_null(False).to_numpy() & ~np.isnan(lon)
        if where.any():
            lon[where], lat[where] = datums.convert(lon[where], lat[where], datum=standard)
    return lon, lat


def _candidates(a: pl.DataFrame, b: pl.DataFrame, *, itself: bool) -> pl.DataFrame:
    """Return left, right, shared (weight of the character pairs both names have), own_left, own_right, metres."""
    pieces = grams(pl.concat([a["whole"], b["whole"]]))
    in_a = pieces.filter(pl.col("row") < a.height)
    in_b = pieces.filter(pl.col("row") >= a.height).with_columns(pl.col("row") - a.height)
    found = [_near(a, b, in_a, in_b), _same_rare(a, b, in_a, in_b), _same_phone(a, b)]
    keys = pl.concat(found).unique()
    if itself:
        keys = keys.filter(pl.col("left") < pl.col("right"))
    shared = (
        keys.join(in_a.rename({"row": "left"}), on="left")
        .join(in_b.select(pl.col("row").alias("right"), "gram"), on=["right", "gram"])
        .group_by("left", "right")
        .agg(pl.col("idf").sum().alias("shared"))
    )
    mass_a = in_a.group_by(pl.col("row").alias("left")).agg(pl.col("idf").sum().alias("own_left"))
    mass_b = in_b.group_by(pl.col("row").alias("right")).agg(pl.col("idf").sum().alias("own_right"))
    pairs = (
        keys.join(shared, on=["left", "right"], how="left")
        .join(mass_a, on="left")
        .join(mass_b, on="right")
        .with_columns(pl.col("shared").fill_null(0.0))
        .sort("left", "right")
    )
    return _closest(pairs, a, b)


def _cells(frame: pl.DataFrame, size: float, latitude: float) -> pl.DataFrame:
    placed = frame.select("row", "lon", "lat").drop_nulls()
    width = size * _METRE / max(np.cos(np.radians(latitude)), 0.05)
    return placed.select(
        "row",
        (pl.col("lon") / width).floor().cast(pl.Int64).alias("cx"),
        (pl.col("lat") / (size * _METRE)).floor().cast(pl.Int64).alias("cy"),
    )


def _near(a: pl.DataFrame, b: pl.DataFrame, in_a: pl.DataFrame, in_b: pl.DataFrame) -> pl.DataFrame:
    """Places in the same or a neighbouring square whose names share a pair of characters."""
    middle = float(a["lat"].mean() or 0.0)  # type: ignore[arg-type]
    size = _WIDE if a.height + b.height <= _MANY else _NARROW
    around = pl.DataFrame([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)], schema=["dx", "dy"], orient="row")
    cells_a = _cells(a, size, middle).join(around, how="cross")
    cells_a = cells_a.select("row", cx=pl.col("cx") + pl.col("dx"), cy=pl.col("cy") + pl.col("dy"))
    near_a = cells_a.join(in_a, on="row").select(pl.col("row").alias("left"), "cx", "cy", "gram")
    near_b = (
        _cells(b, size, middle).join(in_b, on="row").select(pl.col("row").alias("right"), "cx", "cy", "gram")
    )
    return near_a.join(near_b, on=["cx", "cy", "gram"]).select("left", "right").unique()


def _same_rare(a: pl.DataFrame, b: pl.DataFrame, in_a: pl.DataFrame, in_b: pl.DataFrame) -> pl.DataFrame:
    """Places anywhere with equal names, and, where positions are missing, with a rare pair of characters in common."""
    few = 60
    whole = a.select("whole", pl.col("row").alias("left")).join(
        b.select("whole", pl.col("row").alias("right")), on="whole"
    )
    whole = whole.filter(pl.len().over("whole") <= few).select("left", "right")
    lost_a = in_a.join(a.filter(pl.col("lon").is_null()).select("row"), on="row", how="semi")
    lost_b = in_b.join(b.filter(pl.col("lon").is_null()).select("row"), on="row", how="semi")
    rare = in_a.select("gram").join(in_b.select("gram"), on="gram", how="semi").group_by("gram").len()
    rare = rare.filter(pl.col("len") <= few).select("gram")
    found = [whole]
    for one, other in ((lost_a, in_b), (in_a, lost_b)):
        if one.height and other.height:
            kept = one.join(rare, on="gram", how="semi").select(pl.col("row").alias("left"), "gram")
            found.append(
                kept.join(other.select(pl.col("row").alias("right"), "gram"), on="gram").select(
                    "left", "right"
                )
            )
    return pl.concat(found).unique()


def _same_phone(a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    ones = (
        a.select(pl.col("row").alias("left"), pl.col("phones").alias("phone")).explode("phone").drop_nulls()
    )
    others = (
        b.select(pl.col("row").alias("right"), pl.col("phones").alias("phone")).explode("phone").drop_nulls()
    )
    both = ones.join(others, on="phone").filter(pl.len().over("phone") <= 30)
    return both.select("left", "right").unique()


def _closest(pairs: pl.DataFrame, a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    """Add the distance; keep the candidates of each place that are most alike, the nearer the better."""
    lon_a, lat_a, lon_b, lat_b = (frame[name].to_numpy() for frame in (a, b) for name in ("lon", "lat"))
    left, right = pairs["left"].to_numpy(), pairs["right"].to_numpy()
    north = (lat_b[right] - lat_a[left]) / _METRE
    east = (lon_b[right] - lon_a[left]) * np.cos(np.radians(lat_a[left])) / _METRE
    alike = 2 * pl.col("shared") / (pl.col("own_left") + pl.col("own_right"))
    pairs = pairs.with_columns(
        pl.Series("east", east), pl.Series("north", north), alike.alias("alike")
    ).with_columns((pl.col("east") ** 2 + pl.col("north") ** 2).sqrt().fill_nan(None).alias("metres"))
    worth = pl.col("alike") - (pl.col("metres").fill_null(500.0) / 1500.0).clip(0, 1)
    place = worth.rank("ordinal", descending=True)
    return pairs.filter((place.over("left") <= _KEEP) | (place.over("right") <= _KEEP))


def _without_shift(pairs: pl.DataFrame, a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    """Take out a constant displacement between the maps, if equal unique names agree on one of more than 30 m."""
    once_a = a.filter(pl.len().over("whole") == 1).select(pl.col("row").alias("left"), "whole")
    once_b = b.filter(pl.len().over("whole") == 1).select(pl.col("row").alias("right"), "whole")
    sure = once_a.join(once_b, on="whole").join(pairs, on=["left", "right"]).filter(pl.col("metres") < 1500)
    sure = sure.filter(pl.col("whole").str.len_chars() >= 4)
    if sure.height < 30:
        return pairs
    east, north = sure["east"].to_numpy(), sure["north"].to_numpy()
    shift = np.array([np.median(east), np.median(north)])
    spread = np.median(np.hypot(east - shift[0], north - shift[1]))
    if np.hypot(*shift) < max(30.0, 0.7 * spread):
        return pairs
    return pairs.with_columns(pl.col("east") - shift[0], pl.col("north") - shift[1]).with_columns(
        (pl.col("east") ** 2 + pl.col("north") ** 2).sqrt().fill_nan(None).alias("metres")
    )


def _result(
    evidence: Evidence, a: pl.DataFrame, b: pl.DataFrame, *, itself: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    pairs = evidence.pairs
    offset = 0 if itself else a.height
    ends: Ints = pairs["right"].to_numpy() + offset
    count = a.height if itself else a.height + b.height
    side = None if itself else np.repeat(np.array([0, 1], dtype=np.int64), [a.height, b.height])
    graph = Graph(
        count, pairs["left"].to_numpy(), ends, pairs["weight"].to_numpy(), np.full(count, -1), side=side
    )
    label = clusters(graph, Rules(bound=_BOUND, unseen=-3.0))
    held = label[pairs["left"].to_numpy()] == label[ends]
    ids = a["id"] if itself else pl.concat([a["id"], b["id"]])
    moved = pairs.with_columns(pl.Series("right", ends))
    inside = explain.level_pairs(moved.filter(pl.Series(held)), ids, COMPARISONS, evidence.weights)
    others = explain.level_pairs(moved.filter(pl.Series(~held)), ids, COMPARISONS, evidence.weights)
    return inside.sort("left_id", "right_id"), others.sort(
        "probability", "left_id", "right_id", descending=[True, False, False]
    )
