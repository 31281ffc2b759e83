"""How many cases stand where, and which stand on one page of a supervisor's list: index reads only, at any size.

Cases of a pack are a range of an index, in the order of their due dates while they are open, of their ends afterwards. Only so
many entries of a range are looked at; a count that ends there is said to be "more". The packs that have more than the least
are looked at again, as far as the whole of it allows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases.sql import kept, numbered, sql
from chengshu.kernel.one_look import seen

# Entries that are looked at: of one range alone, and of each however many ranges there are.
MOST = 10_000
LEAST = 1_000
# Cases whose last turn is looked up for why it happened, of each kind.
MOST_CAUSES = 1_000
# Selects in one statement: SQLite takes five hundred.
AT_ONCE = 300
EVERY = 2**62
OVERDUE, SOON, OPEN, ENDED = "overdue", "soon", "open", "ended"
_OPEN = "c.pack = {pack} AND c.closed_at IS NULL"
# The ranges of the indexes `open_cases` and `ended_cases`, each in its order.
_RANGES = {
    "late": f"{_OPEN} AND c.due_at <= %(now)s ORDER BY c.due_at, c.id",
    "ahead": f"{_OPEN} AND c.due_at > %(now)s ORDER BY c.due_at, c.id",
    "undated": f"{_OPEN} AND c.due_at IS NULL ORDER BY c.due_at, c.id",
    "ended": "c.pack = {pack} AND c.closed_at IS NOT NULL AND c.closed_at >= %(since)s ORDER BY c.closed_at DESC, c.id DESC",
}
_PART = "(SELECT COUNT(*) FROM (SELECT {column} FROM {table} WHERE {range} LIMIT %(most)s) {name}{holding})"
# The packs that ever were; work may have none.
PACKS = "SELECT DISTINCT pack FROM cases_packversion"
PACKS_AND_NONE = f"{PACKS} UNION ALL SELECT ''"
_IN_PARTS = {OVERDUE: ("late",), SOON: ("ahead",), OPEN: ("late", "ahead", "undated"), ENDED: ("ended",)}
# Why `turned` is not empty stands twice: the index covers such rows alone, and both databases look for its words.
_TURNED = "c.turned = %(kind)s AND NOT (c.turned = '') AND c.turned_at >= %(since)s ORDER BY c.turned_at DESC, c.id DESC"


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures of a pack; ``more`` names those of which there are more than were counted. ``most``: entries looked at."""

    counts: Mapping[str, int]
    more: frozenset[str]
    most: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases a list is to show.

    ``packs``: how many entries of each are looked at, unless ``whole``; ``steps``: by the version of a pack, those steps of
    which one must be the step in question.
    """

    kind: str
    packs: Mapping[str, int]
    pack: str = ""
    department: str = ""
    steps: Mapping[int, Sequence[str]] | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """Where a page of a list begins: behind this case of this part."""

    part: int
    at: Any
    id: str


def by_pack(now: dt.datetime, since: dt.datetime) -> dict[str, Standing]:
    """Return the figures of each pack that was ever loaded, for those with many as far as ``MOST`` allows."""
    return seen(("standing", now, since), lambda: _by_pack(now, since))


def _by_pack(now: dt.datetime, since: dt.datetime) -> dict[str, Standing]:
    parts = [part(name, range_) for name, range_ in _RANGES.items()]
    parts.append(part("soon", _RANGES["ahead"], column="c.amber_at", holding="soon.amber_at <= %(now)s"))
    values = {"now": sql().instant(now), "since": sql().instant(since)}
    return {pack: _standing(most, *numbers) for pack, most, numbers in far_enough(parts, values)}


def part(
    name: str, range_: str, *, table: str = "cases_case c", column: str = "c.id", holding: str = ""
) -> str:
    """Return the SQL of one figure of a pack ``v``: how many of the entries of a range that are looked at hold something."""
    holding = f" WHERE {holding}" if holding else ""
    return _PART.format(
        column=column, table=table, range=range_.format(pack="v.pack"), name=name, holding=holding
    )


def far_enough(
    parts: Sequence[str], values: Mapping[str, Any], of: str = PACKS
) -> list[tuple[str, int, tuple[int, ...]]]:
    """Return of each pack how many entries of a range were looked at, and its figures.

    That is ``LEAST``; of packs that have more, what ``MOST`` allows each.
    """
    found = _counted(parts, values, LEAST, of, None)
    many = [pack for pack, numbers in found.items() if max(numbers) >= LEAST]
    most = MOST // max(len(many), 1)
    if not many or most <= LEAST:
        return [(pack, LEAST, numbers) for pack, numbers in found.items()]
    more = _counted(parts, values, most, of, many)
    return [
        (pack, most if pack in more else LEAST, more.get(pack, numbers)) for pack, numbers in found.items()
    ]


def _counted(
    parts: Sequence[str], values: Mapping[str, Any], most: int, of: str, names: Sequence[str] | None
) -> dict[str, tuple[int, ...]]:
    text, given = numbered(", ".join(parts), {**values, "most": most})
    which = "1 = 1" if names is None else f"v.pack IN ({', '.join(['%s'] * len(names))})"
    rows = sql().run(
        f"SELECT v.pack, {text} FROM ({of}) v WHERE {which} ORDER BY v.pack", (*given, *(names or ()))
    )
    return {pack: tuple(numbers) for pack, *numbers in rows.fetchall()}


def _standing(most: int, late: int, ahead: int, undated: int, ended: int, soon: int) -> Standing:
    counts = {OVERDUE: late, SOON: soon, OPEN: late + ahead + undated, ENDED: ended}
    full = {
        name
        for name, looked in (("late", late), ("ahead", ahead), ("undated", undated), ("ended", ended))
        if looked >= most
    }
    return Standing(counts, frozenset(kind for kind, parts in _IN_PARTS.items() if full & set(parts)), most)


def late_by_department(packs: Mapping[str, int], now: dt.datetime) -> dict[str, int]:
    """Return how many of the late cases that are looked at lie in each department."""
    found: dict[str, int] = {}
    for some in _some(list(packs)):
        parts, values = _union(
            (
                f"SELECT c.department FROM cases_case c WHERE {_RANGES['late'].format(pack='%(pack)s')} LIMIT %(most)s",
                {"pack": pack, "most": packs[pack], "now": sql().instant(now)},
            )
            for pack in some
        )
        statement = f"SELECT department, COUNT(*) FROM ({parts}) u GROUP BY department"
        for department, number in sql().run(statement, values).fetchall():
            found[department] = found.get(department, 0) + number
    return found


def turned(kinds: Sequence[str], since: dt.datetime) -> tuple[dict[tuple[str, str], int], frozenset[str]]:
    """Return how many cases of each pack turned so lately, and the kinds of which there are more than the newest counted."""
    parts, values = _turned_rows("c.turned, c.pack", kinds, since, MOST)
    rows = (
        sql().run(f"SELECT turned, pack, COUNT(*) FROM ({parts}) u GROUP BY turned, pack", values).fetchall()
    )
    sums = dict.fromkeys(kinds, 0)
    for kind, _pack, number in rows:
        sums[kind] += number
    return (
        {(pack, kind): number for kind, pack, number in rows},
        frozenset(kind for kind, number in sums.items() if number >= MOST),
    )


def turning_steps(kinds: Sequence[str], since: dt.datetime) -> list[tuple[int, str, str, int]]:
    """Return version, its hash and step of the newest turns, and how many cases each turned."""
    parts, values = _turned_rows("c.id, c.turned_seq, c.pack_version_id", kinds, since, MOST_CAUSES)
    statement = (
        f"SELECT u.pack_version_id, v.hash, e.step, COUNT(*) FROM ({parts}) u JOIN cases_caseevent e ON e.case_id = u.id "
        "AND e.seq = u.turned_seq JOIN cases_packversion v ON v.id = u.pack_version_id GROUP BY 1, 2, 3 ORDER BY 1, 3"
    )
    return [tuple(row) for row in sql().run(statement, values).fetchall()]


def _turned_rows(columns: str, kinds: Sequence[str], since: dt.datetime, most: int) -> tuple[str, list[Any]]:
    return _union(
        (
            f"SELECT {columns} FROM cases_case c WHERE {_TURNED} LIMIT %(most)s",
            {"kind": kind, "since": sql().instant(since), "most": most},
        )
        for kind in kinds
    )


def page(
    wanted: Wanted, now: dt.datetime, since: dt.datetime, size: int, offset: int = 0, after: Key | None = None
) -> list[Key]:
    """Return the cases of one page: ``offset`` from the start, or behind ``after``."""
    found: list[Key] = []
    down = "DESC" if _falling(wanted.kind) else "ASC"
    chunks = list(_some(list(_ranges(wanted, now, since, after))))
    # One statement finds its page itself; what several found is put in order here.
    skipped = offset if len(chunks) == 1 else 0
    for ranges in chunks:
        parts, values = _union(
            (
                f"SELECT {part} AS part, p.moment, p.id FROM ({inner}) p WHERE {_residual(wanted)} "
                f"ORDER BY p.moment {down}, p.id {down} LIMIT %(size)s",
                named | {"size": offset + size},
            )
            for part, inner, named in ranges
        )
        statement = f"{parts} ORDER BY 1, 2 {down}, 3 {down} LIMIT %s OFFSET %s"
        rows = sql().run(statement, (*values, offset + size - skipped, skipped)).fetchall()
        found += [Key(part, kept(moment), case_id) for part, moment, case_id in rows]
    if len(chunks) == 1:
        return found
    dated = sorted((key for key in found if key.at is not None), key=_place, reverse=_falling(wanted.kind))
    undated = sorted((key for key in found if key.at is None), key=_place)
    return [*dated, *undated][offset : offset + size]


def _place(key: Key) -> tuple[Any, str]:
    return ("", key.id) if key.at is None else (key.at, key.id)


def total(wanted: Wanted, now: dt.datetime, since: dt.datetime) -> tuple[int, bool]:
    """Return how many of the entries that are looked at belong to the list, and whether there are entries beyond."""
    number, more = 0, False
    for ranges in _some(list(_ranges(wanted, now, since, None))):
        parts, values = _union(
            (
                f"SELECT SUM(CASE WHEN {_residual(wanted)} THEN 1 ELSE 0 END), COUNT(*), %(most)s FROM ({inner}) p",
                named,
            )
            for _part, inner, named in ranges
        )
        for held, looked, most in sql().run(parts, values).fetchall():
            number, more = number + int(held or 0), more or looked >= int(most)
    return number, more


def _falling(kind: str) -> bool:
    """Say whether the newest stands first."""
    return kind not in (OVERDUE, SOON, OPEN)


def _ranges(
    wanted: Wanted, now: dt.datetime, since: dt.datetime, after: Key | None
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield the part of the list that each range stands in, the statement of the entries looked at, and its values."""
    values = {"now": sql().instant(now), "since": sql().instant(since), "department": wanted.department}
    values |= {"kind": wanted.kind, "of_pack": wanted.pack} | _step_values(wanted)
    if after is not None:
        values |= {"at": after.at, "id": after.id}
    if wanted.kind not in _IN_PARTS:
        most = max(wanted.packs.values(), default=LEAST)
        yield (
            0,
            _entries("c.turned_at", _behind(_TURNED, "turned_at", after, 0), wanted.steps is not None),
            values | {"most": EVERY if wanted.whole else most},
        )
        return
    for name in _IN_PARTS[wanted.kind]:
        part, column = int(name == "undated"), "closed_at" if name == "ended" else "due_at"
        if after is not None and after.part > part:
            continue
        inner = _entries(
            f"c.{column}",
            _behind(_RANGES[name].format(pack="%(pack)s"), column, after, part),
            wanted.steps is not None,
        )
        for pack, most in wanted.packs.items():
            yield part, inner, values | {"pack": pack, "most": EVERY if wanted.whole else most}


