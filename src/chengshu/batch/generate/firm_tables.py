"""The departments' tables of firms, premises and facilities."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.generate import errors, identities, names
from chengshu.batch.generate.errors import Marks, choose
from chengshu.batch.generate.people import NOBODY
from chengshu.batch.generate.tables import Table, World
from chengshu.batch.generate.texts import nowhere

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def market_firms(world: World, rng: np.random.Generator) -> Table:
    """The business register: all firms but those that trade without a licence."""
    entities = np.flatnonzero(rng.random(world.firms.height) < 0.98)
    rows = _firm_rows(world, entities, rng, prefix="M", old=0.35, second=0.0)
    return Table(
        "market.firms",
        rows.select(
            pl.col("key").alias("注册号"),
            pl.col("name").alias("企业名称"),
            pl.col("credit_code").alias("统一社会信用代码"),
            pl.col("legal_representative").alias("法定代表人"),
            pl.col("phone").alias("联系电话"),
            pl.col("address").alias("住所"),
            pl.col("status").alias("登记状态"),
            pl.col("established_on").dt.strftime("%Y-%m-%d").alias("成立日期"),
            pl.col("industry").alias("行业"),
            pl.col("updated").dt.strftime("%Y-%m-%d").alias("核准日期"),
        ),
        rows.select("key", "entity", "place_code", "errors"),
    )


def taxpayers(world: World, rng: np.random.Generator) -> Table:
    """The tax register: four firms in five, often where they really work."""
    entities = np.flatnonzero(rng.random(world.firms.height) < 0.82)
    rows = _firm_rows(world, entities, rng, prefix="N", old=0.60, second=1.0)
    return Table(
        "tax.taxpayers",
        rows.select(
            pl.col("key").alias("nsr_no"),
            pl.col("name").alias("nsrmc"),
            pl.col("credit_code").alias("tyshxydm"),
            pl.col("legal_representative").alias("fddbr"),
            pl.col("phone").alias("lxdh"),
            pl.col("address").alias("scjydz"),
            pl.col("status").alias("nsrzt"),
            pl.col("updated").dt.strftime("%Y-%m-%d").alias("gxrq"),
        ),
        rows.select("key", "entity", "place_code", "errors"),
    )


def _firm_rows(
    world: World, entities: Ints, rng: np.random.Generator, *, prefix: str, old: float, second: float
) -> pl.DataFrame:
    repeated = entities[rng.random(len(entities)) < 0.007]
    order = np.concatenate([entities, repeated])
    again = np.arange(len(order)) >= len(entities)
    shuffle = rng.permutation(len(order))
    some = world.firms[order[shuffle]]
    marks = Marks(some.height)
    marks.add("duplicate_row", again[shuffle])
    chance = random.Random(int(rng.integers(2**62)))
    some = _firm_identity(some, world, marks, rng, chance, tax=prefix == "N")
    some = _firm_address(some, world, marks, rng, old, second)
    bad = choose(rng, np.ones(some.height, dtype=bool), world.rates["firm"]["refused"] * 1.3)
    bad[int(rng.integers(some.height))] = True
    marks.add("refused", bad)
    serial = identities.distinct(rng, some.height, max(some.height * 8, 10_000))
    return some.with_columns(
        name=errors.blank(some["name"], bad),
        key=prefix + pl.Series(serial).cast(pl.String).str.zfill(9),
        errors=marks.column(),
    )


def _firm_identity(
    some: pl.DataFrame,
    world: World,
    marks: Marks,
    rng: np.random.Generator,
    chance: random.Random,
    *,
    tax: bool,
) -> pl.DataFrame:
    rate, count = world.rates["firm"], some.height
    every = np.ones(count, dtype=bool)
    # The tax office learns of a new name later than the register.
    former = choose(rng, some["former_name"].is_not_null().to_numpy(), 0.95 if tax else 0.6)
    name = errors.put(some["name"], former, some["former_name"])
    variant = choose(rng, every & ~former, rate["name_variant"] * 1.15)
    short = pl.select(
        pl.Series(name)
        .str.replace("深圳市宝安区", "")
        .str.replace("深圳市", "")
        .str.replace("有限公司", "公司")
    ).to_series()
    bracket = pl.select(
        pl.Series(name).str.replace("深圳市", "").str.replace("有限公司", "(深圳)有限公司")
    ).to_series()
    name = errors.put(name, variant, short)
    name = errors.put(name, variant & (rng.random(count) < 0.2), bracket)
    name, typo = errors.replace(name, choose(rng, every, rate["name_typo"] * 1.5), errors.homophone(chance))
    code = some["credit_code"]
    code, digit = errors.replace(
        code, choose(rng, every, rate["credit_code_digit"] * 1.2), errors.other_digit(chance)
    )
    no_code = choose(rng, every, rate["credit_code_missing"] * (1.6 if tax else 0.8))
    legal = choose(rng, every, rate["legal_changed"] * 1.2)
    agent, silent = (
        choose(rng, every, rate["phone_agent"] * 1.1),
        choose(rng, every, rate["phone_missing"] * 1.1),
    )
    agents = names.take(world.people["phone"], rng.integers(0, max(world.people.height // 800, 3), count))
    status = choose(rng, every, rate["status_differs"] * 1.5)
    other_status = pl.Series(np.where((some["status"] == "存续").to_numpy(), "注销", "存续"))
    for kind, mask in (
        ("name_former", former), ("name_variant", variant), ("name_typo", typo), ("credit_code_digit", digit),
        ("credit_code_missing", no_code), ("legal_changed", legal), ("phone_agent", agent & ~silent),
        ("phone_missing", silent), ("status_differs", status),
    ):  # fmt: skip
        marks.add(kind, mask)
    return some.with_columns(
        name=name,
        credit_code=errors.blank(code, no_code),
        legal_representative=errors.put(some["legal_representative"], legal, some["former_legal"]),
        phone=errors.blank(errors.put(some["phone"], agent, agents), silent),
        status=errors.put(some["status"], status, other_status),
    )


def _firm_address(
    some: pl.DataFrame, world: World, marks: Marks, rng: np.random.Generator, old: float, second: float
) -> pl.DataFrame:
    rate, count = world.rates["firm"], some.height
    every = np.ones(count, dtype=bool)
    home = some["home"].to_numpy().copy()
    branch, former = some["second_home"].to_numpy(), some["former_home"].to_numpy()
    at_branch = choose(rng, branch != NOBODY, max(second, 0.35))
    home[at_branch] = branch[at_branch]
    stale = choose(rng, (former != NOBODY) & ~at_branch, old + 0.35)
    home[stale] = former[stale]
    text, unlike = world.texts.write(home, rng.choice([0, 1, 2], count, p=[0.46, 0.24, 0.30]))
    lost = choose(rng, every & ~some["crowded"].to_numpy(), rate["address_nowhere"] * 1.4)
    text = errors.put(text, lost, nowhere(rng, world.rooms, home))
    for kind, mask in (
        ("address_second", at_branch), ("address_moved", stale), ("address_nowhere", lost),
        ("address_variant", unlike & ~lost), ("crowded", some["crowded"].to_numpy()),
    ):  # fmt: skip
        marks.add(kind, mask)
    today = np.datetime64(world.as_of)
    since = (today - some["moved_on"].to_numpy().astype("datetime64[D]")).astype(np.int64)
    has = former != NOBODY
    ago = np.where(stale, since + rng.integers(5, 600, count), rng.integers(1, 900, count))
    ago = np.where(has & ~stale, rng.integers(0, 10_000, count) % np.maximum(since, 1), ago)
    return some.with_columns(
        address=text,
        place_code=errors.blank(names.take(world.texts.codes, home), lost),
        updated=pl.Series((today - ago.astype("timedelta64[D]")).astype("datetime64[D]")),
    )


def premises(world: World, rng: np.random.Generator, folder: Path) -> Table:
    """The housing office's list of premises: every room once, a few twice."""
    count, rate = world.rooms.height, world.rates["premises"]
    again = np.flatnonzero(rng.random(count) < 0.004)
    order = np.concatenate([np.arange(count), again])
    repeated = np.arange(len(order)) >= count
    shuffle = rng.permutation(len(order))
    order, repeated = order[shuffle], repeated[shuffle]
    marks = Marks(len(order))
    every = np.ones(len(order), dtype=bool)
    text, unlike = world.texts.write(order, rng.choice([0, 1, 2], len(order), p=[0.55, 0.20, 0.25]))
    lost = choose(rng, every, rate["address_nowhere"] * 1.5)
    text = errors.put(text, lost, nowhere(rng, world.rooms, order))
    owner = _owners(world, rng)[order]
    chance = random.Random(int(rng.integers(2**62)))
    owner_name, slip = errors.replace(
        names.take(world.people["name"], owner),
        choose(rng, every, rate["owner_homophone"] * 1.5),
        errors.homophone(chance),
    )
    area = rng.uniform(12, 140, count).round(1)[order]
    unit = choose(rng, every, rate["area_unit"] * 1.5)
    area = np.where(unit, area * 10000, area).round(1)
    for kind, mask in (("duplicate_row", repeated), ("address_nowhere", lost), ("area_unit", unit),
                       ("address_variant", unlike & ~lost), ("owner_homophone", slip)):  # fmt: skip
        marks.add(kind, mask)
    key = "F" + pl.Series(identities.distinct(rng, len(order), max(len(order) * 8, 10_000))).cast(
        pl.String
    ).str.zfill(9)
    updated = np.datetime64(world.as_of) - rng.integers(1, 900, len(order)).astype("timedelta64[D]")
    rows = pl.DataFrame(
        {
            "fwbh": key,
            "fwdz": text,
            "fwyt": names.take(world.town.rooms["use"], order),
            "yzxm": owner_name,
            "yzzjh": names.take(world.people["resident_id"], owner),
            "mj": pl.Series(area).cast(pl.String),
            "sfcz": pl.Series(np.where((world.rented | _let_for_business(world, rng))[order], "是", "否")),
            "szlc": names.take(world.town.rooms["floor"], order).str.strip_suffix("层"),
            "lczs": names.take(
                world.town.buildings["floors"], world.town.rooms["building_row"].to_numpy()[order]
            ).cast(pl.String),
            "yzbm": _post_codes(world, folder, rng)[order],
            "gxrq": pl.Series(updated.astype("datetime64[D]")).dt.strftime("%Y-%m-%d"),
        }
    )
    truth = pl.DataFrame(
        {
            "key": key,
            "entity": pl.Series(order),
            "place_code": errors.blank(names.take(world.texts.codes, order), lost),
            "errors": marks.column(),
        }
    )
    return Table("housing.premises", rows, truth)


