"""Standardise one source: standard values, quality rules, keys; rows become records.

Only rows that the last run did not accept in the same words are worked on: the rest is carried over. A row that a
full delivery no longer contains is *absent*, not deleted: it stays, marked with the day it was first missed.

Output: ``records.parquet``, ``refused.parquet`` and ``facts.json``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from chengshu.batch.declarations import Source
from chengshu.batch.pipeline import values
from chengshu.batch.pipeline.intake import SEED, declaration_digest
from chengshu.batch.pipeline.quality import complaints, standard_columns
from chengshu.batch.pipeline.store import Store, read_json, write_json
from chengshu.kernel.problems import Problem

VERSION = "1"
# What every record carries beside its values.
META = {
    "record_id": pl.String, "source": pl.String, "file": pl.String, "row": pl.Int64, "at": pl.String,
    "hash": pl.UInt64, "absent_since": pl.String, "warned": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inputs:
    """What standardising one source depends on."""

    source: Source
    intake_key: str
    base_key: str | None  # the output of the run before
    mends: Path | None  # rows that a person mended and sent in again
    on: dt.date
    accept_shrink: bool = False


def standardise(inputs: Inputs, store: Store, *, fresh: bool = False) -> tuple[str, Path]:
    """Make the records of one source; nothing is done when neither delivery nor mends changed."""
    base = store.find(inputs.base_key) if inputs.base_key else None
    made_of = [VERSION, inputs.intake_key, declaration_digest(inputs.source), _mends_digest(inputs.mends)]
    if base is not None and not fresh and _holds(base, made_of, inputs.on):
        return str(inputs.base_key), base
    key = store.key(f"standardise:{inputs.source.name}", made_of, inputs.base_key, inputs.on.isoformat())
    # A full run from nothing does what an incremental one does, without carrying anything over.
    if fresh or store.find(key) is None:
        with store.making(key) as folder:
            _standardise(inputs, made_of, store.entries / inputs.intake_key, base, folder, fresh)
    return key, store.entries / key


def _holds(base: Path, made_of: list[Any], on: dt.date) -> bool:
    facts = read_json(base / "facts.json")
    pending = facts["pending"]
    return bool(facts["made_of"] == made_of and not (pending and pending <= on.isoformat()))


def _mends_digest(mends: Path | None) -> str | None:
    if mends is None or not mends.is_file():
        return None
    return str(pl.read_parquet(mends).hash_rows(SEED).sum())


def _standardise(
    inputs: Inputs, made_of: list[Any], taken: Path, base: Path | None, folder: Path, fresh: bool
) -> None:
    source = inputs.source
    raw = pl.read_parquet(taken / "rows.parquet")
    cut = pl.read_parquet(taken / "refused.parquet")
    before = pl.read_parquet(base / "records.parquet") if base else pl.DataFrame(schema=record_schema(source))
    before = _fit(before, source)
    _check_shrink(inputs, raw.height + cut.height, base)
    raw, cut = _mend(source, raw, cut, inputs.mends)
    raw = raw.with_columns(_record_id(source))
    raw, refused_keys = _refuse_keys(source, raw)
    raw, deleted = _deleted(source, raw)
    same_terms = base is not None and not fresh and read_json(base / "facts.json")["made_of"][2] == made_of[2]
    carried, changed = _carry(raw, before if same_terms else before.clear())
    accepted, refused_rows, pending = _accept(source, changed, inputs.on)
    present = pl.concat([carried, accepted])
    present, refused_twice, repeated = _unique_over_all(source, present, raw)
    kept = _absent(source, before, raw, deleted, inputs.on)
    kept = pl.concat([kept, _last_good(before, raw, present, refused_twice)])
    refused = pl.concat([_cut_refusals(source, cut), refused_keys, refused_rows, refused_twice])
    records = pl.concat([present, kept]).sort("record_id")
    records.write_parquet(folder / "records.parquet", compression="zstd", compression_level=1)
    refused.sort("file", "row", "field").write_parquet(folder / "refused.parquet")
    write_json(folder / "facts.json", {
        "made_of": made_of, "pending": pending, "source": source.name,
        "rows": raw.height + cut.height + refused_keys.height, "accepted": present.height,
        "refused": refused.n_unique(["file", "row"]) if refused.height else 0, "carried": carried.height,
        "worked": changed.height, "deleted": len(deleted),
        "absent": kept.filter(pl.col("absent_since").is_not_null()).height,
        "warned": present.filter(pl.col("warned").is_not_null()).height,
        "warnings": {**_count(present), **repeated}, "reasons": _reasons(refused),
    })  # fmt: skip


def record_schema(source: Source) -> dict[str, Any]:
    """Return the columns of a source's records: the common ones, then its elements without the kind."""
    return {**META, **{column.element.split(".", 1)[1]: pl.String for column in source.columns}}


