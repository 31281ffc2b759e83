"""Registers that are asked instead of the owner of a shop: revoked permits, fire acceptances, protected places.

None of them is as good as one would wish: not every shop was ever accepted, some rows are years old, some name the wrong
number or an address that nobody finds.
"""

from __future__ import annotations

import random

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.generate import errors, identities, names
from chengshu.batch.generate.errors import Marks, choose
from chengshu.batch.generate.tables import Table, World
from chengshu.batch.generate.texts import nowhere

Ints = NDArray[np.int64]

# Of all people: those whose food permit was revoked in the last nine years; after five the law lets them apply again.
REVOKED = 0.0004
# Share of business premises with a record of acceptance: old villages were built before anybody asked for one.
ACCEPTED = {"village": 0.45, "street": 0.70, "park": 0.85, "tower": 0.92}
BUSINESS = ("商铺", "办公", "厂房")
# What stands in an acceptance, with its share in small houses and in parks and towers.
EQUIPMENT = (
    ("灭火器", 1.0, 1.0), ("应急照明", 0.9, 1.0), ("消火栓", 0.5, 0.95), ("火灾报警", 0.35, 0.9),
    ("自动喷水", 0.25, 0.8), ("排烟", 0.2, 0.7),
)  # fmt: skip
# Of all buildings: protected as historic, and standing where the street's plan forbids signs.
HISTORIC, FORBIDDEN = 0.004, 0.008
GROUNDS = ("历史建筑", "禁设路段")


def revoked_permits(world: World, rng: np.random.Generator) -> Table:
    """The market regulator's public list of revoked food permits, by the person who held or ran the shop."""
    owners = np.unique(world.firms["legal_entity"].to_numpy())
    count = min(len(owners), max(3, round(world.people.height * REVOKED)))
    of = rng.choice(owners, count, replace=False)
    marks, rate, every = Marks(count), world.rates["person"], np.ones(count, dtype=bool)
    chance = random.Random(int(rng.integers(2**62)))
    name, slip = errors.replace(
        names.take(world.people["name"], of), choose(rng, every, rate["name_homophone"] * 2), errors.homophone(chance)
    )  # fmt: skip
    number, digit = errors.replace(
        names.take(world.people["resident_id"], of), choose(rng, every, rate["id_digit"] * 2),
        errors.other_digit(chance),
    )  # fmt: skip
    missing = choose(rng, every, rate["id_missing"] * 1.1)
    for kind, mask in (("name_homophone", slip), ("id_digit", digit & ~missing), ("id_missing", missing)):
        marks.add(kind, mask)
    revoked = _days_ago(world, rng, 30, 9 * 365, count)
    key = "DX" + pl.Series(identities.distinct(rng, count, max(count * 8, 10_000))).cast(pl.String).str.zfill(
        8
    )
    rows = pl.DataFrame(
        {
            "xkzbh": key,
            "xm": name,
            "zjhm": errors.blank(number, missing),
            "dxrq": revoked,
            # A penalty that a court or a review set aside stays in the file and no longer counts.
            "gszt": pl.Series(np.where(rng.random(count) < 0.04, "撤销", "公示")),
            "gxrq": revoked,
        }
    )
    truth = pl.DataFrame({"key": key, "entity": pl.Series(of)}).with_columns(
        place_code=pl.lit(None, dtype=pl.String), errors=marks.column()
    )
    return Table("market.revoked_permits", rows, truth)


