"""Which pairs are compared at all: pairs that share a key, one of them not yet sure who it is.

A key is a list of SQL expressions over a standard row. Keys are composite and tight, so a pair of strangers rarely
shares one; a key that more than `CROWD` rows share says nothing (an agency's telephone) and is passed over.
"""

from __future__ import annotations

import duckdb
import polars as pl

CROWD = 150
# What forbids a pair whatever else agrees. Facilities: a department's list knows its own, so two rows of one source are one
# only by a sure key; and 1145号 is not 1146号, however near.
_NEVER = {
    "facility": "a.source = b.source or regexp_replace(a.name, '[^0-9]+', ',', 'g') <> "
    "regexp_replace(b.name, '[^0-9]+', ',', 'g')"
}

KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "person": {
        "name+birth": ("name", "birth_date"),
        "reading+birth": ("reading", "birth_date"),
        "reading+phone": ("reading", "phone"),
        "reading+room": ("reading", "room"),
        "reading+building": ("reading", "building"),
        "phone+birth": ("phone", "birth_date"),
        "room+birth": ("room", "birth_date"),
        "phone+room+head": ("phone", "room", "substr(name, 1, 2)"),
        "phone+room+tail": ("phone", "room", "right(name, 1)"),
        "reading+idhead": ("reading", "substr(code, 1, 12)"),
        "reading+idtail": ("reading", "substr(code, 9)"),
        "code": ("code",),
        "birth+idhead": ("birth_date", "substr(code, 1, 14)", "substr(name, 1, 1)"),
        "reading+birthyear+sex+community": ("reading", "substr(birth_date, 1, 4)", "sex", "community"),
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


def block_keys(con: duckdb.DuckDBPyConnection, kind: str, table: str) -> pl.DataFrame:
    """Return the digests of the block keys (k0, k1, ...) of the rows of ``table``, in their order; null: a part is missing."""
    columns = []
    for number, expressions in enumerate(KEYS[kind].values()):
        present = " and ".join(f"({expression}) is not null" for expression in expressions)
        columns.append(f"case when {present} then hash({', '.join(expressions)}) end as k{number}")
    found: pl.DataFrame = con.sql(f"select row, {', '.join(columns)} from {table}").pl()
    return found.sort("row", maintain_order=True).drop("row")


def candidates(con: duckdb.DuckDBPyConnection, kind: str, crowd: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the pairs to compare as `left`, `right` (row numbers, left < right) from the table `blocked`.

    `blocked` has `row`, `grp` (its sure group), `held` (the code it holds, -1: none), source, name and the block keys.
    A pair is worth comparing when the two are not one group and do not hold two different codes. ``crowd`` (n, k, m):
    how many rows that are not in the table bear the key k of block n.
    """
    none = pl.DataFrame(schema={"n": pl.Int32, "k": pl.UInt64, "m": pl.Int64})
    con.register("crowd", none if crowd is None else crowd)
    con.execute('create or replace temp table found ("left" bigint, "right" bigint)')
    for number in range(len(KEYS[kind])):
        con.execute(_block_sql(number, _NEVER.get(kind, "false")))
    pairs: pl.DataFrame = con.sql("select distinct * from found order by all").pl()
    con.execute("drop table found")
    con.unregister("crowd")
    return pairs


def _block_sql(number: int, never: str) -> str:
    return f"""
    insert into found
    with keyed as (select row, grp, held, source, name, k{number} as k from blocked where k{number} is not null),
    counted as (select k, count(*) as c, min(grp) < max(grp) as mixed from keyed group by k),
    open as (
        select k from counted left join (select k, m from crowd where n = {number}) using (k)
        where c >= 2 and c + coalesce(m, 0) <= {CROWD} and mixed
    ),
    kept as (select row, grp, held, source, name, k from keyed semi join open using (k))
    select a.row, b.row
    from kept a join kept b using (k)
    where a.row < b.row and a.grp <> b.grp and (a.held < 0 or b.held < 0 or a.held = b.held)
      and not coalesce({never}, false)
    """
