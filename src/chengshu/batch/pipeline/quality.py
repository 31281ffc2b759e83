"""Quality rules: which standardised rows are refused or warned about, and why."""

from __future__ import annotations

import datetime as dt

import polars as pl

from chengshu.batch.declarations import Rule, Source
from chengshu.batch.pipeline import values

# One complaint about one row: refuse keeps the row out.
COMPLAINTS = {
    "index": pl.UInt32,
    "field": pl.String,
    "code": pl.String,
    "refuse": pl.Boolean,
    "until": pl.String,
}


def standard_columns(source: Source, raw: pl.DataFrame) -> pl.DataFrame:
    """Return the raw frame with every declared column in its standard form, under its declared name."""
    return raw.with_columns(values.standard(column.element, raw[column.name]) for column in source.columns)


def complaints(source: Source, frame: pl.DataFrame, raw: pl.DataFrame, on: dt.date) -> pl.DataFrame:
    """Judge standardised rows (``frame``, with the same rows as written in ``raw``); rows are named by index.

    ``until`` is set where a refusal ends by itself: a date that lies in the future today.
    """
    found = [_scientific(source, raw)]
    for column in source.columns:
        if column.required:
            found.append(_flag(frame, pl.col(column.name).is_null(), column.name, "required", True))
        if column.element.endswith((".longitude", ".latitude")):
            bad = _off_the_map(column.element, pl.col(column.name))
            found.append(_flag(frame, bad, column.name, "coordinates", True))
    for rule in source.rules:
        if rule.rule != "unique":  # judged over the whole table, where carried rows are known too
            found += _apply(rule, frame, on)
    # A required column that a rule requires too is one complaint.
    return pl.concat(found).unique(maintain_order=True)


def _flag(
    frame: pl.DataFrame, condition: pl.Expr, field: str, code: str, refuse: bool, until: pl.Expr | None = None
) -> pl.DataFrame:
    return (
        frame.with_row_index("index")
        .filter(condition.fill_null(False))
        .select(
            pl.col("index").cast(pl.UInt32),
            pl.lit(field).alias("field"),
            pl.lit(code).alias("code"),
            pl.lit(refuse).alias("refuse"),
            (until if until is not None else pl.lit(None, dtype=pl.String)).alias("until"),
        )
    )


def _scientific(source: Source, raw: pl.DataFrame) -> pl.DataFrame:
    """A number that a spreadsheet turned into 4.40306E+17 has lost digits: nobody can mend it but the department."""
    ids = [c.name for c in source.columns if c.element.rsplit(".", 1)[-1] in values.ID_ELEMENTS]
    names = list(dict.fromkeys([*source.key, *ids]))
    return pl.concat(
        [pl.DataFrame(schema=COMPLAINTS)]
        + [
            _flag(
                raw,
                pl.col(name).str.strip_chars().str.contains(values.SCIENTIFIC),
                name,
                "scientific-notation",
                True,
            )
            for name in names
        ]
    )


def _off_the_map(element: str, text: pl.Expr) -> pl.Expr:
    low, high = (70.0, 140.0) if element.endswith("longitude") else (0.0, 56.0)
    number = text.cast(pl.Float64, strict=False)
    return text.is_not_null() & ~number.is_between(low, high).fill_null(False)


def _apply(rule: Rule, frame: pl.DataFrame, on: dt.date) -> list[pl.DataFrame]:
    refuse = rule.severity == "refuse"
    found = []
    for name in rule.columns:
        code = f"format-{rule.format}" if rule.rule == "format" else rule.rule
        until = pl.col(name) if rule.rule == "not_after_today" else None
        found.append(_flag(frame, _broken(rule, pl.col(name), on), name, code, refuse, until))
    return found


def _broken(rule: Rule, text: pl.Expr, on: dt.date) -> pl.Expr:
    """Return the condition under which a value breaks the rule; a missing value breaks only ``required``."""
    if rule.rule == "required":
        return text.is_null()
    if rule.rule == "format":
        return text.is_not_null() & ~values.IS_FORMAT[str(rule.format)](text).fill_null(False)
    if rule.rule == "not_after_today":
        return values.is_date(text) & (text > on.isoformat())
    if rule.rule == "not_before":
        return text < pl.col(str(rule.than))
    if rule.rule == "one_of":
        return text.is_not_null() & ~text.is_in(list(rule.values))
    measured = (
        text.str.len_chars().cast(pl.Float64)
        if rule.rule == "length"
        else text.cast(pl.Float64, strict=False)
    )
    broken = measured.is_null() & text.is_not_null()
    if rule.min is not None:
        broken |= measured < rule.min
    if rule.max is not None:
        broken |= measured > rule.max
    return broken
