"""m, u and the prior, estimated from the records themselves: Splink's random pairs and expectation maximisation.

No labels are used. Everything is seeded, and the estimates are rounded to four digits, so that one table always gives
one model whatever the order in which threads add up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.linkage.levels import Comparison, Model
from chengshu.batch.linkage.scoring import quiet

_U_PAIRS = 1e6
_EM_PAIRS = 400_000
_SESSIONS = 3
_LEAST_PAIRS = 200
# An m or u of nothing would be a proof. No one difference proves that two are two, and few samples show what is rare.
_LEAST_M, _LEAST_U = 5e-4, 1e-6


@dataclass(frozen=True)
class Trained:
    """``model`` and which comparisons kept their starting values because nothing could be learned."""

    model: Model
    untrained: tuple[str, ...]


def train(con: duckdb.DuckDBPyConnection, model: Model, *, seed: int = 1) -> Trained:
    """Estimate the numbers of ``model`` on the table `standard` (with a column `row`)."""
    rules = _session_rules(con, model)
    while isinstance(learned := _sessions(con, model, rules, seed), str):
        rules.remove(learned)
    comparisons, untrained = [], []
    by_name = {one.output_column_name: one for one in learned}
    for comparison in model.comparisons:
        values = _learned(comparison, by_name[comparison.name])
        comparisons.append(comparison.with_values(values) if values else comparison)
        if not values:
            untrained.append(comparison.name)
    return Trained(replace(model, version="estimated", comparisons=tuple(comparisons)), tuple(untrained))


def _sessions(con: duckdb.DuckDBPyConnection, model: Model, rules: list[str], seed: int) -> list[Any] | str:
    """Return Splink's comparisons after random pairs and a session for each rule, or the rule that cannot teach.

    In a block where no likely match shows some level, that level's m ends at nothing, which Splink refuses; the linker is
    of no use after that, so one starts anew without the rule.
    """
    with quiet():
        from splink import Linker
        from splink.backends.duckdb import DuckDBAPI

        api = DuckDBAPI(con)
        linker = Linker(api.register("standard"), model.settings(), log_level=None)
        linker.training.estimate_u_using_random_sampling(max_pairs=_U_PAIRS, seed=seed)
        try:
            for rule in rules:
                linker.training.estimate_parameters_using_expectation_maximisation(
                    rule, estimate_without_term_frequencies=True, max_pairs=_EM_PAIRS
                )
        except ValueError:
            return rule
        finally:
            linker.table_management.delete_tables_created_by_splink_from_db()
        return list(linker._settings_obj.comparisons)


def _learned(start: Comparison, learned: Any) -> dict[str, tuple[float, float]] | None:
    """Return (m, u) by level; a level that no session saw keeps its starting value; None when nothing was seen."""
    values: dict[str, tuple[float, float]] = {}
    levels = [level for level in learned.comparison_levels if not level.is_null_level]
    by_code = {level.code: level for level in start.levels}
    seen = False
    for level in levels:
        first = by_code[level.label_for_charts]
        m = level.m_probability if level._has_estimated_m_values else None
        u = level.u_probability if level._has_estimated_u_values else None
        seen = seen or m is not None
        values[first.code] = (_rounded(m, first.m, _LEAST_M), _rounded(u, first.u, _LEAST_U))
    return values if seen else None


def _rounded(value: float | None, otherwise: float, least: float) -> float:
    if value is None or np.isnan(value):
        return otherwise
    return float(f"{min(max(value, least), 1 - least):.4g}")


def _session_rules(con: duckdb.DuckDBPyConnection, model: Model) -> list[str]:
    """Return equality rules to block training pairs by: telling columns that still give enough pairs."""
    found = []
    rows = con.sql("select count(*) from standard").fetchall()[0][0]
    for comparison in model.comparisons:
        column = comparison.columns[0]
        pairs = con.sql(
            f"select coalesce(sum(n * (n - 1) // 2), 0) from "
            f"(select count(*) as n from standard where {column} is not null group by {column})"
        ).fetchall()[0][0]
        if max(_LEAST_PAIRS, rows // 50) <= pairs <= 400 * rows:
            found.append((int(pairs), column))
    return [f"l.{column} = r.{column}" for _, column in sorted(found)[:_SESSIONS]]


def fitted_prior(scored: pl.DataFrame, prior: float, pairs: float) -> float:
    """Return the prior at which the expected number of matches among all ``pairs`` is what the scores expect."""
    evidence: NDArray[np.float64] = scored["weight"].to_numpy() - np.log2(prior / (1 - prior))
    # Two records of one subject are never rarer than one in all pairs, never more than one in fifty.
    for _ in range(50):
        odds = np.log2(prior / (1 - prior))
        expected = float((1 / (1 + np.exp2(-np.clip(evidence + odds, -200, 200)))).sum())
        again = min(max(expected, 1.0) / pairs, 0.02)
        if abs(np.log2(again / prior)) < 1e-3:
            break
        prior = again
    return float(f"{prior:.4g}")
