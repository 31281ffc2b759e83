"""The rows of one source on their way to records: keys, mends, deletions, quality; each refused one with its reason."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from chengshu.batch.declarations import Source
from chengshu.batch.pipeline import values
from chengshu.batch.pipeline.intake import SEED
from chengshu.batch.pipeline.quality import complaints, standard_columns


def mend(
    source: Source, raw: pl.DataFrame, cut: pl.DataFrame, mends: Path | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put mended rows in the place of those they mend; a mend holds while the department sends the same bad row."""
    if mends is None or not mends.is_file():
        return raw, cut
    mended = pl.read_parquet(mends).unique("mends", keep="last", maintain_order=True)
    names = [name for name in raw.columns if not name.startswith("_") and name != "hash"]
    lost = [pl.lit("").alias(name) for name in names if name not in mended.columns]
    mended = mended.with_columns(lost)
    spots = pl.concat([
        raw.select("_file", "_row", mends=pl.col("hash")),
        cut.select(_file=pl.col("file"), _row=pl.col("row"), mends=pl.col("hash")),
    ])  # fmt: skip
    new = mended.join(spots, on="mends", how="inner").with_columns(pl.col(names).fill_null(""))
    new = new.with_columns(new.select(sorted(names)).hash_rows(SEED).alias("hash"))
    raw = pl.concat([raw.filter(~pl.col("hash").is_in(new["mends"].implode())), new.select(raw.columns)])
    return raw.sort("_file", "_row"), cut.filter(~pl.col("hash").is_in(new["mends"].implode()))


def record_id(source: Source) -> pl.Expr:
    """Return the id of a row's record: source and key; null where a part of the key is empty."""
    parts = [values.half_width(pl.col(name)) for name in source.key]
    whole = pl.all_horizontal([part != "" for part in parts])
    joined = pl.concat_str([pl.lit(f"{source.name}:"), pl.concat_str(parts, separator="|")])
    return pl.when(whole).then(joined).alias("record_id")


