"""Codes, telephone numbers and dates made comparable, column by column (Polars expressions, no Python loop)."""

from __future__ import annotations

import polars as pl

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# What people type to get past a required field.
_FILLERS = r"^(?:0+|1+|9+|X+|12345.*|123123.*|11111.*|NULL|NONE|NA|N/A|无|不详|未知)$"


def half_width(values: pl.Expr) -> pl.Expr:
    """Return text in half width and upper case without blanks and hyphens; blank and fillers become null."""
    bare = values.cast(pl.String).str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[\s\-'`]", "")
    return pl.when((bare == "") | bare.str.contains(_FILLERS)).then(None).otherwise(bare)


def resident_ids(values: pl.Series) -> pl.Series:
    """Return resident IDs as written today: an ID of 15 digits gets its century and check character."""
    bare = pl.DataFrame({"v": values}).select(half_width(pl.col("v")).str.strip_suffix(".0")).to_series()
    short = bare.filter(bare.str.contains(r"^\d{15}$")).unique().to_frame("v")
    if short.is_empty():
        return bare.alias(values.name)
    long = short.select(
        pl.concat_str(pl.col("v").str.slice(0, 6), pl.lit("19"), pl.col("v").str.slice(6)).alias("v")
    )
    whole = long.select(pl.concat_str(pl.col("v"), _id_check(pl.col("v")))).to_series()
    return bare.replace(short.to_series(), whole).alias(values.name)


def _id_check(first17: pl.Expr) -> pl.Expr:
    total = pl.sum_horizontal(
        first17.str.slice(index, 1).cast(pl.Int32, strict=False) * weight
        for index, weight in enumerate(_ID_WEIGHTS)
    )
    return (total % 11).replace_strict(list(range(11)), list(_ID_CHECK), return_dtype=pl.String, default=None)


def resident_id_valid(ids: pl.Expr) -> pl.Expr:
    """Say whether an 18-character resident ID has a possible birth date and the right check character."""
    birth = ids.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    shape = ids.str.contains(r"^[1-9]\d{16}[\dX]$")
    possible = birth.is_between(pl.date(1850, 1, 1), pl.date(2100, 1, 1))
    return (shape & possible & (_id_check(ids) == ids.str.slice(17, 1))).fill_null(False)


def credit_code(values: pl.Expr) -> pl.Expr:
    """Return unified social credit codes; the letters that the code never uses become the digits they look like."""
    return half_width(values).str.replace_all("O", "0").str.replace_all("I", "1").str.replace_all("Z", "2")


def credit_code_valid(codes: pl.Expr) -> pl.Expr:
    """Say whether a unified social credit code has the right shape and check character (GB 32100-2015)."""
    numbers = list(range(len(_CREDIT_ALPHABET)))
    letters = list(_CREDIT_ALPHABET)
    total = pl.sum_horizontal(
        codes.str.slice(index, 1).replace_strict(letters, numbers, return_dtype=pl.Int32, default=None)
        * weight
        for index, weight in enumerate(_CREDIT_WEIGHTS)
    )
    check = ((31 - total % 31) % 31).replace_strict(numbers, letters, return_dtype=pl.String, default=None)
    shape = codes.str.contains(r"^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}$")
    return (shape & (check == codes.str.slice(17, 1))).fill_null(False)


def phone(values: pl.Expr) -> pl.Expr:
    """Return the first telephone number's digits without country code; too short or a filler becomes null."""
    first = values.cast(pl.String).str.normalize("NFKC").str.split_exact(";", 1).struct.field("field_0")
    first = first.str.replace(r"[,，、/].*$", "").str.replace(r"\.0$", "")
    digits = first.str.replace(r"^\s*(\+|00)?86[\s-]?", "").str.replace_all(r"\D", "")
    filler = digits.str.contains(r"^(?:0+|1+|12345678\d*|1[3-9]0{9}|1[3-9]1{9}|13800138000|13800000000)$")
    return pl.when((digits.str.len_chars() < 7) | filler).then(None).otherwise(digits)


def iso_date(values: pl.Expr) -> pl.Expr:
    """Return dates as YYYY-MM-DD text from the forms that files carry; what is no date becomes null."""
    bare = values.cast(pl.String).str.normalize("NFKC").str.strip_chars()
    parts = bare.str.extract_groups(r"^(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[T ].*)?$")
    ymd = pl.concat_str(
        parts.struct.field("1"),
        parts.struct.field("2").str.zfill(2),
        parts.struct.field("3").str.zfill(2),
        separator="-",
    )
    serial = pl.when(bare.str.contains(r"^[2-4]\d{4}(\.0+)?$")).then(bare.cast(pl.Float64, strict=False))
    # Excel counts days from 1899-12-30 (its leap-year error included) from March 1900 on.
    excel = (pl.date(1899, 12, 30) + pl.duration(days=serial.cast(pl.Int64))).dt.to_string("%Y-%m-%d")
    filler = ymd.is_in(["1900-01-01", "1901-01-01", "1970-01-01", "9999-12-31", "0001-01-01"])
    return pl.when(filler).then(None).otherwise(pl.coalesce(ymd, excel)).name.keep()


def sex(values: pl.Expr) -> pl.Expr:
    """Return M or F; other codes become null."""
    bare = half_width(values).str.replace_all("性", "")
    male, female = ["男", "M", "MALE", "1"], ["女", "F", "FEMALE", "2"]
    # "1" is a filler elsewhere and is male here, so it is looked at before fillers are dropped.
    one = values.cast(pl.String).str.strip_chars() == "1"
    return (
        pl.when(bare.is_in(male) | one)
        .then(pl.lit("M"))
        .when(bare.is_in(female))
        .then(pl.lit("F"))
        .otherwise(None)
    )
