"""The steward builds again after some rows changed: the result is that of a build from nothing."""

from __future__ import annotations

import random

import polars as pl
import pytest

from chengshu.batch.linkage import Previous, blocking, resolve
from chengshu.batch.linkage.codes import resident_ids

SURNAMES, GIVEN = "王李张", ("伟", "芳", "子轩", "子涵", "子萱", "秀英")


def resident_id(rng: random.Random) -> str:
    first = (
        f"4403061{rng.choice(['990', '991'])}0{rng.randint(1, 3)}0{rng.randint(1, 3)}{rng.randint(100, 109)}"
    )
    short = first[:6] + first[8:]
    return resident_ids(pl.Series([short])).item()


def row(rng: random.Random, number: int) -> dict[str, str | None]:
    """A record from a small crowded world, in which strangers share names, flats and telephones all the time."""
    building = f"44030600100100{rng.randint(100, 101)}"
    return {
        "record_id": f"r{number:03d}",
        "source": rng.choice(["police", "housing", "health"]),
        "name": rng.choice(SURNAMES) + rng.choice(GIVEN),
        "resident_id": resident_id(rng) if rng.random() < 0.4 else None,
        "phone": f"1380000{rng.randint(1000, 1006)}" if rng.random() < 0.7 else None,
        "birth_date": f"199{rng.randint(0, 1)}-0{rng.randint(1, 3)}-0{rng.randint(1, 3)}"
        if rng.random() < 0.8
        else None,
        "place_code": f"{building}000{rng.randint(1, 3)}" if rng.random() < 0.8 else None,
    }


def mutated(rng: random.Random, rows: list[dict], fresh: int) -> list[dict]:
    result = []
    for one in rows:
        roll = rng.random()
        if roll < 0.04:
            continue
        result.append({**row(rng, 0), "record_id": one["record_id"]} if roll < 0.08 else one)
    return result + [row(rng, fresh + number) for number in range(rng.randint(0, 3))]


def decided(rng: random.Random, rows: list[dict]) -> pl.DataFrame:
    ids = [one["record_id"] for one in rows]
    made = [
        (*sorted(rng.sample(ids, 2)), rng.choice(["same", "different"])) for _ in range(rng.randint(0, 2))
    ]
    return pl.DataFrame(made, schema=["left_id", "right_id", "decision"], orient="row").cast(pl.String)


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(6, 40))]
)
def test_resolving_changes_gives_what_resolving_all_gives(seed, monkeypatch):
    # A small crowd, so that blocks become crowded and stop being so.
    monkeypatch.setattr(blocking, "CROWD", 5)
    rng = random.Random(seed)
    rows = [row(rng, number) for number in range(70)]
    decisions = decided(rng, rows)
    before = resolve("person", pl.DataFrame(rows, infer_schema_length=None), decisions=decisions)
    for turn in range(2):
        previous = Previous(
            pl.DataFrame(rows, infer_schema_length=None), decisions, before.clusters, before.pairs, before.candidates,
            before.broken, before.standard if seed % 2 else None,
        )  # fmt: skip
        rows = mutated(rng, rows, 100 * (turn + 1))
        decisions = pl.concat([decisions, decided(rng, rows)]).unique(
            ["left_id", "right_id"], keep="first", maintain_order=True
        )
        records = pl.DataFrame(rows, infer_schema_length=None)
        full = resolve("person", records, decisions=decisions)
        before = resolve(
            "person",
            records.sample(fraction=1.0, shuffle=True, seed=1),
            decisions=decisions,
            previous=previous,
        )
        assert before.clusters.equals(full.clusters)
        for name in ("pairs", "candidates"):
            ours, whole = getattr(before, name), getattr(full, name)
            assert ours.select("left_id", "right_id").rows() == whole.select("left_id", "right_id").rows()
        assert before.broken == full.broken


def test_nothing_changed_costs_nothing():
    rng = random.Random(9)
    records = pl.DataFrame([row(rng, number) for number in range(30)], infer_schema_length=None)
    first = resolve("person", records)
    again = resolve(
        "person", records, previous=Previous(records, None, first.clusters, first.pairs, first.candidates)
    )
    assert again.clusters.equals(first.clusters)
    assert again.counts["worked"] == 0