def fire_acceptances(world: World, rng: np.random.Generator) -> Table:
    """The housing department's acceptances of fire protection: by place of business, where there was one."""
    rooms = world.town.rooms
    share = rooms["kind"].replace_strict(ACCEPTED, default=0.0, return_dtype=pl.Float64).to_numpy()
    has = rooms["use"].is_in(list(BUSINESS)).to_numpy() & (rng.random(rooms.height) < share)
    first = np.flatnonzero(has)
    # Some are fitted out and accepted again; both records stay in the file.
    at = np.concatenate([first, first[rng.random(len(first)) < 0.03]])
    at = at[rng.permutation(len(at))]
    count, rate = len(at), world.rates["premises"]
    marks, every = Marks(count), np.ones(count, dtype=bool)
    text, unlike = world.texts.write(at, rng.choice([0, 1, 2], count, p=[0.50, 0.22, 0.28]))
    lost = choose(rng, every, rate["address_nowhere"] * 4)
    text = errors.put(text, lost, nowhere(rng, world.rooms, at))
    big = rooms["kind"].is_in(["park", "tower"]).to_numpy()[at]
    exits = np.where(big, rng.integers(2, 5, count), rng.integers(1, 3, count))
    # A clerk counted a window, or left out the back door.
    wrong = choose(rng, every, 0.02)
    exits = np.where(wrong, np.maximum(exits + rng.choice([-1, 1], count), 1), exits)
    for kind, mask in (
        ("address_nowhere", lost),
        ("address_variant", unlike & ~lost),
        ("exits_wrong", wrong),
    ):
        marks.add(kind, mask)
    key = "XF" + pl.Series(identities.distinct(rng, count, max(count * 8, 10_000))).cast(pl.String).str.zfill(
        8
    )
    rows = pl.DataFrame(
        {
            "备案号": key,
            "场所地址": text,
            "安全出口数": pl.Series(exits).cast(pl.String),
            "消防设施": _equipment(big, rng),
            "验收日期": _days_ago(world, rng, 20, 7 * 365, count),
        }
    )
    codes = errors.blank(names.take(world.texts.codes, at), lost)
    truth = pl.DataFrame({"key": key, "entity": pl.Series(at), "place_code": codes, "errors": marks.column()})
    return Table("housing.fire_acceptances", rows, truth)


def protected_places(world: World, rng: np.random.Generator) -> Table:
    """Urban management's list of buildings on which signs are forbidden or need a permit of their own."""
    buildings = world.town.buildings
    draw = rng.random(buildings.height)
    able = (buildings["kind"] != "hospital").to_numpy()
    at = np.flatnonzero((draw < HISTORIC + FORBIDDEN) & able)
    if not len(at):
        at = np.flatnonzero(able)[-1:]
    ground = np.where(draw[at] < HISTORIC, *GROUNDS)
    parts = buildings[at].select(
        pl.concat_str(
            [pl.lit("深圳市宝安区")]
            + [
                pl.col(name).fill_null("")
                for name in ("street", "community", "road", "number", "estate", "building")
            ]
        )
    )
    key = "JS" + pl.Series(identities.distinct(rng, len(at), max(len(at) * 8, 10_000))).cast(
        pl.String
    ).str.zfill(6)
    rows = pl.DataFrame(
        {
            "bh": key,
            "dz": parts.to_series(),
            "lx": pl.Series(ground),
            "zt": pl.Series(np.where(rng.random(len(at)) < 0.03, "解除", "有效")),
            "gxrq": _days_ago(world, rng, 20, 5 * 365, len(at)),
        }
    )
    truth = pl.DataFrame(
        {"key": key, "entity": pl.Series(at), "place_code": names.take(buildings["place_code"], at)}
    ).with_columns(errors=pl.lit(""))
    return Table("urban-management.protected_places", rows, truth)


def _days_ago(world: World, rng: np.random.Generator, low: int, high: int, count: int) -> pl.Series:
    days = np.datetime64(world.as_of) - rng.integers(low, high, count).astype("timedelta64[D]")
    return pl.Series(days.astype("datetime64[D]")).dt.strftime("%Y-%m-%d")


def _equipment(big: NDArray[np.bool_], rng: np.random.Generator) -> pl.Series:
    """Write what each place has, joined as the department joins it."""
    words = [
        pl.when(pl.Series(rng.random(len(big)) < np.where(big, large, small))).then(pl.lit(word))
        for word, small, large in EQUIPMENT
    ]
    return pl.select(pl.concat_str(words, separator="、", ignore_nulls=True)).to_series()
