"""The rows of the address matching benchmark: known addresses written with errors, and addresses that are not there."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from chengshu.batch.generate import address_noise as noise
from chengshu.kernel.strict_yaml import load_yaml

KINDS_FILE = Path(__file__).parent / "error_kinds.yaml"
_BUILDING_LEVELS = ("district", "street", "community", "road", "number", "estate", "building")
_STREET_DOOR = ("street", "road", "number")
_INVENTED = "凌霄澜庭鹭颐晟璟沐樾瀚熙栖屿臻麓珑骏驰昱"
_ELSEWHERE = (
    ("广东省", "深圳市", "南山区", "粤海街道"),
    ("广东省", "深圳市", "龙华区", "民治街道"),
    ("广东省", "广州市", "天河区", "石牌街道"),
    ("湖北省", "武汉市", "江岸区", "台北街道"),
    ("广东省", "东莞市", None, "长安镇"),
)

Row = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Case:
    """One text, the kinds of error in it, and what is right: a code, or None for a refusal."""

    text: str
    kinds: tuple[str, ...]
    truth: str | None
    level: str | None


def kinds() -> dict[str, Any]:
    """The kinds of error and their least shares, as committed."""
    table: dict[str, Any] = load_yaml(KINDS_FILE)["address"]
    return table


def cases(library: pl.DataFrame, count: int, *, seed: int) -> list[Case]:
    """``count`` texts: mostly addresses of the library written with errors, and every kind that is not in it."""
    rng = random.Random(seed)
    table = kinds()
    absent = {kind: round(count * share * 1.2) for kind, share in table["absent"].items()}
    present = count - sum(absent.values())
    rows = library.filter(pl.col("state") == "active").sample(present, seed=seed, with_replacement=True)
    found = list(_present(library, list(rows.iter_rows(named=True)), table["present"], rng))
    facts = _Facts(library)
    for kind, wanted in absent.items():
        found += _absent(facts, kind, wanted, rng)
    rng.shuffle(found)
    _check_shares(found, table)
    return found


def _present(
    library: pl.DataFrame, rows: list[Row], shares: dict[str, float], rng: random.Random
) -> Iterator[Case]:
    # Kinds that find nothing to act on are common (no estate, no old street), so more are drawn than must appear.
    rates = {kind: min(0.9, share * _HEADROOM.get(kind, 1.5)) for kind, share in shares.items()}
    written = []
    for row in rows:
        drawn = noise.draw_kinds(rates, rng) or [rng.choice(noise.KINDS)]
        written.append(noise.messy(row, drawn, rng))
    same = _same_reading(library, rows, written)
    for row, text, places in zip(rows, written, same, strict=True):
        if places > 1:
            yield Case(text.text, ("ambiguous",), None, None)
        else:
            yield Case(text.text, text.kinds, row["place_code"], "room" if row["room"] else "building")


_HEADROOM = {"dropped_levels": 4.0, "aliases": 5.0, "old_streets": 2.0, "dash_forms": 4.0, "chinese_numerals": 2.0,
             "other_words": 2.0, "full_width": 2.0, "typos": 2.0}  # fmt: skip


def _same_reading(library: pl.DataFrame, rows: list[Row], written: list[noise.Written]) -> list[int]:
    """How many buildings of the library have all that is still in each text."""
    buildings = list(
        library.filter(pl.col("room").is_null() & (pl.col("state") == "active")).iter_rows(named=True)
    )
    counts: dict[tuple[tuple[str, ...], bool], Counter[tuple[str | None, ...]]] = {}
    answers = []
    for row, text in zip(rows, written, strict=True):
        short = "aliases" in text.kinds
        hidden = {"street"} if "old_streets" in text.kinds else set()
        levels = tuple(level for level in _BUILDING_LEVELS if level in text.levels and level not in hidden)
        if (levels, short) not in counts:
            counts[levels, short] = Counter(_reading(building, levels, short) for building in buildings)
        answers.append(counts[levels, short][_reading(row, levels, short)])
    return answers


def _reading(row: Row, levels: tuple[str, ...], short: bool) -> tuple[str | None, ...]:
    return tuple(_short(row[level]) if short and level == "estate" else row[level] for level in levels)


def _short(estate: str | None) -> str | None:
    return (
        re.sub(r"(花园|小区|家园|公寓|新村|花苑|雅苑|大厦|广场|工业区|工业园|科技园|村)$", "", estate or "")
        or None
    )


class _Facts:
    """What the library has, to write what it has not."""

    def __init__(self, library: pl.DataFrame) -> None:
        active = library.filter(pl.col("state") == "active")
        houses = active.filter(pl.col("room").is_null())
        self.rooms = active.filter(pl.col("room").is_not_null()).rows(named=True)
        self.doors = houses.filter(pl.col("road").is_not_null() & pl.col("number").is_not_null()).rows(
            named=True
        )
        self.blocks = houses.filter(pl.col("estate").is_not_null() & pl.col("building").is_not_null()).rows(
            named=True
        )
        self.numbers = {(row["road"], row["number"]) for row in self.doors}
        self.buildings = {(row["estate"], row["building"]) for row in self.blocks}
        self.names = {
            row[name] for row in houses.rows(named=True) for name in ("road", "estate") if row[name]
        }
        self.in_room: dict[str, set[str]] = {}
        for row in self.rooms:
            self.in_room.setdefault(row["place_code"][:17], set()).add(row["room"])
        sites = Counter(row["estate"] for row in self.blocks)
        self.houses = houses.rows(named=True)
        self.doors_in_street = Counter(_reading(row, _STREET_DOOR, short=False) for row in self.doors)
        self.large_sites = [row for row in self.blocks if sites[row["estate"]] > 2]


def _absent(facts: _Facts, kind: str, wanted: int, rng: random.Random) -> list[Case]:
    make = {
        "no_such_number": _no_such_number,
        "no_such_building": _no_such_building,
        "no_such_road": _no_such_road,
        "no_such_estate": _no_such_estate,
        "near_name": _near_name,
        "elsewhere": _elsewhere,
        "too_short": _too_short,
        "no_such_room": _no_such_room,
        "ambiguous": _ambiguous,
    }[kind]
    found: list[Case] = []
    while len(found) < wanted:
        made = make(facts, rng)
        if made is None:
            continue
        row, truth = made
        light = {"dropped_divisions": 0.3, "other_words": 0.2, "full_width": 0.1}
        drawn = [] if kind == "elsewhere" else noise.draw_kinds(light, rng)
        text = noise.messy(row, drawn, rng).text
        found.append(Case(text, (kind,), truth, "building" if truth else None))
    return found


def _no_such_number(facts: _Facts, rng: random.Random) -> tuple[Row, str | None] | None:
    row = dict(rng.choice(facts.doors))
    number = f"{rng.randint(1, 900)}号"
    if (row["road"], number) in facts.numbers:
        return None
    row["number"] = number
    if row[
        "building"
    ]:  # with an estate and building that exist it would be a contradiction, also to be refused
        row["estate"] = row["building"] = None if rng.random() < 0.7 else row["building"]
    return row | {"room": rng.choice((None, "502"))}, None


def _no_such_building(facts: _Facts, rng: random.Random) -> tuple[Row, str | None] | None:
    row = dict(rng.choice(facts.blocks))
    building = f"{rng.randint(1, 60)}栋" if row["building"][0].isdigit() else f"{rng.choice('GHJKLMN')}栋"
    if (row["estate"], building) in facts.buildings:
        return None
    return row | {"building": building}, None


def _no_such_road(facts: _Facts, rng: random.Random) -> tuple[Row, str | None] | None:
    row = dict(rng.choice(facts.doors))
    road = "".join(rng.sample(_INVENTED, 2)) + rng.choice(("路", "大道", "街", "一路"))
    return row | {"road": road, "estate": None, "building": None}, None


def _no_such_estate(facts: _Facts, rng: random.Random) -> tuple[Row, str | None] | None:
    row = dict(rng.choice(facts.blocks))
    estate = "".join(rng.sample(_INVENTED, rng.choice((2, 3)))) + rng.choice(
        ("花园", "大厦", "公寓", "工业园")
    )
    return row | {"estate": estate, "road": None, "number": None, "room": "301"}, None


def _near_name(facts: _Facts, rng: random.Random) -> tuple[Row, str | None] | None:
    """Another name, one character away, that neither sounds nor looks alike: a place we have never heard of."""
    row = dict(rng.choice(facts.doors))
    road = row["road"]
    able = [at for at, ch in enumerate(road[:-1]) if ch not in noise.TELLING and ch not in "大道路街巷"]
    if len(road) < 3 or not able:
        return None
    at = rng.choice(able)
    other = rng.choice(_INVENTED)
    if noise.sound(other) == noise.sound(road[at]):
        return None
    name = road[:at] + other + road[at + 1 :]
    if name in facts.names:
        return None
    return row | {"road": name, "estate": None, "building": None}, None


def _elsewhere(facts: _Facts, rng: random.Random) -> tuple[Row, str | None] | None:
    province, city, district, street = rng.choice(_ELSEWHERE)
    row = dict(rng.choice(facts.doors))
    where = {"province": province, "city": city, "district": district, "street": street, "community": None}
    text = noise.full_text(row | where)
    return {"province": text}, None


def _too_short(facts: _Facts, rng: random.Random) -> tuple[Row, str | None] | None:
    if rng.random() < 0.5 and facts.large_sites:
        row = dict(rng.choice(facts.large_sites))
        gone: tuple[str, ...] = ("road", "number", "building", "unit", "room")
    else:
        row = dict(rng.choice(facts.doors))
        gone = rng.choice((("number", "estate", "building"), ("road", "number", "estate", "building")))
    return noise.without(row, (*gone, "unit", "room")), None


def _ambiguous(facts: _Facts, rng: random.Random) -> tuple[Row, str | None] | None:
    """Several houses of one street have this road and number: the village or the building is left out."""
    row = dict(rng.choice(facts.doors))
    if facts.doors_in_street[_reading(row, _STREET_DOOR, short=False)] < 2:
        return None
    return noise.without(row, ("community", "estate", "building", "unit")) | {"room": "301"}, None


def _no_such_room(facts: _Facts, rng: random.Random) -> tuple[Row, str | None] | None:
    row = dict(rng.choice(facts.rooms))
    building = str(row["place_code"])[:17]
    room = f"{rng.randint(40, 60)}{rng.randint(1, 9):02d}"
    if room in facts.in_room[building]:
        return None
    return row | {"room": room}, building


def _check_shares(found: list[Case], table: dict[str, Any]) -> None:
    """Refuse to measure on rows that are easier than the committed file says."""
    present = [case for case in found if case.truth and "no_such_room" not in case.kinds]
    if not present:
        raise ValueError("no present rows")
    several = sum(len(case.kinds) > 1 for case in present) / len(present)
    shares = {kind: sum(kind in case.kinds for case in present) / len(present) for kind in table["present"]}
    shares |= {kind: sum(kind in case.kinds for case in found) / len(found) for kind in table["absent"]}
    shares["several_kinds"] = several
    least = {**table["present"], **table["absent"], "several_kinds": table["several_kinds"]}
    short = {kind: round(shares[kind], 4) for kind, share in least.items() if shares[kind] < share}
    if short:
        raise ValueError(f"too few rows of these kinds: {short}")
