"""Linking or deduplicating any two tables: standard forms, keys, a model estimated on the spot, clusters, reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from chengshu.batch.linkage import codes, explain, text
from chengshu.batch.linkage.cluster import Graph, Rules, clusters
from chengshu.batch.linkage.components import Ints
from chengshu.batch.linkage.fields import comparison, standard_fields
from chengshu.batch.linkage.keys import key_expressions, pairs_of
from chengshu.batch.linkage.levels import Model
from chengshu.batch.linkage.place import link_places
from chengshu.batch.linkage.scoring import score, workshop
from chengshu.batch.linkage.training import fitted_prior, train
from chengshu.kernel.problems import Problem

# Two records of one side that are surely one, in more than one row of two hundred: the side is not free of duplicates.
_DUPLICATES = 0.005
_SURELY = 8.0
_FLOOR = -20.0
_RULES = Rules(bound=0.0, unseen=-0.5)


@dataclass(frozen=True)
class Linked:
    """``pairs`` held to be one: left_id, right_id, probability, reasons."""

    pairs: pl.DataFrame
    rest: Callable[[], pl.DataFrame]

    @property
    def candidates(self) -> pl.DataFrame:
        """The pairs that were compared and not held to be one, same columns; worked out when asked for."""
        return self.rest()


def link_tables(
    kind: str,
    left: pl.DataFrame,
    right: pl.DataFrame | None = None,
    *,
    progress: Callable[[str], None] = lambda step: None,
) -> Linked:
    """Link ``left`` with ``right``, or ``left`` with itself; columns are elements, `id` names the rows.

    No labels are needed and no threshold: a pair is held to be one when that is more likely than not, in the light of
    all records of its cluster. Two tables that are each free of duplicates are linked one to one.
    """
    if kind == "place":
        pairs, others = link_places(left, right, progress=progress)
        return Linked(pairs, lambda: others)
    both, side = _stacked(left, right)
    progress("standardise")
    standard, fields = standard_fields(kind, both.drop("id"))
    if not fields:
        raise Problem("link-nothing-common", "The tables have no element in common that tells records apart")
    standard = standard.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), pl.Series("side", side)
    )
    model = Model(kind, "start", _first_prior(side), tuple(comparison(field, fields) for field in fields))
    with workshop() as con:
        con.register("incoming", standard)
        con.execute("create table standard as select * from incoming")
        con.unregister("incoming")
        progress("block")
        pairs = pairs_of(con, key_expressions(fields, both.height), across=False)
        progress("estimate")
        model = train(con, model).model
        progress("score")
        scored = score(con, model, pairs, whole=True)
        prior = fitted_prior(scored, model.prior, both.height * (both.height - 1) / 2)
        model, scored = _with_prior(model, scored, prior)
        progress("cluster")
        label, scored = _clustered(kind, both, side, scored)
        inside = _pairs_inside(label, side, scored)
        unseen = score(con, model, inside.join(scored, on=["left", "right"], how="anti"), whole=True)
    return _linked(both["id"], side, label, pl.concat([scored, unseen]), model)


def _stacked(left: pl.DataFrame, right: pl.DataFrame | None) -> tuple[pl.DataFrame, Ints]:
    if right is None:
        return left, np.zeros(left.height, dtype=np.int64)
    common = [name for name in left.columns if name in right.columns]
    side = np.repeat(np.array([0, 1], dtype=np.int64), [left.height, right.height])
    return pl.concat([left.select(common), right.select(common)]), side


def _first_prior(side: Ints) -> float:
    rows = max(len(side), 2)
    return min(1 / rows, 0.02)


def _with_prior(model: Model, scored: pl.DataFrame, prior: float) -> tuple[Model, pl.DataFrame]:
    shift = float(np.log2(prior / (1 - prior)) - np.log2(model.prior / (1 - model.prior)))
    weight = pl.col("weight") + shift
    odds = weight.clip(-60, 60) * float(np.log(2))
    return replace(model, prior=prior), scored.with_columns(
        weight.alias("weight"), (1 / (1 + (-odds).exp())).alias("probability")
    )


def _clustered(kind: str, both: pl.DataFrame, side: Ints, scored: pl.DataFrame) -> tuple[Ints, pl.DataFrame]:
    """Return the cluster of each row and the scores that it rests on."""
    one_table = int(side.max(initial=0)) == 0
    left, right = scored["left"].to_numpy(), scored["right"].to_numpy()
    across = side[left] != side[right]
    clean = not one_table and _free_of_duplicates(side, scored, across)
    if clean:
        scored = scored.filter(pl.Series(across))
    graph = Graph(
        count=both.height,
        left=scored["left"].to_numpy(),
        right=scored["right"].to_numpy(),
        weight=scored["weight"].to_numpy(),
        code=_valid_codes(kind, both),
        side=side if clean else None,
    )
    return clusters(graph, _RULES), scored


def _free_of_duplicates(side: Ints, scored: pl.DataFrame, across: np.ndarray) -> bool:
    sure = scored.filter(pl.Series(~across) & (pl.col("weight") > _SURELY))
    return all(
        int((side[sure["left"].to_numpy()] == one).sum()) <= _DUPLICATES * int((side == one).sum())
        for one in (0, 1)
    )


def _valid_codes(kind: str, both: pl.DataFrame) -> Ints:
    """Number the valid resident IDs or credit codes: no cluster holds two."""
    element = {"person": "resident_id", "firm": "credit_code"}[kind]
    none = np.full(both.height, -1, dtype=np.int64)
    if element not in both.columns:
        return none
    if kind == "person":
        code, ok = codes.resident_ids(both[element]), codes.resident_id_valid(pl.col("code"))
    else:
        code, ok = text.each(both[element], codes.credit_code), codes.credit_code_valid(pl.col("code"))
    frame = code.alias("code").to_frame().with_columns(ok.alias("ok"))
    if frame["ok"].mean() < 0.5:  # type: ignore[operator]
        return none  # another country's numbers that pass by accident bind nobody
    held = frame.select(pl.when("ok").then(pl.col("code").rank("dense").cast(pl.Int64)).otherwise(-1))
    return held.to_series().to_numpy()


def _pairs_inside(label: Ints, side: Ints, scored: pl.DataFrame) -> pl.DataFrame:
    """Return all pairs of rows of one cluster (of two sides, where there are two)."""
    rows = pl.DataFrame({"row": np.arange(len(label)), "label": label, "side": side})
    rows = rows.filter(pl.len().over("label") > 1)
    pairs = rows.join(rows, on="label", suffix="_2").filter(pl.col("row") < pl.col("row_2"))
    if int(side.max(initial=0)):
        pairs = pairs.filter(pl.col("side") != pl.col("side_2"))
    return pairs.select(pl.col("row").alias("left"), pl.col("row_2").alias("right"))


def _linked(ids: pl.Series, side: Ints, label: Ints, scored: pl.DataFrame, model: Model) -> Linked:
    left, right = scored["left"].to_numpy(), scored["right"].to_numpy()
    wanted = (side[left] != side[right]) if int(side.max(initial=0)) else np.ones(len(left), dtype=bool)
    together = label[left] == label[right]
    held = scored.filter(pl.Series(wanted & together))
    others = scored.filter(pl.Series(wanted & ~together) & (pl.col("weight") > _FLOOR))

    def rest() -> pl.DataFrame:
        order = ["probability", "left_id", "right_id"]
        return explain.scored_pairs(others, ids, model).sort(order, descending=[True, False, False])

    return Linked(explain.with_company(held, label, ids, model).sort("left_id", "right_id"), rest)
