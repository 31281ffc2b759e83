"""The departments' tables of people: what each holds of the town, with the errors each is known for."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.generate import errors, identities, names
from chengshu.batch.generate.errors import Marks, choose
from chengshu.batch.generate.people import NOBODY
from chengshu.batch.generate.texts import Texts, neighbours, nowhere
from chengshu.batch.generate.town import Town
from chengshu.kernel.ethnic_groups import ETHNIC_GROUPS

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Share of the flats let for which no tenancy is registered.
UNREGISTERED = 0.02
_RARE = frozenset(names.RARE_COMMON + names.RARE_EXTENDED)


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is true, and how addresses are written."""

    town: Town
    rooms: pl.DataFrame  # library rows of rooms, in the order of town.rooms
    texts: Texts
    rented: Bools
    people: pl.DataFrame
    firms: pl.DataFrame
    rates: dict[str, dict[str, float]]
    as_of: date


@dataclass(frozen=True, slots=True)
class Table:
    """One department's table with the truth of each of its rows."""

    source: str
    rows: pl.DataFrame  # columns as declared in sources/*.yaml, all text
    truth: pl.DataFrame  # key, entity, place_code, errors


@dataclass(frozen=True, slots=True)
class Habit:
    """How one department keeps its table of people."""

    source: str
    prefix: str
    old_address: float  # share of people who moved that it still has at the former home
    second_home: float  # share of people with two homes that it has at the second
    id_missing: float
    dates: str
    sexes: tuple[str, str]
    updates: str
    columns: Mapping[str, str]  # what it calls each column


RESIDENTS = Habit(
    "public-security.residents", "R", 0.30, 0.0, 0.6, "%Y%m%d", ("男", "女"), "%Y-%m-%d",
    {
        "key": "jlbh", "name": "xm", "sex": "xb", "birth_text": "csrq", "id_kind": "zjlx", "resident_id": "zjhm",
        "phone": "lxdh", "address": "jzdz", "died_on": "swrq", "updated": "gxsj", "ethnicity": "mz",
    },
)  # fmt: skip
TENANCIES = Habit(
    "housing.tenancies", "T", 0.40, 1.0, 1.4, "%Y/%m/%d", ("男", "女"), "%Y/%m/%d",
    {
        "key": "备案号", "name": "承租人", "sex": "性别", "birth_text": "出生日期", "resident_id": "证件号码",
        "phone": "联系电话", "address": "出租屋地址", "updated": "备案日期",
    },
)  # fmt: skip
PATIENTS = Habit(
    "health.patients", "P", 0.50, 0.4, 1.4, "%Y-%m-%d", ("1", "2"), "%Y-%m-%d",
    {
        "key": "file_no", "name": "full_name", "sex": "gender", "birth_text": "born", "resident_id": "id_no",
        "phone": "mobile", "address": "home", "updated": "updated_on",
    },
)  # fmt: skip


def people_table(world: World, habit: Habit, entities: Ints, rng: np.random.Generator) -> pl.DataFrame:
    """Return the rows that ``habit``'s department holds of ``entities``: plain columns, truth beside them.

    The columns are those of ``Table.truth`` and name, sex, birth_date, resident_id, id_kind, phone, address,
    death_date, updated.
    """
    repeated = entities[rng.random(len(entities)) < 0.012]
    order = np.concatenate([entities, repeated])
    again = np.arange(len(order)) >= len(entities)
    shuffle = rng.permutation(len(order))
    order, again = order[shuffle], again[shuffle]
    some = world.people[order]
    marks = Marks(len(order))
    marks.add("duplicate_row", again)
    chance = random.Random(int(rng.integers(2**62)))
    some = _descent(some)
    some = _identity(some, world, habit, marks, rng, chance)
    some = _phone_and_dates(some, world, habit, marks, rng, chance)
    some = _address(some, world, habit, marks, rng)
    some = _refused(some, world, habit, marks, rng)
    serial = identities.distinct(rng, len(order), max(len(order) * 8, 10_000))
    return some.with_columns(
        key=habit.prefix + pl.Series(serial).cast(pl.String).str.zfill(9), errors=marks.column()
    )


def _descent(some: pl.DataFrame) -> pl.DataFrame:
    """Add the ethnic group, which only the register of residents holds; drawn from the number, not by chance."""
    digits = (
        some["resident_id"].str.extract_all(r"\d").list.join("").str.slice(6).cast(pl.Int64, strict=False)
    )
    draw = digits.fill_null(0).to_numpy()
    groups = np.array(ETHNIC_GROUPS)
    ethnicity = pl.Series(
        np.where(some["group"].to_numpy() == 1, groups[1 + draw % (len(groups) - 1)], groups[0])
    )
    stranger = some["group"].to_numpy() > 1
    return some.with_columns(
        ethnicity=errors.blank(ethnicity, stranger),
    )


