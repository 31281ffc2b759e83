"""Why two records are held to be one, as data for people: a list of {comparison, level, weight}."""

from __future__ import annotations

import polars as pl

from chengshu.batch.linkage.levels import Model

# A sure key counts as this much evidence (log2 odds): a million to one and more, yet finite, so decisions can be weighed.
SURE_WEIGHT = 30.0
_SURE_PROBABILITY = 1.0


def sure_pairs(why: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Return the deterministic edges (left, right, rule) as pairs with reasons."""
    rules = why["rule"].unique().to_list() if why.height else []
    reasons = {
        rule: [{"comparison": part, "level": "same", "weight": SURE_WEIGHT} for part in rule.split("+")]
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
    reasons = []
    for comparison in model.comparisons:
        top = len(comparison.levels) - 1
        names = [comparison.levels[top - gamma].code for gamma in range(top + 1)]
        gamma = pl.col(f"gamma_{comparison.name}")
        level = gamma.replace_strict(list(range(top + 1)), names, return_dtype=pl.String, default=None)
        reason = pl.struct(
            pl.lit(comparison.name).alias("comparison"),
            level.alias("level"),
            pl.col(f"mw_{comparison.name}").cast(pl.Float64).round(2).alias("weight"),
        )
        reasons.append(pl.when(gamma >= 0).then(reason).otherwise(None))
    return scored.select(
        ids.gather(scored["left"]).alias("left_id"),
        ids.gather(scored["right"]).alias("right_id"),
        "probability",
        pl.concat_list(reasons).list.drop_nulls().alias("reasons"),
    )
