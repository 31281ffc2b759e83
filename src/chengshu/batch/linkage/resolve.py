"""From records to clusters: standardise, group what is sure, block, score with Splink, cluster under constraints.

A run after another (``previous``) works only on what changed records can reach, and gives what a full run gives under
the same model: scores look at two records alone, and clusters at one connected component alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import polars as pl

from chengshu.batch.linkage import explain
from chengshu.batch.linkage.blocking import candidates, sharing_a_key
from chengshu.batch.linkage.cluster import Graph, Rules, clusters
from chengshu.batch.linkage.components import Ints, components
from chengshu.batch.linkage.levels import Model
from chengshu.batch.linkage.models import pinned
from chengshu.batch.linkage.scoring import score, workshop
from chengshu.batch.linkage.standard import INPUT, standardise
from chengshu.batch.linkage.sure import Sure, key_stars, sure_groups

# Below this weight (log2 odds) a pair is not even kept as evidence against: the unseen pair's weight stands for it.
FLOOR = -12.0
RULES = Rules(bound=0.0, unseen=-2.0)
_SEED = 2026
_DECISIONS = {"left_id": pl.String, "right_id": pl.String, "decision": pl.String}


@dataclass(frozen=True)
class Resolution:
    """What was held to be one.

    ``clusters``: record_id, cluster (the smallest record id of the cluster), sorted. ``pairs``: the evidence inside
    clusters, left_id, right_id, probability, reasons. ``candidates``: pairs compared and not held to be one, same columns.
    ``broken``: people's 'same' decisions that other decisions made impossible (left_id, right_id). ``standard``: the
    records in standard form, worth keeping for the next run.
    """

    clusters: pl.DataFrame
    pairs: pl.DataFrame
    candidates: pl.DataFrame
    standard: pl.DataFrame
    broken: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Previous:
    """The last run under the same model: the records and decisions it saw, and the frames it returned.

    Without ``standard`` every record is put into standard form again, which costs more than all the rest.
    """

    records: pl.DataFrame
    decisions: pl.DataFrame | None
    clusters: pl.DataFrame
    pairs: pl.DataFrame
    candidates: pl.DataFrame
    broken: list[tuple[str, str]] = field(default_factory=list)
    standard: pl.DataFrame | None = None


def resolve(
    kind: str,
    records: pl.DataFrame,
    *,
    decisions: pl.DataFrame | None = None,
    model: Model | None = None,
    previous: Previous | None = None,
) -> Resolution:
    """Find which records are one subject; record columns are those of `standard.INPUT`, missing ones count as empty.

    ``decisions`` (left_id, right_id, decision 'same' or 'different') are people's: they always hold. ``model`` is the
    kind's pinned model unless another is given. With ``previous`` only what changed records touch is worked again.
    """
    model = model or pinned(kind)
    with workshop() as con:
        if previous is None:
            frame = standardise(kind, records).sort("record_id")
            return _run(con, kind, frame, np.ones(frame.height, dtype=bool), decisions, model)
        return _run_on_changes(con, kind, records, decisions, model, previous)


def _run(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    frame: pl.DataFrame,
    affected: np.ndarray,
    decisions: pl.DataFrame | None,
    model: Model,
) -> Resolution:
    """Resolve the affected rows of ``frame``; the others only say which blocks are crowded."""
    order = pl.concat([frame.filter(pl.Series(affected)), frame.filter(pl.Series(~affected))])
    count = int(affected.sum())
    mine = order.head(count)
    sure = sure_groups(kind, mine)
    same, different = _decided(mine, decisions)
    group = _dissolve(sure, different)
    held = _group_codes(group, sure.held)
    rest = np.arange(count, order.height, dtype=np.int64)
    table = _with_typed_birth(
        order, np.concatenate([sure.held, np.full(order.height - count, -1)])
    ).with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        pl.Series("grp", np.concatenate([group, rest])),
        pl.Series("held", np.concatenate([held, np.full(len(rest), -1)])),
    )
    con.register("standard", table)
    pairs = candidates(con, kind, below=count)
    scored = score(con, model, pairs)
    con.unregister("standard")
    graph = _graph(group, held, scored, sure, same, different)
    label = clusters(graph, RULES)[group]
    return _resolution(mine, label, scored, sure, graph, model)


def _with_typed_birth(frame: pl.DataFrame, held: np.ndarray) -> pl.DataFrame:
    """Where a record does not hold the code it carries, what the code says of birth and sex is another's."""
    foreign = pl.col("code_ok") & (pl.Series(held) < 0)
    return frame.with_columns(
        pl.when(foreign).then(pl.col("birth_typed")).otherwise(pl.col("birth_date")).alias("birth_date"),
        pl.when(foreign).then(None).otherwise(pl.col("sex")).alias("sex"),
    )


