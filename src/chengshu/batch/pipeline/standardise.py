"""Standardise one source: standard values, quality rules, keys; rows become records.

Only rows that the last run did not accept in the same words are worked on, and only their records are written: the
rest is carried over as it lies. A row that a full delivery no longer contains is *absent*, not deleted: it stays,
marked with the day it was first missed. File and row of a carried record are those it had when it was worked on; where
it stands today is looked up by its digest in the intake's rows.

Output: the table ``records`` (see `layers`), ``refused.parquet`` and ``facts.json``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from chengshu.batch.declarations import Source
from chengshu.batch.pipeline import layers, rows
from chengshu.batch.pipeline.intake import SEED, declaration_digest
from chengshu.batch.pipeline.store import Store, read_json, write_json
from chengshu.kernel.problems import Problem

VERSION = "2"
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
    same_terms = base is not None and read_json(base / "facts.json")["made_of"][2] == made_of[2]
    # Whether a value is unique is a question to all rows.
    by_changes = same_terms and not fresh and not any(rule.rule == "unique" for rule in inputs.source.rules)
    if base is not None and by_changes:
        facts = _by_changes(inputs, taken, base, folder)
    else:
        facts = _anew(inputs, taken, base, folder, carry=same_terms and not fresh)
    write_json(folder / "facts.json", {"made_of": made_of, "source": inputs.source.name, **facts})


def _anew(inputs: Inputs, taken: Path, base: Path | None, folder: Path, *, carry: bool) -> dict[str, Any]:
    """Work on the whole table; with ``carry`` rows that are known in the same words are not judged again."""
    source = inputs.source
    raw = pl.read_parquet(taken / "rows.parquet")
    cut = pl.read_parquet(taken / "refused.parquet")
    before = layers.read(base, "records") if base else pl.DataFrame(schema=record_schema(source))
    before = _fit(before, source)
    _check_shrink(inputs, raw.height + cut.height, base)
    raw, cut = rows.mend(source, raw, cut, inputs.mends)
    raw = raw.with_columns(rows.record_id(source))
    raw, refused_keys = rows.refuse_keys(source, raw)
    raw, deleted = rows.deleted(source, raw)
    carried, changed = rows.carry(raw, before if carry else before.clear())
    accepted, refused_rows, pending = rows.accept(source, changed, inputs.on)
    present = pl.concat([carried, accepted])
    present, refused_twice, repeated = rows.unique_over_all(source, present, raw)
    kept = rows.absent(source, before, raw, deleted, inputs.on)
    kept = pl.concat([kept, rows.last_good(before, raw, present, refused_twice)])
    refused = pl.concat([rows.cut_refusals(source, cut), refused_keys, refused_rows, refused_twice])
    layers.write(folder, "records", pl.concat([present, kept]).sort("record_id"))
    return {
        "pending": pending, "rows": raw.height + cut.height + refused_keys.height, "accepted": present.height,
        "carried": carried.height, "worked": changed.height, "deleted": len(deleted),
        "absent": kept["absent_since"].count(), **_told(present["warned"], repeated), **_refused(refused, folder),
    }  # fmt: skip


def _told(warned: pl.Series, repeated: dict[str, int]) -> dict[str, Any]:
    return {"warned": warned.count(), "warnings": {**rows.warnings(warned), **repeated}}


def _refused(refused: pl.DataFrame, folder: Path) -> dict[str, Any]:
    refused.sort("file", "row", "field").write_parquet(folder / "refused.parquet")
    return {
        "refused": refused.n_unique(["file", "row"]) if refused.height else 0,
        "reasons": rows.counted_reasons(refused),
    }


_LIGHT = ("record_id", "hash", "absent_since", "warned")


def _by_changes(inputs: Inputs, taken: Path, base: Path, folder: Path) -> dict[str, Any]:
    """Do what ``_anew`` does, touching only rows whose digest the last run did not accept.

    Equal digests are equal rows, so a row that is known needs neither its values nor its key: its record says both.
    """
    source = inputs.source
    spots = pl.read_parquet(taken / "rows.parquet", columns=["_file", "_row", "hash"])
    cut = pl.read_parquet(taken / "refused.parquet")
    before = layers.read(base, "records", _LIGHT, position=True)
    _check_shrink(inputs, spots.height + cut.height, base)
    spots, cut, mended = _mended(inputs, taken, spots, cut)
    known = spots.join(before, on="hash", how="inner")
    work = pl.concat([_load(taken, spots.join(before, on="hash", how="anti")), mended], how="diagonal")
    work = work.with_columns(rows.record_id(source))
    # Two rows of one key are judged together, known or not.
    met = known.filter(
        pl.col("record_id").is_in(work["record_id"].drop_nulls().implode())
        | pl.col("record_id").is_duplicated()
    )
    if met.height:
        again = _load(taken, met.select("_file", "_row", "hash")).with_columns(rows.record_id(source))
        work = pl.concat([work, again.select(work.columns)])
        known = known.join(met.select("_file", "_row"), on=["_file", "_row"], how="anti")
    work, refused_keys = rows.refuse_keys(source, work)
    work, deleted = rows.deleted(source, work)
    spotted = work.select("_file", "_row", "hash", "record_id")
    as_known = spotted.join(before, on=["record_id", "hash"], how="inner").select(known.columns)
    changed = work.join(before, on=["record_id", "hash"], how="anti")
    accepted, refused_rows, pending = rows.accept(source, changed, inputs.on)
    carried = pl.concat([known, as_known])
    kept = _amend(inputs, base, folder, before, carried, accepted, changed, deleted)
    refused = pl.concat([rows.cut_refusals(source, cut), refused_keys, refused_rows])
    return {
        "pending": pending, "rows": known.height + work.height + cut.height + refused_keys.height,
        "accepted": carried.height + accepted.height, "carried": carried.height, "worked": changed.height,
        "deleted": len(deleted), "absent": kept["absent_since"].count(),
        **_told(pl.concat([carried["warned"], accepted["warned"]]), {}), **_refused(refused, folder),
    }  # fmt: skip


def _amend(
    inputs: Inputs,
    base: Path,
    folder: Path,
    before: pl.DataFrame,
    carried: pl.DataFrame,
    accepted: pl.DataFrame,
    changed: pl.DataFrame,
    deleted: list[str],
) -> pl.DataFrame:
    """Write the records that came, changed or went; returns those that stay though no accepted row brings them."""
    others = before.join(carried.select(layers.POSITION), on=layers.POSITION, how="anti")
    others = others.join(accepted.select("record_id"), on="record_id", how="anti")
    others = others.filter(~pl.col("record_id").is_in(deleted))
    kept = others
    newly = others.clear()
    if inputs.source.delivery == "full":
        missing = others.join(changed.select("record_id"), on="record_id", how="anti")
        newly = missing.filter(pl.col("absent_since").is_null())
        since = pl.when(pl.col("record_id").is_in(newly["record_id"].implode())).then(
            pl.lit(inputs.on.isoformat())
        )
        kept = others.with_columns(since.otherwise("absent_since").alias("absent_since"))
    back = carried.filter(pl.col("absent_since").is_not_null())
    moved = pl.concat([frame.select("record_id") for frame in (back, newly)])["record_id"]
    fresh = accepted
    if len(moved):
        rewritten = layers.read(base, "records", where=pl.col("record_id").is_in(moved.implode()))
        gone = pl.col("record_id").is_in(newly["record_id"].implode())
        rewritten = rewritten.with_columns(
            absent_since=pl.when(gone).then(pl.lit(inputs.on.isoformat())).otherwise(None)
        )
        fresh = pl.concat([accepted, rewritten.select(accepted.columns)])
    stay = pl.concat([frame.select(layers.POSITION) for frame in (carried, others)])
    rewritten_too = pl.concat([frame.select(layers.POSITION) for frame in (back, newly)])
    stay = stay.join(rewritten_too, on=layers.POSITION, how="anti")
    dead = before.join(stay, on=layers.POSITION, how="anti")[layers.POSITION]
    layers.amend(folder, "records", base, dead, fresh.sort("record_id"), key=["record_id"])
    return kept


def _mended(
    inputs: Inputs, taken: Path, spots: pl.DataFrame, cut: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Take the rows that people mended out of ``spots``, and return them whole, as mended."""
    empty = pl.read_parquet(taken / "rows.parquet", n_rows=0)
    if inputs.mends is None or not inputs.mends.is_file():
        return spots, cut, empty
    bad = spots.join(
        pl.read_parquet(inputs.mends, columns=["mends"]).unique(),
        left_on="hash",
        right_on="mends",
        how="semi",
    )
    mended, cut = rows.mend(inputs.source, _load(taken, bad), cut, inputs.mends)
    return spots.join(bad.select("_file", "_row"), on=["_file", "_row"], how="anti"), cut, mended


def _load(taken: Path, spots: pl.DataFrame) -> pl.DataFrame:
    """Read the rows at ``spots`` (file, row, digest) whole."""
    scan = pl.scan_parquet(taken / "rows.parquet")
    found = scan.filter(pl.col("hash").is_in(spots["hash"].unique().implode())).collect()
    return found.join(spots.select("_file", "_row"), on=["_file", "_row"], how="semi", maintain_order="left")


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
