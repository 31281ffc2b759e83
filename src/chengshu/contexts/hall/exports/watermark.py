"""What a copy is recognised by: a line that one sees, a check code in each row, and the order of the rows. Pure."""

from __future__ import annotations

import datetime as dt
import hmac

from chengshu.kernel.terms import LEGAL_ZONE

CODE_LENGTH = 10


def check_code(fingerprint: str, place: int) -> str:
    """Return the check code of the row that stands at ``place`` of the list, before the rows are put in their order."""
    key = bytes.fromhex(fingerprint)
    return hmac.digest(key, f"row:{place}".encode(), "sha256").hex()[:CODE_LENGTH]


def order_of(fingerprint: str, number: int, first: int = 0) -> list[int]:
    """Return the order in which the rows from ``first`` on are written: another one for each copy, even where the codes
    are cut off."""
    key = bytes.fromhex(fingerprint)
    return sorted(
        range(first, first + number), key=lambda place: hmac.digest(key, f"order:{place}".encode(), "sha256")
    )


def notice(
    number: str, who: str, why: str, at: dt.datetime, expires: dt.datetime, left: int = 0, first: int = 0
) -> str:
    """Return the line that stands at the top and at the end of each file.

    ``left``: how many rows are not in it; ``first``: it has so many from the head of the list, and there are more.
    """
    cut = f"；只含最新的部分，另有 {left} 行没有导出" if left else ""
    cut = f"；只含名单的前 {first} 行，后面的没有导出" if first else cut
    return (
        f"【{number}】由 {who} 于 {_at(at)} 导出；目的：{why}；{_at(expires)} 前用完销毁{cut}。"
        "本文件有水印，可以追溯到人；导出已告知有关当事人。"
    )


def _at(instant: dt.datetime) -> str:
    return instant.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")


def has_code(fingerprint: str, number: int, code: str) -> bool:
    """Return whether a check code belongs to a copy of so many rows."""
    return any(hmac.compare_digest(check_code(fingerprint, place), code) for place in range(number))
