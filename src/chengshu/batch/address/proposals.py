"""Addresses that a library lacks, proposed to a person under the place they would belong to; no code is made up."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from chengshu.batch.address.library import PARTS, AddressLibrary
from chengshu.batch.address.match import match_frame
from chengshu.batch.address.normalise import division_key, keyed
from chengshu.batch.address.parse import parse_column

_ADDABLE = ("no_such_number", "no_such_building", "not_found")
_GROUP = (
    "level",
    "parent_code",
    "street_k",
    "road_k",
    "number_k",
    "estate_k",
    "building_k",
    "unit_k",
    "room_k",
)


def propose(
    library: AddressLibrary, texts: Sequence[str] | pl.Series, *, home: str | None = None
) -> pl.DataFrame:
    """Propose what the library lacks among ``texts``, one row an address however often it is written.

    Columns: text (as first written), times, level (room or building), parent_code (the building, else the
    community), the parts, reason (the matcher's). Left out: what matches, what is ambiguous or uncertain (a
    person must look at the candidates first), what lies outside, and what names no house.
    """
    series = texts if isinstance(texts, pl.Series) else pl.Series("text", list(texts), dtype=pl.String)
    series = series.cast(pl.String).fill_null("").rename("text")
    parsed = parse_column(series, home=home)
    matched = match_frame(library, series, parsed)
    return proposals_from(library, matched, parsed)


def proposals_from(library: AddressLibrary, matched: pl.DataFrame, parsed: pl.DataFrame) -> pl.DataFrame:
    """As ``propose``, for texts that are parsed and matched already (both frames in the same order)."""
    parts = keyed(parsed.select(PARTS)).with_columns(matched.select("text", "place_code", "reason"))
    rooms = parts.filter(pl.col("reason") == "new_room").with_columns(
        level=pl.lit("room"), parent_code=pl.col("place_code")
    )
    houses = _houses(library, parts)
    found = pl.concat([rooms, houses.select(rooms.columns)])
    grouped = found.group_by(_GROUP, maintain_order=True).agg(
        pl.col("text").first(),
        pl.len().alias("times"),
        pl.col("reason").first(),
        *(pl.col(p).first() for p in PARTS),
    )
    return grouped.select("text", "times", "level", "parent_code", *PARTS, "reason")


def _houses(library: AddressLibrary, parts: pl.DataFrame) -> pl.DataFrame:
    """New buildings: a named road with a number or a named estate with a building, in a community we can tell."""
    named = (pl.col("road").is_not_null() & pl.col("number").is_not_null()) | (
        pl.col("estate").is_not_null() & (pl.col("building").is_not_null() | pl.col("number").is_not_null())
    )
    houses = parts.filter(pl.col("reason").is_in(_ADDABLE) & named).with_columns(level=pl.lit("building"))
    by_name = _communities(library)
    by_site = _site_communities(library)
    houses = houses.join(by_name, on=["street_k", "community_k"], how="left")
    houses = houses.join(by_site, on="estate_k", how="left")
    houses = houses.with_columns(
        parent_code=pl.coalesce("community_by_name", "community_by_site"),
        # A new house has no rooms on file yet: what is proposed is the house.
        **{name: pl.lit(None, dtype=pl.String) for name in ("unit", "floor", "room", "unit_k", "room_k")},
    )
    return houses.filter(pl.col("parent_code").is_not_null())


def _communities(library: AddressLibrary) -> pl.DataFrame:
    """Community codes by street and name; by the name alone where only one community bears it."""
    known = (
        library.rows.select("street", "community", community_by_name="community_code")
        .drop_nulls("community_by_name")
        .unique()
        .with_columns(
            street_k=pl.col("street").map_elements(division_key, return_dtype=pl.String),
            community_k=pl.col("community").map_elements(division_key, return_dtype=pl.String),
        )
        .drop_nulls("community_k")
        .select("street_k", "community_k", "community_by_name")
        .unique()
    )
    known = known.filter(pl.len().over("street_k", "community_k") == 1)
    alone = known.filter(pl.len().over("community_k") == 1).with_columns(
        street_k=pl.lit(None, dtype=pl.String)
    )
    return pl.concat([known, alone])


def _site_communities(library: AddressLibrary) -> pl.DataFrame:
    """The community of each estate that lies in only one."""
    return (
        library.buildings.drop_nulls(["estate_k", "community_code"])
        .group_by("estate_k")
        .agg(community_by_site=pl.col("community_code").first(), several=pl.col("community_code").n_unique())
        .filter(pl.col("several") == 1)
        .drop("several")
    )
