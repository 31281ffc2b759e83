"""The deterministic pass: records that are one beyond doubt, found by equal keys.

1. The same valid code (resident ID, credit code), and nothing in the rest that contradicts it. A record whose name
   does not fit its code's other holders **holds** no code: a relative's ID typed in, a code copied from the line above.
2. Several attributes equal at once (name, birth date and telephone ...), where no two valid codes meet.

Every group has a reason that can be shown. What is not sure goes on to the Splink model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from chengshu.batch.linkage.components import Ints, components

# Attributes that together leave no doubt; a key with a missing part links nothing.
KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "person": (
        ("name", "birth_date", "phone"),
        ("name", "birth_date", "room"),
        ("name", "code"),
    ),
    "firm": (
        ("name", "legal", "phone"),
        ("name", "legal", "room"),
        ("name", "phone", "building"),
        ("name", "code"),
    ),
    "premises": (("room",), ("address", "building")),
    "facility": (("name", "address"), ("name", "building")),
}


_SEED = 2026


@dataclass(frozen=True)
class Sure:
    """``group``: for each row the first row of its group; ``held``: the code it holds (-1: none); ``why``: edges."""

    group: Ints
    held: Ints
    why: pl.DataFrame


def sure_groups(kind: str, frame: pl.DataFrame) -> Sure:
    """Group the rows of a standard frame (see `standardise`) that are surely one."""
    rows = frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    held = _held_codes(kind, rows)
    rows = rows.join(held, on="row", how="left", maintain_order="left").with_columns(
        pl.col("held").fill_null(-1)
    )
    by_code = _star(rows.filter(pl.col("held") >= 0), ["held"]).with_columns(rule=pl.lit("code"))
    linked = components(frame.height, by_code["left"].to_numpy(), by_code["right"].to_numpy())
    stars = [by_code]
    for key in KEYS[kind]:
        star = _star(rows.drop_nulls(list(key)), list(key), one_code=True)
        stars.append(star.with_columns(rule=pl.lit("+".join(key))))
    edges = pl.concat(stars)
    edges = _without_meeting_codes(frame.height, edges, rows["held"].to_numpy())
    linked = components(frame.height, edges["left"].to_numpy(), edges["right"].to_numpy())
    return Sure(linked, rows["held"].to_numpy(), edges)


def sure_keys(kind: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return for each row the digests of its code and its sure keys (s0, s1, ...); null where a part is missing.

    Rows that share one may be one beyond doubt; no others are.
    """
    columns = []
    for number, key in enumerate([("code",), *KEYS[kind]]):
        digest = frame.select(key).hash_rows(_SEED).alias(f"s{number}")
        whole = pl.all_horizontal(pl.col(key).is_not_null())
        columns.append(frame.with_columns(digest).select(pl.when(whole).then(f"s{number}")))
    return pl.concat(columns, how="horizontal")


def _held_codes(kind: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return row → number of the valid code it holds, without the records that contradict their code's holders."""
    columns = ("row", "code", "name", "reading", "phone", "room", "legal", "birth_date", "birth_typed")
    coded = rows.filter("code_ok").select(columns)
    common = (
        coded.group_by("code", "name", "reading")
        .agg(pl.len().alias("times"), pl.col("row").min().alias("first"))
        .sort(["times", "first"], descending=[True, False])
        .group_by("code", maintain_order=True)
        .agg(pl.col("name").first().alias("usual"), pl.col("reading").first().alias("usual_reading"))
    )
    coded = coded.join(common, on="code", how="left", maintain_order="left")
    fits = (pl.col("name") == pl.col("usual")).fill_null(True)
    doubtful = coded.filter(~fits)
    odd = doubtful.filter(~pl.Series(_fit(doubtful))) if doubtful.height else doubtful
    if odd.height:
        odd = _unsupported(kind, odd, coded.filter(fits))
    kept = coded.join(odd.select("row"), on="row", how="anti", maintain_order="left")
    return kept.select("row", (pl.col("code").rank("dense") - 1).cast(pl.Int64).alias("held"))


def _fit(doubtful: pl.DataFrame) -> np.ndarray:
    """Say for each row whether its name can be its code's usual name, mistyped or shortened."""
    names, usual = doubtful["name"].to_list(), doubtful["usual"].to_list()
    edits = cpdist(names, usual, scorer=OSA.distance, dtype=np.int32)
    length = np.maximum(
        doubtful["name"].str.len_chars().to_numpy(), doubtful["usual"].str.len_chars().to_numpy()
    )
    same_reading = (doubtful["reading"] == doubtful["usual_reading"]).fill_null(False).to_numpy()
    part = np.fromiter(
        (len(min(a, b, key=len)) >= 2 and (a in b or b in a) for a, b in zip(names, usual, strict=True)), bool
    )
    return np.asarray(same_reading | part | (edits <= 1) | (edits <= length // 4))


def _unsupported(kind: str, odd: pl.DataFrame, fitting: pl.DataFrame) -> pl.DataFrame:
    """Keep the odd rows that nothing but the code ties to its holders; the others carry a new name.

    A firm that changed its name kept a telephone, a representative or its rooms. A family shares all these, so a
    person's new name counts only with the birth date typed beside it.
    """
    if kind == "person":
        return odd.filter((pl.col("birth_typed") != pl.col("birth_date")).fill_null(True))
    supported = [
        odd.join(
            fitting.select("code", column).drop_nulls().unique(), on=["code", column], how="semi"
        ).select("row")
        for column in ("phone", "legal", "room")
    ]
    return odd.join(pl.concat(supported), on="row", how="anti", maintain_order="left")


def _star(rows: pl.DataFrame, key: list[str], *, one_code: bool = False) -> pl.DataFrame:
    """Return edges from the first row of each key to the others; with ``one_code`` only where at most one is held."""
    keyed = rows.select("row", "held", k=rows.select(key).hash_rows(_SEED)).filter(pl.len().over("k") > 1)
    first = pl.col("row").min().over("k")
    codes_met = pl.col("held").filter(pl.col("held") >= 0).n_unique().over("k")
    starred = keyed.select("row", first.alias("left"), (codes_met if one_code else pl.lit(0)).alias("codes"))
    edges = starred.filter((pl.col("row") != pl.col("left")) & (pl.col("codes") <= 1))
    return edges.select("left", pl.col("row").alias("right"))


def _without_meeting_codes(count: int, edges: pl.DataFrame, held: np.ndarray) -> pl.DataFrame:
    """Drop the key edges of groups in which two codes would meet: those are for the model to weigh."""
    label = components(count, edges["left"].to_numpy(), edges["right"].to_numpy())
    met = (
        pl.DataFrame({"label": label, "held": held})
        .filter(pl.col("held") >= 0)
        .group_by("label")
        .agg(pl.col("held").n_unique().alias("codes"))
        .filter(pl.col("codes") > 1)
    )
    bad = pl.Series(label[edges["left"].to_numpy()]).is_in(met["label"].to_list())
    return edges.filter(~bad | (pl.col("rule") == "code"))