def _entries(moment: str, where: str, steps: bool) -> str:
    # What the indexes hold, and nothing else, unless the step in question is asked for.
    columns = "c.id, c.pack, c.department" + (", c.amber_at" if moment == "c.due_at" else "")
    columns += ", c.pack_version_id, c.version, c.turned_seq" if steps else ""
    return f"SELECT {moment} AS moment, {columns} FROM cases_case c WHERE {where} LIMIT %(most)s"


def _behind(range_: str, column: str, after: Key | None, part: int) -> str:
    if after is None or after.part != part:
        return range_
    where, order = range_.split(" ORDER BY ")
    sign = "<" if "DESC" in order else ">"
    behind = "c.id > %(id)s" if after.at is None else f"(c.{column}, c.id) {sign} (%(at)s, %(id)s)"
    return f"{where} AND {behind} ORDER BY {order}"


def _residual(wanted: Wanted) -> str:
    """Return the SQL of what an entry must hold besides its range."""
    parts = ["1 = 1"]
    if wanted.kind == SOON:
        parts.append("p.amber_at <= %(now)s")
    if wanted.kind not in _IN_PARTS and wanted.pack:
        parts.append("p.pack = %(of_pack)s")
    if wanted.department:
        parts.append("p.department = %(department)s")
    if wanted.steps is not None:
        steps = [
            f"p.pack_version_id = {version:d} AND e.step IN ({', '.join(f'%(step_{version:d}_{n})s' for n in range(len(names)))})"
            for version, names in wanted.steps.items()
        ]
        seq = "p.version" if wanted.kind in _IN_PARTS else "p.turned_seq"
        parts.append(
            f"EXISTS (SELECT 1 FROM cases_caseevent e WHERE e.case_id = p.id AND e.seq = {seq} "
            f"AND ({' OR '.join(steps) or '1 = 0'}))"
        )
    return " AND ".join(parts)


def _step_values(wanted: Wanted) -> dict[str, str]:
    return {
        f"step_{version}_{n}": name
        for version, names in (wanted.steps or {}).items()
        for n, name in enumerate(names)
    }


def _some(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    yield from (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))


def _union(parts: Iterable[tuple[str, dict[str, Any]]]) -> tuple[str, list[Any]]:
    """Return selects, each with its own order and limit, as one, and their values in order."""
    texts: list[str] = []
    values: list[Any] = []
    for statement, named in parts:
        text, given = numbered(statement, named)
        texts.append(f"SELECT * FROM ({text}) AS u{len(texts)}")
        values += given
    return " UNION ALL ".join(texts), values
