"""Any table's columns made comparable: which kind of value a column holds, its standard form, its levels and keys.

The kinds of value and not the names of the columns decide how they are compared, so a table from anywhere can be
linked: names in Chinese or Latin script, codes, dates, postcodes, categories and free text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from chengshu.batch.linkage import codes, text
from chengshu.batch.linkage.levels import Comparison, Level, birth, firm_name, near, person_name, phone

# Elements whose values' kind is known by name; any other is looked at.
_KNOWN = {
    "resident_id": "code",
    "credit_code": "code",
    "phone": "phone",
    "birth_date": "date",
    "sex": "category",
    "given_name": "part",
    "surname": "part",
    "name": "name",
    "legal_representative": "name",
    "postcode": "postcode",
}
_FEW = 12
# Kinds of value that the departments' models compare as well.
_TAKEN_OVER: dict[str, Callable[[str], Comparison]] = {
    "cjk-name": lambda column: person_name(column, f"{column}_reading"),
    "firm-name": lambda column: firm_name(column, f"{column}_reading"),
    "date": birth,
    "phone": phone,
}


@dataclass(frozen=True)
class Field:
    """One element of a table in standard form: ``column`` holds it, ``value`` is the kind of value."""

    element: str
    column: str
    value: str


def standard_fields(kind: str, table: pl.DataFrame) -> tuple[pl.DataFrame, list[Field]]:
    """Return the standard frame of ``table`` (a text column for each element) and its fields.

    A column of nothing but blanks, or of one value, tells nothing and is left out.
    """
    columns: dict[str, pl.Series] = {}
    fields: list[Field] = []
    for element in table.columns:
        value = _kind_of_value(kind, element, table[element])
        column = f"f_{element}"
        series = _standard(element, value, table[element]).alias(column)
        if series.drop_nulls().n_unique() < 2:
            continue
        columns[column] = series
        if value in ("cjk-name", "firm-name"):
            columns[f"{column}_reading"] = text.mapped(series, text.pinyin)
        fields.append(Field(element, column, value))
    return pl.DataFrame([s.alias(name) for name, s in columns.items()]), fields


def _kind_of_value(kind: str, element: str, values: pl.Series) -> str:
    present = values.drop_nulls().cast(pl.String)
    sample = present.head(2000)
    chinese = sample.len() > 0 and sample.str.contains(r"\p{Han}").mean() > 0.5  # type: ignore[operator]
    known = _KNOWN.get(element)
    if known == "name":
        if kind == "firm" and element == "name":
            return "firm-name" if chinese else "text"
        return "cjk-name" if chinese else "name"
    if known:
        return known
    if present.n_unique() <= _FEW:
        return "category"
    if sample.str.contains(r"^\s*\d{4}[-/.年]?[01]?\d[-/.月]?[0-3]?\d日?\s*$").mean() > 0.9:  # type: ignore[operator]
        return "date"
    if not chinese and sample.str.contains(r"\d").mean() > 0.9 and sample.str.len_chars().max() <= 24:  # type: ignore
        return "code" if present.n_unique() > 0.5 * present.len() else "number"
    return "text"


def _standard(element: str, value: str, series: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"v": series.cast(pl.String)})
    column = pl.col("v")
    if element == "resident_id":
        return codes.resident_ids(series.cast(pl.String))
    if value == "date":
        return frame.select(codes.iso_date(column)).to_series()
    if value == "phone":
        return frame.select(codes.phone(column)).to_series()
    if value in ("code", "postcode", "number"):
        return frame.select(codes.half_width(column)).to_series()
    if value in ("cjk-name", "name", "part"):
        return text.mapped(frame["v"], text.person_name)
    if value == "firm-name":
        return text.mapped(frame["v"], text.firm_core)
    return text.mapped(frame["v"], text.written)


def comparison(field: Field, fields: list[Field]) -> Comparison:
    """Return the levels at which two values of ``field`` are compared."""
    c = field.column
    same = Level("same", f"{c}_l = {c}_r", 0.75, 0.005)
    otherwise = Level("otherwise", "ELSE", 0.1, 0.95)
    levels: tuple[Level, ...]
    if field.value in _TAKEN_OVER:
        return replace(
            _TAKEN_OVER[field.value](c), name=field.element, frequency=None if field.value == "phone" else c
        )
    if field.value == "category":
        levels = (same, otherwise)
    elif field.value in ("code", "number"):
        two = (Level("two-digits", f"length({c}_l) >= 6 and edits({c}_l, {c}_r) <= 2", 0.03, 1e-4),)
        one = Level("one-digit", f"length({c}_l) >= 3 and {near(c)}", 0.1, 1e-3)
        levels = (same, one, *(two if field.value == "code" else ()), otherwise)
    elif field.value == "postcode":
        levels = (same, Level("one-digit", near(c), 0.08, 5e-3), *_prefixes(c), otherwise)
    elif field.value == "name":
        levels = (same, *_words(c), otherwise)
    else:
        levels = (same, *_swapped(field, fields), *_letters(c), otherwise)
    return Comparison(field.element, (c,), levels, frequency=c)


def _prefixes(c: str) -> tuple[Level, ...]:
    return tuple(
        Level(
            code,
            f"length({c}_l) >= 5 and left({c}_l, length({c}_l) - {n}) = left({c}_r, length({c}_r) - {n})",
            m,
            u,
        )
        for code, n, m, u in (("same-sector", 2, 0.05, 2e-3), ("same-district", 3, 0.03, 0.01))
    )


def _letters(c: str) -> tuple[Level, ...]:
    return (
        Level("one-character", f"length({c}_l) >= 4 and {near(c)}", 0.08, 1e-3),
        Level("alike", f"jaro_winkler_similarity({c}_l, {c}_r) >= 0.88", 0.05, 2e-3),
        Level("somewhat-alike", f"jaro_winkler_similarity({c}_l, {c}_r) >= 0.7", 0.05, 0.05),
    )


def _words(c: str) -> tuple[Level, ...]:
    return (
        Level("same-words", f"same_words({c}_l, {c}_r) >= 0.999", 0.05, 1e-4),
        Level("one-character", f"length({c}_l) >= 5 and {near(c)}", 0.05, 2e-4),
        Level("part", f"shared_words({c}_l, {c}_r) >= 2", 0.05, 1e-3),
        Level("alike", f"same_words({c}_l, {c}_r) >= 0.85", 0.05, 1e-3),
        Level("one-word-shared", f"shared_words({c}_l, {c}_r) >= 1", 0.05, 0.02),
        Level("somewhat-alike", f"same_words({c}_l, {c}_r) >= 0.6", 0.03, 0.05),
    )


def _swapped(field: Field, fields: list[Field]) -> tuple[Level, ...]:
    """Given name and surname written into each other's column."""
    parts = {one.element: one.column for one in fields if one.value == "part"}
    if field.element not in parts or len(parts) < 2:
        return ()
    a, b = parts.values()
    return (Level("swapped", f"{a}_l = {b}_r and {b}_l = {a}_r", 0.01, 1e-5),)
