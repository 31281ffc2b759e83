"""Match parsed addresses to a library: candidates, scores, and a refusal wherever the place is not certain.

Three passes, each over what the one before left open: the whole written key; the exact names with number or
building; names that are short forms or slips. Numbers, buildings, units and rooms are never bent: a different
one is a different place. The rules and their reasons: docs/explanation/matching.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from chengshu.batch.address.adapt import adapted
from chengshu.batch.address.library import AddressLibrary
from chengshu.batch.address.parse import parse_column
from chengshu.batch.address.reread import reread
from chengshu.batch.address.rooms import place_rooms
from chengshu.batch.address.scoring import best_per_query, scored

PART_KEYS = ("street_k", "community_k", "road_k", "number_k", "estate_k", "building_k", "place_k")
_NAMES = ("road_k", "estate_k", "place_k")
_CROWD = 150
OUTPUT = ("text", "place_code", "score", "level", "candidates", "reason", "retired_code")


def match_texts(
    library: AddressLibrary,
    texts: Sequence[str] | pl.Series,
    *,
    home: str | None = None,
    on: date | None = None,
) -> pl.DataFrame:
    """Parse and match; see ``AddressLibrary.match_many``."""
    series = texts if isinstance(texts, pl.Series) else pl.Series("text", list(texts), dtype=pl.String)
    series = series.cast(pl.String).fill_null("").rename("text")
    return match_frame(library, series, parse_column(series, home=home, on=on))


def match_frame(library: AddressLibrary, texts: pl.Series, parsed: pl.DataFrame) -> pl.DataFrame:
    """Match addresses that are parsed already; one row a text, in order."""
    first = _matched(library, texts, parsed)
    doubtful = first.with_row_index("row").filter(_READ_AGAIN)
    if not doubtful.height:
        return first.select(OUTPUT)
    # Read as lying elsewhere: only a street or community of the library in the text can prove that wrong.
    again = reread(library, doubtful["text"], strict=doubtful["reason"] == "outside")
    return _better(first, doubtful["row"], _matched(library, doubtful["text"], again))


def _matched(library: AddressLibrary, texts: pl.Series, parsed: pl.DataFrame) -> pl.DataFrame:
    """Match one reading of each text."""
    rows = adapted(library, parsed)
    keys = [pl.col("outside").cast(pl.String), *(pl.col(key).fill_null("") for key in PART_KEYS)]
    part = pl.concat_str(keys, separator="|")
    rows = rows.with_row_index("row").with_columns(part=part, text=texts.fill_null(""))
    queries = rows.unique("part", keep="first", maintain_order=True)
    queries = queries.select("part", "outside", "error", *PART_KEYS).with_row_index("qid")
    found = _resolve(library, queries)
    placed = rows.join(queries.select("part", "qid"), on="part", how="left").join(found, on="qid", how="left")
    return place_rooms(library, placed).sort("row").select(*OUTPUT, gap=_GAP)


# A road without its number beside a room: the number may have been taken for the room.
_GAP = pl.col("road_k").is_not_null() & pl.col("number_k").is_null() & pl.col("room_k").is_not_null()
_READ_AGAIN = (
    pl.col("place_code").is_null() | pl.col("reason").is_in(["new_room", "ambiguous_room"]) | pl.col("gap")
) & (pl.col("reason").fill_null("") != "unreadable")


def _better(first: pl.DataFrame, rows: pl.Series, second: pl.DataFrame) -> pl.DataFrame:
    """Take the second reading where it is certain and does not speak against what the first was certain of."""
    both = first.with_row_index("row").join(
        second.with_columns(row=rows), on="row", how="left", suffix="_2", maintain_order="left"
    )
    building = pl.col("place_code").str.slice(0, 17)
    agrees = building.is_null() | (
        (building == pl.col("place_code_2").str.slice(0, 17)) & (pl.col("level_2") == "room")
    )
    take = (pl.col("place_code_2").is_not_null() & agrees).fill_null(False)
    names = [name for name in OUTPUT if name != "text"]
    return both.with_columns(
        pl.when(take).then(pl.col(name + "_2")).otherwise(pl.col(name)).alias(name) for name in names
    ).select(OUTPUT)


def _resolve(library: AddressLibrary, queries: pl.DataFrame) -> pl.DataFrame:
    """Find the building of each query: qid, bid, score, runners (list of bid and score), why."""
    outside = queries.filter(pl.col("outside"))
    inside = queries.filter(~pl.col("outside"))
    exact = best_per_query(scored(library, inside, _whole_key_pairs(library, inside)))
    certain = exact.filter(pl.col("bid").is_not_null())
    left = inside.join(certain, on="qid", how="anti")
    near = best_per_query(scored(library, left, _name_pairs(library, left)))
    missed = left.join(near, on="qid", how="anti")
    return pl.concat(
        [certain, near, _refused(outside, pl.lit("outside")), _refused(missed, _why_missed(library, missed))]
    )


def _refused(queries: pl.DataFrame, why: pl.Expr) -> pl.DataFrame:
    return queries.select(
        "qid",
        bid=pl.lit(None, dtype=pl.UInt32),
        score=pl.lit(None, dtype=pl.Float64),
        runners=pl.lit([], dtype=pl.List(pl.Struct({"bid": pl.UInt32, "score": pl.Float64}))),
        why=why,
    )


def _why_missed(library: AddressLibrary, missed: pl.DataFrame) -> pl.Expr:
    """Say what is unknown: nothing that names a place was written, its number or building, or the name itself."""
    names = library.names
    texts = {text for name in _NAMES for text in missed[name].unique().drop_nulls().to_list()}
    known = {text for text in texts if any(cost <= 0.06 for _, cost in names.find(text))}
    road = pl.col("road_k").is_in(list(known))
    site = pl.col("estate_k").is_in(list(known)) | pl.col("place_k").is_in(list(known))
    unnamed = pl.all_horizontal(pl.col(name).is_null() for name in _NAMES)
    bare = pl.col("number_k").is_null() & pl.col("building_k").is_null()
    return (
        pl.when(pl.col("error").is_not_null())
        .then(pl.lit("unreadable"))
        .when(unnamed | ((road | site).fill_null(False) & bare))
        .then(pl.lit("too_short"))
        .when(site & pl.col("building_k").is_not_null())
        .then(pl.lit("no_such_building"))
        .when(road & pl.col("number_k").is_not_null())
        .then(pl.lit("no_such_number"))
        .when(site & pl.col("number_k").is_not_null())
        .then(pl.lit("no_such_number"))
        .otherwise(pl.lit("not_found"))
    )


def _whole_key_pairs(library: AddressLibrary, queries: pl.DataFrame) -> pl.DataFrame:
    """Pairs whose road, number, estate and building are written alike: qid, bid and three name costs of 0.

    Road and number, or an estate by its full official name, may also stand alone.
    """
    road, number = pl.col("road_k").is_not_null(), pl.col("number_k").is_not_null()
    estate, building = pl.col("estate_k").is_not_null(), pl.col("building_k").is_not_null()
    whole = queries.filter((road | estate) & (number | building))
    by_road = queries.filter(road & number & ~estate)
    official = [
        name
        for name in queries["estate_k"].unique().drop_nulls().to_list()
        if not library.names.everyday(name)
    ]
    by_estate = queries.filter(estate & building & ~road & ~number & pl.col("estate_k").is_in(official))
    houses = library.buildings.select("bid", *_DETAILED)
    joined = pl.concat(
        [
            _same(whole, houses, _DETAILED),
            _same(by_road, houses.filter(estate), ["road_k", "number_k", "building_k"]),
            _same(by_estate, houses.filter(road | number), ["estate_k", "building_k"]),
        ]
    ).unique()
    free = [pl.lit(0.0).alias("cost_" + name) for name in ("road", "estate", "place")]
    return joined.select("qid", "bid", *free)


_DETAILED = ["road_k", "number_k", "estate_k", "building_k"]


def _same(queries: pl.DataFrame, houses: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    return (
        queries.select("qid", *key).join(houses, on=key, how="inner", nulls_equal=True).select("qid", "bid")
    )


def _name_pairs(library: AddressLibrary, queries: pl.DataFrame) -> pl.DataFrame:
    """Pairs that share a name and a detail, with what each written name costs against the building's names."""
    senses = _senses(library, queries)
    asked = pl.concat(
        [queries.select("qid", "number_k", "building_k", name=column) for column in _NAMES]
    ).drop_nulls("name")
    asked = asked.join(senses, on="name", how="inner").unique(["qid", "nid"])
    pairs = _joined(library, asked).unique(["qid", "bid"])
    for column in _NAMES:
        pairs = pairs.join(_costs(library, queries, pairs, senses, column), on=["qid", "bid"], how="left")
    return pairs


