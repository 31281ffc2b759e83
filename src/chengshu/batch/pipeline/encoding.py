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

from chengshu.kernel.problems import Problem, Where

BLOCK = 1 << 22
KNOWN = ("auto", "utf-8", "utf-8-sig", "utf-16", "gbk", "gb2312", "gb18030")
SEPARATOR = b"\x1f"


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


def _decode(row: bytes, name: str) -> str | None:
    try:
        return row.decode(name)
    except UnicodeDecodeError:
        return None


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)
