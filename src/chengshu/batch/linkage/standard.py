"""Records in the form that linkage compares: one standard column for each thing that is compared.

`standardise` is columnar and looks at each row alone, so an unchanged record has an unchanged standard form.
"""

from __future__ import annotations

import polars as pl

from chengshu.batch.linkage import codes, text

# The input columns of the contract, by element without the kind's prefix; a missing one counts as empty.
INPUT = {
    "record_id": pl.String,
    "source": pl.String,
    "name": pl.String,
    "resident_id": pl.String,
    "credit_code": pl.String,
    "phone": pl.String,
    "birth_date": pl.String,
    "sex": pl.String,
    "place_code": pl.String,
    "building_code": pl.String,
    "address": pl.String,
    "legal_representative": pl.String,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
}
BUILDING, COMMUNITY = 17, 12


def standardise(kind: str, records: pl.DataFrame) -> pl.DataFrame:
    """Return the standard frame of ``records``, same rows, same order.

    Columns: record_id, source, name, reading, code, code_ok, birth_date (from a valid ID where there is one),
    birth_typed, sex, phone, room, building, community, address, legal (firms), longitude, latitude.
    """
    frame = records.select(
        (pl.col(name).cast(dtype, strict=False) if name in records.columns else pl.lit(None, dtype)).alias(
            name
        )
        for name, dtype in INPUT.items()
    )
    naming = text.person_name if kind == "person" else text.firm_core if kind == "firm" else text.written
    names = text.mapped(frame["name"], naming).alias("name")
    # An ID of 15 digits has no check character: any 15 digits make a valid one of 18, so it proves nothing by itself.
    raw = "resident_id" if kind == "person" else "credit_code"
    valid = codes.resident_id_valid if kind == "person" else codes.credit_code_valid
    code = codes.resident_ids(frame[raw]) if kind == "person" else text.each(frame[raw], codes.credit_code)
    named = kind in ("person", "firm")  # their addresses are compared as places, not as texts
    frame = frame.with_columns(
        names,
        text.mapped(names, text.pinyin).alias("reading"),
        text.mapped(frame["legal_representative"], text.person_name).alias("legal"),
        pl.lit(None, pl.String).alias("address")
        if named
        else text.mapped(frame["address"], text.written).alias("address"),
        code.alias("code"),
        codes.phone(pl.col("phone")).alias("phone"),
        text.each(frame["birth_date"], codes.iso_date).alias("birth_date"),
        text.each(frame["sex"], codes.sex).alias("sex"),
        *_places(),
    ).with_columns(
        (valid(pl.col("code")) & (pl.col(raw).str.len_chars() >= 18)).fill_null(False).alias("code_ok")
    )
    frame = frame.with_columns(pl.col("birth_date").alias("birth_typed"))
    if kind == "person":
        frame = _complete_from_id(frame)
    columns = (
        "record_id source name reading code code_ok birth_date birth_typed sex phone room building community"
    )
    columns += " address legal"
    return frame.select(*columns.split(), "longitude", "latitude")


def _places() -> list[pl.Expr]:
    place = pl.col("place_code").cast(pl.String)
    building = pl.coalesce(pl.col("building_code"), pl.when(place.str.len_chars() >= BUILDING).then(place))
    return [
        pl.when(place.str.len_chars() > BUILDING).then(place).alias("room"),
        building.str.slice(0, BUILDING).alias("building"),
        pl.coalesce(building, place).str.slice(0, COMMUNITY).alias("community"),
    ]


def _complete_from_id(frame: pl.DataFrame) -> pl.DataFrame:
    """A valid resident ID says when its holder was born and of which sex: that beats what a clerk typed."""
    birth, digit = pl.col("code").str.slice(6, 8), pl.col("code").str.slice(16, 1).cast(pl.Int8, strict=False)
    dashed = pl.concat_str(birth.str.slice(0, 4), birth.str.slice(4, 2), birth.str.slice(6, 2), separator="-")
    from_id = pl.when(digit % 2 == 1).then(pl.lit("M")).otherwise(pl.lit("F"))
    return frame.with_columns(
        pl.when("code_ok").then(dashed).otherwise(pl.col("birth_date")).alias("birth_date"),
        pl.when("code_ok").then(from_id).otherwise(pl.col("sex")).alias("sex"),
    )
