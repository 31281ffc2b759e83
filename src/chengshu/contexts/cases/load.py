"""How much work there is, for the front pages and the map: index reads only, at any size, each figure as far as is stated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, TypedDict

from chengshu.contexts.cases import standing
from chengshu.contexts.cases.domain import NOBODY
from chengshu.contexts.cases.models import Job
from chengshu.contexts.cases.sql import numbered, sql

# Open cases of one cell that are counted.
MOST_IN_A_CELL = 1_000
_TASKS = "t.open AND t.pack = {pack} AND t.due_at"
# Ranges of the index `tasks_of_pack`, in its order.
_LATE = f"{_TASKS} <= %(now)s ORDER BY t.due_at, t.id"
_AHEAD = f"{_TASKS} > %(now)s ORDER BY t.due_at, t.id"
# What is one range of an index whatever the pack: the order is that of `open_cases`, `tasks_of_owner`, `jobs_by_state`.
_WHOLE = {
    "open": "SELECT c.id FROM cases_case c WHERE c.closed_at IS NULL ORDER BY c.pack, c.due_at, c.id",
    "unowned": "SELECT t.id FROM cases_task t WHERE t.open AND t.owner = %(nobody)s ORDER BY t.due_at, t.id",
    "dead_jobs": "SELECT j.state FROM cases_job j WHERE j.state = %(dead)s ORDER BY j.made_at",
}
# From each cell to the next one in the index: not even the ended cases of a cell are read.
_EVERY_CELL = """RECURSIVE cell(code) AS (
    SELECT (SELECT MIN(c.cell_code) FROM cases_case c WHERE c.cell_code > '')
    UNION ALL
    SELECT (SELECT MIN(c.cell_code) FROM cases_case c WHERE c.cell_code > cell.code) FROM cell WHERE cell.code IS NOT NULL
)"""
_BY_CELL = """
WITH {cells} SELECT cell.code, (
    SELECT COUNT(*) FROM (
        SELECT c.cell_code FROM cases_case c WHERE c.cell_code = cell.code AND c.closed_at IS NULL LIMIT {most:d}
    ) n
) FROM cell WHERE cell.code IS NOT NULL
"""


class Load(TypedDict):
    """Open cases; tasks that are late, due soon, and without anyone; jobs that failed for good."""

    open: int
    overdue: int
    due_soon: int
    unowned: int
    dead_jobs: int
    # The figures of which there are more than were counted.
    more: frozenset[str]


def load_summary(now: dt.datetime) -> Load:
    """Return how much work is open, due soon, late and without anyone; and what failed in the outbox."""
    tasks = {"table": "cases_task t", "column": "t.amber_at"}
    parts = [
        standing.part("late", _LATE, **tasks),
        standing.part("ahead", _AHEAD, **tasks),
        standing.part("soon", _AHEAD, **tasks, holding="soon.amber_at <= %(now)s"),
    ]
    overdue = due_soon = 0
    more: set[str] = set()
    of_packs = standing.far_enough(parts, {"now": sql().instant(now)}, standing.PACKS_AND_NONE)
    for _pack, most, (late, ahead, soon) in of_packs:
        overdue, due_soon = overdue + late, due_soon + soon
        more |= {name for name, looked in (("overdue", late), ("due_soon", ahead)) if looked >= most}
    whole = _whole()
    more |= {name for name, number in whole.items() if number >= standing.MOST}
    return {
        "open": whole["open"],
        "overdue": overdue,
        "due_soon": due_soon,
        "unowned": whole["unowned"],
        "dead_jobs": whole["dead_jobs"],
        "more": frozenset(more),
    }


def _whole() -> dict[str, int]:
    parts = (
        f"(SELECT COUNT(*) FROM ({rows} LIMIT {standing.MOST:d}) {name})" for name, rows in _WHOLE.items()
    )
    named = {"nobody": NOBODY, "dead": Job.State.DEAD}
    text, values = numbered(f"SELECT {', '.join(parts)}", named)
    return dict(zip(_WHOLE, sql().run(text, values).fetchall()[0], strict=True))


def open_by_cell(cells: Collection[str] | None = None) -> dict[str, int]:
    """Return the number of open cases in each cell that has some, or in those asked for.

    Of each cell no more than ``MOST_IN_A_CELL`` are counted.
    """
    if cells is not None and not cells:
        return {}
    given: list[Any] = list(cells or ())
    named = _EVERY_CELL if cells is None else f"cell(code) AS (VALUES {', '.join(['(%s)'] * len(given))})"
    rows = sql().run(_BY_CELL.format(cells=named, most=MOST_IN_A_CELL), given).fetchall()
    return {code: number for code, number in rows if number}