def _identity(
    some: pl.DataFrame,
    world: World,
    habit: Habit,
    marks: Marks,
    rng: np.random.Generator,
    chance: random.Random,
) -> pl.DataFrame:
    rate = world.rates["person"]
    every = np.ones(some.height, dtype=bool)
    name, number = some["name"], some["resident_id"]
    chinese = (some["group"] != 3).to_numpy()
    changes = (
        ("name_rare_substituted", some["rare"].to_numpy(), errors.without_rare(chance, _RARE)),
        ("name_dot_variant", name.str.contains("·", literal=True).to_numpy(), errors.other_dot(chance)),
        ("name_homophone", chinese, errors.homophone(chance)),
        ("name_lookalike", chinese, errors.lookalike),
        ("name_spaces", chinese, errors.spaced),
    )
    for kind, among, change in changes:
        # One in three draws finds nothing to act on: more are drawn so that the floor is held.
        margin = 2.4 if kind == "name_lookalike" else 1.2
        name, done = errors.replace(name, choose(rng, among, rate[kind] * margin), change)
        marks.add(kind, done)
    old = (some["birth_date"] < date(1990, 1, 1)).to_numpy() & (some["group"] <= 1).to_numpy()
    for kind, among, change in (
        ("id_fifteen", old, errors.fifteen),
        ("id_transposed", every, errors.transposed(chance)),
        ("id_digit", every, errors.other_digit(chance)),
        ("id_lower_x", number.str.ends_with("X").to_numpy(), str.lower),
    ):
        number, done = errors.replace(number, choose(rng, among, rate[kind] * 1.15), change)
        marks.add(kind, done)
    missing = choose(rng, every, rate["id_missing"] * habit.id_missing)
    marks.add("id_missing", missing)
    return some.with_columns(name=name, resident_id=errors.blank(number, missing))


