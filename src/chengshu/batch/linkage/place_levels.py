"""Levels at which two places are compared, and their weights learned from the candidates themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz.distance import Indel
from rapidfuzz.process import cpdist

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# comparison → (level, m, u): expert numbers, where learning starts and what it falls back on. u is among candidates.
COMPARISONS: dict[str, tuple[tuple[str, float, float], ...]] = {
    "name": (
        ("same-rare", 0.35, 0.002), ("same", 0.25, 0.02), ("part", 0.12, 0.03), ("very-alike", 0.12, 0.01),
        ("alike", 0.09, 0.04), ("somewhat-alike", 0.05, 0.15), ("otherwise", 0.02, 0.75),
    ),
    "branch": (("same", 0.55, 0.1), ("alike", 0.05, 0.05), ("one-sided", 0.2, 0.3), ("otherwise", 0.2, 0.55)),
    "numerals": (("same", 0.9, 0.25), ("one-sided", 0.08, 0.35), ("otherwise", 0.02, 0.4)),
    "part-of": (("same", 0.99, 0.5), ("otherwise", 0.005, 0.5)),
    "distance": (
        ("within-15-m", 0.17, 0.006), ("within-30-m", 0.2, 0.01), ("within-60-m", 0.25, 0.015), ("within-100-m", 0.16, 0.025),
        ("within-160-m", 0.09, 0.04), ("within-250-m", 0.06, 0.06), ("within-400-m", 0.035, 0.1), ("within-700-m", 0.02, 0.17),
        ("otherwise", 0.015, 0.574),
    ),
    "phone": (("same", 0.75, 0.003), ("otherwise", 0.25, 0.997)),
    "address": (
        ("same-number", 0.3, 0.02), ("very-alike", 0.15, 0.01), ("same-road", 0.25, 0.1), ("alike", 0.12, 0.1),
        ("otherwise", 0.18, 0.77),
    ),
}  # fmt: skip
# A car park is not the hospital it belongs to: learning would unlearn that, as the two are alike in all else.
_FIXED = frozenset({"part-of"})
_JOINT = ("name", "branch", "distance")
_MOST = 6.0
_FEW = 2.0
_SEEN = 30.0  # the expert numbers count like this many pairs
_ROUNDS, _SOFT = 30, 20
_NOT_IMPROBABLE = 0.1
_PASSES = 12


@dataclass(frozen=True)
class Evidence:
    """``pairs`` with a level number for each comparison, weight (log2 odds) and probability; ``weights`` of levels."""

    pairs: pl.DataFrame
    weights: dict[str, list[float]]


def learn(pairs: pl.DataFrame, a: pl.DataFrame, b: pl.DataFrame, *, itself: bool) -> Evidence:
    """Put each pair on its levels and learn what each level weighs."""
    pairs = _with_levels(pairs, a, b)
    levels = {name: pairs[f"level_{name}"].to_numpy() for name in COMPARISONS}
    left, right = pairs["left"].to_numpy(), pairs["right"].to_numpy()
    m = {name: np.array([level[1] for level in rows]) for name, rows in COMPARISONS.items()}
    u = {name: np.array([level[2] for level in rows]) for name, rows in COMPARISONS.items()}
    start = {name: (m[name].copy(), u[name].copy()) for name in COMPARISONS}
    cell, joint = _joint_cells(levels), np.zeros(len(left))
    prior = 0.5 * min(a.height, b.height) / max(len(left), 1)
    weight: Floats = np.zeros(len(left))
    posterior: Floats = np.zeros(len(left))
    for turn in range(_ROUNDS):
        weight = _weights(levels, m, u, prior) + joint
        posterior = _competing(weight, left, right, itself=itself)
        mass = posterior if turn < _SOFT or itself else _mutual_best(posterior, left, right)
        for name in COMPARISONS.keys() - _FIXED:
            m[name] = _shares(levels[name], mass, start[name][0])
            u[name] = _shares(levels[name], 1 - mass, start[name][1])
        joint = _together(cell, 1 - mass, levels, u)
        prior = float(min(max(mass.sum() / max(len(left), 1), 1e-6), 0.5))
    table = {name: [round(float(w), 2) for w in np.log2(m[name] / u[name])] for name in COMPARISONS}
    sure = np.clip(posterior, 1e-12, 1 - 1e-12)
    scored = pairs.with_columns(
        pl.Series("weight", np.round(np.log2(sure / (1 - sure)), 6)),
        pl.Series("together", joint),
        pl.Series("probability", posterior),
    )
    return Evidence(scored, table)


def _joint_cells(levels: dict[str, Ints]) -> Ints:
    """Number the combinations of levels of the comparisons that hang together among strangers."""
    cell = np.zeros(len(next(iter(levels.values()))), dtype=np.int64)
    for name in _JOINT:
        cell = cell * (len(COMPARISONS[name]) + 1) + levels[name] + 1
    return cell


def _together(cell: Ints, mass: Floats, levels: dict[str, Ints], u: dict[str, Floats]) -> Floats:
    """Return what a combination says beyond its parts (log2): how much rarer it is among strangers than chance has it.

    Candidates are other branches of a chain (far away) or neighbours in a mall (of another name): to share name and
    place by accident is much rarer than the two shares multiplied.
    """
    total = mass.sum()
    expected = np.full(len(cell), total)
    for name in _JOINT:
        present = levels[name] >= 0
        share = float(mass[present].sum() / max(total, 1e-9))
        table = np.append(u[name] * share, 1 - share)
        expected = expected * np.maximum(table[levels[name]], 1e-9)
    seen = np.bincount(cell, weights=mass)[cell]
    return np.asarray(np.clip(np.log2((expected + _FEW) / (seen + _FEW)), -_MOST, _MOST))


def _weights(levels: dict[str, Ints], m: dict[str, Floats], u: dict[str, Floats], prior: float) -> Floats:
    total = np.full(len(next(iter(levels.values()))), np.log2(prior / (1 - prior)))
    for name, level in levels.items():
        table = np.append(np.log2(m[name] / u[name]), 0.0)  # level -1: a value is missing, nothing is said
        total += table[level]
    return total


def _shares(level: Ints, mass: Floats, start: Floats) -> Floats:
    seen = np.bincount(level[level >= 0], weights=mass[level >= 0], minlength=len(start))
    shares: Floats = (seen + _SEEN * start) / (seen.sum() + _SEEN)
    return np.asarray(np.maximum(shares, 1e-6))


def _mutual_best(posterior: Floats, left: Ints, right: Ints) -> Floats:
    """Return 1 for pairs that are each other's best and not improbable, else 0: what one-to-one linking will take."""
    best_left, best_right = np.zeros(left.max(initial=0) + 1), np.zeros(right.max(initial=0) + 1)
    np.maximum.at(best_left, left, posterior)
    np.maximum.at(best_right, right, posterior)
    best = (posterior == best_left[left]) & (posterior == best_right[right]) & (posterior > _NOT_IMPROBABLE)
    return np.asarray(best, dtype=np.float64)


