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
    steps = [_subjects(), _placed(), _order()]
    for number, (column, element) in enumerate(elements):
        steps.append(_ranked(number, column, element))
    steps.append(_cells(elements, cells_into))
    steps.append(_golden(elements))
    steps.append(_conflicts(elements))
    return steps


def comparable(expression: str) -> str:
    """SQL: the form in which two writings of one value are equal: half width, lower case, no blanks or punctuation."""
    folded = f"lower(translate(trim({expression}), {literal(_FULL)}, {literal(_HALF)}))"
    return f"regexp_replace({folded}, '[\\s·•.,，。、()\\-_/#:;]', '', 'g')"


def _subjects() -> Step:
    return Step(
        "subjects",
        "a number for each subject: numbers group and sort faster than names",
        "create or replace table subjects as select subject_id, row_number() over (order by subject_id) as subject\n"
        "from (select distinct subject_id from assignment semi join records using (record_id))",
    )


def _placed() -> Step:
    return Step(
        "placed",
        "each record with its subject, in the order in which its values count among equals: the later first",
        """
create or replace table placed as
select s.subject, r.*, row_number() over (order by s.subject, r.at desc nulls last, r.source, r.record_id) as seq
from records r join assignment a using (record_id) join subjects s using (subject_id)""",
    )


def _order() -> Step:
    return Step(
        "believed",
        "how far each source is believed in each element; those not named come last",
        "create or replace table believed as select element, source, min(rank) as rank from authority group by all",
    )


def _ranked(number: int, column: str, element: str) -> Step:
    value = f"cast(p.{quoted(column)} as varchar)"
    forms = f"{comparable('v.value')} = {comparable('w.value')}"
    sql = f"""
create or replace table ranked_{number} as
with valued as (
  select p.subject, p.seq, {value} as value, coalesce(u.rank, 1000000) * 1000000000000 + p.seq as place
  from placed p left join believed u on u.element = {literal(element)} and u.source = p.source
  where {value} is not null and trim({value}) <> ''
), winners as (
  select subject, arg_min(value, place) as value, min(place) as place, count(*) as n from valued group by subject
)
select v.subject, v.seq, w.value as value, 0 as rank, true as agrees
from valued v join winners w on w.subject = v.subject and w.place = v.place
union all
select v.subject, v.seq, v.value, row_number() over (partition by v.subject order by v.place) as rank,
       v.value = w.value or {forms} as agrees
from valued v join winners w on w.subject = v.subject and w.n > 1 and w.place <> v.place"""
    return Step(f"ranked_{number}", f"{element}: by authority, then recency", sql)


def _cells(elements: Sequence[tuple[str, str]], into: str | None) -> Step:
    names = ", ".join(literal(element) for _, element in elements)
    every = "\n  union all ".join(
        f"select subject, {number} as element, seq, value, rank, agrees from ranked_{number}"
        for number in range(len(elements))
    )
    select = f"""
select s.subject_id, list_extract([{names}], c.element + 1) as element, c.value, p.source, p.file, p.row, p.record_id, p.at,
       c.rank, c.agrees, d.subject_id is not null as disputed
from ({every}
) c join placed p using (seq) join subjects s on s.subject = c.subject
left join disputed d on d.subject_id = s.subject_id and d.element = list_extract([{names}], c.element + 1)
order by c.subject, c.element, c.rank"""
    if into is None:
        sql = f"create or replace table cells as {select}"
    else:
        sql = f"copy ({select}) to {literal(into)} (format parquet, compression zstd)"
    return Step("cells", "all values, winners and losers, with where each comes from", sql)


def _golden(elements: Sequence[tuple[str, str]]) -> Step:
    columns = "".join(
        f", c{number}.value as {quoted(element)}" for number, (_, element) in enumerate(elements)
    )
    joins = "\n".join(
        f"left join (select subject, value from ranked_{number} where rank = 0) c{number} using (subject)"
        for number in range(len(elements))
    )
    return Step(
        "golden",
        "one row a subject: the winning value of each element",
        f"create or replace table golden as\nselect s.subject_id{columns}\nfrom subjects s\n{joins}\norder by s.subject",
    )


def _conflicts(elements: Sequence[tuple[str, str]]) -> Step:
    parts = "\nunion all\n".join(
        f"""select r.subject, {literal(element)} as element, list(r.value order by r.rank) as values,
       list(p.source order by r.rank) as sources, list(r.agrees order by r.rank) as agree
from ranked_{number} r semi join (select subject from ranked_{number} where not agrees) using (subject)
join placed p using (seq)
group by r.subject"""
        for number, (_, element) in enumerate(elements)
    )
    nothing = "select null::bigint as subject, '' as element, [''] as values, [''] as sources, [true] as agree where false"
    return Step(
        "conflicts",
        "elements on which the records of one subject disagree; values and sources in order of rank",
        f"""create or replace table conflicts as
select s.subject_id, c.element, c.values, c.sources, c.agree, d.subject_id is not null as disputed
from (\n{parts or nothing}\n) c join subjects s using (subject)
left join disputed d on d.subject_id = s.subject_id and d.element = c.element
order by s.subject, c.element""",
    )