def _either_birth(frame: pl.DataFrame) -> pl.DataFrame:
    """Number the rows; one whose typed birth date is not its code's stands there with either."""
    rows = frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    typed = rows.filter(pl.col("code_ok") & pl.col("birth_typed").ne_missing(pl.col("birth_date")))
    return pl.concat([rows, typed.with_columns(pl.col("birth_typed").alias("birth_date"))])


def _run_on_changes(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    records: pl.DataFrame,
    decisions: pl.DataFrame | None,
    model: Model,
    previous: Previous,
) -> Resolution:
    changed = _changed(records, previous.records) | _redecided(decisions, previous.decisions)
    if not changed:
        standard = previous.standard if previous.standard is not None else standardise(kind, records)
        kept = (previous.clusters, previous.pairs, previous.candidates, standard.sort("record_id"))
        return _counted(Resolution(*kept, list(previous.broken)), worked=0)
    old = standardise(kind, _those(previous.records, changed))
    frame = _standard_now(kind, records, changed, previous.standard)
    reach = _reach(con, kind, frame, old, changed, decisions, previous)
    fresh = _run(con, kind, frame, reach, decisions, model)
    return _joined(frame, reach, fresh, previous, changed)


def _those(records: pl.DataFrame, ids: set[str]) -> pl.DataFrame:
    return records.join(_named(ids), on="record_id", how="semi")


def _standard_now(
    kind: str, records: pl.DataFrame, changed: set[str], before: pl.DataFrame | None
) -> pl.DataFrame:
    if before is None:
        return standardise(kind, records).sort("record_id")
    fresh = standardise(kind, _those(records, changed))
    return pl.concat([before.join(_named(changed), on="record_id", how="anti"), fresh]).sort("record_id")


def _changed(records: pl.DataFrame, before: pl.DataFrame) -> set[str]:
    """Return the ids of records that came, went or read otherwise."""
    now, then = _digests(records), _digests(before)
    both = now.join(then, on="record_id", how="full", coalesce=True)
    return set(both.filter(pl.col("digest").ne_missing(pl.col("digest_right")))["record_id"].to_list())


def _digests(records: pl.DataFrame) -> pl.DataFrame:
    columns = [
        (pl.col(name).cast(dtype, strict=False) if name in records.columns else pl.lit(None, dtype)).alias(
            name
        )
        for name, dtype in INPUT.items()
    ]
    frame = records.select(columns)
    return frame.select("record_id", digest=frame.hash_rows(_SEED))


def _redecided(decisions: pl.DataFrame | None, before: pl.DataFrame | None) -> set[str]:
    """Return the ids of records on which people decided anew."""
    empty = pl.DataFrame(schema=_DECISIONS)
    now, then = (
        empty if one is None else one.select(pl.col(name).cast(pl.String) for name in _DECISIONS).unique()
        for one in (decisions, before)
    )
    new = now.join(then, on=list(_DECISIONS), how="anti")
    gone = then.join(now, on=list(_DECISIONS), how="anti")
    other = pl.concat([new, gone])
    return set(other["left_id"].to_list()) | set(other["right_id"].to_list())


