"""The engineer builds day after day on what changed: each day's base is that of a build that does everything anew."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import polars as pl
import pytest

from chengshu.batch.pipeline import layers
from chengshu.batch.pipeline.fuse import CORRECTIONS, DISPUTED, Human
from chengshu.batch.pipeline.place import Ground

from .conftest import World

PEOPLE = """\
source: {source}
department: market
title: {{zh: 人, en: People}}
kind: person
file: "{file}.csv"
key: [no]
updated: changed
delivery: {delivery}
{deleted}columns:
  name: {{element: person.name, required: true}}
  number: {{element: person.resident_id}}
  phone: {{element: person.phone}}
  address: {{element: person.address}}
rules:
  - {{rule: format, column: phone, format: phone, severity: refuse}}
purpose: {{zh: 登记, en: Registration}}
"""
HEADER = "no,name,number,phone,address,gone,changed"
NUMBERS = ("110105194912310021", "11010519491231002X", "", "", "")
ROADS = ("深圳市宝安区新安街道创业一路12号", "深圳市宝安区新安街道甲岸路25号", "不知道哪里9号", "")


def library() -> pl.DataFrame:
    shared = {
        "province": "广东省",
        "city": "深圳市",
        "district": "宝安区",
        "street": "新安街道",
        "community": "上合社区",
    }
    rows: list[dict[str, Any]] = []
    for code, road, number in (
        ("44030601701900001", "创业一路", "12号"),
        ("44030601701900002", "甲岸路", "25号"),
    ):
        for room in (None, "301", "302"):
            place = code + (f"{int(room) - 300:04}" if room else "")
            rows.append({"place_code": place, "road": road, "number": number, "room": room, **shared})
    frame = pl.DataFrame(rows, infer_schema_length=None)
    rest = {
        "community_code": "440306017019",
        "cell_code": "Z1-001",
        "division_code": "440306017",
        "state": "active",
    }
    nothing = ("estate", "building", "unit", "floor", "place", "replaced_by", "aliases")
    return frame.with_columns(
        *(pl.lit(value).alias(name) for name, value in rest.items()),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in nothing),
        lon=pl.lit(113.9), lat=pl.lit(22.5),
    )  # fmt: skip


def person(rng: random.Random, number: int) -> list[str]:
    address = rng.choice(ROADS)
    return [
        f"{number}", rng.choice(["王伟", "李芳", "张子轩", "王子轩", ""]), rng.choice(NUMBERS),
        rng.choice(["13800138001", "13800138002", "12", ""]),
        address + rng.choice(["", "301", "302"]) if address else "", "",
        f"2026-{rng.randint(1, 10):02}-{rng.randint(1, 28):02}",
    ]  # fmt: skip


def a_day(rng: random.Random, rows: list[list[str]], fresh: int) -> list[list[str]]:
    """Change, drop, repeat, delete and add rows, and put them in another order."""
    result = []
    for one in rows:
        roll = rng.random()
        if roll < 0.05:
            continue
        if roll < 0.15:
            one = [one[0], *person(rng, 0)[1:]]
        if roll > 0.97:
            one = [*one[:5], "y", one[6]]
        result.append(one)
        if rng.random() < 0.03:
            result.append(list(one) if rng.random() < 0.5 else [one[0], *person(rng, 0)[1:]])
    result += [person(rng, fresh + number) for number in range(rng.randint(0, 3))]
    if rng.random() < 0.5:
        rng.shuffle(result)
    return result


def seen(world: World, built: Any) -> dict[str, Any]:
    """Return everything that a run made, in an order that does not depend on how it came to be."""
    store = world.store.entries
    result: dict[str, Any] = {"findings": pl.read_parquet(store / built.check / "findings.parquet").rows()}
    for name, facts in built.sources.items():
        records = layers.read(store / facts["standardise"], "records").drop("file", "row")
        result[name] = records.sort("record_id").rows()
        result[f"{name} counts"] = {
            key: facts[key]
            for key in ("rows", "accepted", "refused", "absent", "deleted", "warned", "reasons")
        }
        refused = pl.read_parquet(store / facts["standardise"] / "refused.parquet")
        result[f"{name} refused"] = sorted(refused.rows())
    for kind, steps in built.kinds.items():
        golden = layers.read(store / steps["fuse"], "golden").sort("subject_id")
        result[kind] = golden.select(sorted(golden.columns)).rows()
        result[f"{kind} conflicts"] = (
            layers.read(store / steps["fuse"], "conflicts").sort("subject_id", "element").rows()
        )
        result[f"{kind} ids"] = layers.read(store / steps["ids"], "assignment").sort("record_id").rows()
        result[f"{kind} placed"] = (
            layers.read(store / steps["place"], "records").sort("record_id")["print"].to_list()
        )
        index = layers.read(store / steps["link"], "clusters").sort("record_id")
        result[f"{kind} clusters"] = index.rows()
        pairs = layers.read(store / steps["link"], "pairs").sort("left_id", "right_id")
        result[f"{kind} pairs"] = pairs.select("left_id", "right_id").rows()
        result[f"{kind} facts"] = [
            built.facts[key][kind] for key in ("subjects", "churn_per_million", "conflicts")
        ]
    return result


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(n, marks=pytest.mark.full) for n in range(2, 30))]
)
def test_a_build_on_changes_gives_what_a_build_on_everything_gives(world, seed, monkeypatch):
    rng = random.Random(seed)
    if seed % 2:
        monkeypatch.setattr(layers, "MOST_LAYERS", 3)  # tables are written whole again now and then
    path = world.root / "library.parquet"
    library().write_parquet(path)
    (world.root / "sources" / "firms.yaml").unlink()
    for name, delivery, deleted in (
        ("a", "full", ""),
        ("b", "delta", 'deleted_flag: {column: gone, value: "y"}\n'),
    ):
        text = PEOPLE.format(source=f"market.{name}", file=name, delivery=delivery, deleted=deleted)
        world.declare(text, name)
    tables = {name: [person(rng, 10 * n + k) for k in range(25)] for n, name in enumerate("ab")}
    said: list[tuple[int, str, str, str, str]] = []
    for day in range(4):
        world.on = dt.date(2026, 11, 20) + dt.timedelta(days=day)
        for name, rows in tables.items():
            world.deliver([",".join(row) for row in rows], f"{name}.csv", HEADER)
        before = world.base
        options = {"accept_shrink": frozenset({"market.a"})}
        ours = seen(world, built := world.build(ground=Ground(path, "440306"), **options))
        after, world.base = world.base, before
        whole = seen(world, world.build(ground=Ground(path, "440306"), full=True, **options))
        for part, value in whole.items():
            assert ours[part] == value, f"day {day}: {part}"
        world.base = after
        golden = layers.read(world.store.entries / built.kinds["person"]["fuse"], "golden", ["subject_id"])
        subjects = sorted(golden["subject_id"])
        said.append((day, rng.choice(subjects), "person.phone", f"1390000000{day}", "2026-11-01"))
        disputed = [(rng.choice(subjects), "person.address")]
        world.human = Human(
            pl.DataFrame(said, schema=CORRECTIONS, orient="row"),
            pl.DataFrame(disputed, schema=DISPUTED, orient="row"), world.human.decisions,
        )  # fmt: skip
        tables = {name: a_day(rng, rows, 100 * (day + 1)) for name, rows in tables.items()}