def _senses(library: AddressLibrary, queries: pl.DataFrame) -> pl.DataFrame:
    """The library names that each written name can stand for: name, nid, cost."""
    texts = sorted({text for name in _NAMES for text in queries[name].unique().drop_nulls().to_list()})
    found = [(text, nid, cost) for text in texts for nid, cost in library.names.find(text)]
    return pl.DataFrame(found, schema={"name": pl.String, "nid": pl.UInt32, "cost": pl.Float64}, orient="row")


def _joined(library: AddressLibrary, asked: pl.DataFrame) -> pl.DataFrame:
    """Join on a name together with as much detail as both sides have; never over a different detail."""
    keys = library.keys
    number, building = pl.col("number_k"), pl.col("building_k")
    both = asked.filter(number.is_not_null() & building.is_not_null())
    blocks = asked.filter(number.is_null() & building.is_not_null())
    doors = asked.filter(number.is_not_null() & building.is_null())
    bare = asked.filter(number.is_null() & building.is_null())
    plain = keys.filter(number.is_null() & building.is_null())
    # An estate of one building is named by its name; a road never is, however few houses of it are on file.
    single = keys.filter((pl.len().over("nid") == 1) & ~pl.col("road").fill_null(False))
    steps = [
        both.join(keys, on=["nid", "number_k", "building_k"]),
        both.join(keys.filter(number.is_null()), on=["nid", "building_k"]),
        blocks.join(_uncrowded(keys, ["nid", "building_k"]), on=["nid", "building_k"]),
        doors.join(_uncrowded(keys, ["nid", "number_k"]), on=["nid", "number_k"]),
        doors.join(_uncrowded(plain, ["nid"]), on="nid"),
        bare.join(single, on="nid"),
        bare.join(_uncrowded(plain, ["nid"]), on="nid"),
    ]
    return pl.concat([step.select("qid", "bid") for step in steps])


def _uncrowded(keys: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Leave out names with so many buildings that they name none."""
    return keys.filter(pl.len().over(columns) <= _CROWD)


def _costs(
    library: AddressLibrary, queries: pl.DataFrame, pairs: pl.DataFrame, senses: pl.DataFrame, column: str
) -> pl.DataFrame:
    """What the name in ``column`` costs against any name of the paired building; no row where it fits none."""
    asked = queries.select("qid", name=column).drop_nulls("name").join(senses, on="name").drop("name")
    linked = (
        pairs.select("qid", "bid")
        .join(asked, on="qid")
        .join(library.keys.select("bid", "nid"), on=["bid", "nid"], how="inner")
    )
    return linked.group_by("qid", "bid").agg(pl.col("cost").min().alias("cost_" + column.removesuffix("_k")))