def _let_for_business(world: World, rng: np.random.Generator) -> Bools:
    """Say which shops, offices and workshops are let: four in five, to firms, whose contracts are no tenancies of people."""
    business = world.town.rooms["use"].is_in(["商铺", "办公", "厂房"]).to_numpy()
    return choose(rng, business, 0.8)


def _post_codes(world: World, folder: Path, rng: np.random.Generator) -> pl.Series:
    """Return the post code of each room: that of its street, missing in one of eight."""
    table = pl.read_csv(folder / "geography" / "post_codes.csv", infer_schema=False)
    of_street = dict(zip(table["street"], table["post_code"], strict=True))
    of_building = world.town.buildings["street"].replace_strict(
        of_street, default=None, return_dtype=pl.String
    )
    codes = names.take(of_building, world.town.rooms["building_row"].to_numpy())
    return errors.blank(codes, rng.random(len(codes)) < 0.125)


def _owners(world: World, rng: np.random.Generator) -> Ints:
    """Return the owner of each room: one for a whole house in a village, one a flat in an estate."""
    grown = np.flatnonzero((world.people["birth_date"] < date(world.as_of.year - 25, 1, 1)).to_numpy())
    by_building = rng.choice(grown, world.town.buildings.height)
    by_room = rng.choice(grown, world.rooms.height)
    single = (world.town.rooms["kind"] == "estate").to_numpy()
    owner: Ints = np.where(single, by_room, by_building[world.town.rooms["building_row"].to_numpy()])
    return owner


