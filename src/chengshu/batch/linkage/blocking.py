"""Which pairs are compared at all: pairs that share a key, one of them not yet sure who it is.

A key is a list of SQL expressions over a standard row. Keys are composite and tight, so a pair of strangers rarely
shares one; a key that more than `CROWD` rows share says nothing (an agency's telephone) and is passed over.
"""

from __future__ import annotations

import duckdb
import numpy as np
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


def candidates(con: duckdb.DuckDBPyConnection, kind: str, *, below: int | None = None) -> pl.DataFrame:
    """Return the pairs to compare as `left`, `right` (row numbers, left < right) from the table `standard`.

    `standard` has, beside the standard columns, `row`, `grp` (its sure group) and `held` (the code it holds, -1: none).
    A pair is worth comparing when the two are not one group and do not hold two different codes. With ``below`` only
    pairs of rows under that number are returned, while all rows count for what is crowded.
    """
    con.execute('create or replace temp table found ("left" bigint, "right" bigint)')
    for expressions in KEYS[kind].values():
        con.execute(_key_sql(expressions, below, _NEVER.get(kind, "false")))
    pairs: pl.DataFrame = con.sql("select distinct * from found order by all").pl()
    con.execute("drop table found")
    return pairs


def _key(expressions: tuple[str, ...]) -> tuple[str, str]:
    """Return (key, condition that all its parts are there) as SQL."""
    present = " and ".join(f"({expression}) is not null" for expression in expressions)
    return f"hash({', '.join(expressions)})", present


def _key_sql(expressions: tuple[str, ...], below: int | None, never: str) -> str:
    key, present = _key(expressions)
    every = f"select row, grp, held, source, name, {key} as k from standard where {present}"
    # Only the blocks of the wanted rows need to be counted.
    keyed = (
        every
        if below is None
        else f"{every} and {key} in (select {key} from standard where row < {below} and {present})"
    )
    wanted = "" if below is None else f"where row < {below}"
    return f"""
    insert into found
    with keyed as ({keyed}),
    open as (select k from keyed group by k having count(*) between 2 and {CROWD} and min(grp) < max(grp)),
    kept as (select row, grp, held, source, name, k from keyed semi join open using (k) {wanted})
    select a.row, b.row
    from kept a join kept b using (k)
    where a.row < b.row and a.grp <> b.grp and (a.held < 0 or b.held < 0 or a.held = b.held)
      and not coalesce({never}, false)
    """


def sharing_a_key(
    con: duckdb.DuckDBPyConnection, kind: str, touched: np.ndarray, extra: str | None
) -> np.ndarray:
    """Say for each row of the table `now` whether it shares a key with a touched row, or with a row of table ``extra``."""
    con.register("touched", pl.DataFrame({"row": np.flatnonzero(touched)}))
    reached = touched.copy()
    for expressions in KEYS[kind].values():
        key, present = _key(expressions)
        more = f"union select {key} from {extra} where {present}" if extra else ""
        rows = con.execute(
            f"""
            with keyed as materialized (select row, {key} as k from now where {present}),
            wanted as (select k from keyed semi join touched using (row) {more})
            select row from keyed semi join wanted using (k)
            """
        ).fetchnumpy()["row"]
        reached[np.asarray(rows, dtype=np.int64)] = True
    con.unregister("touched")
    return reached
