"""The effective record = snapshot ⊕ corrections: the one function through which every reader sees a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, overload

import polars as pl


@overload
def effective(golden: Mapping[str, Any], corrections: Iterable[tuple[str, Any]]) -> dict[str, Any]: ...
@overload
def effective(golden: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame: ...
def effective(
    golden: Mapping[str, Any] | pl.DataFrame, corrections: Iterable[tuple[str, Any]] | pl.DataFrame
) -> dict[str, Any] | pl.DataFrame:
    """Lay corrections over what the sources say; the last correction of an element holds, null means "there is none".

    For one record: ``golden`` maps element to value, ``corrections`` are (element, value) in the order they were
    made. For many: ``golden`` has subject_id and a column for each element, ``corrections`` has subject_id, element,
    value in the order they were made; corrections of subjects or elements that ``golden`` lacks wait and change nothing.
    """
    if isinstance(golden, pl.DataFrame):
        if not isinstance(corrections, pl.DataFrame):
            raise TypeError("a frame of records takes a frame of corrections")
        return _columns(golden, corrections)
    return _one(golden, corrections)


def _one(golden: Mapping[str, Any], corrections: Any) -> dict[str, Any]:
    record = dict(golden)
    for element, value in corrections:
        record[element] = value
    return record


def _columns(golden: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    last = corrections.unique(["subject_id", "element"], keep="last", maintain_order=True)
    for (element,), values in last.partition_by("element", as_dict=True, maintain_order=True).items():
        if element not in golden.columns:
            continue
        values = values.select(
            "subject_id",
            pl.col("value").cast(golden.schema[element], strict=False).alias("__corrected"),
            pl.lit(True).alias("__touched"),
        )
        golden = (
            golden.join(values, on="subject_id", how="left", maintain_order="left")
            .with_columns(pl.when("__touched").then("__corrected").otherwise(element).alias(element))
            .drop("__corrected", "__touched")
        )
    return golden
