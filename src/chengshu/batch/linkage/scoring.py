"""Scores of pairs by Splink on DuckDB, and the functions its levels call."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, Indel
from rapidfuzz.process import cpdist

from chengshu.batch.linkage.levels import Model

THREADS = 2


def _edits(left: pa.Array, right: pa.Array) -> pa.Array:
    return pa.array(
        cpdist(left.to_pylist(), right.to_pylist(), scorer=OSA.distance, score_cutoff=2, dtype=np.int32)
    )


def _likeness(left: pa.Array, right: pa.Array) -> pa.Array:
    scores = cpdist(left.to_pylist(), right.to_pylist(), scorer=Indel.normalized_similarity, dtype=np.float64)
    return pa.array(scores)


def _same_words(left: pa.Array, right: pa.Array) -> pa.Array:
    scores = cpdist(left.to_pylist(), right.to_pylist(), scorer=fuzz.token_sort_ratio, dtype=np.float64)
    return pa.array(scores / 100)


def _shared_words(left: pa.Array, right: pa.Array) -> pa.Array:
    pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
    # Words of one or two letters (initials, "of") are shared by accident.
    shared = (sum(len(word) > 2 for word in set(a.split()) & set(b.split())) for a, b in pairs)
    return pa.array(shared, pa.int32())


_FUNCTIONS: dict[str, tuple[Callable[..., pa.Array], list[str], str]] = {
    "edits": (_edits, ["VARCHAR", "VARCHAR"], "INTEGER"),
    "likeness": (_likeness, ["VARCHAR", "VARCHAR"], "DOUBLE"),
    "same_words": (_same_words, ["VARCHAR", "VARCHAR"], "DOUBLE"),
    "shared_words": (_shared_words, ["VARCHAR", "VARCHAR"], "INTEGER"),
}
_METRES = """create or replace temp macro metres(a, b, c, d) as
    111195 * sqrt(pow(a - c, 2) + pow((b - d) * cos(radians((a + c) / 2)), 2))"""


@contextlib.contextmanager
def workshop(memory: str = "4GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB that knows `edits`, `likeness` and `metres`; its functions go with it."""
    con = duckdb.connect(
        config={"threads": THREADS, "memory_limit": memory, "preserve_insertion_order": False}
    )
    con.execute("set enable_progress_bar = false")
    con.execute(_METRES)
    for name, (function, arguments, result) in _FUNCTIONS.items():
        con.create_function(name, function, arguments, result, type="arrow")  # type: ignore[call-overload]
    try:
        yield con
    finally:
        con.abort()
        for name in _FUNCTIONS:
            con.remove_function(name)
        con.close()


def score(
    con: duckdb.DuckDBPyConnection, model: Model, pairs: pl.DataFrame, *, whole: bool = False
) -> pl.DataFrame:
    """Score ``pairs`` (left, right) of rows of the table `standard`.

    With ``whole`` the frequencies of values are those of the whole table; a pinned model has none.
    Returns left, right, weight (log2 odds), probability and, for each comparison, gamma_<name> (its level, counted
    down from the first; -1: a value is missing) and mw_<name> (its weight).
    """
    if pairs.is_empty():
        return _empty(model)
    con.register("pairs_in", pairs)
    con.execute(
        'create or replace temp table pairs_to_score as select "left" as join_key_l, "right" as join_key_r, '
        "'0' as match_key from pairs_in"
    )
    if not whole:
        con.execute(
            "create or replace temp table compared as select * from standard where row in "
            "(select join_key_l from pairs_to_score union all select join_key_r from pairs_to_score)"
        )
    with quiet():
        from splink import Linker
        from splink.backends.duckdb import DuckDBAPI

        api = DuckDBAPI(con)
        linker = Linker(api.register("standard" if whole else "compared"), model.settings(), log_level=None)
        for number, column in enumerate(_frequency_columns(model) if whole else ()):
            con.execute(_frequencies(f"frequency_{number}", column))
            lookup = api.register(f"frequency_{number}")
            linker.table_management.register_term_frequency_lookup(lookup, column)
        linker.table_management.register_blocked_pairs_for_predict(api.register("pairs_to_score"))
        predicted = linker.inference.predict(warning_mode="never")
        result: pl.DataFrame = con.sql(
            f"select {_columns(model)} from {predicted.physical_name} order by 1, 2"
        ).pl()
        linker.table_management.delete_tables_created_by_splink_from_db()
    con.unregister("pairs_in")
    return result


def _frequency_columns(model: Model) -> list[str]:
    return [comparison.frequency for comparison in model.comparisons if comparison.frequency]


def _frequencies(table: str, column: str) -> str:
    """SQL: how often a value is met, not counting the two records in which it was just found.

    Counting them, a value that only two records bear would look as common as that in tables of any size, and an equal
    unique name would never be enough.
    """
    return f"""
    create or replace temp table {table} as
    select {column}, greatest(count(*) - 1.7, 0.3) / sum(count(*)) over () as tf_{column}
    from standard where {column} is not null group by {column}
    """


def _columns(model: Model) -> str:
    details = []
    for comparison in model.comparisons:
        name = comparison.name
        rare = f" + mw_tf_adj_{name}" if comparison.frequency else ""
        details.append(f"gamma_{name}::smallint as gamma_{name}, (mw_{name}{rare})::float as mw_{name}")
    head = ["row_l as left", "row_r as right", "match_weight as weight", "match_probability as probability"]
    return ", ".join(head + details)


def _empty(model: Model) -> pl.DataFrame:
    schema: dict[str, Any] = {
        "left": pl.Int64,
        "right": pl.Int64,
        "weight": pl.Float64,
        "probability": pl.Float64,
    }
    for comparison in model.comparisons:
        schema |= {f"gamma_{comparison.name}": pl.Int16, f"mw_{comparison.name}": pl.Float32}
    return pl.DataFrame(schema=schema)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Splink from talking to the terminal: it prints advice that only fits a notebook."""
    logger = logging.getLogger("splink")
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
            logger.propagate = propagate
