"""Cells: where a point lies, what a cell is, split and merge with history, special grids."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

import numpy as np
import shapely
from django.db import transaction
from django.db.models import Max, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from chengshu.batch import datum as datums
from chengshu.batch.balance import CellLoad, Proposal, balance
from chengshu.batch.grid import CellIndex, Load, node, split_polygon
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.places.domain import CellView, Change, Located
from chengshu.contexts.places.models import Cell, CellChange, CellCharge, Place, SpecialMember, Zone
from chengshu.kernel.problems import Problem

CellsChanged = Callable[[tuple[str, ...], tuple[str, ...]], None]

_index: tuple[object, CellIndex] | None = None
_lock = threading.Lock()
_listeners: dict[str, CellsChanged] = {}


def register_cells_changed(name: str, listener: CellsChanged) -> None:
    """Call ``listener(old codes, new codes)`` inside the transaction of each split or merge."""
    _listeners[name] = listener


def _stamp() -> tuple[int | None, int]:
    return CellChange.objects.aggregate(last=Max("id"))["last"], Cell.objects.filter(valid_to=None).count()


def cell_index() -> CellIndex | None:
    """Return the index of the cells in force, built again after a change of the grid; None without cells."""
    global _index
    stamp = _stamp()
    if not stamp[1]:
        return None
    with _lock:
        if _index is None or _index[0] != stamp:
            rows = list(Cell.objects.filter(valid_to=None).order_by("code").values_list("code", "geometry"))
            shapes = shapely.from_geojson([geometry for _, geometry in rows])
            _index = (stamp, CellIndex.build([code for code, _ in rows], list(shapes), pixels=3_000_000))
        return _index[1]


def locate(lon: float, lat: float, *, datum: str = "WGS-84") -> Located | None:
    """Return the cell of a point, None outside the grid; other datums are converted first."""
    x, y = datums.convert([lon], [lat], datum=datum)
    index = cell_index()
    code = index.locate_codes(x, y)[0] if index else None
    if code is None:
        return None
    found = cell(code)
    return Located(float(x[0]), float(y[0]), code, found.zone, found.special) if found else None


def locate_many(lon: Sequence[float], lat: Sequence[float], *, datum: str = "WGS-84") -> list[str | None]:
    """Return the cell code of each point; NaN has none."""
    index = cell_index()
    return index.locate_codes(*datums.convert(lon, lat, datum=datum)) if index else [None] * len(lon)


def _views(rows: QuerySet[Cell]) -> list[CellView]:
    rows = rows.defer("geometry").prefetch_related(Prefetch("special", SpecialMember.objects.all()))
    return [
        CellView(
            row.code,
            row.zone_id,
            row.residents,
            row.rented_homes,
            row.origin,
            row.valid_from,
            row.valid_to,
            {member.kind: member.grid_id for member in row.special.all()},
        )
        for row in rows
    ]


def cell(code: str) -> CellView | None:
    """Return one cell, also one that is no longer in force."""
    found = _views(Cell.objects.filter(pk=code))
    return found[0] if found else None


def cells(zone: str | None = None) -> list[CellView]:
    """Return the cells in force, of one zone or of all, by code."""
    rows = Cell.objects.filter(valid_to=None).order_by("code")
    return _views(rows.filter(zone_id=zone) if zone else rows)


def zone_of_cells() -> dict[str, str]:
    """Return cell code → zone code, former cells included."""
    return dict(Cell.objects.values_list("code", "zone_id"))


def current_cells(code: str) -> list[str]:
    """Return what a cell became: itself while in force, else its successors in force."""
    open_codes, found, seen = [code], [], set()
    while open_codes:
        name = open_codes.pop()
        if name in seen:
            continue
        seen.add(name)
        row = Cell.objects.filter(pk=name).only("valid_to").first()
        if row is None:
            continue
        if row.valid_to is None:
            found.append(name)
            continue
        for change in CellChange.objects.filter(kind__in=("split", "merge")):
            if name in change.before:
                open_codes.extend(change.after)
    return sorted(found)


def cell_history(code: str) -> list[Change]:
    """Return the changes that made or ended a cell, newest first."""
    rows = CellChange.objects.filter(kind__in=("split", "merge")).select_related("actor").order_by("-id")
    return [
        Change(
            row.kind, tuple(row.before), tuple(row.after), row.on, row.at,
            row.actor.display_name if row.actor else "", row.reason,
        )
        for row in rows
        if code in row.before or code in row.after
    ]  # fmt: skip


def set_cell_loads(residents: dict[str, int], rented_homes: dict[str, int] | None = None) -> None:
    """Take over the present counts of each cell in force; cells not named have none."""
    rows = list(Cell.objects.filter(valid_to=None).defer("geometry"))
    for row in rows:
        row.residents = residents.get(row.code, 0)
        if rented_homes is not None:
            row.rented_homes = rented_homes.get(row.code, 0)
    Cell.objects.bulk_update(rows, ["residents", "rented_homes"], batch_size=500)


def balance_proposals() -> list[Proposal]:
    """Propose splits of cells that are too full and merges of neighbours that are nearly empty."""
    rows = list(Cell.objects.filter(valid_to=None).order_by("code"))
    shapes = shapely.from_geojson([row.geometry for row in rows])
    loads = [
        CellLoad(row.code, row.zone_id, shape, row.residents, row.rented_homes)
        for row, shape in zip(rows, shapes, strict=True)
    ]
    return balance(loads)


def split_cell(
    code: str, parts: int, *, actor: Account, on: date, now: datetime, reason: str = ""
) -> list[str]:
    """Split a cell into ``parts`` of like load; staff, special grids and addresses pass to the new cells.

    Returns the new codes. Load is spread by the addresses' positions.
    """
    if not 2 <= parts <= 20:
        raise Problem("split-parts", _("一个网格可拆成 2 至 20 个"), detail=str(parts))
    with transaction.atomic():
        old = _in_force([code])[0]
        points = list(Place.objects.filter(cell_code=code, lon__isnull=False).values_list("lon", "lat"))
        spread = np.array(points, dtype=float).reshape(-1, 2)
        ones = np.ones(len(spread))
        pieces = split_polygon(
            shapely.from_geojson(old.geometry),
            Load(spread[:, 0], spread[:, 1], ones, 0 * ones),
            parts,
            snap=0,
        )
        if len(pieces) < parts:
            raise Problem("split-too-small", _("网格太小，无法再拆分"), detail=code)
        made = [_new_cell(old.zone, piece, Cell.Origin.SPLIT, on) for piece in node(pieces, snap=0)]
        _hand_over([old], made, "split", actor, on, now, reason)
    return [row.code for row in made]


def merge_cells(codes: Iterable[str], *, actor: Account, on: date, now: datetime, reason: str = "") -> str:
    """Merge neighbouring cells of one zone into a new one; returns its code."""
    with transaction.atomic():
        old = _in_force(sorted(set(codes)))
        if len(old) < 2:
            raise Problem("merge-one", _("合并至少需要两个网格"))
        if len({row.zone_id for row in old}) > 1:
            raise Problem("merge-zones", _("只能合并同一片区内的网格"), remedy=_("请改选同一片区的网格"))
        shape = shapely.union_all(shapely.from_geojson([row.geometry for row in old]))
        if len(shapely.get_parts(shape)) > max(len(shapely.get_parts(_shape(row))) for row in old):
            raise Problem("merge-apart", _("这些网格不相邻"), remedy=_("请选择相邻的网格"))
        made = _new_cell(old[0].zone, shape, Cell.Origin.MERGED, on)
        _hand_over(old, [made], "merge", actor, on, now, reason)
    return made.code


def _shape(row: Cell) -> shapely.Geometry:
    return shapely.from_geojson(row.geometry)


def _in_force(codes: Sequence[str]) -> list[Cell]:
    rows = list(Cell.objects.select_for_update().filter(pk__in=codes, valid_to=None).order_by("code"))
    missing = set(codes) - {row.code for row in rows}
    if missing:
        raise Problem(
            "cell-not-in-force", _("网格不存在或已失效"), detail=", ".join(sorted(missing)), status=404
        )
    return rows


def _new_cell(zone: Zone, shape: shapely.Geometry, origin: str, on: date) -> Cell:
    """Save a cell under the zone's next free number; numbers are never used again."""
    numbers = [int(code.rsplit("-", 1)[1]) for code in zone.cells.values_list("code", flat=True)]
    west, south, east, north = shapely.bounds(shape)
    return Cell.objects.create(
        code=f"{zone.code}-{max(numbers, default=0) + 1:03d}",
        zone=zone,
        geometry=json.dumps(json.loads(shapely.to_geojson(shape))),
        west=west, south=south, east=east, north=north,
        origin=origin, valid_from=on,
    )  # fmt: skip