def _phone_and_dates(
    some: pl.DataFrame,
    world: World,
    habit: Habit,
    marks: Marks,
    rng: np.random.Generator,
    chance: random.Random,
) -> pl.DataFrame:
    rate, count = world.rates["person"], some.height
    every = np.ones(count, dtype=bool)
    changed, reused, missing = (
        choose(rng, every, rate[kind]) for kind in ("phone_changed", "phone_reused", "phone_missing")
    )
    phone = errors.put(some["phone"], changed, identities.phones(rng, count))
    agents = names.take(world.people["phone"], rng.integers(0, max(world.people.height // 400, 3), count))
    phone = errors.blank(errors.put(phone, reused, agents), missing)
    for kind, mask in (("phone_changed", changed), ("phone_reused", reused), ("phone_missing", missing)):
        marks.add(kind, mask)
    born = some["birth_date"]
    wrong = choose(rng, every, rate["birth_date_typo"])
    shift = pl.Series(rng.choice([-3650, -365, -30, -10, -9, -1, 1, 9, 10, 31], count))
    slipped = pl.select(pl.lit(born) + pl.duration(days=pl.lit(shift))).to_series()
    born = errors.put(born, wrong, slipped)
    text = born.dt.strftime(habit.dates)
    serial = choose(rng, every, rate["birth_date_serial"])
    days = (born - date(1899, 12, 30)).dt.total_days().cast(pl.String)
    text = errors.put(text, serial, days)
    chinese = choose(rng, every, 0.01)
    text = errors.put(text, chinese & ~serial, born.dt.strftime("%Y年%-m月%-d日"))
    empty = choose(rng, every, rate["birth_date_missing"])
    for kind, mask in (("typo", wrong), ("serial", serial & ~empty), ("missing", empty)):
        marks.add(f"birth_date_{kind}", mask)
    female = (some["sex"] == "女").to_numpy()
    other = choose(rng, every, rate["sex_wrong"])
    marks.add("sex_wrong", other)
    sex = pl.Series(np.where(female ^ other, habit.sexes[1], habit.sexes[0]))
    return some.with_columns(phone=phone, birth_text=errors.blank(text, empty), sex=sex)


def _address(
    some: pl.DataFrame, world: World, habit: Habit, marks: Marks, rng: np.random.Generator
) -> pl.DataFrame:
    rate, count = world.rates["person"], some.height
    every = np.ones(count, dtype=bool)
    home = some["home"].to_numpy().copy()
    second = some["second_home"].to_numpy()
    at_second = choose(rng, second != NOBODY, habit.second_home)
    home[at_second] = second[at_second]
    former = some["former_home"].to_numpy()
    old = choose(rng, (former != NOBODY) & ~at_second, habit.old_address)
    home[old] = former[old]
    marks.add("address_moved", old)
    marks.add("second_home", at_second)
    wrong = choose(rng, every, rate["address_wrong_room"])
    home[wrong] = neighbours(rng, world.town.rooms["building_row"].to_numpy(), home[wrong])
    marks.add("address_wrong_room", wrong)
    text, unlike = world.texts.write(home, rng.choice([0, 1, 2], count, p=[0.48, 0.22, 0.30]))
    lost = choose(rng, every, rate["address_nowhere"])
    text = errors.put(text, lost, nowhere(rng, world.rooms, home))
    empty = choose(rng, every, rate["address_missing"])
    marks.add("address_nowhere", lost & ~empty)
    marks.add("address_missing", empty)
    marks.add("address_variant", unlike & ~lost & ~empty)
    code = errors.blank(names.take(world.texts.codes, home), lost | empty)
    return some.with_columns(
        address=errors.blank(text, empty), place_code=code, updated=_updated(some, old, world.as_of, rng)
    )


def _updated(some: pl.DataFrame, old: Bools, as_of: date, rng: np.random.Generator) -> pl.Series:
    """Draw when the row was last changed: before the move where it shows the former home, else after."""
    today = np.datetime64(as_of)
    ago = rng.integers(1, 900, some.height)
    moved = some["moved_on"].fill_null(as_of).to_numpy().astype("datetime64[D]")
    since = (today - moved).astype(np.int64)
    has = some["moved_on"].is_not_null().to_numpy()
    ago = np.where(has & old, since + rng.integers(5, 600, some.height), ago)
    ago = np.where(has & ~old, rng.integers(0, 10_000, some.height) % np.maximum(since, 1), ago)
    return pl.Series((today - ago.astype("timedelta64[D]")).astype("datetime64[D]"))


def _refused(
    some: pl.DataFrame, world: World, habit: Habit, marks: Marks, rng: np.random.Generator
) -> pl.DataFrame:
    """Leave a name out, or let a birthday lie in the future: rows that intake must refuse."""
    bad = choose(rng, np.ones(some.height, dtype=bool), world.rates["person"]["refused"] * 1.2)
    bad[int(rng.integers(some.height))] = True
    nameless = bad & (rng.random(some.height) < 0.6)
    future = date(world.as_of.year + 9, 5, 1).strftime(habit.dates)
    marks.add("refused", bad)
    born = errors.put(some["birth_text"], bad & ~nameless, pl.Series([future] * some.height))
    return some.with_columns(name=errors.blank(some["name"], nameless), birth_text=born)


def residents(world: World, rng: np.random.Generator) -> Table:
    """The register of residents: nearly everyone, with deaths."""
    entities = np.flatnonzero(rng.random(world.people.height) < 0.955)
    return _kept(world, RESIDENTS, entities, rng)


def tenancies(world: World, rng: np.random.Generator) -> Table:
    """Registered tenancies: grown-ups in rented homes, and second homes."""
    people = world.people
    grown = (people["birth_date"] < date(world.as_of.year - 16, 1, 1)).to_numpy()
    rents = world.rented[people["home"].to_numpy()] | (people["second_home"] != NOBODY).to_numpy()
    among = np.flatnonzero(grown & rents)
    wanted = min(len(among), int(people.height * 0.51))
    entities = _registered(people, among, wanted, rng)
    return _kept(world, TENANCIES, entities, rng)


def _registered(people: pl.DataFrame, among: Ints, wanted: int, rng: np.random.Generator) -> Ints:
    """Draw who is registered: nearly every flat that is let has a tenancy, and most flats more than one tenant."""
    second = people["second_home"].to_numpy()[among]
    flat = np.where(second != NOBODY, second, people["home"].to_numpy()[among])
    moved = (people["former_home"].to_numpy()[among] != NOBODY).astype(np.int64)
    # Who has not moved comes first: the register still shows many movers where they lived before.
    order = np.lexsort((rng.random(len(among)), moved))
    _, first = np.unique(flat[order], return_index=True)
    tenants = among[order][first]
    tenants = tenants[rng.random(len(tenants)) >= UNREGISTERED]
    unregistered = np.setdiff1d(flat, flat[np.isin(among, tenants)])
    others = np.setdiff1d(among[~np.isin(flat, unregistered)], tenants)
    more = rng.choice(others, min(max(wanted - len(tenants), 0), len(others)), replace=False)
    entities: Ints = np.sort(np.concatenate([tenants, more]))
    return entities


def patients(world: World, rng: np.random.Generator) -> Table:
    """Health files: all children, half of the rest."""
    people = world.people
    child = (people["birth_date"] > date(world.as_of.year - 14, 1, 1)).to_numpy()
    entities = np.flatnonzero(rng.random(people.height) < np.where(child, 0.9, 0.49))
    return _kept(world, PATIENTS, entities, rng)


def _kept(world: World, habit: Habit, entities: Ints, rng: np.random.Generator) -> Table:
    """Return what a department holds of ``entities``, under its own names for the columns."""
    rows = people_table(world, habit, entities, rng)
    written = rows.with_columns(
        died_on=pl.col("died_on").dt.strftime(habit.dates),
        updated=pl.col("updated").dt.strftime(habit.updates),
    )
    columns = [pl.col(plain).alias(name) for plain, name in habit.columns.items()]
    return Table(habit.source, written.select(columns), rows.select("key", "entity", "place_code", "errors"))
