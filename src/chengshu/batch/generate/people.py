"""Households and residents of the generated town, with the situations that make linking hard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.generate import identities, names
from chengshu.batch.generate.town import Town

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Days = NDArray[np.datetime64]

_DAY = np.timedelta64(1, "D")
NOBODY = -1


@dataclass(slots=True)
class _Households:
    """Where each person lives and in what position of the household."""

    home: Ints  # room row of each person
    household: Ints
    place_in: Ints  # 0 head, 1 spouse or first mate, …
    size: Ints
    kind: NDArray[np.int8]  # 0 family, 1 flatmates, 2 alone, 3 dormitory


def build_people(town: Town, people: int, as_of: date, rng: np.random.Generator) -> pl.DataFrame:
    """Fill the town's homes with ``people`` residents; one row each, ``entity`` counts from 0."""
    homes = _settle(town, people, rng)
    female, age_days, twin = _ages(homes, rng)
    today = np.datetime64(as_of)
    born = (today - age_days.astype("timedelta64[D]")).astype("datetime64[D]")
    frame = _named(homes, female, twin, rng)
    frame = _identified(frame, born, female, np.flatnonzero(twin & (homes.place_in == 3)), rng)
    minor = age_days < 365 * 14
    phone = _phones(homes, minor, rng)
    rooms = np.flatnonzero(town.rooms["use"].is_in(["住宅", "宿舍"]).to_numpy())
    moved = rng.random(people) < 0.13
    two = (rng.random(people) < 0.011) & (age_days > 365 * 20)
    death_rate = np.where(age_days > 365 * 60, 0.03, 0.0022)
    died = rng.random(people) < death_rate
    return frame.with_columns(
        entity=pl.Series(np.arange(people)),
        sex=pl.Series(np.where(female, "女", "男")),
        birth_date=pl.Series(born),
        phone=phone,
        household=pl.Series(homes.household),
        household_kind=pl.Series(np.array(["family", "flatmates", "alone", "dormitory"])[homes.kind]),
        home=pl.Series(homes.home),
        second_home=pl.Series(np.where(two, rng.choice(rooms, people), NOBODY)),
        former_home=pl.Series(np.where(moved, rng.choice(rooms, people), NOBODY)),
        moved_on=_dates(today - rng.integers(20, 700, people).astype("timedelta64[D]"), moved),
        died_on=_dates(today - rng.integers(5, 600, people).astype("timedelta64[D]"), died),
        twin=pl.Series(twin),
    )


def _dates(days: Days, where: Bools) -> pl.Series:
    values = pl.Series(days.astype("datetime64[D]"))
    return pl.select(pl.when(pl.Series(where)).then(values)).to_series()


