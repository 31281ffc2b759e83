"""How departments write the addresses of the generated town: in full, shortened, messy, and not at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.generate.address_noise import LEVELS, messy_column
from chengshu.batch.generate.names import take

Ints = NDArray[np.int64]

# How often each kind of mess appears in a messy text.
MESS = {
    "dropped_divisions": 0.45, "dropped_community": 0.35, "dropped_levels": 0.10, "old_streets": 0.03, "aliases": 0.08,
    "typos": 0.03, "dash_forms": 0.15, "other_words": 0.20, "chinese_numerals": 0.06, "missing_suffixes": 0.10,
    "repeated": 0.03, "separators": 0.06, "reversed": 0.005, "extra_poi": 0.03, "full_width": 0.03,
}  # fmt: skip
_NO_ROADS = ("朝晖里路", "彩虹湖路", "望月亭街", "银杏谷路", "白鹭洲大道", "听松坡路", "紫藤巷路", "长乐坊街")


@dataclass(frozen=True, slots=True)
class Texts:
    """For each room of the library its place code and its address in full, short and messy."""

    codes: pl.Series
    full: pl.Series
    short: pl.Series
    messy: pl.Series
    kinds: pl.Series

    def write(self, rooms: Ints, style: Ints) -> tuple[pl.Series, NDArray[np.bool_]]:
        """Return the text of each room in its style (0 full, 1 short, 2 messy) and whether it is not the full one."""
        full = take(self.full, rooms)
        number = pl.Series(style)
        text = pl.select(
            pl.when(number == 1).then(take(self.short, rooms)).when(number == 2).then(take(self.messy, rooms))
            .otherwise(full)
        ).to_series()  # fmt: skip
        return text, (text != full).to_numpy()


def write_texts(library: pl.DataFrame, seed: int) -> Texts:
    """Write every room of ``library`` (rows with a room) in its three styles."""
    rooms = library.filter(pl.col("room").is_not_null())
    parts = rooms.select(LEVELS)
    full = parts.select(pl.concat_str(LEVELS, ignore_nulls=True)).to_series()
    short = rooms.select(
        pl.concat_str(
            [
                pl.col(name).fill_null("")
                for name in ("district", "street", "road", "number", "estate", "building")
            ]
            + [pl.col("unit").fill_null(""), pl.col("room") + "室"]
        )
    ).to_series()
    messy = messy_column(parts, seed=seed, rates=MESS)
    return Texts(rooms["place_code"], full, short, messy["text"], messy["kinds"])


def nowhere(rng: np.random.Generator, rooms: pl.DataFrame, at: Ints) -> pl.Series:
    """Write addresses that exist nowhere: roads of no town, or numbers and storeys that no house has."""
    some = rooms.select("street", "community", "road", "estate", "building")[at]
    count = len(at)
    number = pl.Series(rng.integers(700, 1999, count)).cast(pl.String)
    road = take(pl.Series(_NO_ROADS), rng.integers(0, len(_NO_ROADS), count))
    floor = rng.integers(61, 88, count)
    room = pl.Series(floor * 100 + rng.integers(1, 9, count)).cast(pl.String)
    head = "深圳市宝安区" + some["street"] + some["community"]
    no_road = head + road + number + "号" + pl.Series(rng.integers(101, 909, count)).cast(pl.String)
    whole = some["estate"].is_not_null() & some["building"].is_not_null() & some["road"].is_not_null()
    too_high = head + some["road"] + number + "号" + some["estate"] + some["building"] + room
    usable = whole & pl.Series(rng.random(count) < 0.3)
    return pl.select(pl.when(usable).then(too_high).otherwise(no_road)).to_series()


def neighbours(rng: np.random.Generator, building_row: Ints, rooms: Ints) -> Ints:
    """Return for each room another one of its building, where it has another."""
    first = np.searchsorted(building_row, building_row[rooms])
    count = np.searchsorted(building_row, building_row[rooms], side="right") - first
    step = 1 + rng.integers(0, 1_000_000, len(rooms)) % np.maximum(count - 1, 1)
    other: Ints = first + (rooms - first + step) % count
    return other