def _hand_over(
    old: list[Cell], made: list[Cell], kind: str, actor: Account, on: date, now: datetime, reason: str
) -> None:
    """End the old cells and give the new ones their addresses, load, staff and special grids."""
    index = CellIndex.build([row.code for row in made], [_shape(row) for row in made], pixels=200_000)
    old_codes = [row.code for row in old]
    counts = dict.fromkeys([row.code for row in made], 0)
    places = list(Place.objects.filter(cell_code__in=old_codes).only("place_code", "lon", "lat", "cell_code"))
    lon = np.array([place.lon if place.lon is not None else np.nan for place in places])
    lat = np.array([place.lat if place.lat is not None else np.nan for place in places])
    for place, code in zip(places, index.locate_codes(lon, lat), strict=True):
        place.cell_code = code or made[0].code
        counts[place.cell_code] += 1
    Place.objects.bulk_update(places, ["cell_code"], batch_size=500)
    total = max(sum(counts.values()), 1)
    for row in made:
        share = counts[row.code] / total
        row.residents = round(sum(cell.residents for cell in old) * share)
        row.rented_homes = round(sum(cell.rented_homes for cell in old) * share)
        row.save(update_fields=["residents", "rented_homes"])
        for member in SpecialMember.objects.filter(cell=old[0]):
            SpecialMember.objects.create(cell=row, kind=member.kind, grid=member.grid)
    SpecialMember.objects.filter(cell__in=old).delete()
    _move_charges(old, made, on)
    Cell.objects.filter(pk__in=old_codes).update(valid_to=on)
    after = [row.code for row in made]
    CellChange.objects.create(
        kind=kind, before=old_codes, after=after, on=on, at=now, actor=actor, reason=reason
    )
    ledger.deposit(
        f"cell-{kind}", f"cell:{old_codes[0]}",
        {"before": old_codes, "after": after, "on": on.isoformat(), "actor": str(actor.pk)}, now=now,
    )  # fmt: skip
    for listener in _listeners.values():
        listener(tuple(old_codes), tuple(after))


def _move_charges(old: list[Cell], made: list[Cell], on: date) -> None:
    """Staff of the old cells keep the new ones: the first cell's main person leads, the rest are deputies."""
    open_ones = CellCharge.objects.filter(cell__in=old).filter(Q(last_day=None) | Q(last_day__gte=on))
    posts: dict[int, str] = {}
    for charge in open_ones.order_by("cell_id", "-post", "id"):
        leads = charge.post == CellCharge.Post.MAIN and CellCharge.Post.MAIN not in posts.values()
        posts.setdefault(charge.account_id, CellCharge.Post.MAIN if leads else CellCharge.Post.DEPUTY)
    CellCharge.objects.bulk_create(
        [
            CellCharge(cell=row, account_id=account, post=post, first_day=on)
            for row in made
            for account, post in posts.items()
        ]
    )
    open_ones.update(last_day=on)
