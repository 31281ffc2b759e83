"""Firms of the generated town: registered where they work, where they do not, and a few dozen in one flat."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.generate import identities, names
from chengshu.batch.generate.people import NOBODY
from chengshu.batch.generate.town import Town

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def build_firms(town: Town, people: pl.DataFrame, as_of: date, rng: np.random.Generator) -> pl.DataFrame:
    """Found about 12 firms for each 100 residents; one row each, ``entity`` counts from 0."""
    count = max(12, int(people.height * 0.12))
    self_employed = rng.random(count) < 0.34
    frame = _names(count, self_employed, rng)
    home, crowded = _premises(town, frame["works_in"].to_numpy(), people.height, rng)
    adults = np.flatnonzero((people["birth_date"] < date(as_of.year - 22, 1, 1)).to_numpy())
    legal = rng.choice(adults, count)
    today = np.datetime64(as_of)
    moved, second = rng.random(count) < 0.09, rng.random(count) < 0.042
    renamed = rng.random(count) < 0.045
    units = np.flatnonzero(town.rooms["use"].is_in(["办公", "厂房", "商铺"]).to_numpy())
    own_phone = identities.phones(rng, count)
    shares = pl.Series(rng.random(count) < 0.35)
    former = _full_name(self_employed, names.trade_names(rng, count), frame["line"])
    ago = rng.integers(30, 600, count).astype("timedelta64[D]")
    status = rng.choice(["存续", "注销", "吊销"], count, p=[0.93, 0.05, 0.02])
    return frame.with_columns(
        entity=pl.Series(np.arange(count)),
        credit_code=identities.credit_codes(rng, count, self_employed),
        legal_entity=pl.Series(legal),
        legal_representative=names.take(people["name"], legal),
        former_legal=names.take(people["name"], rng.choice(adults, count)),
        phone=pl.select(
            pl.when(shares).then(names.take(people["phone"], legal)).otherwise(own_phone)
        ).to_series(),
        established_on=pl.Series(
            (today - rng.integers(90, 7000, count).astype("timedelta64[D]")).astype("datetime64[D]")
        ),
        status=pl.Series(status),
        home=pl.Series(home),
        crowded=pl.Series(crowded),
        second_home=pl.Series(np.where(second & ~crowded, rng.choice(units, count), NOBODY)),
        former_home=pl.Series(np.where(moved & ~crowded, rng.choice(units, count), NOBODY)),
        moved_on=pl.Series((today - ago).astype("datetime64[D]")),
        former_name=pl.select(pl.when(pl.Series(renamed)).then(former)).to_series(),
        renamed_on=pl.Series((today - ago).astype("datetime64[D]")),
    )


def _names(count: int, self_employed: Bools, rng: np.random.Generator) -> pl.DataFrame:
    """Draw distinct firm names: region, trade name, line, form."""
    trades = [*names.INDUSTRIES, *names.SHOPS]
    line = np.where(
        self_employed,
        len(names.INDUSTRIES) + rng.integers(0, len(names.SHOPS), count),
        rng.integers(0, len(names.INDUSTRIES), count),
    )
    word, industry, works = (pl.Series([trade[part] for trade in trades]) for part in range(3))
    trade = names.trade_names(rng, count)
    name = _full_name(self_employed, trade, names.take(word, line))
    repeat = name.is_duplicated()
    while repeat.any():  # a register holds each name once: a further character tells them apart
        extra = names.take(pl.Series(list(names.TRADE_FIRST)), rng.integers(0, len(names.TRADE_FIRST), count))
        trade = pl.select(pl.when(repeat).then(trade + extra).otherwise(trade)).to_series()
        name = _full_name(self_employed, trade, names.take(word, line))
        repeat = name.is_duplicated()
    return pl.DataFrame(
        {
            "name": name,
            "trade": trade,
            "line": names.take(word, line),
            "industry": names.take(industry, line),
            "works_in": names.take(works, line),
            "self_employed": self_employed,
        }
    )


def _full_name(self_employed: Bools, trade: pl.Series, line: pl.Series) -> pl.Series:
    region = pl.Series(np.where(self_employed, "深圳市宝安区", "深圳市"))
    return region + trade + line + pl.Series(np.where(self_employed, "", "有限公司"))


def _premises(
    town: Town, works_in: NDArray[np.object_], people: int, rng: np.random.Generator
) -> tuple[Ints, Bools]:
    """Choose a room for each firm: one that fits its work, else a home; a few flats hold dozens."""
    count = len(works_in)
    use = town.rooms["use"]
    of_use = {name: np.flatnonzero((use == name).to_numpy()) for name in ("办公", "厂房", "商铺", "住宅")}
    fits = {"office": ["办公", "商铺"], "factory": ["厂房"], "shop": ["商铺"]}
    home = rng.choice(of_use["住宅"], count)
    for work, uses in fits.items():
        rooms = np.concatenate([of_use[name] for name in uses])
        if not len(rooms):
            continue
        at = np.flatnonzero(works_in == work)
        # One firm in eight is registered at somebody's home.
        at = at[rng.random(len(at)) < 0.875]
        home[at] = rng.choice(rooms, len(at))
    crowded = np.zeros(count, dtype=bool)
    flats = rng.choice(of_use["住宅"], max(2, round(people * 0.00007)), replace=False)
    for flat in flats:
        members = rng.choice(count, min(count // 4, int(rng.integers(14, 41))), replace=False)
        members = members[~crowded[members]]
        home[members], crowded[members] = flat, True
    return home.astype(np.int64), crowded
