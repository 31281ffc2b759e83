"""Which characters a file holds: UTF-8 with or without mark, UTF-16, GB18030 (GBK is in it), or a mixture.

The whole file is judged, not a sample: a table exported by two systems turns from one encoding to the other
in the middle. A file that is not UTF-8 from end to end is decoded row by row. Reading stays bytes until the
cells are cut, because no GB18030 character contains the byte of a comma, a quote or a line end.
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chengshu.kernel.problems import Problem, Where

BLOCK = 1 << 22
KNOWN = ("auto", "utf-8", "utf-8-sig", "utf-16", "gbk", "gb2312", "gb18030")
SEPARATOR = b"\x1f"
_BETWEEN = b"\x1e"
_CHINESE = r"[\x{4e00}-\x{9fff}]"


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass over a file's bytes found."""

    digest: str
    size: int
    encoding: str  # utf-8 | utf-16 | by-row


def scan(path: Path, declared: str = "auto") -> Scan:
    """Digest the file and judge its encoding in one pass; the bytes go before what was declared."""
    if declared.lower() not in KNOWN:
        raise Problem(
            "encoding-unknown",
            f"The encoding '{declared}' is not known",
            where=Where(file=str(path)),
            remedy=f"one of: {', '.join(KNOWN)}",
        )
    sha, trial = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")("strict")
    size, head, fits = 0, b"", True
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            head = head or block[:4]
            sha.update(block)
            size += len(block)
            fits = fits and _decodes(trial, block)
    fits = fits and _decodes(trial, b"", final=True)
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or declared.lower() == "utf-16"
    return Scan(sha.hexdigest(), size, "utf-16" if wide else "utf-8" if fits else "by-row")


def _decodes(trial: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        trial.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def decode_row(row: bytes) -> tuple[str, str] | None:
    """Decode one row (cells joined by ``SEPARATOR``) and name its encoding; None when nothing fits.

    UTF-8 when it fits and reads as Chinese, else GB18030. Short GBK words can happen to be well-formed UTF-8
    (the bytes of 女 are also one Latin letter), so Chinese letters decide.
    """
    if row.isascii():
        return row.decode("ascii"), "utf-8"
    narrow = _decode(row, "utf-8")
    if narrow is not None and _has_chinese(narrow):
        return narrow, "utf-8"
    wide = _decode(row, "gb18030")
    if wide is not None and (narrow is None or _has_chinese(wide)):
        return wide, "gb18030"
    return (narrow, "utf-8") if narrow is not None else None


def decode_rows(rows: pl.Series) -> tuple[pl.Series, set[str]]:
    """Do what ``decode_row`` does for many rows at once; returns the texts (null where nothing fits) and the encodings met."""
    narrow = _narrow(rows)
    plain = narrow.str.len_bytes() == narrow.str.len_chars()
    sure = (plain | narrow.str.contains(_CHINESE)).fill_null(False)
    if sure.all():
        return narrow, {"utf-8"} if len(rows) else set()
    doubtful = rows.filter(~sure)
    wide = _wide(doubtful.to_list())
    own = narrow.filter(~sure)
    as_wide = wide.is_not_null() & (own.is_null() | wide.str.contains(_CHINESE).fill_null(False))
    decided = pl.DataFrame({"own": own, "wide": wide}).select(
        pl.when(as_wide).then("wide").otherwise("own").alias("text")
    )["text"]
    text = narrow.scatter((~sure).arg_true(), decided)
    met = {"gb18030"} if as_wide.any() else set()
    if sure.any() or (~as_wide & own.is_not_null()).any():
        met.add("utf-8")
    return text, met


def _narrow(rows: pl.Series) -> pl.Series:
    try:
        return rows.cast(pl.String)
    except pl.exceptions.ComputeError:  # some are not UTF-8: look at each
        return pl.Series(rows.name, [_decode(row, "utf-8") for row in rows.to_list()], dtype=pl.String)


def _wide(rows: list[bytes]) -> pl.Series:
    """Decode rows as GB18030, in one go where all fit: no character of it contains the byte that is put between them."""
    whole = _decode(_BETWEEN.join(rows), "gb18030")
    texts = whole.split(_BETWEEN.decode()) if whole is not None else []
    found = texts if len(texts) == len(rows) else [_decode(row, "gb18030") for row in rows]
    return pl.Series("wide", found, dtype=pl.String)


def _decode(row: bytes, name: str) -> str | None:
    try:
        return row.decode(name)
    except UnicodeDecodeError:
        return None


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)
