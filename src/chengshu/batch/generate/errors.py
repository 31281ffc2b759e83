"""Errors put on columns of values, a mask of rows at a time; each remembers which rows it touched."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.generate.address_noise import wrong_character

Bools = NDArray[np.bool_]

_LOOKALIKE = dict(
    pair
    for a, b in (
        "辰晨", "杨扬", "肖萧", "付傅", "陈阵", "李季", "张弛", "周同", "吴昊", "胡湖", "罗萝", "郑邓", "梁粱", "曾曹", "彭膨",
        "蔡葵", "潘播", "袁哀", "于干", "余佘", "魏巍", "田由", "沈沉", "范犯", "江汪", "卢户", "戴载", "姚桃", "方万", "邱丘",
        "夏复", "谭潭", "石右", "秦泰", "侯候", "雷雪", "龙尤", "史吏", "毛手", "顾颀", "赖懒", "贺货", "洪供", "龚袭", "丽俪",
        "芳劳", "娜姗", "敏每", "静净", "艳绝", "玲铃", "英芙", "兰三", "梅海", "云去", "莲连", "雪雷", "婷停", "莹萤", "欣忻",
        "浩洁", "杰木", "涛海", "明朋", "平干", "辉挥", "鹏腾", "华毕", "飞气", "波破", "斌赋", "宇字", "凯岂", "健建", "俊峻",
    )
    for pair in ((a, b), (b, a))
)  # fmt: skip
_DOTS = ("•", "．", ".", "・", "")


class Marks:
    """Which rows carry which kind of error."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._masks: dict[str, Bools] = {}

    def add(self, kind: str, mask: Bools) -> None:
        """Note that the rows of ``mask`` carry ``kind``."""
        self._masks[kind] = self._masks.get(kind, np.zeros(self.rows, dtype=bool)) | mask

    def has(self, kind: str) -> Bools:
        """Return the rows that carry ``kind``."""
        return self._masks.get(kind, np.zeros(self.rows, dtype=bool))

    def column(self) -> pl.Series:
        """Return the kinds of each row, joined by commas."""
        parts = [
            pl.when(pl.Series(mask)).then(pl.lit(kind + ",")).otherwise(pl.lit(""))
            for kind, mask in sorted(self._masks.items())
        ]
        if not parts:
            return pl.Series([""] * self.rows, dtype=pl.String)
        return pl.select(pl.concat_str(parts).str.strip_chars_end(",")).to_series()


def choose(rng: np.random.Generator, among: Bools, rate: float) -> Bools:
    """Draw a share ``rate`` of the rows of ``among``."""
    mask: Bools = among & (rng.random(len(among)) < rate)
    return mask


def replace(column: pl.Series, mask: Bools, change: Callable[[str], str | None]) -> tuple[pl.Series, Bools]:
    """Apply ``change`` to the texts of ``mask``; returns the column and the rows that did change."""
    at = np.flatnonzero(mask & column.is_not_null().to_numpy())
    before = column.gather(pl.Series(at, dtype=pl.UInt32)).to_list()
    after = [change(text) for text in before]
    changed = np.array(
        [new is not None and new != old for new, old in zip(after, before, strict=True)], dtype=bool
    )
    touched = np.zeros(len(column), dtype=bool)
    if not changed.any():
        return column, touched
    touched[at[changed]] = True
    values = pl.Series([new for new, really in zip(after, changed, strict=True) if really], dtype=pl.String)
    return column.scatter(pl.Series(at[changed], dtype=pl.UInt32), values), touched


def blank(column: pl.Series, mask: Bools) -> pl.Series:
    """Make the rows of ``mask`` empty."""
    return pl.select(pl.when(pl.Series(~mask)).then(column)).to_series()


def put(column: pl.Series, mask: Bools, other: pl.Series) -> pl.Series:
    """Take ``other`` in the rows of ``mask``."""
    return pl.select(pl.when(pl.Series(mask)).then(other).otherwise(column)).to_series()


def homophone(rng: random.Random) -> Callable[[str], str | None]:
    """Write one character of a name as another of the same sound."""

    def change(name: str) -> str | None:
        at = rng.randrange(len(name))
        if not "一" <= name[at] <= "鿿":
            return None
        other = wrong_character(name[at], rng)
        return name[:at] + other + name[at + 1 :] if other else None

    return change


def lookalike(name: str) -> str | None:
    """Write the first character that has a lookalike as that one."""
    for at, character in enumerate(name):
        if character in _LOOKALIKE:
            return name[:at] + _LOOKALIKE[character] + name[at + 1 :]
    return None


def spaced(name: str) -> str:
    """Put spaces into a name, as forms with boxes do."""
    return f"{name[0]} {name[1:]}" if len(name) > 2 else f"{name[0]}　{name[1:]}"


def without_rare(rng: random.Random, rare: frozenset[str]) -> Callable[[str], str | None]:
    """Replace a rare character by what an old terminal could write."""

    def change(name: str) -> str | None:
        if not any(character in rare for character in name):
            return None
        stand_in = rng.choice(["?", "*", "X", "□", ""])
        return "".join(stand_in if character in rare else character for character in name)

    return change


def other_dot(rng: random.Random) -> Callable[[str], str | None]:
    """Write the dot of a name in another way, or leave it out."""
    return lambda name: name.replace("·", rng.choice(_DOTS)) if "·" in name else None


def transposed(rng: random.Random) -> Callable[[str], str | None]:
    """Swap two different neighbouring digits."""

    def change(number: str) -> str | None:
        spots = [at for at in range(len(number) - 1) if number[at] != number[at + 1]]
        if not spots:
            return None
        at = rng.choice(spots)
        return number[:at] + number[at + 1] + number[at] + number[at + 2 :]

    return change


def other_digit(rng: random.Random) -> Callable[[str], str | None]:
    """Write one digit wrongly."""

    def change(number: str) -> str | None:
        spots = [at for at, character in enumerate(number) if character.isdigit()]
        if not spots:
            return None
        at = rng.choice(spots)
        wrong = rng.choice([digit for digit in "0123456789" if digit != number[at]])
        return number[:at] + wrong + number[at + 1 :]

    return change


def fifteen(number: str) -> str | None:
    """Return the first-generation form of an 18-digit resident ID."""
    return number[:6] + number[8:17] if len(number) == 18 and number[6:8] == "19" else None
