"""Parse Chinese addresses by rules and gazetteer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from datetime import date

import polars as pl

from chengshu.batch.address.model import FIELDS, ParsedAddress

_SHAPE = re.compile(
    r"(?:(?P<province>[^省市]{2,6}(?:省|自治区)))?(?:(?P<city>[^市区县]{2,6}(?:市|自治州)))?"
    r"(?:(?P<district>[^区县市]{1,7}[区县市旗]))?(?:(?P<street>[^路号]{2,7}?(?:街道|镇|乡)))?"
    r"(?:(?P<community>[^路号]{2,8}?(?:社区|村)))?(?:(?P<road>[^号]{2,9}?(?:路|街|大道|巷|弄)))?"
    r"(?:(?P<number>[\d\-]+号))?(?:(?P<estate>\D{2,12}?(?:小区|花园|苑|工业园)))?(?:(?P<building>\w{1,4}[栋幢座]))?"
    r"(?:(?P<unit>\d+单元))?(?:(?P<floor>\d+[层楼]))?(?:(?P<room>\d+)[室房]?)?(?P<place>.*)"
)


def parse(text: str, *, home: str | None = None, on: date | None = None) -> ParsedAddress:
    """Take one address apart."""
    found = _SHAPE.match(text or "")
    if not text or found is None:
        return ParsedAddress(error="empty")
    return ParsedAddress(**{name: value or None for name, value in found.groupdict().items()})


def parse_many(
    texts: Iterable[str], *, home: str | None = None, on: date | None = None, processes: int | None = None
) -> list[ParsedAddress]:
    """Take many addresses apart, in order."""
    return [parse(text, home=home, on=on) for text in texts]


def parse_column(series: pl.Series, *, home: str | None = None, on: date | None = None) -> pl.DataFrame:
    """Take a column of addresses apart: one column a field, same order."""
    parsed = parse_many(series.to_list(), home=home, on=on)
    names = [*FIELDS, "inferred", "error"]
    assert names == [field.name for field in fields(ParsedAddress)]
    return pl.DataFrame({name: [getattr(row, name) for row in parsed] for name in names}, strict=False)
