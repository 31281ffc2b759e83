"""Counts that the map shows: contexts above register them, the site wires them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

# Called with the cells in question, or ``None`` for all.
Counter = Callable[[Collection[str] | None], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class CountKind:
    """One count: its name in the API, its label on the page, and where it comes from."""

    name: str
    zh: str
    en: str
    by_cell: Counter
    # How many of one cell are counted at most; none: all are.
    most: int | None = None

    def said(self, number: int) -> int | str:
        """Return the number of a cell as a page writes it: there may be more than are counted."""
        return number if self.most is None or number < self.most else f"{self.most:,}+"


_KINDS: dict[str, CountKind] = {}


def register_counts(name: str, by_cell: Counter, *, zh: str, en: str, most: int | None = None) -> None:
    """Offer a count for the map: ``by_cell(cells)`` returns cell code → number of those cells; registering again replaces it.

    ``most``: how many of one cell it counts; of a cell with that many there may be more.
    """
    _KINDS[name] = CountKind(name, zh, en, by_cell, most)


def count_kinds() -> list[CountKind]:
    """Return the registered counts in the order of registration."""
    return list(_KINDS.values())


def counts_by_cell(cells: Collection[str] | None = None) -> dict[str, dict[str, int]]:
    """Return name of count → cell code → number; of all cells, or of those asked for."""
    return {kind.name: dict(kind.by_cell(cells)) for kind in _KINDS.values()}


def counts_by_zone(zone_of: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Return name of count → zone code → number; a cell that is no more counts where its successor lies."""
    totals: dict[str, dict[str, int]] = {}
    for name, cells in counts_by_cell().items():
        zones = totals.setdefault(name, {})
        for cell, number in cells.items():
            zone = zone_of.get(cell) or cell.split("-", maxsplit=1)[0]
            zones[zone] = zones.get(zone, 0) + number
    return totals


@dataclass(frozen=True, slots=True)
class PanelLine:
    """One line of a panel on a cell's page."""

    text: str
    note: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """What another context shows on the page of a cell: a title and lines; ``total`` when not all are listed."""

    title: str
    lines: list[PanelLine]
    total: int
    url: str = ""


# Called with the cell's code and the account that looks.
PanelMaker = Callable[[str, Any], Panel | None]
_PANELS: dict[str, PanelMaker] = {}


def register_cell_panel(name: str, maker: PanelMaker) -> None:
    """Offer a panel for the page of a cell; the maker answers None for those who may not see it."""
    _PANELS[name] = maker


def cell_panels(cell_code: str, account: Any) -> list[Panel]:
    """Return the panels of a cell for an account."""
    made = [maker(cell_code, account) for maker in _PANELS.values()]
    return [panel for panel in made if panel is not None]
