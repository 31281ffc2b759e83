"""The generated district as linkage sees it: the departments' rows by element, placed by the matcher, with the truth."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from chengshu.batch.address.library import AddressLibrary
from chengshu.batch.generate.demo import Truth, generate
from chengshu.batch.linkage.spec import read_table
from chengshu.kernel.resources import shipped
from chengshu.kernel.strict_yaml import load_yaml

HOME = "440306"


def district(out: Path, people: int, seed: int) -> Truth:
    """Generate a district of ``people`` into ``out``."""
    return generate(out, people, seed, date(2026, 11, 21))


def records(truth: Truth, kind: str) -> pl.DataFrame:
    """Return record_id, source, the elements of ``kind`` and `truth`; place codes come from the address matcher."""
    tables = []
    for path in sorted(shipped("districts", "baoan", "sources").glob("*/*.yaml")):
        source = load_yaml(path)
        if source["kind"] == kind:
            tables.append(_table(truth.out / source["department"] / source["file"], source, kind))
    frame = pl.concat(tables, how="diagonal")
    rows = truth.rows(kind).select("source", "row", pl.col("entity").alias("truth"))
    frame = frame.join(rows, on=["source", "row"], how="inner", maintain_order="left")
    addresses = frame["address"].drop_nulls().unique(maintain_order=True)
    places = AddressLibrary.from_frame(truth.library).match_many(addresses, home=HOME)
    return frame.join(
        places.select(pl.col("text").alias("address"), "place_code"),
        on="address",
        how="left",
        maintain_order="left",
    )


def _table(path: Path, source: dict, kind: str) -> pl.DataFrame:
    table = read_table(path)
    columns = {
        name: column["element"].removeprefix(f"{kind}.")
        for name, column in source["columns"].items()
        if name in table.columns
    }
    return table.select(pl.col(name).alias(element) for name, element in columns.items()).with_columns(
        pl.lit(source["source"]).alias("source"),
        pl.int_range(1, pl.len() + 1).cast(pl.Int64).alias("row"),
        pl.concat_str(pl.lit(source["source"] + "/"), pl.int_range(1, pl.len() + 1).cast(pl.String)).alias(
            "record_id"
        ),
    )


def pair_scores(found: pl.DataFrame, truth: pl.DataFrame) -> tuple[float, float, float]:
    """Return precision, recall and F1 over pairs of ``found`` (record_id, cluster) against ``truth`` (record_id, truth)."""
    both = found.join(truth.select("record_id", "truth"), on="record_id")

    def pairs(*by: str) -> float:
        return float(both.group_by(by).len().select((pl.col("len") * (pl.col("len") - 1) / 2).sum()).item())

    together, held, true = pairs("cluster", "truth"), pairs("cluster"), pairs("truth")
    precision, recall = together / max(held, 1), together / max(true, 1)
    return precision, recall, 2 * together / max(held + true, 1)
