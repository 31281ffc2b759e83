"""What a copy is recognised by: a line that one sees, a check code in each row, and the order of the rows. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import io
from collections.abc import Sequence

from chengshu.kernel.spreadsheet import csv_lines
from chengshu.kernel.terms import LEGAL_ZONE

CODE_LENGTH = 10


def check_code(fingerprint: str, place: int) -> str:
    """Return the check code of the row that stands at ``place`` of the list, before the rows are put in their order."""
    key = bytes.fromhex(fingerprint)
    return hmac.new(key, f"row:{place}".encode(), hashlib.sha256).hexdigest()[:CODE_LENGTH]


def order_of(fingerprint: str, number: int) -> list[int]:
    """Return the order in which the rows are written: another one for each copy, even where the codes are cut off."""
    key = bytes.fromhex(fingerprint)
    return sorted(
        range(number), key=lambda place: hmac.new(key, f"order:{place}".encode(), hashlib.sha256).digest()
    )


def notice(number: str, who: str, why: str, at: dt.datetime, expires: dt.datetime, left: int = 0) -> str:
    """Return the line that stands at the top and at the end of each file; ``left``: how many rows are not in it."""
    cut = f"；只含最新的部分，另有 {left} 行没有导出" if left else ""
    return (
        f"【{number}】由 {who} 于 {_at(at)} 导出；目的：{why}；{_at(expires)} 前用完销毁{cut}。"
        "本文件有水印，可以追溯到人；导出已告知有关当事人。"
    )


def _at(instant: dt.datetime) -> str:
    return instant.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")


def write(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    fingerprint: str,
    line: str,
    *,
    head_first: bool = False,
) -> bytes:
    """Return the file: the line, the head, the rows in the order of this copy with their check codes, the line again.

    ``head_first``: without the line above the head, for a file that a program reads back.
    """
    out = io.StringIO()
    table: list[list[object]] = [] if head_first else [[line]]
    table.append([*columns, "校验码"])
    table += [[*rows[place], check_code(fingerprint, place)] for place in order_of(fingerprint, len(rows))]
    for text in csv_lines([*table, [line]]):
        out.write(text)
    return out.getvalue().encode()


def has_code(fingerprint: str, number: int, code: str) -> bool:
    """Return whether a check code belongs to a copy of so many rows."""
    return any(hmac.compare_digest(check_code(fingerprint, place), code) for place in range(number))
