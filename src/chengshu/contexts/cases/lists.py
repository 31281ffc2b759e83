"""Which tasks stand on one page of a work list, and how many there are of each light: index reads only, at any size.

A list is made of ranges of an index, one for each owner (or pack, where all is asked for), each in the order of due dates.
Only so many entries of a range are looked at; a count that ends there is said to be "more".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases.sql import kept, numbered, sql
from chengshu.contexts.cases.words import folded

# Entries of one range that are counted, or skipped on the way to a page.
MOST = 10_000
LEAST = 1_000
MOST_WITH_TEXT = 1_000
# What is not dated stands last.
DATED, UNDATED = 0, 1
_LIGHTS = {
    "red": "t.due_at <= %(now)s",
    "amber": "t.due_at > %(now)s AND t.amber_at <= %(now)s",
    "green": "t.amber_at > %(now)s",
    "": "t.due_at IS NOT NULL",
}
# What is counted apart: over, ahead, without a date.
_BLOCKS = {"red": "t.due_at <= %(now)s", "due": "t.due_at > %(now)s", "none": "t.due_at IS NULL"}
# The lights of what each of them holds.
_IN_BLOCK = {"red": frozenset({"red"}), "due": frozenset({"amber", "green"}), "none": frozenset({"green"})}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is to show: ``owners`` or, where these are ``None``, the work of all in ``packs``."""

    owners: Sequence[str] | None
    packs: Sequence[str]
    light: str = ""
    pack: str = ""
    kind: str = ""
    text: str = ""
    cases: Sequence[str] | None = None
    state: str = ""

    def joined(self) -> bool:
        """Say whether the case itself is asked for something that its tasks do not carry."""
        return bool(self.text or self.state)


@dataclass(frozen=True, slots=True)
class Key:
    """Where a page begins: behind this task."""

    block: int
    due: Any
    id: int


@dataclass(frozen=True, slots=True)
class Found:
    """The tasks of a page in order, the count of each light, and the lights of which there are more than were counted."""

    ids: list[int]
    counts: dict[str, int]
    cut: frozenset[str]
    last: Key | None


def page_of(asked: Asked, now: dt.datetime, offset: int, size: int, after: Key | None = None) -> Found:
    """Return one page: ``offset`` from the start, or the tasks ``after`` one."""
    if asked.cases is not None:
        return _among(asked, now, offset, size, after)
    counts, cut = _counts(asked, now)
    rows = _ids(asked, now, offset, size, after)
    return Found([row[2] for row in rows], counts, cut, Key(*rows[-1]) if rows else None)


def _ranges(asked: Asked) -> list[tuple[str, dict[str, Any]]]:
    """Return the condition of each range of the index, with its values."""
    also, values = "", {}
    if asked.owners is not None and asked.pack:
        also, values = also + " AND t.pack = %(pack)s", values | {"pack": asked.pack}
    if asked.kind:
        also, values = also + " AND t.kind = %(kind)s", values | {"kind": asked.kind}
    if asked.state:
        values = values | {"state": asked.state}
    if asked.text:
        values = values | {"text": _like(asked.text)}
    if asked.owners is not None:
        return [(f"t.owner = %(owner)s{also}", values | {"owner": owner}) for owner in asked.owners]
    packs = [asked.pack] if asked.pack else asked.packs
    return [(f"t.pack = %(pack)s{also}", values | {"pack": pack}) for pack in packs]


def _like(text: str) -> str:
    escaped = text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"


def _from(asked: Asked) -> str:
    return "cases_task t JOIN cases_case c ON c.id = t.case_id" if asked.joined() else "cases_task t"


def _blocks(light: str) -> list[int]:
    """Return which blocks a light has: work without a date is green."""
    return [DATED, UNDATED] if light in ("", "green") else [DATED]


def _ids(
    asked: Asked, now: dt.datetime, offset: int, size: int, after: Key | None
) -> list[tuple[int, Any, int]]:
    parts: list[str] = []
    values: list[Any] = []
    for condition, own in _ranges(asked):
        for block in _blocks(asked.light):
            if after is not None and after.block > block:
                continue
            where = (
                f"t.open AND {condition} AND {_LIGHTS[asked.light] if block == DATED else 't.due_at IS NULL'}"
            )
            if asked.joined():
                where += f" AND {_case_condition(asked)}"
            named = own | {"now": sql().instant(now), "most": offset + size}
            if after is not None and after.block == block:
                where += (
                    " AND (t.due_at, t.id) > (%(due)s, %(id)s)" if block == DATED else " AND t.id > %(id)s"
                )
                named |= {"due": after.due, "id": after.id}
            order = "t.due_at, t.id" if block == DATED else "t.id"
            text, given = numbered(
                f"SELECT {block} AS block, t.due_at, t.id FROM {_from(asked)} WHERE {where} ORDER BY {order} LIMIT %(most)s",
                named,
            )
            parts.append(f"SELECT * FROM ({text}) AS p{len(parts)}")
            values += given
    if not parts:
        return []
    statement = f"{' UNION ALL '.join(parts)} ORDER BY 1, 2, 3 LIMIT %s OFFSET %s"
    rows = sql().run(statement, (*values, size, offset)).fetchall()
    return [(block, kept(due), task) for block, due, task in rows]


