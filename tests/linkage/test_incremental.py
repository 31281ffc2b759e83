"""The steward builds again after some rows changed: the result is that of a build from nothing."""

from __future__ import annotations

import random

import polars as pl
import pytest

from chengshu.batch.linkage import Previous, Resolution, blocking, differing, resolve, resolve_changes
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


def again(records: pl.DataFrame, before: pl.DataFrame, decisions, was: Resolution, was_decided) -> Resolution:
    """Resolve what changed and lay it over what was, as a build does."""
    previous = Previous(
        was.index, lambda ids: was.standard.filter(pl.col("record_id").is_in(ids.implode())), was.candidates,
        was_decided, was.broken,
    )  # fmt: skip
    changed = differing(records, before)
    named = pl.col("record_id").is_in(changed.implode())
    found = resolve_changes("person", records.filter(named), changed, previous, decisions=decisions)
    over = pl.concat([changed, found.again]).unique().implode()

    def laid(old: pl.DataFrame, new: pl.DataFrame, void: pl.Series) -> pl.DataFrame:
        return pl.concat([old.filter(~void), new])

    index = laid(was.index, found.index, was.index["record_id"].is_in(over)).sort("record_id")
    pairs, candidates = (
        laid(old, new, found.replaced(old)).sort("left_id", "right_id")
        for old, new in ((was.pairs, found.pairs), (was.candidates, found.candidates))
    )
    standard = laid(was.standard, found.standard, was.standard["record_id"].is_in(changed.implode()))
    return Resolution(
        index.select("record_id", "cluster"),
        pairs,
        candidates,
        standard.sort("record_id"),
        index,
        found.broken,
    )


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(6, 40))]
)
def test_resolving_changes_gives_what_resolving_all_gives(seed, monkeypatch):
    # A small crowd, so that blocks become crowded and stop being so.
    monkeypatch.setattr(blocking, "CROWD", 5)
    rng = random.Random(seed)
    rows = [row(rng, number) for number in range(70)]
    decisions = decided(rng, rows)
    records = pl.DataFrame(rows, infer_schema_length=None)
    found = resolve("person", records, decisions=decisions)
    for turn in range(3):
        rows = mutated(rng, rows, 100 * (turn + 1))
        before, records = records, pl.DataFrame(rows, infer_schema_length=None)
        then, decisions = (
            decisions,
            pl.concat([decisions, decided(rng, rows)]).unique(
                ["left_id", "right_id"], keep="first", maintain_order=True
            ),
        )
        if seed % 3 == 0:
            decisions = decisions.head(3)  # people take decisions back, too
        full = resolve("person", records, decisions=decisions)
        shuffled = records.sample(fraction=1.0, shuffle=True, seed=1)
        found = again(shuffled, before, decisions, found, then)
        assert found.clusters.equals(full.clusters)
        assert found.index.equals(full.index), "the index of a run on changes is that of a run on everything"
        assert found.standard.equals(full.standard)
        for name in ("pairs", "candidates"):
            ours, whole = getattr(found, name), getattr(full, name)
            assert ours.select("left_id", "right_id").rows() == whole.select("left_id", "right_id").rows()
        assert found.broken == full.broken


def test_a_record_that_nobody_shares_a_key_with_costs_one_record():
    rng = random.Random(9)
    records = pl.DataFrame([row(rng, number) for number in range(30)], infer_schema_length=None)
    first = resolve("person", records)
    stranger = row(rng, 99) | {
        "name": "欧阳锋", "resident_id": None, "phone": None, "birth_date": None, "place_code": None,
    }  # fmt: skip
    new = pl.DataFrame([stranger], schema=records.schema)
    previous = Previous(
        first.index,
        lambda ids: first.standard.filter(pl.col("record_id").is_in(ids.implode())),
        first.candidates,
    )
    found = resolve_changes("person", new, new["record_id"], previous)
    assert found.again.to_list() == ["r099"]
    gone = resolve_changes("person", records.clear(), pl.Series("record_id", ["r099"]), previous)
    assert gone.again.is_empty() and gone.index.is_empty()