def hospitals(world: World, folder: Path) -> Table:
    """The district's real hospitals, addresses as written."""
    real = pl.read_csv(folder / "health" / "hospitals.csv", infer_schema=False).filter(
        pl.col("county") == "宝安区"
    )
    number = pl.Series([f"H{at:03d}" for at in range(1, real.height + 1)])
    at_place = world.town.buildings.filter(pl.col("place").is_not_null()).select(
        pl.col("place").alias("name"), "place_code"
    )
    known = real.with_columns(name=pl.col("name").str.strip_chars()).join(at_place, on="name", how="left")
    rows = real.select(
        number.alias("编号"),
        pl.col("name").alias("名称"),
        pl.lit("医院").alias("类别"),
        pl.col("county").alias("区"),
        pl.col("address").alias("地址"),
    )
    truth = pl.DataFrame(
        {"key": number, "entity": pl.Series(np.arange(real.height)), "place_code": known["place_code"]}
    ).with_columns(errors=pl.lit(""))
    return Table("health.hospitals", rows, truth)


def charging_stations(folder: Path, first_entity: int) -> Table:
    """The district's real public charging stations, coordinates in GCJ-02 as published."""
    real = pl.read_csv(folder / "sensing" / "charging_stations.csv", infer_schema=False)
    rows = real.select(
        pl.col("station_id").alias("站点编号"),
        ("公共充电站" + pl.col("station_id") + "号").alias("站点名称"),
        pl.lit("充电站").alias("类别"),
        pl.col("longitude").alias("经度"),
        pl.col("latitude").alias("纬度"),
        pl.col("charge_count").alias("充电桩数"),
    )
    truth = pl.DataFrame(
        {"key": real["station_id"], "entity": pl.Series(np.arange(real.height) + first_entity)}
    ).with_columns(place_code=pl.lit(None, dtype=pl.String), errors=pl.lit(""))
    return Table("development.charging_stations", rows, truth)
