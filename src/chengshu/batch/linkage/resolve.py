"""From records to clusters: standardise, group what is sure, block, score with Splink, cluster under constraints."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from chengshu.batch.linkage import explain
from chengshu.batch.linkage.blocking import candidates
from chengshu.batch.linkage.cluster import Graph, Rules, clusters
from chengshu.batch.linkage.levels import Model
from chengshu.batch.linkage.models import pinned
from chengshu.batch.linkage.scoring import score, workshop
from chengshu.batch.linkage.standard import standardise
from chengshu.batch.linkage.sure import Sure, sure_groups

# Below this weight (log2 odds) a pair is not even kept as evidence against: the unseen pair's weight stands for it.
FLOOR = -12.0
PAIR_SCHEMA = {
    "left_id": pl.String,
    "right_id": pl.String,
    "probability": pl.Float64,
    "reasons": pl.List(pl.Struct({"comparison": pl.String, "level": pl.String, "weight": pl.Float64})),
}


@dataclass(frozen=True)
class Resolution:
    """What was held to be one.

    ``clusters``: record_id, cluster (the smallest record id of the cluster). ``pairs``: the evidence inside clusters,
    left_id, right_id, probability, reasons. ``candidates``: pairs compared and not held to be one, same columns.
    ``broken``: people's 'same' decisions that other decisions made impossible (left_id, right_id).
    """

    clusters: pl.DataFrame
    pairs: pl.DataFrame
    candidates: pl.DataFrame
    broken: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def resolve(
    kind: str,
    records: pl.DataFrame,
    *,
    decisions: pl.DataFrame | None = None,
    model: Model | None = None,
) -> Resolution:
    """Find which records are one subject; see the package's docstring for the columns.

    ``decisions`` (left_id, right_id, decision 'same' or 'different') are people's: they always hold. ``model`` is the
    kind's pinned model unless another is given.
    """
    model = model or pinned(kind)
    frame = standardise(kind, records)
    sure = sure_groups(kind, frame)
    same, different = _decided(frame, decisions)
    group = _dissolve(sure, different)
    held = _group_codes(group, sure.held)
    with workshop() as con:
        table = frame.with_row_index("row").with_columns(
            pl.col("row").cast(pl.Int64), pl.Series("grp", group), pl.Series("held", held)
        )
        con.register("standard", table)
        pairs = candidates(con, kind)
        scored = score(con, model, pairs)
        con.unregister("standard")
    graph = _graph(group, held, scored, sure, same, different)
    label = clusters(graph, Rules())[group]
    return _resolution(frame, label, scored, sure, graph, model)


def _decided(
    frame: pl.DataFrame, decisions: pl.DataFrame | None
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return people's decisions as row pairs; those on records that are gone wait until they come back."""
    if decisions is None or decisions.is_empty():
        return [], []
    rows = frame.select("record_id").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    found = decisions.join(rows.rename({"row": "left"}), left_on="left_id", right_on="record_id").join(
        rows.rename({"row": "right"}), left_on="right_id", right_on="record_id"
    )
    found = found.select(
        "decision",
        pl.min_horizontal("left", "right").alias("left"),
        pl.max_horizontal("left", "right").alias("right"),
    ).unique()
    found = found.sort("left", "right")
    pick = {
        word: [(int(a), int(b)) for _, a, b in found.filter(pl.col("decision") == word).iter_rows()]
        for word in ("same", "different")
    }
    return pick["same"], pick["different"]


def _dissolve(sure: Sure, different: list[tuple[int, int]]) -> np.ndarray:
    """Take apart the sure groups in which a person said that two records are different."""
    split = [sure.group[a] for a, b in different if sure.group[a] == sure.group[b]]
    if not split:
        return sure.group
    apart = np.isin(sure.group, split)
    return np.where(apart, np.arange(len(sure.group)), sure.group)


def _group_codes(group: np.ndarray, held: np.ndarray) -> np.ndarray:
    best = np.full(len(group), -1, dtype=np.int64)
    np.maximum.at(best, group, held)
    codes: np.ndarray = best[group]
    return codes


def _graph(
    group: np.ndarray,
    held: np.ndarray,
    scored: pl.DataFrame,
    sure: Sure,
    same: list[tuple[int, int]],
    different: list[tuple[int, int]],
) -> Graph:
    """Lift row pairs to group pairs: the best evidence between two groups counts."""
    found = scored.select(
        pl.Series("a", group[scored["left"].to_numpy()]),
        pl.Series("b", group[scored["right"].to_numpy()]),
        "weight",
    )
    # Groups that a person took apart still have their key as evidence, record by record.
    why = sure.why.select(
        pl.Series("a", group[sure.why["left"].to_numpy()]),
        pl.Series("b", group[sure.why["right"].to_numpy()]),
        pl.lit(explain.SURE_WEIGHT).alias("weight"),
    )
    edges = (
        pl.concat([found, why.filter(pl.col("a") != pl.col("b"))])
        .filter(pl.col("weight") > FLOOR)
        .select(pl.min_horizontal("a", "b").alias("a"), pl.max_horizontal("a", "b").alias("b"), "weight")
        .group_by("a", "b")
        .agg(pl.col("weight").max())
        .sort("a", "b")
    )
    return Graph(
        count=len(group),
        left=edges["a"].to_numpy(),
        right=edges["b"].to_numpy(),
        weight=edges["weight"].to_numpy(),
        code=held,
        same=[(int(group[a]), int(group[b])) for a, b in same],
        different=[(int(group[a]), int(group[b])) for a, b in different],
    )


def _resolution(
    frame: pl.DataFrame, label: np.ndarray, scored: pl.DataFrame, sure: Sure, graph: Graph, model: Model
) -> Resolution:
    ids = frame["record_id"]
    names = pl.DataFrame({"record_id": ids, "label": label})
    smallest = pl.col("record_id").min().over("label").alias("cluster")
    together = label[scored["left"].to_numpy()] == label[scored["right"].to_numpy()]
    why = sure.why.filter(
        pl.Series(label[sure.why["left"].to_numpy()] == label[sure.why["right"].to_numpy()])
    )
    inside = pl.concat(
        [explain.sure_pairs(why, ids), explain.scored_pairs(scored.filter(together), ids, model)]
    )
    others = explain.scored_pairs(
        scored.filter(pl.Series(~together) & (pl.col("weight") > FLOOR)), ids, model
    )
    result = names.select("record_id", smallest)
    return Resolution(
        clusters=result,
        pairs=inside,
        candidates=others,
        broken=[(ids[a], ids[b]) for a, b in graph.broken],
        counts={
            "records": frame.height,
            "sure_links": sure.why.height,
            "pairs_scored": scored.height,
            "clusters": result["cluster"].n_unique(),
        },
    )
