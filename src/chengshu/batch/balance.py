"""Proposals to balance the grid: which cells to split, which to merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from chengshu.batch.grid import Target


@dataclass(frozen=True, slots=True)
class CellLoad:
    """One cell in force with its present load; input of ``balance``."""

    code: str
    zone: str
    polygon: shapely.Geometry
    residents: int
    rented_homes: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What ``balance`` proposes: to split one cell into ``parts``, or to merge several."""

    kind: str
    cells: tuple[str, ...]
    load: float
    parts: int = 1


def balance(
    cells: Sequence[CellLoad], *, target: Target | None = None, over: float = 1.5, under: float = 0.35
) -> list[Proposal]:
    """Propose splits of cells fuller than ``over`` and merges of neighbours emptier than ``under``.

    A merge joins cells of one zone that share a border and together stay below a full cell. Splits come first,
    the fullest before; then merges, the emptiest before. Nothing is changed: a person decides.
    """
    target = target or Target()
    load = {cell.code: target.of(cell.residents, cell.rented_homes) for cell in cells}
    crowded = sorted(
        (cell for cell in cells if load[cell.code] > over), key=lambda c: (-load[c.code], c.code)
    )
    proposals = [
        Proposal("split", (cell.code,), load[cell.code], max(2, round(load[cell.code]))) for cell in crowded
    ]
    return proposals + _merges(cells, load, under)


def _merges(cells: Sequence[CellLoad], load: dict[str, float], under: float) -> list[Proposal]:
    shapes = np.array([cell.polygon for cell in cells], dtype=object)
    if not len(shapes):
        return []
    tree = shapely.STRtree(shapes)
    taken: set[int] = set()
    merges = []
    for number in sorted(range(len(cells)), key=lambda n: (load[cells[n].code], cells[n].code)):
        cell = cells[number]
        if load[cell.code] >= under:
            break
        if number in taken:
            continue
        near = [
            int(other)
            for other in tree.query(cell.polygon, predicate="intersects")
            if other != number and other not in taken and cells[other].zone == cell.zone
            and load[cells[other].code] + load[cell.code] <= 1.0
            and shapely.length(shapely.intersection(cell.polygon, cells[other].polygon)) > 0
        ]  # fmt: skip
        if near:
            other = min(near, key=lambda n: (load[cells[n].code], cells[n].code))
            taken |= {number, other}
            pair = tuple(sorted((cell.code, cells[other].code)))
            merges.append(Proposal("merge", pair, load[cell.code] + load[cells[other].code]))
    return merges