def _fit(frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Bring the records of an earlier declaration to today's columns."""
    schema = record_schema(source)
    missing = [
        pl.lit(None, dtype=kind).alias(name) for name, kind in schema.items() if name not in frame.columns
    ]
    return frame.with_columns(missing).select(list(schema))


def _check_shrink(inputs: Inputs, rows: int, base: Path | None) -> None:
    if base is None or inputs.accept_shrink or inputs.source.delivery == "delta":
        return
    last = read_json(base / "facts.json")["rows"]
    if last >= 10 and rows * 2 < last:
        raise Problem(
            "source-shrank",
            f"{inputs.source.name} has shrunk from {last} rows to {rows}: the build stopped and nothing changed",
            remedy=f"ask the department; if it is right, add --accept-shrink {inputs.source.name}",
            status=409,
            exit_code=1,
        )


def _mend(
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


def _record_id(source: Source) -> pl.Expr:
    parts = [values.half_width(pl.col(name)) for name in source.key]
    whole = pl.all_horizontal([part != "" for part in parts])
    joined = pl.concat_str([pl.lit(f"{source.name}:"), pl.concat_str(parts, separator="|")])
    return pl.when(whole).then(joined).alias("record_id")


def _refuse_keys(source: Source, raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Refuse rows without a key, and of rows that share one all but the newest (the first of equals)."""
    field = ",".join(source.key)
    missing = raw.filter(pl.col("record_id").is_null())
    rest = raw.filter(pl.col("record_id").is_not_null())
    twice = rest.filter(pl.col("record_id").is_duplicated())
    refused = [_refusals(source, missing, pl.lit(field), pl.lit("key-missing"))]
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
        refused.append(_refusals(source, others, pl.lit(field), code))
        rest = rest.join(others.select("_file", "_row"), on=["_file", "_row"], how="anti")
    return rest, pl.concat(refused)


def _deleted(source: Source, raw: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    if source.deleted_flag is None:
        return raw, []
    column, value = source.deleted_flag
    flagged = values.half_width(pl.col(column)) == value
    return raw.filter(~flagged), raw.filter(flagged)["record_id"].to_list()


def _carry(raw: pl.DataFrame, before: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into those whose record is known in the same words, and the others."""
    names = before.columns
    spots = raw.select("record_id", "hash", "_file", "_row")
    carried = before.drop("file", "row").join(spots, on=["record_id", "hash"], how="inner")
    carried = carried.rename({"_file": "file", "_row": "row"}).with_columns(
        absent_since=pl.lit(None, dtype=pl.String)
    )
    changed = raw.join(before.select("record_id", "hash"), on=["record_id", "hash"], how="anti")
    return carried.select(names), changed


def _accept(source: Source, raw: pl.DataFrame, on: dt.date) -> tuple[pl.DataFrame, pl.DataFrame, str | None]:
    """Standardise and judge rows; returns records, refusals and the first day a refusal could end by itself."""
    frame = standard_columns(source, raw)
    found = complaints(source, frame, raw, on)
    hard = found.filter("refuse")
    out = hard.join(raw.with_row_index("index"), on="index")
    refused = _refusals(source, out, pl.col("field"), pl.col("code"))
    soft = (
        found.filter(~pl.col("refuse"))
        .group_by("index")
        .agg(warned=pl.concat_str("field", pl.lit(":"), "code").sort().str.join(";"))
    )
    frame = (
        frame.with_row_index("index").join(hard, on="index", how="anti").join(soft, on="index", how="left")
    )
    pending = hard["until"].min()
    return _records(source, frame), refused, str(pending) if pending is not None else None


def _records(source: Source, frame: pl.DataFrame) -> pl.DataFrame:
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


def _unique_over_all(
    source: Source, present: pl.DataFrame, raw: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Judge ``unique`` over carried and new rows together: each half alone would not see the repetition."""
    element = {column.name: column.element.split(".", 1)[1] for column in source.columns}
    refused, warned = [_no_refusals()], {}
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
        refused.append(_refusals(source, rows, pl.lit(field), pl.lit("unique")))
        present = present.join(again.select("record_id"), on="record_id", how="anti")
    return present, pl.concat(refused), warned


def _last_good(
    before: pl.DataFrame, raw: pl.DataFrame, present: pl.DataFrame, refused_twice: pl.DataFrame
) -> pl.DataFrame:
    """Return the last good versions of records whose new version was refused: they stay in force meanwhile."""
    out = before.join(raw.select("record_id", "_file", "_row"), on="record_id", how="inner")
    out = out.join(present.select("record_id"), on="record_id", how="anti")
    repeated = refused_twice.select(_file="file", _row="row")
    return out.join(repeated, on=["_file", "_row"], how="anti").select(before.columns)


def _absent(
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


def _no_refusals() -> pl.DataFrame:
    return pl.DataFrame(schema=REFUSALS)


def _refusals(source: Source, rows: pl.DataFrame, field: pl.Expr, code: pl.Expr) -> pl.DataFrame:
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


def _cut_refusals(source: Source, cut: pl.DataFrame) -> pl.DataFrame:
    return cut.select(
        pl.lit(source.name).alias("source"),
        "file",
        "row",
        "field",
        "code",
        pl.col("hash").alias("mends"),
        pl.struct(_raw=pl.col("raw")).struct.json_encode().alias("cells"),
    )


def _count(present: pl.DataFrame) -> dict[str, int]:
    said = present["warned"].drop_nulls().str.split(";").explode().value_counts()
    return dict(said.sort(said.columns[0]).iter_rows())


def _reasons(refused: pl.DataFrame) -> list[dict[str, Any]]:
    counted = refused.group_by("field", "code").agg(rows=pl.len())
    return counted.sort("rows", "field", "code", descending=[True, False, False]).to_dicts()
