"""Fusion as SQL: named steps over DuckDB that can be printed, read and run by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Half width for what clerks type in full width; the rest of Unicode is left as written.
_HALF = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz()-,.:;#/"
_FULL = "".join(chr(ord(character) + 0xFEE0) for character in _HALF)


@dataclass(frozen=True)
class Step:
    """One statement: what it makes, why, and its SQL."""

    name: str
    why: str
    sql: str

    def __str__(self) -> str:
        return f"-- {self.name}: {self.why}\n{self.sql.strip()};\n"


def quoted(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def fusion_steps(elements: Sequence[tuple[str, str]], cells_into: str | None = None) -> list[Step]:
    """Return the steps that fuse the tables `records`, `assignment`, `authority` and `disputed`.

    ``elements`` are (column of `records`, element code). They make `golden`, `cells` and `conflicts`; with
    ``cells_into`` the cells go to that Parquet file instead of memory.
    """
    steps = [
        Step(
            "placed",
            "each record with the subject it belongs to; a record of no subject is left out",
            "create or replace table placed as select a.subject_id, r.* from records r join assignment a using (record_id)",
        )
    ]
    for number, (column, element) in enumerate(elements):
        steps.append(_cells_of(number, column, element))
    every = " union all ".join(f"select * from cells_{number}" for number in range(len(elements)))
    steps.append(Step("cells", "all values, winners and losers", _into(f"{every}", "cells", cells_into)))
    steps.append(_golden(elements))
    steps.append(_conflicts(len(elements)))
    return steps


def comparable(expression: str) -> str:
    """SQL: the form in which two writings of one value are equal: half width, lower case, no blanks or punctuation."""
    folded = f"lower(translate(trim({expression}), {literal(_FULL)}, {literal(_HALF)}))"
    return f"regexp_replace({folded}, '[\\s·•.,，。、()\\-_/#:;]', '', 'g')"


def _cells_of(number: int, column: str, element: str) -> Step:
    value = f"cast(p.{quoted(column)} as varchar)"
    sql = f"""
create or replace table cells_{number} as
with ranked as (
  select p.subject_id, {value} as value, {comparable(value)} as form, p.source, p.file, p.row, p.record_id, p.at,
         row_number() over w - 1 as rank
  from placed p left join authority u on u.element = {literal(element)} and u.source = p.source
  where {value} is not null and trim({value}) <> ''
  window w as (partition by p.subject_id
               order by coalesce(u.rank, 1000000), p.at desc nulls last, p.source, p.record_id, {value})
), winners as (select subject_id, form from ranked where rank = 0)
select r.subject_id, {literal(element)} as element, r.value, r.source, r.file, r.row, r.record_id, r.at,
       r.rank, r.form = w.form as agrees,
       exists (select 1 from disputed d where d.subject_id = r.subject_id and d.element = {literal(element)}) as disputed
from ranked r join winners w using (subject_id)"""
    return Step(f"cells_{number}", f"{element}: by authority, then recency", sql)


def _golden(elements: Sequence[tuple[str, str]]) -> Step:
    columns = ", ".join(
        f"c{number}.value as {quoted(element)}" for number, (_, element) in enumerate(elements)
    )
    joins = "\n".join(
        f"left join (select subject_id, value from cells_{number} where rank = 0) c{number} using (subject_id)"
        for number in range(len(elements))
    )
    return Step(
        "golden",
        "one row a subject: the winning value of each element",
        f"create or replace table golden as\nselect s.subject_id, {columns}\n"
        f"from (select distinct subject_id from placed) s\n{joins}\norder by s.subject_id",
    )


def _conflicts(count: int) -> Step:
    parts = "\nunion all\n".join(
        f"""select subject_id, element, list(value order by rank) as values, list(source order by rank) as sources,
       list(agrees order by rank) as agree, bool_or(disputed) as disputed
from cells_{number} semi join (select distinct subject_id from cells_{number} where not agrees) using (subject_id)
group by subject_id, element"""
        for number in range(count)
    )
    return Step(
        "conflicts",
        "elements on which the records of one subject disagree; values and sources in order of rank",
        f"create or replace table conflicts as select * from (\n{parts}\n) order by subject_id, element",
    )


def _into(select: str, table: str, path: str | None) -> str:
    if path is None:
        return (
            f"create or replace table {table} as select * from ({select}) order by subject_id, element, rank"
        )
    return (
        f"copy (select * from ({select}) order by subject_id, element, rank) to {literal(path)} "
        "(format parquet, compression zstd)"
    )