def _settle(town: Town, people: int, rng: np.random.Generator) -> _Households:
    """Draw a kind and a size for each home in random order until everyone has one."""
    rooms = town.rooms.with_row_index("row").filter(pl.col("use").is_in(["住宅", "宿舍"]))
    order = rng.permutation(rooms.height)
    order = order[rng.random(len(order)) < 0.965]  # the rest stands empty
    row = rooms["row"].to_numpy()[order].astype(np.int64)
    where = rooms["kind"].to_numpy()[order]
    count = len(row)
    draw = rng.random(count)
    family = np.where(where == "estate", 0.86, np.where(where == "dormitory", 0.0, 0.50))
    mates = np.where(where == "estate", 0.96, np.where(where == "dormitory", 0.0, 0.90))
    kind = np.where(draw < family, 0, np.where(draw < mates, 1, 2)).astype(np.int8)
    kind[where == "dormitory"] = 3
    size = np.choose(
        kind,
        [
            rng.choice([2, 3, 4, 5, 6], count, p=[0.12, 0.25, 0.33, 0.20, 0.10]),
            rng.choice([3, 4, 5, 6], count, p=[0.3, 0.35, 0.25, 0.1]),
            np.ones(count, dtype=np.int64),
            rng.choice([4, 6, 8], count, p=[0.3, 0.4, 0.3]),
        ],
    ).astype(np.int64)
    total = np.cumsum(size)
    if total[-1] < people:  # too few homes were drawn: the last ones take more mates
        short = int(people - total[-1])
        size[-(short // 2 + 1) :] += 2
        total = np.cumsum(size)
    last = int(np.searchsorted(total, people))
    size = size[: last + 1]
    size[-1] -= total[last] - people
    home = np.repeat(np.arange(len(size)), size)
    place_in = np.arange(people) - np.repeat(np.cumsum(size) - size, size)
    return _Households(row[home], home, place_in, size[home], kind[home])


def _ages(homes: _Households, rng: np.random.Generator) -> tuple[Bools, Ints, Bools]:
    """Draw sex and age in days; twins are third and fourth in a family and share the birthday."""
    count = len(homes.home)
    households = int(homes.household[-1]) + 1
    head_age = rng.integers(26 * 365, 52 * 365, households)[homes.household]
    seat, family = homes.place_in, homes.kind == 0
    age = rng.integers(18 * 365, 46 * 365, count)
    age[homes.kind == 2] = rng.integers(19 * 365, 78 * 365, count)[homes.kind == 2]
    head, spouse = family & (seat == 0), family & (seat == 1)
    age[head] = head_age[head]
    age[spouse] = np.maximum(head_age[spouse] + rng.integers(-5 * 365, 5 * 365, count)[spouse], 21 * 365)
    elder = family & (homes.size >= 5) & (seat >= homes.size - 2)
    child = family & (seat >= 2) & ~elder
    age[elder] = head_age[elder] + rng.integers(22 * 365, 31 * 365, count)[elder]
    age[child] = np.maximum(head_age[child] - rng.integers(23 * 365, 36 * 365, count)[child], 0)
    age[child] += rng.integers(1, 300, count)[child]
    head_female = (rng.random(households) < 0.45)[homes.household]
    female = rng.random(count) < 0.48
    female[head], female[spouse] = head_female[head], ~head_female[spouse]
    dormitory = (rng.random(households) < 0.45)[homes.household]
    female[homes.kind == 3] = dormitory[homes.kind == 3]
    second_child = child & (seat == 3)
    twin_second = second_child & (rng.random(count) < 0.03)
    twin_second[0] = False
    at = np.flatnonzero(twin_second)
    age[at] = age[at - 1]
    alike = rng.random(len(at)) < 0.7
    female[at[alike]] = female[at[alike] - 1]
    twin = twin_second.copy()
    twin[at - 1] = True
    return female, age, twin


def _named(homes: _Households, female: Bools, twin: Bools, rng: np.random.Generator) -> pl.DataFrame:
    """Give names: children take the father's surname, twins share the first character, some mates the whole name."""
    count = len(female)
    surname = names.surnames(rng, count)
    first, last = names.given_parts(rng, female)
    own = np.arange(count)
    # The father sits in seat 0 or 1; the other seat is one off.
    start = own - homes.place_in
    partner = np.minimum(start + 1, count - 1)
    father = np.where(female[start], partner, start)
    heir = (
        (homes.kind == 0) & (homes.place_in >= 2) & ~((homes.size >= 5) & (homes.place_in >= homes.size - 2))
    )
    surname = names.take(surname, np.where(heir, father, own))
    second = np.flatnonzero(twin & (homes.place_in == 3))
    lead = own.copy()
    lead[second] = second - 1
    first = names.take(first, lead)
    # Twins of one sex must not end up with one name.
    clash = (first + last).to_numpy()[second] == (first + last).to_numpy()[second - 1]
    last_list = last.to_numpy().copy()
    last_list[second[clash]] = "双"
    given = first + pl.Series(last_list, dtype=pl.String)
    rare = pl.Series(rng.random(count) < 0.006)
    given = pl.select(
        pl.when(rare).then(first + names.rare_characters(rng, count)).otherwise(given)
    ).to_series()
    name = surname + given
    mates = np.flatnonzero(((homes.kind == 1) | (homes.kind == 3)) & (homes.place_in == 2))
    same = mates[rng.random(len(mates)) < 0.012]
    copy = own.copy()
    copy[same] = same - 1
    name = names.take(name, copy)
    group = np.zeros(count, dtype=np.int8)  # 0 mainland, 1 minority, 2 Hong Kong …, 3 foreign
    draw = rng.random(count)
    group[draw < 0.0135] = 1
    group[draw < 0.0100] = 2
    group[draw < 0.0032] = 3
    group[twin | np.isin(own, same) | np.isin(own, same - 1)] = 0
    minority, foreign = names.minority_names(rng, count), names.foreign_names(rng, count)
    kind = pl.Series(group)
    name = pl.select(
        pl.when(kind == 1).then(minority).when(kind == 3).then(foreign).otherwise(name)
    ).to_series()
    return pl.DataFrame({"name": name, "group": group, "rare": rare & (kind == 0)})


def _identified(
    frame: pl.DataFrame, born: Days, female: Bools, second_twins: Ints, rng: np.random.Generator
) -> pl.DataFrame:
    group = frame["group"].to_numpy()
    number = np.empty(len(group), dtype=object)
    mainland = group <= 1
    lead = np.arange(len(group))
    lead[second_twins] = second_twins - 1
    position = np.cumsum(mainland) - 1
    ids = identities.resident_ids(rng, born[mainland], female[mainland], lead=position[lead[mainland]])
    number[mainland] = ids.to_numpy()
    number[group == 2] = identities.hong_kong_macao_taiwan_ids(rng, born[group == 2]).to_numpy()
    number[group == 3] = identities.foreign_ids(rng, born[group == 3]).to_numpy()
    kind = np.array(["居民身份证", "居民身份证", "港澳台证件", "外国人证件"])[group]
    return frame.with_columns(resident_id=pl.Series(number, dtype=pl.String), id_kind=pl.Series(kind))


def _phones(homes: _Households, minor: Bools, rng: np.random.Generator) -> pl.Series:
    """Give numbers: children have a parent's, one adult in a hundred another one's."""
    count = len(minor)
    owner = np.arange(count)
    start = owner - homes.place_in
    owner[minor] = start[minor]
    shared = rng.random(count) < 0.011
    owner[shared] = rng.integers(0, count, int(shared.sum()))
    return names.take(identities.phones(rng, count), owner)