def _counts(asked: Asked, now: dt.datetime) -> tuple[dict[str, int], frozenset[str]]:
    most = MOST_WITH_TEXT if asked.joined() else max(MOST // max(len(asked.owners or asked.packs), 1), LEAST)
    parts: list[str] = []
    values: list[Any] = []
    for condition, own in _ranges(asked):
        for block, part in _BLOCKS.items():
            order = "t.id" if block == "none" else "t.due_at, t.id"
            named = own | {"now": sql().instant(now), "most": most}
            # So many entries of the index are looked at, whether they hold the text or not.
            text, given = numbered(
                f"SELECT '{block}' AS block, COUNT(*), SUM({_holding(asked)}), "
                f"SUM(CASE WHEN p.amber_at <= %(now)s THEN {_holding(asked)} ELSE 0 END) FROM (SELECT t.case_id, "
                f"t.amber_at FROM cases_task t WHERE t.open AND {condition} AND {part} ORDER BY {order} LIMIT %(most)s) p"
                f"{' JOIN cases_case c ON c.id = p.case_id' if asked.joined() else ''}",
                named,
            )
            parts.append(text)
            values += given
    counts, cut = {"red": 0, "amber": 0, "green": 0}, frozenset[str]()
    found = sql().run(" UNION ALL ".join(parts), values).fetchall() if parts else ()
    for block, seen, number, amber in found:
        cut |= _IN_BLOCK[block] if seen >= most else frozenset()
        if block == "red":
            counts["red"] += int(number or 0)
        else:
            soon = int(amber or 0) if block == "due" else 0
            counts["amber"] += soon
            counts["green"] += int(number or 0) - soon
    return counts, cut


def _holding(asked: Asked) -> str:
    """Return the SQL of 1 for a row whose case is asked for, 0 for another."""
    return f"CASE WHEN {_case_condition(asked)} THEN 1 ELSE 0 END" if asked.joined() else "1"


def _case_condition(asked: Asked) -> str:
    """Return the SQL of what the case itself must hold: the text, the state."""
    like = "LIKE" if sql().sqlite else "ILIKE"
    parts = (
        [f"(c.label {like} %(text)s ESCAPE '!' OR c.area {like} %(text)s ESCAPE '!')"] if asked.text else []
    )
    return " AND ".join([*parts, "c.state = %(state)s"] if asked.state else parts)


def _among(asked: Asked, now: dt.datetime, offset: int, size: int, after: Key | None) -> Found:
    """Return a page of the tasks of a few cases: all are read, counted and put in order here."""
    cases = list(asked.cases or ())
    if not cases:
        return Found([], {"red": 0, "amber": 0, "green": 0}, frozenset(), None)
    instant = sql().instant(now)
    rows: list[tuple[int, Any, int, Any]] = []
    for start in range(0, len(cases), 500):
        some = cases[start : start + 500]
        statement, values = _few(asked, some)
        for task, due, amber, *said in sql().run(statement, values).fetchall():
            # Pairs that stand side by side in a text need not do so in what they found.
            if _holds(said, asked.text):
                rows.append((UNDATED if due is None else DATED, kept(due), task, kept(amber)))
    at = instant if sql().sqlite else now
    colours = [_colour(due, amber, at) for _, due, _, amber in rows]
    counts = {name: colours.count(name) for name in ("red", "amber", "green")}
    chosen = [
        row for row, colour in zip(rows, colours, strict=True) if not asked.light or colour == asked.light
    ]
    chosen.sort(key=lambda row: (row[0], str(row[1]), row[2]))
    if after is not None:
        chosen = [
            row for row in chosen if (row[0], str(row[1]), row[2]) > (after.block, str(after.due), after.id)
        ]
    chosen = chosen[offset : offset + size]
    return Found([row[2] for row in chosen], counts, frozenset(), Key(*chosen[-1][:3]) if chosen else None)


def _few(asked: Asked, cases: Sequence[str]) -> tuple[str, list[Any]]:
    values: list[Any] = [*cases]
    where = f"t.open AND t.case_id IN ({', '.join(['%s'] * len(cases))})"
    for column, value in (("pack", asked.pack), ("kind", asked.kind)):
        if value:
            where, values = f"{where} AND t.{column} = %s", [*values, value]
    if asked.state:
        where, values = f"{where} AND c.state = %s", [*values, asked.state]
    if asked.owners is not None:
        where = f"{where} AND t.owner IN ({', '.join(['%s'] * len(asked.owners))})"
        values += asked.owners
    return (
        "SELECT t.id, t.due_at, t.amber_at, c.label, c.area, c.id, c.subject_id, c.cell_code "
        f"FROM cases_task t JOIN cases_case c ON c.id = t.case_id WHERE {where}",
        values,
    )


def _holds(said: Sequence[str], text: str) -> bool:
    label, area, *numbers = said
    part = folded(text)
    return part in folded(label) or part in folded(area) or text.upper() in numbers


def _colour(due: Any, amber: Any, now: Any) -> str:
    if due is not None and due <= now:
        return "red"
    return "amber" if due is not None and amber is not None and amber <= now else "green"