def _competing(weight: Floats, left: Ints, right: Ints, *, itself: bool) -> Floats:
    """Return the probability of each pair when a place is at most one place on the other map.

    Belief propagation on the matching: ``to_right[k]`` says how free the left place of pair k is of its other
    candidates, given how free those are in turn; so a rival that has a better match of its own counts little.
    """
    odds = np.exp2(np.clip(weight, -40, 40))
    if itself:
        return np.asarray(odds / (1 + odds))
    to_right, to_left = np.ones(len(odds)), np.ones(len(odds))
    for _ in range(_PASSES):
        by_left = np.bincount(left, weights=odds * to_left)[left] - odds * to_left
        by_right = np.bincount(right, weights=odds * to_right)[right] - odds * to_right
        # Halving each step keeps two equal rivals from swinging.
        to_right = (to_right + 1 / (1 + np.maximum(by_left, 0.0))) / 2
        to_left = (to_left + 1 / (1 + np.maximum(by_right, 0.0))) / 2
    free = odds * to_right * to_left
    return np.asarray(free / (1 + free))


def _with_levels(pairs: pl.DataFrame, a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    columns = [
        "whole",
        "core",
        "branch",
        "numerals",
        "branch_numerals",
        "part",
        "phones",
        "address",
        "road",
        "house",
    ]
    borne = pl.concat([a["core"], b["core"]]).drop_nulls().value_counts(name="times")
    frame = pairs.join(a.select(pl.col("row").alias("left"), *columns), on="left", maintain_order="left")
    frame = frame.join(
        b.select(pl.col("row").alias("right"), *columns), on="right", suffix="_r", maintain_order="left"
    )
    frame = frame.join(borne, on="core", how="left", maintain_order="left").with_columns(
        _ratio(frame["branch"], frame["branch_r"]).alias("branch_alike"),
        _ratio(frame["address"], frame["address_r"]).alias("address_alike"),
        _ratio(frame["core"], frame["core_r"]).alias("core_alike"),
    )
    levelled = frame.with_columns(
        _name().alias("level_name"),
        _branch().alias("level_branch"),
        _numerals().alias("level_numerals"),
        _part().alias("level_part-of"),
        _distance().alias("level_distance"),
        _phone().alias("level_phone"),
        _address().alias("level_address"),
    )
    return levelled.select("left", "right", "metres", pl.col("^level_.*$").cast(pl.Int64))


def _ratio(left: pl.Series, right: pl.Series) -> pl.Series:
    scores = cpdist(
        left.fill_null("").to_list(),
        right.fill_null("").to_list(),
        scorer=Indel.normalized_similarity,
        dtype=np.float64,
    )
    return pl.Series(scores)


def _levels(*conditions: pl.Expr) -> pl.Expr:
    """Return the number of the first condition that holds, or the number after the last."""
    level = pl.lit(len(conditions))
    for number in range(len(conditions) - 1, -1, -1):
        level = pl.when(conditions[number].fill_null(False)).then(number).otherwise(level)
    return level


def _name() -> pl.Expr:
    same = (pl.col("core") == pl.col("core_r")) | (pl.col("whole") == pl.col("whole_r"))
    # Where both names have a branch, what they share may be the branch: only the cores count then.
    two = (pl.col("branch") != "") & (pl.col("branch_r") != "")
    alike = pl.when(two).then(0.0).otherwise(pl.col("alike"))
    short = pl.min_horizontal(pl.col("core").str.len_chars(), pl.col("core_r").str.len_chars())
    return _levels(
        same & (pl.col("times") <= 2),
        same,
        _within("core") & (short >= 2),
        (pl.col("core_alike") >= 0.8) | (alike >= 0.85),
        (pl.col("core_alike") >= 0.6) | (alike >= 0.65),
        (pl.col("core_alike") >= 0.4) | (alike >= 0.4),
    )


def _within(column: str) -> pl.Expr:
    left, right = pl.col(column), pl.col(f"{column}_r")
    return left.str.contains(right, literal=True) | right.str.contains(left, literal=True)


def _branch() -> pl.Expr:
    has, has_r = pl.col("branch") != "", pl.col("branch_r") != ""
    same = _within("branch") & has & has_r
    other_number = has & has_r & (pl.col("branch_numerals") != pl.col("branch_numerals_r"))
    alike = pl.when(other_number).then(0.0).otherwise(pl.col("branch_alike"))
    level = _levels(same | (alike >= 0.75), alike >= 0.5, ~(has & has_r))
    return pl.when((has | has_r).fill_null(False)).then(level).otherwise(-1)


def _numerals() -> pl.Expr:
    any_ = ((pl.col("numerals") != "") | (pl.col("numerals_r") != "")).fill_null(False)
    one = (pl.col("numerals") == "") | (pl.col("numerals_r") == "")
    return pl.when(any_).then(_levels(pl.col("numerals") == pl.col("numerals_r"), one)).otherwise(-1)


def _part() -> pl.Expr:
    any_ = ((pl.col("part") != "") | (pl.col("part_r") != "")).fill_null(False)
    return pl.when(any_).then(_levels(pl.col("part") == pl.col("part_r"))).otherwise(-1)


def _distance() -> pl.Expr:
    bounds = (15, 30, 60, 100, 160, 250, 400, 700)
    return (
        pl.when(pl.col("metres").is_null())
        .then(-1)
        .otherwise(_levels(*(pl.col("metres") < m for m in bounds)))
    )


def _phone() -> pl.Expr:
    both = (pl.col("phones").list.len() > 0) & (pl.col("phones_r").list.len() > 0)
    common = pl.col("phones").list.set_intersection("phones_r").list.len() > 0
    return pl.when(both.fill_null(False)).then(_levels(common)).otherwise(-1)


def _address() -> pl.Expr:
    both = pl.col("address").is_not_null() & pl.col("address_r").is_not_null()
    road = pl.col("road") == pl.col("road_r")
    return (
        pl.when(both)
        .then(
            _levels(
                road & (pl.col("house") == pl.col("house_r")),
                (pl.col("address_alike") >= 0.85) | _within("address"),
                road,
                pl.col("address_alike") >= 0.6,
            )
        )
        .otherwise(-1)
    )
