"""What a pair of a written address and a library building is worth, and which pair is certain enough.

All weights are set by reasoning, none is fitted: what is exact costs nothing, what a person may well leave out or
misremember costs little, what makes another place likely brings the pair below the bound.
"""

from __future__ import annotations

import polars as pl

from chengshu.batch.address.library import AddressLibrary
from chengshu.batch.address.normalise import name_core
from chengshu.batch.address.similarity import slip

BOUND = 0.75
"""Below this a pair is never accepted."""
MARGIN = 0.04
"""The best building must lead the next by at least this, or the answer is "ambiguous"."""
RUNNERS = 5

# Against 1.0. A name that fits none of the building's names speaks for another place; a note (place) hardly does.
_OTHER_NAME, _OTHER_NOTE = 0.28, 0.02
_OTHER_STREET, _OTHER_COMMUNITY, _BOTH_OTHER = 0.06, 0.10, 0.10
_NO_ROAD, _NO_ESTATE, _NO_NUMBER, _NO_BUILDING, _UNKNOWN_NUMBER = 0.02, 0.01, 0.03, 0.06, 0.10
_BARE, _RETIRED = 0.05, 0.05


def scored(library: AddressLibrary, queries: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Score candidate pairs: qid, bid, score."""
    asked = queries.select("qid", *_ASKED)
    held = library.buildings.select(
        "bid", "state", *(pl.col(name).alias(name + "_b") for name in _ASKED if name != "place_k")
    )
    both = pairs.join(asked, on="qid").join(held, on="bid")
    both = _division_costs(both, "street_k").pipe(_division_costs, "community_k")
    impossible = pl.col("building_k").is_not_null() & pl.col("building_k_b").is_null()
    score = 1.0 - _name_penalty() - _division_penalty() - _detail_penalty()
    return both.filter(~impossible).select("qid", "bid", score=score.clip(0.0, 1.0))


_ASKED = ("street_k", "community_k", "road_k", "number_k", "estate_k", "building_k", "place_k")


def _name_penalty() -> pl.Expr:
    """Cost of the written names; one that fits exactly vouches for a slip in the other."""
    road = _cost("road", _OTHER_NAME)
    estate = _cost("estate", _OTHER_NAME)
    note = pl.min_horizontal(_cost("place", _OTHER_NOTE), pl.lit(0.3))
    vouched = (pl.col("cost_road").fill_null(1) <= 0.06) & (pl.col("cost_estate").fill_null(1) < 1)
    vouched = vouched | (
        (pl.col("cost_estate").fill_null(1) <= 0.06) & (pl.col("cost_road").fill_null(1) < 1)
    )
    total = pl.when(vouched).then((road + estate) / 2).otherwise(road + estate)
    unmentioned = (
        pl.when(pl.col("road_k").is_null() & pl.col("road_k_b").is_not_null()).then(_NO_ROAD).otherwise(0.0)
    )
    no_estate = pl.when(pl.col("estate_k").is_null() & pl.col("estate_k_b").is_not_null())
    return total + note + unmentioned + no_estate.then(_NO_ESTATE).otherwise(0.0)


def _cost(name: str, otherwise: float) -> pl.Expr:
    written = pl.col(name + "_k").is_not_null()
    return pl.when(written).then(pl.col("cost_" + name).fill_null(otherwise)).otherwise(0.0)


def _division_penalty() -> pl.Expr:
    street = pl.col("street_k_cost")
    community = pl.col("community_k_cost")
    both = pl.when((street >= 1) & (community >= 1)).then(_BOTH_OTHER).otherwise(0.0)
    return street * _OTHER_STREET + community * _OTHER_COMMUNITY + both


def _detail_penalty() -> pl.Expr:
    asked, held = pl.col("number_k"), pl.col("number_k_b")
    no_number = pl.when(asked.is_null() & held.is_not_null()).then(_NO_NUMBER).otherwise(0.0)
    unknown = pl.when(asked.is_not_null() & held.is_null()).then(_UNKNOWN_NUMBER).otherwise(0.0)
    block, held_block = pl.col("building_k"), pl.col("building_k_b")
    no_block = pl.when(block.is_null() & held_block.is_not_null()).then(_NO_BUILDING).otherwise(0.0)
    bare = pl.when(asked.is_null() & block.is_null()).then(_BARE).otherwise(0.0)
    retired = pl.when(pl.col("state") == "retired").then(_RETIRED).otherwise(0.0)
    return no_number + unknown + no_block + bare + retired


def _division_costs(pairs: pl.DataFrame, column: str) -> pl.DataFrame:
    """0 where the division agrees or is not written, 1 where it is another, little where one character slipped."""
    written, held = pl.col(column), pl.col(column + "_b")
    differ = pairs.filter(written != held).select(column, column + "_b").unique()
    costs = [_division_cost(left, right) for left, right in differ.iter_rows()]
    table = differ.with_columns(pl.Series(column + "_cost", costs, dtype=pl.Float64))
    return pairs.join(table, on=[column, column + "_b"], how="left").with_columns(
        pl.col(column + "_cost").fill_null(0.0)
    )


def _division_cost(left: str, right: str) -> float:
    if name_core(left) == name_core(right):
        return 0.1
    if len(left) != len(right):
        return 1.0
    wrong = [(a, b) for a, b in zip(left, right, strict=True) if a != b]
    if len(wrong) > 1:
        return 1.0
    return {"sound": 0.2, "look": 0.3}.get(slip(*wrong[0]) or "", 1.0)


def best_per_query(pairs: pl.DataFrame) -> pl.DataFrame:
    """Choose each query's building or say why not: qid, bid, score, runners, why."""
    ranked = pairs.sort(["qid", "score", "bid"], descending=[False, True, False])
    best = ranked.group_by("qid", maintain_order=True).agg(
        bid=pl.col("bid").first(),
        score=pl.col("score").first(),
        second=pl.col("score").get(1, null_on_oob=True),
        runners=pl.struct("bid", "score").head(RUNNERS),
    )
    low = pl.col("score") < BOUND
    tied = (pl.col("score") - pl.col("second") < MARGIN).fill_null(False)
    why = pl.when(low).then(pl.lit("uncertain")).when(tied).then(pl.lit("ambiguous"))
    return best.select(
        "qid",
        bid=pl.when(low | tied).then(None).otherwise(pl.col("bid")).cast(pl.UInt32),
        score=pl.when(low | tied).then(None).otherwise(pl.col("score")),
        runners="runners",
        why=why.otherwise(pl.lit(None, dtype=pl.String)),
    )
