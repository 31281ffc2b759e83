"""Blocking keys for any table: what two records of one subject are likely to share in spite of errors.

Keys are pairs of attributes, exact or coarsened (initial letters, year and month, district of a postcode), and single
attributes that tell much. A key's crowded blocks are left out, so that no key costs more than `PAIRS_A_ROW`
pairs for each row: what is lost there, another key finds.
"""

from __future__ import annotations

from itertools import combinations

import duckdb
import polars as pl

from chengshu.batch.linkage.fields import Field

CROWD = 100
PAIRS_A_ROW = 12
ENOUGH_KEYS = 30  # a table with few columns needs its words as keys
WORD = "each word of "  # marks the part of a key that stands for every word of a column in turn
FEW_ROWS = 200_000  # beyond, keys of three coarse attributes cost more than they find


def key_expressions(fields: list[Field], rows: int) -> list[tuple[str, ...]]:
    """Return the keys of a table with these fields, each a tuple of SQL expressions."""
    telling = [field for field in fields if field.value != "category"]
    exact = [(field.element, f"{field.column}") for field in telling]
    coarse = [pair for field in fields for pair in _coarse(field)]
    keys: list[tuple[str, ...]] = [(expression,) for _, expression in exact]
    keys += [tuple(sorted((a[1], b[1]))) for a, b in combinations(exact, 2)]
    keys += [(a[1], b[1]) for a in exact for b in coarse if a[0] != b[0]]
    if rows <= FEW_ROWS:
        keys += [(a[1], b[1], c[1]) for a, b, c in combinations(coarse, 3) if len({a[0], b[0], c[0]}) == 3]
    if len(keys) > ENOUGH_KEYS:
        return list(dict.fromkeys(keys))
    worded = [field for field in fields if field.value in ("name", "text")][:3]
    others = [*exact, *coarse]
    keys += [(f"{WORD}{w.column}", b[1]) for w in worded for b in others if b[0] != w.element]
    return list(dict.fromkeys(keys))


def _coarse(field: Field) -> list[tuple[str, str]]:
    c, element = field.column, field.element
    if field.value == "date":
        return [(element, f"substr({c}, 1, 7)"), (element, f"substr({c}, 6)")]
    if field.value == "postcode":
        return [(element, f"case when length({c}) >= 5 then left({c}, length({c}) - 3) end")]
    if field.value in ("cjk-name", "firm-name"):
        return [(element, f"{c}_reading"), (element, f"substr({c}, 1, 2)"), (element, f"right({c}, 2)")]
    if field.value == "name":
        return [(element, f"split_part({c}, ' ', 1)"), (element, f"split_part({c}, ' ', -1)")]
    if field.value == "code":
        return [(element, f"case when length({c}) >= 6 then left({c}, length({c}) // 2) end")]
    if field.value in ("part", "text"):
        return [(element, f"substr({c}, 1, 3)")]
    return []


def pairs_of(con: duckdb.DuckDBPyConnection, keys: list[tuple[str, ...]], *, across: bool) -> pl.DataFrame:
    """Return the pairs (left < right) of rows of the table `standard` that share a key; ``across``: of two sides."""
    con.execute('create or replace temp table found ("left" bigint, "right" bigint)')
    for key in keys:
        con.execute(_key_sql(key, across=across))
    pairs: pl.DataFrame = con.sql("select distinct * from found order by all").pl()
    con.execute("drop table found")
    return pairs


def _key_sql(key: tuple[str, ...], *, across: bool) -> str:
    table = "standard"
    if key[0].startswith(WORD):
        # Words of one or two letters are shared by accident.
        words = f"list_filter(string_split({key[0].removeprefix(WORD)}, ' '), lambda x: length(x) > 2)"
        table = f"(select distinct s.*, w.word from standard s, unnest({words}) as w(word))"
        key = ("word", *key[1:])
    present = " and ".join(f"coalesce({expression}, '') <> ''" for expression in key)
    sides = "and a.side <> b.side" if across else ""
    worth = "min(side) <> max(side)" if across else "true"
    return f"""
    insert into found
    with keyed as (select row, side, hash({", ".join(key)}) as k from {table} where {present}),
    block as (select k, count(*) as n from keyed group by k having n between 2 and {CROWD} and {worth}),
    cheap as (select k from (
        select k, sum(n * (n - 1) // 2) over (order by n, k) as pairs from block
    ) where pairs <= {PAIRS_A_ROW} * (select count(*) from standard)),
    kept as (select row, side, k from keyed semi join cheap using (k))
    select least(a.row, b.row), greatest(a.row, b.row)
    from kept a join kept b using (k) where a.row < b.row {sides}
    """
