"""Why two records are held to be one, as data for people: a list of {comparison, level, weight}."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import polars as pl

from chengshu.batch.linkage.components import Ints
from chengshu.batch.linkage.levels import Model

# A sure key counts as this much evidence (log2 odds): a million to one and more, yet finite, so decisions can be weighed.
SURE_WEIGHT = 30.0
_SURE_PROBABILITY = 1.0
# A pair weaker than this by itself says so: it stands by the other records of its cluster.
LEANING = 3.0


def sure_pairs(why: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Return the deterministic edges (left, right, rule) as pairs with reasons."""
    rules = why["rule"].unique().to_list() if why.height else []
    reasons = {
        rule: [
            {"comparison": part, "level": "same", "weight": SURE_WEIGHT / len(rule.split("+"))}
            for part in rule.split("+")
        ]
        for rule in rules
    }
    table = pl.DataFrame({"rule": list(reasons), "reasons": list(reasons.values())}, schema=_RULE_SCHEMA)
    return why.join(table, on="rule", how="left", maintain_order="left").select(
        ids.gather(why["left"]).alias("left_id"),
        ids.gather(why["right"]).alias("right_id"),
        pl.lit(_SURE_PROBABILITY).alias("probability"),
        "reasons",
    )


_REASONS = pl.List(pl.Struct({"comparison": pl.String, "level": pl.String, "weight": pl.Float64}))
_RULE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {"rule": pl.String, "reasons": _REASONS}


def scored_pairs(scored: pl.DataFrame, ids: pl.Series, model: Model) -> pl.DataFrame:
    """Return scored pairs with one reason for each comparison that had values, in the model's order."""
    parts = []
    for comparison in model.comparisons:
        top = len(comparison.levels) - 1
        names = [comparison.levels[top - gamma].code for gamma in range(top + 1)]
        level = pl.col("gamma").replace_strict(
            list(range(top + 1)), names, return_dtype=pl.String, default=None
        )
        part = scored.select(
            pl.int_range(pl.len(), dtype=pl.Int64).alias("pair"),
            pl.col(f"gamma_{comparison.name}").alias("gamma"),
            pl.col(f"mw_{comparison.name}").cast(pl.Float64).round(2).alias("weight"),
        ).filter(pl.col("gamma") >= 0)
        parts.append(
            part.select("pair", pl.lit(comparison.name).alias("comparison"), level.alias("level"), "weight")
        )
    return _with_reasons(scored, ids, parts)


def _with_reasons(pairs: pl.DataFrame, ids: pl.Series, parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Gather (pair, comparison, level, weight) into one list a pair; a list column built row by row is far slower."""
    long = pl.concat(parts).sort("pair", maintain_order=True)
    reason = pl.struct("comparison", "level", "weight").alias("reasons")
    reasons = long.group_by("pair", maintain_order=True).agg(reason)
    rows = pairs.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("pair"), "left", "right", "probability")
    found = rows.join(reasons, on="pair", how="left", maintain_order="left")
    return found.select(
        ids.gather(found["left"]).alias("left_id"),
        ids.gather(found["right"]).alias("right_id"),
        "probability",
        pl.col("reasons").fill_null(pl.lit([], dtype=_REASONS)).alias("reasons"),
    )


def with_company(held: pl.DataFrame, label: Ints, ids: pl.Series, model: Model) -> pl.DataFrame:
    """Return pairs of one cluster; where the others of the cluster speak louder than the pair itself, that is a reason.

    The cluster's evidence is the mean weight over its pairs; the pair's probability is the greater of the two.
    """
    held = held.with_columns(pl.Series("label", label[held["left"].to_numpy()]))
    held = held.with_columns(pl.col("weight").mean().over("label").alias("company"))
    by_company = 1 / (1 + (-pl.col("company").clip(0, 60) * math.log(2)).exp())
    leaning = pl.col("company") > pl.col("weight")
    company = pl.struct(
        pl.lit("cluster").alias("comparison"),
        pl.lit("others-agree").alias("level"),
        pl.col("company").cast(pl.Float64).round(2).alias("weight"),
    )
    pairs = scored_pairs(held, ids, model).with_columns(
        held["company"], held["weight"], by_company=held.select(by_company).to_series()
    )
    leans = leaning & (pl.col("weight") < LEANING)
    return pairs.select(
        "left_id",
        "right_id",
        pl.max_horizontal("probability", "by_company").alias("probability"),
        pl.when(leans).then(pl.concat_list("reasons", company)).otherwise("reasons").alias("reasons"),
    )


def level_pairs(
    pairs: pl.DataFrame,
    ids: pl.Series,
    comparisons: Mapping[str, Sequence[tuple[str, float, float]]],
    weights: Mapping[str, Sequence[float]],
) -> pl.DataFrame:
    """Return pairs whose columns level_<comparison> hold level numbers (-1: a value is missing) with their reasons."""
    parts = []
    numbered = pairs.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("pair"))
    for name, rows in comparisons.items():
        level, numbers = pl.col(f"level_{name}"), list(range(len(rows)))
        codes = level.replace_strict(numbers, [row[0] for row in rows], return_dtype=pl.String, default=None)
        weight = level.replace_strict(numbers, list(weights[name]), return_dtype=pl.Float64, default=None)
        said = numbered.filter(level >= 0)
        parts.append(
            said.select(
                "pair", pl.lit(name).alias("comparison"), codes.alias("level"), weight.alias("weight")
            )
        )
    more = numbered.filter(pl.col("together").abs() >= 0.5).select(
        "pair",
        pl.lit("combination").alias("comparison"),
        pl.lit("together").alias("level"),
        pl.col("together").round(2).alias("weight"),
    )
    return _with_reasons(pairs, ids, [*parts, more])
