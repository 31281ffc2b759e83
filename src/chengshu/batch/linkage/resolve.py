"""From records to clusters: standardise, group what is sure, block, score with Splink, cluster under constraints.

`changes` does the same for the records that changed since the last run, and comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import polars as pl

from chengshu.batch.linkage import explain
from chengshu.batch.linkage.blocking import block_keys, candidates
from chengshu.batch.linkage.cluster import Graph, Rules, clusters
from chengshu.batch.linkage.components import Ints
from chengshu.batch.linkage.levels import Model
from chengshu.batch.linkage.models import pinned
from chengshu.batch.linkage.scoring import score, workshop
from chengshu.batch.linkage.standard import standardise
from chengshu.batch.linkage.sure import Sure, sure_groups, sure_keys

# Below this weight (log2 odds) a pair is not even kept as evidence against: the unseen pair's weight stands for it.
FLOOR = -12.0
RULES = Rules(bound=0.0, unseen=-2.0)


@dataclass(frozen=True)
class Resolution:
    """What was held to be one.

    ``clusters``: record_id, cluster (the smallest record id of the cluster), sorted. ``pairs``: the evidence inside
    clusters, left_id, right_id, probability, reasons. ``candidates``: pairs compared and not held to be one, same columns.
    ``broken``: people's 'same' decisions that other decisions made impossible (left_id, right_id). ``standard``: the
    records in standard form, and ``index``: clusters with each record's keys (s0, s1, ... are sure, k0, k1, ... block),
    both worth keeping for the next run.
    """

    clusters: pl.DataFrame
    pairs: pl.DataFrame
    candidates: pl.DataFrame
    standard: pl.DataFrame
    index: pl.DataFrame
    broken: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def resolve(
    kind: str,
    records: pl.DataFrame,
    *,
    decisions: pl.DataFrame | None = None,
    model: Model | None = None,
) -> Resolution:
    """Find which records are one subject; record columns are those of `standard.INPUT`, missing ones count as empty.

    ``decisions`` (left_id, right_id, decision 'same' or 'different') are people's: they always hold. ``model`` is the
    kind's pinned model unless another is given.
    """
    with workshop() as con:
        frame = standardise(kind, records).sort("record_id")
        return run(con, kind, frame, decisions, model or pinned(kind))


def run(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    frame: pl.DataFrame,
    decisions: pl.DataFrame | None,
    model: Model,
    crowd: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
) -> Resolution:
    """Resolve the rows of a standard frame, sorted by record id.

    ``crowd`` says, given the rows' block keys, how many rows beside them bear each of these (n, k, m): a block is
    crowded by rows that are not resolved here too.
    """
    sure = sure_groups(kind, frame)
    same, different = _decided(frame, decisions)
    group = _dissolve(sure, different)
    held = _group_codes(group, sure.held)
    table = _with_typed_birth(frame, sure.held).with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), pl.Series("grp", group), pl.Series("held", held)
    )
    con.register("standard", table)
    keys = block_keys(con, kind, "standard")
    con.register(
        "blocked", pl.concat([table.select("row", "grp", "held", "source", "name"), keys], how="horizontal")
    )
    pairs = candidates(con, kind, crowd(keys) if crowd else None)
    con.unregister("blocked")
    scored = score(con, model, pairs)
    con.unregister("standard")
    graph = _graph(group, held, scored, sure, same, different)
    label = clusters(graph, RULES)[group]
    found = _resolution(frame, label, scored, sure, graph, model)
    index = pl.concat([found.clusters, sure_keys(kind, frame), keys], how="horizontal")
    return replace(found, index=index)


def _with_typed_birth(frame: pl.DataFrame, held: np.ndarray) -> pl.DataFrame:
    """Where a record does not hold the code it carries, what the code says of birth and sex is another's."""
    foreign = pl.col("code_ok") & (pl.Series(held) < 0)
    return frame.with_columns(
        pl.when(foreign).then(pl.col("birth_typed")).otherwise(pl.col("birth_date")).alias("birth_date"),
        pl.when(foreign).then(None).otherwise(pl.col("sex")).alias("sex"),
    )


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


def _dissolve(sure: Sure, different: list[tuple[int, int]]) -> Ints:
    """Take apart the sure groups in which a person said that two records are different."""
    split = [sure.group[a] for a, b in different if sure.group[a] == sure.group[b]]
    if not split:
        return sure.group
    apart = np.isin(sure.group, split)
    return np.where(apart, np.arange(len(sure.group)), sure.group)


def _group_codes(group: Ints, held: Ints) -> Ints:
    best = np.full(len(group), -1, dtype=np.int64)
    np.maximum.at(best, group, held)
    codes: Ints = best[group]
    return codes


def _graph(
    group: Ints,
    held: Ints,
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
    frame: pl.DataFrame, label: Ints, scored: pl.DataFrame, sure: Sure, graph: Graph, model: Model
) -> Resolution:
    ids = frame["record_id"]
    # Rows are sorted by record id and a cluster is named after its first row.
    result = pl.DataFrame({"record_id": ids, "cluster": ids.gather(label)})
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
    return Resolution(
        clusters=result,
        pairs=_ordered(inside.unique(["left_id", "right_id"], keep="first", maintain_order=True)),
        candidates=_ordered(others),
        standard=frame,
        index=result,
        broken=sorted((ids[a], ids[b]) for a, b in graph.broken),
        counts={
            "records": frame.height,
            "sure_links": sure.why.height,
            "pairs_scored": scored.height,
            "clusters": result["cluster"].n_unique(),
        },
    )


def _ordered(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.sort("left_id", "right_id")
