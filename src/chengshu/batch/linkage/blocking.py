"""Which pairs are compared at all: pairs that share a key, one of them not yet sure who it is.

A key is a list of SQL expressions over a standard row. Keys are composite and tight, so a pair of strangers rarely
shares one; a key that more than `CROWD` rows share says nothing (an agency's telephone) and is passed over.
"""

from __future__ import annotations

import duckdb
import polars as pl

CROWD = 150

KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "person": {
        "name+birth": ("name", "birth_date"),
        "reading+birth": ("reading", "birth_date"),
        "reading+phone": ("reading", "phone"),
        "reading+room": ("reading", "room"),
        "reading+building": ("reading", "building"),
        "phone+birth": ("phone", "birth_date"),
        "room+birth": ("room", "birth_date"),
        "phone+room": ("phone", "room"),
        "reading+idhead": ("reading", "substr(code, 1, 12)"),
        "reading+idtail": ("reading", "substr(code, 9)"),
        "code": ("code",),
        "birth+idhead": ("birth_date", "substr(code, 1, 14)"),
        "reading+birthyear+sex": ("reading", "substr(birth_date, 1, 4)", "sex", "community"),
    },
    "firm": {
        "code": ("code",),
        "reading": ("reading",),
        "head+legal": ("substr(reading, 1, 6)", "legal"),
        "head+phone": ("substr(reading, 1, 4)", "phone"),
        "head+building": ("substr(reading, 1, 6)", "building"),
        "legal+building": ("legal", "building"),
        "legal+phone": ("legal", "phone"),
        "phone+building": ("phone", "building"),
        "codehead+head": ("substr(code, 1, 14)", "substr(reading, 1, 4)"),
        "codetail": ("substr(code, 9)",),
    },
    "premises": {"room": ("room",), "address": ("address",)},
    "facility": {
        "name": ("name",),
        "building": ("building",),
        "spot": ("round(longitude * 500)", "round(latitude * 500)"),
        "head+community": ("substr(name, 1, 4)", "community"),
    },
}


def candidates(con: duckdb.DuckDBPyConnection, kind: str) -> pl.DataFrame:
    """Return the pairs to compare as `left`, `right` (row numbers, left < right) from the table `standard`.

    `standard` has, beside the standard columns, `row`, `grp` (its sure group) and `held` (the code it holds, -1: none).
    A pair is worth comparing when the two are not one group and do not hold two different codes.
    """
    parts = []
    for name, expressions in KEYS[kind].items():
        con.execute(_key_sql(name, expressions))
        parts.append(f'select * from "pairs {name}"')
    pairs: pl.DataFrame = con.sql(f"select distinct * from ({' union all '.join(parts)}) order by all").pl()
    return pairs


def _key_sql(name: str, expressions: tuple[str, ...]) -> str:
    present = " and ".join(f"({expression}) is not null" for expression in expressions)
    key = f"hash({', '.join(expressions)})"
    return f"""
    create or replace temp table "pairs {name}" as
    with keyed as (select row, grp, held, {key} as k from standard where {present}),
    open as (
        select k, count(*) as n, count(*) filter (where held < 0) as unsure from keyed group by k
        having n between 2 and {CROWD} and unsure > 0 and count(distinct grp) > 1
    ),
    kept as (select row, grp, held, k from keyed semi join open using (k))
    select least(a.row, b.row) as left, greatest(a.row, b.row) as right
    from kept a join kept b using (k)
    where a.row < b.row and a.grp <> b.grp and (a.held < 0 or b.held < 0 or a.held = b.held)
    """


def key_hashes(con: duckdb.DuckDBPyConnection, kind: str, table: str) -> str:
    """Return SQL that lists `row` and `k` for every blocking key of ``table``'s rows."""
    parts = []
    for number, expressions in enumerate(KEYS[kind].values()):
        present = " and ".join(f"({expression}) is not null" for expression in expressions)
        parts.append(
            f"select row, hash({number}, {', '.join(expressions)}) as k from {table} where {present}"
        )
    return " union all ".join(parts)
