"""Standard forms of values, column by column: width, spaces, identifiers, dates, phones, names.

Every function maps a polars text expression to one; what certainly is no value (``无``, ``NULL``) becomes
null; what has no standard form stays as written, for the quality rules to judge.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

_FULL = "".join(chr(code) for code in range(0xFF01, 0xFF5F)) + "\u3000\u00a0\t\r\n"
_HALF = "".join(chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)) + "     "
# Invisible characters that exports leave behind: marks, joiners, soft hyphen.
_INVISIBLE = r"[\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}\u{FEFF}\u{00AD}\x00-\x08\x0B\x0C\x0E-\x1F]"
_NOTHING = [
    "",
    "-",
    "--",
    "/",
    "\\",
    "无",
    "空",
    "不详",
    "未知",
    "暂无",
    "null",
    "none",
    "n/a",
    "na",
    "nan",
    "#n/a",
]
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SCIENTIFIC = r"^[+-]?\d(?:\.\d+)?[eE]\+?\d{1,3}$"
ID_ELEMENTS = ("resident_id", "credit_code", "phone", "owner_id", "legal_representative_id")


def half_width(text: pl.Expr) -> pl.Expr:
    """Full-width letters, digits and signs become half-width; invisible characters go."""
    text = text.str.replace_many(list(_FULL), list(_HALF))
    return text.str.replace_all(_INVISIBLE, "").str.strip_chars()


def nothing_to_null(text: pl.Expr) -> pl.Expr:
    """Words that stand for 'no value' become null."""
    return pl.when(~text.str.to_lowercase().is_in(_NOTHING)).then(text)


def person_name(text: pl.Expr) -> pl.Expr:
    """No blanks between Chinese letters, one interpunct for all, Latin names in capitals."""
    text = text.str.replace_all(r"[•∙・‧●⋅․]", "·").str.replace_all(r"\s+", " ")
    text = text.str.replace_all(r"(\p{Han})\.(\p{Han})", "${1}·${2}")
    text = text.str.replace_all(r"([\p{Han}·]) +", "${1}").str.replace_all(r" +([\p{Han}·])", "${1}")
    return text.str.strip_chars("· ").str.to_uppercase()


def firm_name(text: pl.Expr) -> pl.Expr:
    """Brackets full-width as the register writes them, no blanks between Chinese letters."""
    text = text.str.replace_many(["(", ")", "[", "]", "【", "】"], ["（", "）", "（", "）", "（", "）"])
    text = text.str.replace_all(r"\s+", " ")
    return text.str.replace_all(r"([\p{Han}（）]) +", "${1}").str.replace_all(r" +([\p{Han}（）])", "${1}")


def identifier(text: pl.Expr) -> pl.Expr:
    """Capitals, without blanks, hyphens and leading apostrophe."""
    return text.str.to_uppercase().str.replace_all(r"[\s\-'`’]", "")


def resident_id(text: pl.Expr) -> pl.Expr:
    """Eighteen characters; a 15-digit number of before 1999 is completed with century and check digit."""
    text = identifier(text)
    old = text.str.contains(r"^\d{15}$")
    long = text.str.slice(0, 6) + pl.lit("19") + text.str.slice(6)
    return pl.when(old).then(long + resident_check(long)).otherwise(text)


def resident_check(first17: pl.Expr) -> pl.Expr:
    """Return the check character of the first 17 digits (GB 11643)."""
    total = pl.sum_horizontal(
        first17.str.slice(index, 1).cast(pl.Int32, strict=False) * weight
        for index, weight in enumerate(_WEIGHTS)
    )
    return (total % 11).replace_strict(dict(enumerate(_CHECKS)), default=None, return_dtype=pl.String)


def credit_code(text: pl.Expr) -> pl.Expr:
    """Eighteen characters; I and O never occur in it and are read as the digits they look like."""
    return identifier(text).str.replace_many(["I", "O"], ["1", "0"])


def phone(text: pl.Expr) -> pl.Expr:
    """Digits only, without the country code; the first when several are written."""
    text = (
        text.str.split_exact(";", 1).struct.field("field_0").str.split_exact("、", 1).struct.field("field_0")
    )
    text = text.str.replace_all(r"[^\d]", "")
    text = text.str.replace(r"^(?:00)?86(1\d{10}|0\d{10,11})$", "${1}")
    return pl.when(text != "").then(text)


def date(text: pl.Expr) -> pl.Expr:
    """ISO text ``YYYY-MM-DD`` from the usual spellings and from spreadsheet serials; else as written."""
    plain = text.str.replace(r"[T\s].*$", "").str.replace_all(r"[年月./]", "-").str.strip_chars("日-")
    plain = plain.str.replace(r"^(\d{4})(\d{2})(\d{2})$", "${1}-${2}-${3}")
    written = pl.when(plain.str.contains(r"^\d{4}-")).then(plain).str.to_date("%Y-%m-%d", strict=False)
    serial = text.str.extract(r"^(\d{5})(?:\.\d+)?$").cast(pl.Int32, strict=False)
    # Day 25,569 of a spreadsheet is 1970-01-01. 7,306 is 1920-01-01 and 54,789 is 2050-01-01: a five-digit
    # number outside them is no date.
    counted = pl.when(serial.is_between(7306, 54789)).then(serial - 25569).cast(pl.Date)
    return pl.coalesce(pl.coalesce(written, counted).dt.strftime("%Y-%m-%d"), text)


def sex(text: pl.Expr) -> pl.Expr:
    """男 or 女 from words and from the codes of GB/T 2261.1."""
    words = {
        "1": "男",
        "2": "女",
        "M": "男",
        "F": "女",
        "MALE": "男",
        "FEMALE": "女",
        "男性": "男",
        "女性": "女",
    }
    return text.str.to_uppercase().replace(words)


def yes_no(text: pl.Expr) -> pl.Expr:
    """是 or 否 from the usual words."""
    yes = dict.fromkeys(["1", "Y", "YES", "TRUE", "T", "有"], "是")
    no = dict.fromkeys(["0", "N", "NO", "FALSE", "F", "没有"], "否")
    return text.str.to_uppercase().replace({**yes, **no})


def number(text: pl.Expr) -> pl.Expr:
    """A decimal number without thousands separators and without '.0'; else as written."""
    plain = text.str.replace_all(",", "").str.replace(r"(\.\d*?)0+$", "${1}").str.replace(r"\.$", "")
    sound = plain.str.contains(r"^[+-]?\d+(\.\d+)?$")
    return pl.when(sound).then(plain).otherwise(text)


def plain(text: pl.Expr) -> pl.Expr:
    """Single blanks."""
    return text.str.replace_all(r"\s+", " ")


STANDARD: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "person.name": person_name,
    "person.sex": sex,
    "firm.name": firm_name,
    "firm.legal_representative": person_name,
    "premises.owner_name": person_name,
    "premises.rented": yes_no,
}
BY_LAST: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "resident_id": resident_id,
    "owner_id": resident_id,
    "credit_code": credit_code,
    "phone": phone,
    "birth_date": date,
    "death_date": date,
    "established_on": date,
    "area_m2": number,
    "capacity": number,
    "longitude": number,
    "latitude": number,
}


def standard(element: str, text: pl.Series) -> pl.Series:
    """Return the standard form of a column that carries ``element``."""
    last = element.rsplit(".", 1)[-1]
    form = STANDARD.get(element) or BY_LAST.get(last) or (date if last.endswith(("_on", "_date")) else plain)
    name = text.name
    # Two passes keep the expressions small: polars would repeat the first in every branch of the second.
    frame = text.to_frame().select(half_width(pl.col(name))).select(nothing_to_null(pl.col(name)))
    frame = frame.select(form(pl.col(name)).alias(name))
    return frame.select(pl.when(pl.col(name) != "").then(pl.col(name))).to_series()


def is_resident_id(text: pl.Expr) -> pl.Expr:
    """Whether the text is an identity number that holds: mainland with its check digit, or another form."""
    mainland = text.str.contains(
        r"^[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]$"
    )
    holds = text.str.slice(17, 1) == resident_check(pl.when(mainland).then(text).str.slice(0, 17))
    other = text.str.contains(
        r"^(?:[HM]\d{8}(?:\d{2})?"  # permit of Hong Kong and Macao residents
        r"|\d{8}(?:\d{2})?"  # permit of Taiwan residents
        r"|[A-Z]{3}\d{12}|9\d{17}"  # permanent residence of foreigners, old and new
        r"|[A-Z]{1,2}\d{6,9})$"  # passport
    )
    return (mainland & holds.fill_null(False)) | (other & ~mainland)


def is_credit_code(text: pl.Expr) -> pl.Expr:
    """Whether the text is a unified social credit code with its check character (GB 32100)."""
    shape = text.str.contains(r"^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}$")
    sound = pl.when(shape).then(text)
    index = {char: value for value, char in enumerate(_USCC)}
    total = pl.sum_horizontal(
        sound.str.slice(position, 1).replace_strict(index, default=None, return_dtype=pl.Int32)
        * pow(3, position, 31)
        for position in range(17)
    )
    check = ((31 - total % 31) % 31).replace_strict(
        dict(enumerate(_USCC)), default=None, return_dtype=pl.String
    )
    return shape & (check == sound.str.slice(17, 1)).fill_null(False)


def is_phone(text: pl.Expr) -> pl.Expr:
    """Whether the text is a mobile number, or a fixed one with or without its area code."""
    return text.str.contains(r"^(?:1[3-9]\d{9}|0\d{9,11}|[2-8]\d{6,7}|400\d{7}|[2-9]\d{7})$")


def is_date(text: pl.Expr) -> pl.Expr:
    """Whether the text is an ISO date."""
    return text.str.to_date("%Y-%m-%d", strict=False).is_not_null()


IS_FORMAT: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "resident_id": is_resident_id,
    "credit_code": is_credit_code,
    "phone": is_phone,
    "date": is_date,
    "number": lambda text: text.str.contains(r"^[+-]?\d+(\.\d+)?$"),
    "integer": lambda text: text.str.contains(r"^[+-]?\d+$"),
    "division_code": lambda text: text.str.contains(r"^\d{6}(?:\d{3}){0,2}$"),
}