def refuse_keys(source: Source, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Refuse rows without a key, and of rows that share one all but the newest (the first of equals)."""
    field = ",".join(source.key)
    missing = raw.filter(pl.col("record_id").is_null())
    rest = raw.filter(pl.col("record_id").is_not_null())
    twice = rest.filter(pl.col("record_id").is_duplicated())
    refused = [refusals(source, missing, pl.lit(field), pl.lit("key-missing"))]
    if twice.height:
        time = values.standard("record.updated_on", twice[source.updated]) if source.updated else pl.lit("")
        order = twice.with_columns(
            pl.Series("_time", time) if isinstance(time, pl.Series) else time.alias("_time")
        )
        order = order.with_columns(pl.col("_time").fill_null("")).sort(
            ["record_id", "_time", "_file", "_row"], descending=[False, True, False, False]
        )
        first = order.unique("record_id", keep="first", maintain_order=True)
        others = order.join(first.select("_file", "_row"), on=["_file", "_row"], how="anti")
        others = others.join(first.select("record_id", first_hash="hash"), on="record_id")
        equal = pl.col("hash") == pl.col("first_hash")
        code = pl.when(equal).then(pl.lit("duplicate-row")).otherwise(pl.lit("duplicate-key"))
        refused.append(refusals(source, others, pl.lit(field), code))
        rest = rest.join(others.select("_file", "_row"), on=["_file", "_row"], how="anti")
    return rest, pl.concat(refused)


def deleted(source: Source, raw: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Take out the rows that say their record is deleted; returns the others and the ids of the deleted."""
    if source.deleted_flag is None:
        return raw, []
    column, value = source.deleted_flag
    flagged = values.half_width(pl.col(column)) == value
    return raw.filter(~flagged), raw.filter(flagged)["record_id"].to_list()


def carry(raw: pl.DataFrame, before: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into those whose record is known in the same words, and the others."""
    names = before.columns
    spots = raw.select("record_id", "hash", "_file", "_row")
    carried = before.drop("file", "row").join(spots, on=["record_id", "hash"], how="inner")
    carried = carried.rename({"_file": "file", "_row": "row"}).with_columns(
        absent_since=pl.lit(None, dtype=pl.String)
    )
    changed = raw.join(before.select("record_id", "hash"), on=["record_id", "hash"], how="anti")
    return carried.select(names), changed


def accept(source: Source, raw: pl.DataFrame, on: dt.date) -> tuple[pl.DataFrame, pl.DataFrame, str | None]:
    """Standardise and judge rows; returns records, refusals and the first day a refusal could end by itself."""
    frame = standard_columns(source, raw)
    found = complaints(source, frame, raw, on)
    hard = found.filter("refuse")
    out = hard.join(raw.with_row_index("index"), on="index")
    refused = refusals(source, out, pl.col("field"), pl.col("code"))
    soft = (
        found.filter(~pl.col("refuse"))
        .group_by("index")
        .agg(warned=pl.concat_str("field", pl.lit(":"), "code").sort().str.join(";"))
    )
    frame = (
        frame.with_row_index("index").join(hard, on="index", how="anti").join(soft, on="index", how="left")
    )
    pending = hard["until"].min()
    return as_records(source, frame), refused, str(pending) if pending is not None else None


def as_records(source: Source, frame: pl.DataFrame) -> pl.DataFrame:
    """Return accepted rows as records: what every record carries, then its elements."""
    at = pl.lit(None, dtype=pl.String)
    if source.updated:
        frame = frame.with_columns(values.standard("record.updated_on", frame[source.updated]).alias("_at"))
        at = pl.when(values.is_date(pl.col("_at"))).then(pl.col("_at"))
    return frame.select(
        "record_id",
        pl.lit(source.name).alias("source"),
        pl.col("_file").alias("file"),
        pl.col("_row").alias("row"),
        at.alias("at"),
        "hash",
        pl.lit(None, dtype=pl.String).alias("absent_since"),
        "warned",
        *[pl.col(column.name).alias(column.element.split(".", 1)[1]) for column in source.columns],
    )


def unique_over_all(
    source: Source, present: pl.DataFrame, raw: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Judge ``unique`` over carried and new rows together: each half alone would not see the repetition."""
    element = {column.name: column.element.split(".", 1)[1] for column in source.columns}
    refused, warned = [no_refusals()], {}
    for rule in source.rules:
        if rule.rule != "unique":
            continue
        field, names = ",".join(rule.columns), [element[name] for name in rule.columns if name in element]
        whole = pl.all_horizontal(pl.col(names).is_not_null())
        again = present.sort("file", "row").filter(whole & ~pl.struct(names).is_first_distinct())
        if rule.severity == "warn":
            warned[f"{field}:unique"] = again.height
            continue
        rows = raw.join(again.select("record_id"), on="record_id", how="semi")
        refused.append(refusals(source, rows, pl.lit(field), pl.lit("unique")))
        present = present.join(again.select("record_id"), on="record_id", how="anti")
    return present, pl.concat(refused), warned


def last_good(
    before: pl.DataFrame, raw: pl.DataFrame, present: pl.DataFrame, refused_twice: pl.DataFrame
) -> pl.DataFrame:
    """Return the last good versions of records whose new version was refused: they stay in force meanwhile."""
    out = before.join(raw.select("record_id", "_file", "_row"), on="record_id", how="inner")
    out = out.join(present.select("record_id"), on="record_id", how="anti")
    repeated = refused_twice.select(_file="file", _row="row")
    return out.join(repeated, on=["_file", "_row"], how="anti").select(before.columns)


def absent(
    source: Source, before: pl.DataFrame, raw: pl.DataFrame, deleted: list[str], on: dt.date
) -> pl.DataFrame:
    """Return the records that this delivery does not bring and that nobody deleted."""
    gone = before.join(raw.select("record_id"), on="record_id", how="anti")
    gone = gone.filter(~pl.col("record_id").is_in(deleted))
    if source.delivery == "full":
        gone = gone.with_columns(pl.col("absent_since").fill_null(on.isoformat()))
    return gone


REFUSALS: dict[str, Any] = {
    "source": pl.String, "file": pl.String, "row": pl.Int64, "field": pl.String, "code": pl.String,
    "mends": pl.UInt64, "cells": pl.String,
}  # fmt: skip


def no_refusals() -> pl.DataFrame:
    """Return an empty table of refusals."""
    return pl.DataFrame(schema=REFUSALS)


def refusals(source: Source, rows: pl.DataFrame, field: pl.Expr, code: pl.Expr) -> pl.DataFrame:
    """Return rows as refusals of ``field`` for the reason ``code``."""
    names = [name for name in rows.columns if name in source.known_columns()]
    return rows.select(
        pl.lit(source.name).alias("source"),
        pl.col("_file").alias("file"),
        pl.col("_row").alias("row"),
        field.cast(pl.String).alias("field"),
        code.cast(pl.String).alias("code"),
        pl.col("hash").alias("mends"),
        pl.struct(names).struct.json_encode().alias("cells"),
    )


def cut_refusals(source: Source, cut: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that could not be cut or decoded as refusals."""
    return cut.select(
        pl.lit(source.name).alias("source"),
        "file",
        "row",
        "field",
        "code",
        pl.col("hash").alias("mends"),
        pl.struct(_raw=pl.col("raw")).struct.json_encode().alias("cells"),
    )


def warnings(warned: pl.Series) -> dict[str, int]:
    """Count the warnings of the records at hand, by field and code."""
    said = warned.drop_nulls().str.split(";").explode().value_counts()
    return dict(said.sort(said.columns[0]).iter_rows())


def counted_reasons(refused: pl.DataFrame) -> list[dict[str, Any]]:
    """Count refusals by field and reason, most first."""
    counted = refused.group_by("field", "code").agg(rows=pl.len())
    return counted.sort("rows", "field", "code", descending=[True, False, False]).to_dicts()
