"""How figures that are counted only so far are written."""

from __future__ import annotations

from chengshu.contexts.cases.api import Load

WORK = ("open", "overdue", "due_soon", "unowned", "dead_jobs")


def at_least(number: int, more: bool) -> int | str:
    """Return a figure; of which there are more than anybody counts it is written as the least there are."""
    return f"{number:,}+" if more else number


def of_work(load: Load) -> dict[str, int | str | bool]:
    """Return the figures of the work there is as a page writes them, and whether any of them is cut."""
    more = load["more"]
    return {name: at_least(load[name], name in more) for name in WORK} | {"cut": bool(more)}