def _reach(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    frame: pl.DataFrame,
    old: pl.DataFrame,
    changed: set[str],
    decisions: pl.DataFrame | None,
    previous: Previous,
) -> np.ndarray:
    """Say for each row whether changed records can have a say in its cluster.

    What a record is surely one with, and so which code it holds, hangs on its sure component alone: first those of changed
    records, as they read now and as they read before. New pairs arise only where a row of these shares a key; and who is
    compared anew brings its whole old component along. Nothing else can change.
    """
    stars = key_stars(kind, pl.concat([frame, old]))
    left, right = stars["left"].to_numpy(), stars["right"].to_numpy()
    is_changed = np.concatenate(
        [frame["record_id"].is_in(list(changed)).to_numpy(), np.ones(old.height, dtype=bool)]
    )
    sure = components(frame.height + old.height, left, right)
    core = np.isin(sure, np.unique(sure[is_changed]))[: frame.height]
    con.register("now", _either_birth(frame))
    con.register("gone", _either_birth(old))
    touched = sharing_a_key(con, kind, core, "gone")
    con.unregister("now")
    con.unregister("gone")
    # Who was one with a record that is gone is reached, though no row of it is left.
    lost = previous.clusters.join(_named(changed), on="record_id", how="semi").select("cluster").unique()
    members = previous.clusters.join(lost, on="cluster", how="semi")["record_id"]
    touched |= frame["record_id"].is_in(members.to_list()).to_numpy()
    component = _old_components(frame, decisions, previous, stars.filter(pl.col("right") < frame.height))
    return np.isin(component, np.unique(component[touched]))


def _named(ids: set[str]) -> pl.DataFrame:
    return pl.DataFrame({"record_id": sorted(ids)}, schema={"record_id": pl.String})


def _old_components(
    frame: pl.DataFrame, decisions: pl.DataFrame | None, previous: Previous, stars: pl.DataFrame
) -> Ints:
    """Return components over what can tie rows together: old clusters, old strong candidates, sure keys, decisions."""
    rows = frame.select("record_id").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))

    def ends(pairs: pl.DataFrame) -> pl.DataFrame:
        found = pairs.join(rows.rename({"row": "left"}), left_on="left_id", right_on="record_id")
        return found.join(rows.rename({"row": "right"}), left_on="right_id", right_on="record_id").select(
            "left", "right"
        )

    old = previous.clusters.join(rows, on="record_id")
    old = old.select(pl.col("row").min().over("cluster").alias("left"), pl.col("row").alias("right"))
    strong = previous.candidates.filter(pl.col("probability") >= 0.49).select("left_id", "right_id")
    edges = [old, ends(strong), stars]
    if decisions is not None and decisions.height:
        edges.append(ends(decisions))
    every = pl.concat(edges)
    return components(frame.height, every["left"].to_numpy(), every["right"].to_numpy())


def _joined(
    frame: pl.DataFrame, reach: np.ndarray, fresh: Resolution, previous: Previous, changed: set[str]
) -> Resolution:
    """Put what was worked again in the place of what it was before."""
    again = frame.filter(pl.Series(reach)).select("record_id")
    left = frame.filter(~pl.Series(reach)).select("record_id")
    gone = _named(changed)

    def untouched(pairs: pl.DataFrame) -> pl.DataFrame:
        alive = pairs
        for end in ("left_id", "right_id"):
            alive = alive.join(gone, left_on=end, right_on="record_id", how="anti")
        both = alive.select("left_id", "right_id").join(again, left_on="left_id", right_on="record_id")
        both = both.join(again, left_on="right_id", right_on="record_id")
        return alive.join(both, on=["left_id", "right_id"], how="anti")

    rows = set(again["record_id"].to_list())
    broken = [pair for pair in previous.broken if pair[0] not in rows and pair[1] not in rows]
    result = Resolution(
        pl.concat([previous.clusters.join(left, on="record_id", how="semi"), fresh.clusters]).sort(
            "record_id"
        ),
        _ordered(pl.concat([untouched(previous.pairs), fresh.pairs])),
        _ordered(pl.concat([untouched(previous.candidates), fresh.candidates])),
        frame,
        sorted(broken + fresh.broken),
    )
    return _counted(result, worked=again.height)


def _counted(result: Resolution, *, worked: int) -> Resolution:
    counts = {
        "records": result.clusters.height,
        "worked": worked,
        "clusters": result.clusters["cluster"].n_unique(),
    }
    return replace(result, counts=counts)


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
