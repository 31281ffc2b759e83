"""From the building to the room, and from retired codes to those in force."""

from __future__ import annotations

import polars as pl

from chengshu.batch.address.library import AddressLibrary

_CANDIDATE = pl.Struct({"place_code": pl.String, "score": pl.Float64})


def place_rooms(library: AddressLibrary, placed: pl.DataFrame) -> pl.DataFrame:
    """Turn rows with a building number into answers: place_code, level, candidates, reason, retired_code."""
    codes = library.buildings.select("bid", building_code="place_code")
    placed = placed.join(codes, on="bid", how="left")
    rooms = _room_codes(library, placed)
    placed = placed.join(rooms, on="row", how="left")
    wants_room = pl.col("room_k").is_not_null() & pl.col("bid").is_not_null()
    found = pl.col("room_code").is_not_null()
    reason = (
        pl.when(pl.col("bid").is_null())
        .then(pl.col("why"))
        .when(wants_room & ~found & (pl.col("rooms_found") > 1))
        .then(pl.lit("ambiguous_room"))
        .when(wants_room & ~found)
        .then(pl.lit("new_room"))
    )
    answered = placed.with_columns(
        place_code=pl.coalesce("room_code", "building_code"),
        level=pl.when(found).then(pl.lit("room")).when(pl.col("bid").is_not_null()).then(pl.lit("building")),
        reason=reason,
    )
    return _in_force(library, _with_candidates(library, answered))


def _room_codes(library: AddressLibrary, placed: pl.DataFrame) -> pl.DataFrame:
    """The room each row means: row, room_code (null when several fit), rooms_found."""
    asked = placed.filter(pl.col("bid").is_not_null() & pl.col("room_k").is_not_null())
    asked = _spelt_out(asked.select("row", "bid", "unit_k", "floor_k", "room_k"))
    rooms = library.rooms.select("bid", "unit_k", "floor_k", "room_k", room_code="place_code")
    found = asked.join(rooms, on=["bid", "room_k"], how="inner", suffix="_b")
    unit_fits = (
        pl.col("unit_k").is_null() | pl.col("unit_k_b").is_null() | (pl.col("unit_k") == pl.col("unit_k_b"))
    )
    floor_fits = (
        pl.col("floor_k").is_null()
        | pl.col("floor_k_b").is_null()
        | (pl.col("floor_k") == pl.col("floor_k_b"))
    )
    found = found.filter(unit_fits & floor_fits)
    return found.group_by("row").agg(
        room_code=pl.when(pl.col("room_code").n_unique() == 1).then(pl.col("room_code").first()).first(),
        rooms_found=pl.col("room_code").n_unique(),
    )


def _spelt_out(asked: pl.DataFrame) -> pl.DataFrame:
    """2-503 is unit 2, room 503; 03 on floor 5 is 503."""
    split = pl.col("room_k").str.extract_groups(r"^(\d{1,2}|[A-Z])-(\d{3,4})$")
    dashed = pl.col("unit_k").is_null() & split.struct.field("1").is_not_null()
    asked = asked.with_columns(
        unit_k=pl.when(dashed).then(split.struct.field("1")).otherwise(pl.col("unit_k")),
        room_k=pl.when(dashed).then(split.struct.field("2")).otherwise(pl.col("room_k")),
    )
    short = pl.col("room_k").str.contains(r"^\d{1,2}$") & pl.col("floor_k").str.contains(r"^\d+$")
    full = pl.concat_str("floor_k", pl.col("room_k").str.zfill(2))
    return asked.with_columns(room_k=pl.when(short.fill_null(False)).then(full).otherwise(pl.col("room_k")))


def _with_candidates(library: AddressLibrary, answered: pl.DataFrame) -> pl.DataFrame:
    """Name the buildings that were weighed, best first, each with its score."""
    codes = library.buildings.select("bid", code="place_code")
    several = answered.filter(pl.col("runners").list.len() > 0).select("row", "runners")
    long = (
        several.explode("runners").unnest("runners").join(codes, on="bid", how="left", maintain_order="left")
    )
    long = long.filter(~pl.col("code").str.starts_with("?"))
    lists = long.group_by("row", maintain_order=True).agg(
        candidates=pl.struct(place_code="code", score=pl.col("score").round(4))
    )
    empty = pl.lit([], dtype=pl.List(_CANDIDATE))
    return answered.join(lists, on="row", how="left").with_columns(
        candidates=pl.coalesce(pl.col("candidates"), empty),
        score=pl.col("score").round(4),
    )


def _in_force(library: AddressLibrary, answered: pl.DataFrame) -> pl.DataFrame:
    """Answer a retired code by the one that replaced it; several or none are a refusal with what is known."""
    made_up = pl.col("place_code").str.starts_with("?").fill_null(False)
    answered = _refuse(answered, made_up, "not_found").with_columns(
        retired_code=pl.lit(None, dtype=pl.String)
    )
    if not library.replaced:
        return answered
    table = pl.DataFrame(
        {"place_code": list(library.replaced), "now": [list(codes) for codes in library.replaced.values()]},
        schema={"place_code": pl.String, "now": pl.List(pl.String)},
    )
    answered = answered.join(table, on="place_code", how="left")
    count = pl.col("now").list.len()
    listed = pl.col("now").list.eval(pl.struct(place_code=pl.element(), score=pl.lit(None, dtype=pl.Float64)))
    answered = answered.with_columns(
        retired_code=pl.when(count.is_not_null()).then(pl.col("place_code")),
        place_code=pl.when(count == 1).then(pl.col("now").list.first()).otherwise(pl.col("place_code")),
        candidates=pl.when(count > 1).then(listed).otherwise(pl.col("candidates")),
    )
    answered = _refuse(answered, (count == 0).fill_null(False), "retired")
    return _refuse(answered, (count > 1).fill_null(False), "ambiguous")


def _refuse(answered: pl.DataFrame, where: pl.Expr, reason: str) -> pl.DataFrame:
    return answered.with_columns(
        place_code=pl.when(where).then(None).otherwise(pl.col("place_code")),
        level=pl.when(where).then(None).otherwise(pl.col("level")),
        score=pl.when(where).then(None).otherwise(pl.col("score")),
        reason=pl.when(where).then(pl.lit(reason)).otherwise(pl.col("reason")),
    )
