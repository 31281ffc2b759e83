"""Grid cells: which cell a point lies in, and cells made to the size of the load.

``CellIndex`` answers for millions of points a second: a raster names the one cell of every pixel that no border
crosses; only points in the other pixels are tested against polygons. A point on a shared border belongs to the
cell that stands first in the index, so each point has exactly one cell.

``generate_cells`` cuts zones by recursive weighted medians. It does not know streets or walls: base cells made so
are a fair stand-in for cells drawn by people, and pages say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

_OUTSIDE = -1
_MARGIN = 1e-3  # of a pixel: how much wider than the drawn line a border is taken, against rounding
_GAP = 1e-9  # degrees (0.1 mm): a point in the crack between two ill-noded borders goes to the nearer cell
SNAP = 1e-7  # degrees (1 cm): the lattice on which generated borders meet exactly


class CellIndex:
    """Finds the cell of each point. Build once, share between threads: it never changes."""

    def __init__(
        self,
        codes: Sequence[str],
        polygons: NDArray[np.object_],
        bounds: tuple[float, float, float, float],
        raster: Ints,
        starts: NDArray[np.int64],
        candidates: Ints,
    ) -> None:
        self.codes = tuple(codes)
        self.polygons = polygons
        self._bounds = bounds
        self._raster = raster.ravel()
        self._height, self._width = raster.shape
        self._starts, self._candidates = starts, candidates
        west, south, east, north = bounds
        self._scale = (self._width / (east - west), self._height / (north - south))

    @classmethod
    def build(
        cls, codes: Sequence[str], polygons: Sequence[shapely.Geometry], *, pixels: int = 12_000_000
    ) -> CellIndex:
        """Rasterise ``polygons`` (valid polygons or multi-polygons); ``pixels`` trades memory for speed."""
        shapes = np.empty(len(polygons), dtype=object)
        shapes[:] = list(polygons)
        if len(codes) != len(shapes):
            raise ValueError(f"{len(codes)} codes for {len(shapes)} polygons")
        bad = [code for code, good in zip(codes, shapely.is_valid(shapes), strict=True) if not good]
        if bad:
            raise ValueError(f"ill-formed polygons: {', '.join(bad[:5])}")
        if not len(shapes):
            empty = np.full((1, 1), _OUTSIDE, dtype=np.int32)
            return cls((), shapes, (0.0, 0.0, 1.0, 1.0), empty, np.zeros(1, np.int64), np.zeros(0, np.int32))
        bounds, shape = _frame(shapes, pixels)
        raster, starts, candidates = _rasterise(shapes, bounds, shape)
        shapely.prepare(shapes)
        return cls(codes, shapes, bounds, raster, starts, candidates)

    def locate(self, lon: Floats, lat: Floats) -> Ints:
        """Return for each point the position of its cell in ``codes``, -1 outside or without coordinates."""
        x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        found = np.empty(len(x), dtype=np.int32)
        for start in range(0, len(x), 262_144):  # a chunk stays in the processor's cache
            piece = slice(start, start + 262_144)
            found[piece] = self._locate(x[piece], y[piece])
        return found

    def locate_codes(self, lon: Floats, lat: Floats) -> list[str | None]:
        """Return each point's cell code, None outside."""
        return [self.codes[at] if at >= 0 else None for at in self.locate(lon, lat).tolist()]

    def _locate(self, x: Floats, y: Floats) -> Ints:
        west, south, east, north = self._bounds
        inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)  # NaN compares false
        if not inside.all():
            found = np.full(len(x), _OUTSIDE, dtype=np.int32)
            found[inside] = self._locate_within(x[inside], y[inside])
            return found
        return self._locate_within(x, y)

    def _locate_within(self, x: Floats, y: Floats) -> Ints:
        west, south = self._bounds[:2]
        column = ((x - west) * self._scale[0]).astype(np.int32)
        row = ((y - south) * self._scale[1]).astype(np.int32)
        np.minimum(column, self._width - 1, out=column)
        np.minimum(row, self._height - 1, out=row)
        row *= self._width
        row += column
        found: Ints = self._raster.take(row)
        unsure = np.flatnonzero(found < _OUTSIDE)
        if len(unsure):
            found[unsure] = self._test(-(found[unsure] + 2), x[unsure], y[unsure])
        return found

    def _test(self, pixel: Ints, x: Floats, y: Floats) -> Ints:
        """Test points of border pixels against the polygons whose borders cross the pixel or hold it."""
        first = self._starts[pixel]
        count = self._starts[pixel + 1] - first
        answer = np.full(len(x), _OUTSIDE, dtype=np.int32)
        open_points = np.arange(len(x))
        for turn in range(int(count.max())):
            open_points = open_points[count[open_points] > turn]
            cell = self._candidates[first[open_points] + turn]
            hit = shapely.intersects_xy(self.polygons[cell], x[open_points], y[open_points])
            answer[open_points[hit]] = cell[hit]
            open_points = open_points[~hit]
        left = np.flatnonzero(answer == _OUTSIDE)
        if len(left):
            self._close_cracks(left, first, count, x, y, answer)
        return answer

    def _close_cracks(
        self,
        left: NDArray[np.int64],
        first: NDArray[np.int64],
        count: NDArray[np.int64],
        x: Floats,
        y: Floats,
        answer: Ints,
    ) -> None:
        points = shapely.points(x[left], y[left])
        best = np.full(len(left), _GAP)
        for turn in range(int(count[left].max())):
            here = np.flatnonzero(count[left] > turn)
            cell = self._candidates[first[left[here]] + turn]
            distance = shapely.distance(self.polygons[cell], points[here])
            nearer = distance < best[here]
            best[here[nearer]] = distance[nearer]
            answer[left[here[nearer]]] = cell[nearer]


def _frame(
    shapes: NDArray[np.object_], pixels: int
) -> tuple[tuple[float, float, float, float], tuple[int, int]]:
    west, south, east, north = (float(v) for v in shapely.total_bounds(shapes))
    pad = max(east - west, north - south, 1e-9) * 1e-6
    bounds = (west - pad, south - pad, east + pad, north + pad)
    ratio = (bounds[3] - bounds[1]) / (bounds[2] - bounds[0])
    width = max(16, int((pixels / ratio) ** 0.5))
    height = max(16, int(pixels / width))
    return bounds, (height, width)


@dataclass(frozen=True, slots=True)
class _Edges:
    """Every border segment in pixel coordinates, and the cell it bounds."""

    cell: NDArray[np.int64]
    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats

    def by_row(self, low: Floats, high: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (edge, row) for every pixel row between each edge's ``low`` and ``high``, inclusive."""
        start, stop = np.floor(low).astype(np.int64), np.floor(high).astype(np.int64)
        count = np.maximum(stop - start + 1, 0)
        edge = np.repeat(np.arange(len(start)), count)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + start[edge]
        return edge, row


def _edges(
    shapes: NDArray[np.object_], bounds: tuple[float, float, float, float], shape: tuple[int, int]
) -> _Edges:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    coordinates, of_ring = shapely.get_coordinates(rings, return_index=True)
    px = (coordinates[:, 0] - bounds[0]) * (shape[1] / (bounds[2] - bounds[0]))
    py = (coordinates[:, 1] - bounds[1]) * (shape[0] / (bounds[3] - bounds[1]))
    same = of_ring[:-1] == of_ring[1:]
    cell = owner[of_part[of_ring[:-1][same]]].astype(np.int64)
    return _Edges(cell, px[:-1][same], py[:-1][same], px[1:][same], py[1:][same])


def _rasterise(
    shapes: NDArray[np.object_], bounds: tuple[float, float, float, float], shape: tuple[int, int]
) -> tuple[Ints, NDArray[np.int64], Ints]:
    edges = _edges(shapes, bounds, shape)
    raster = np.full(shape, _OUTSIDE, dtype=np.int32)
    _fill(raster, edges)
    pixel, cell = _border_pixels(edges, shape)
    # A border pixel may also lie in a cell whose own border is elsewhere: an overlap. Keep that cell in the list.
    flat = raster.ravel()
    below = flat[pixel]
    extra = below >= 0
    both = np.unique(np.concatenate([_pack(pixel, cell), _pack(pixel[extra], below[extra].astype(np.int64))]))
    pixel = both >> 32
    candidates: Ints = (both & 0xFFFFFFFF).astype(np.int32)
    marked, first = np.unique(pixel, return_index=True)
    flat[marked] = -(np.arange(len(marked), dtype=np.int32) + 2)
    starts = np.append(first, len(pixel)).astype(np.int64)
    return raster, starts, candidates


def _pack(pixel: NDArray[np.int64], cell: NDArray[np.int64]) -> NDArray[np.int64]:
    return (pixel << 32) | cell


def _border_pixels(edges: _Edges, shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (pixel, cell) for every pixel that a cell's border touches, a hair's breadth included."""
    low, high = np.minimum(edges.y0, edges.y1) - _MARGIN, np.maximum(edges.y0, edges.y1) + _MARGIN
    edge, row = edges.by_row(low, high)
    x0, y0, x1, y1 = edges.x0[edge], edges.y0[edge], edges.x1[edge], edges.y1[edge]
    rise = y1 - y0
    flat = np.abs(rise) < 1e-12
    slope = np.where(flat, 0.0, (x1 - x0) / np.where(flat, 1.0, rise))
    # Where the segment enters and leaves the band of this row.
    enter = np.clip(row - _MARGIN, np.minimum(y0, y1), np.maximum(y0, y1))
    leave = np.clip(row + 1 + _MARGIN, np.minimum(y0, y1), np.maximum(y0, y1))
    xa = np.where(flat, x0, x0 + (enter - y0) * slope)
    xb = np.where(flat, x1, x0 + (leave - y0) * slope)
    left = np.floor(np.minimum(xa, xb) - _MARGIN).astype(np.int64)
    right = np.floor(np.maximum(xa, xb) + _MARGIN).astype(np.int64)
    count = right - left + 1
    which = np.repeat(np.arange(len(edge)), count)
    column = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count) + left[which]
    rows = row[which]
    keep = (column >= 0) & (column < shape[1]) & (rows >= 0) & (rows < shape[0])
    packed = np.unique(_pack(rows[keep] * shape[1] + column[keep], edges.cell[edge[which[keep]]]))
    return packed >> 32, packed & 0xFFFFFFFF


def _fill(raster: Ints, edges: _Edges) -> None:
    """Write each cell's number into the pixels whose centre it holds; the first cell wins an overlap."""
    low, high = np.minimum(edges.y0, edges.y1), np.maximum(edges.y0, edges.y1)
    # The centre line of row r is at r + .5; an edge crosses it when low <= r + .5 < high.
    edge, row = edges.by_row(np.ceil(low - 0.5), np.ceil(high - 0.5) - 1)
    x0, y0, x1, y1 = edges.x0[edge], edges.y0[edge], edges.x1[edge], edges.y1[edge]
    crossing = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
    cell = edges.cell[edge]
    order = np.lexsort((crossing, row, cell))
    crossing, row, cell = crossing[order], row[order], cell[order]
    enter, leave = crossing[0::2], crossing[1::2]
    left = np.maximum(np.ceil(enter - 0.5), 0).astype(np.int64)
    right = np.minimum(np.ceil(leave - 0.5), raster.shape[1]).astype(np.int64)
    count = np.maximum(right - left, 0)
    span = np.repeat(np.arange(len(left)), count)
    column = np.arange(len(span)) - np.repeat(np.cumsum(count) - count, count) + left[span]
    target = row[0::2][span] * raster.shape[1] + column
    # Written from the last cell to the first, so that the first one stays.
    raster.ravel()[target[::-1]] = cell[0::2][span][::-1].astype(np.int32)


# --- cells made to the size of the load ---


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone to be cut into cells."""

    code: str
    polygon: shapely.Geometry


@dataclass(frozen=True, slots=True)
class Load:
    """What lies where: one entry for each building."""

    lon: Floats
    lat: Floats
    residents: Floats
    rented_homes: Floats


@dataclass(frozen=True, slots=True)
class Target:
    """How much one cell holds: the fuller of the two counts."""

    residents: float = 1000.0
    rented_homes: float = 500.0

    def of(self, residents: float, rented_homes: float) -> float:
        """Return the load in cells: 1.0 is a full cell."""
        return max(residents / self.residents, rented_homes / self.rented_homes)


@dataclass(frozen=True, slots=True)
class Cell:
    """A generated base cell with the load it was made for."""

    code: str
    zone: str
    polygon: shapely.Geometry
    residents: int
    rented_homes: int


def clean_zones(zones: Sequence[Zone]) -> list[Zone]:
    """Make neighbouring zones meet exactly: overlaps go to the first zone, enclosed slivers to a neighbour.

    Zones drawn by hand overlap and gape by metres. All borders are laid on a lattice of a centimetre and noded
    together; each face goes to one zone.
    """
    shapes = np.array([zone.polygon for zone in zones], dtype=object)
    faces = _faces(shapes)
    owner = _owners(faces, shapes, gap_area=3e-7)  # about 3,400 m²: wider gaps are water or other districts
    merged = _dissolve(faces, owner, len(zones))
    return [Zone(zone.code, polygon) for zone, polygon in zip(zones, merged, strict=True)]


def _faces(shapes: NDArray[np.object_], snap: float = SNAP) -> NDArray[np.object_]:
    lines = shapely.union_all(shapely.boundary(shapes), grid_size=snap or None)
    faces: NDArray[np.object_] = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    return faces


def _owners(faces: NDArray[np.object_], shapes: NDArray[np.object_], *, gap_area: float) -> NDArray[np.int64]:
    """Return the shape of each face: the first that holds its inner point; small gaps go to the nearest."""
    tree = shapely.STRtree(shapes)
    inner = shapely.point_on_surface(faces)
    owner = np.full(len(faces), len(shapes), dtype=np.int64)
    point, shape = tree.query(inner, predicate="intersects")
    np.minimum.at(owner, point, shape)
    owner[owner == len(shapes)] = -1
    for face in np.flatnonzero((owner < 0) & (shapely.area(faces) < gap_area)):
        near = np.unique(tree.query(faces[face], predicate="dwithin", distance=SNAP * 3))
        shared = shapely.area(shapely.intersection(shapes[near], shapely.buffer(faces[face], SNAP * 20)))
        if len(near):
            owner[face] = near[int(np.argmax(shared))]
    return owner


def _dissolve(faces: NDArray[np.object_], owner: NDArray[np.int64], count: int) -> list[shapely.Geometry]:
    return [shapely.coverage_union_all(faces[owner == number]) for number in range(count)]


def generate_cells(
    zones: Sequence[Zone], load: Load, *, target: Target | None = None, total: int | None = None
) -> list[Cell]:
    """Cut each zone into as many cells as its load fills, at least one; the same input gives the same cells.

    The cells tile the (cleaned) zones exactly: no gap, no overlap, borders noded. With ``total`` the target is
    scaled until about that many cells come out.
    """
    target = target or Target()
    cleaned = clean_zones(zones)
    index = CellIndex.build(
        [zone.code for zone in cleaned], [zone.polygon for zone in cleaned], pixels=1_000_000
    )
    of_zone = index.locate(load.lon, load.lat)
    loads = [_select(load, of_zone == number) for number in range(len(cleaned))]
    full = [target.of(float(one.residents.sum()), float(one.rented_homes.sum())) for one in loads]
    counts = _counts(full, total)
    pieces: list[shapely.Geometry] = []
    codes: list[tuple[str, str]] = []
    for zone, one, count in zip(cleaned, loads, counts, strict=True):
        cut = split_polygon(zone.polygon, one, count, target=target)
        pieces.extend(cut)
        codes.extend((f"{zone.code}-{number:03d}", zone.code) for number in range(1, len(cut) + 1))
    polygons = node(pieces)
    return _weigh(codes, polygons, load)


def _counts(full: Sequence[float], total: int | None) -> list[int]:
    if total is None:
        return [max(1, round(value)) for value in full]
    low, high = 0.0, 1e6
    for _ in range(60):  # bisection: the sum of rounded shares grows with the scale
        scale = (low + high) / 2
        if sum(max(1, round(value * scale)) for value in full) < total:
            low = scale
        else:
            high = scale
    return [max(1, round(value * high)) for value in full]


def _select(load: Load, mask: NDArray[np.bool_]) -> Load:
    return Load(load.lon[mask], load.lat[mask], load.residents[mask], load.rented_homes[mask])


def split_polygon(
    polygon: shapely.Geometry, load: Load, parts: int, *, target: Target | None = None, snap: float = SNAP
) -> list[shapely.Geometry]:
    """Cut ``polygon`` into ``parts`` of about equal load by straight cuts across its longer side.

    ``snap`` is the lattice that new corners are laid on; 0 leaves the outer border exactly as it is, for a cell
    whose neighbours stay.
    """
    target = target or Target()
    if parts <= 1:
        return [polygon]
    by_rent = load.rented_homes.sum() / target.rented_homes > load.residents.sum() / target.residents
    weight = load.rented_homes if by_rent else load.residents
    return _cut(polygon, load.lon, load.lat, weight.astype(np.float64), parts, snap)


def _cut(
    polygon: shapely.Geometry, lon: Floats, lat: Floats, weight: Floats, parts: int, snap: float
) -> list[shapely.Geometry]:
    if parts <= 1:
        return [polygon]
    west, south, east, north = shapely.bounds(polygon)
    wide = (east - west) * np.cos(np.radians((south + north) / 2)) >= north - south
    low, high, along = (west, east, lon) if wide else (south, north, lat)
    first = parts // 2
    at = _cut_position(low, high, along, weight, first / parts)
    boxes = (
        (shapely.box(west - 1, south - 1, at, north + 1), shapely.box(at, south - 1, east + 1, north + 1))
        if wide
        else (shapely.box(west - 1, south - 1, east + 1, at), shapely.box(west - 1, at, east + 1, north + 1))
    )
    sides = [_areas_only(shapely.intersection(polygon, box, grid_size=snap or None)) for box in boxes]
    if any(shapely.is_empty(side) for side in sides):
        return [polygon]  # narrower than the lattice: leave it whole
    here = along <= at
    return _cut(sides[0], lon[here], lat[here], weight[here], first, snap) + _cut(
        sides[1], lon[~here], lat[~here], weight[~here], parts - first, snap
    )


def _cut_position(low: float, high: float, along: Floats, weight: Floats, share: float) -> float:
    """Return where to cut so that ``share`` of the weight lies below, well inside both ends."""
    at = low + (high - low) * share
    if weight.sum() > 0:
        order = np.argsort(along, kind="stable")
        running = np.cumsum(weight[order])
        place = int(np.searchsorted(running, running[-1] * share))
        nxt = min(place + 1, len(order) - 1)
        at = float((along[order[place]] + along[order[nxt]]) / 2)
    margin = (high - low) * 0.06
    return float(np.round(min(max(at, low + margin), high - margin) / SNAP) * SNAP)


def _areas_only(shape: shapely.Geometry) -> shapely.Geometry:
    """Drop points and lines that an intersection left over."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    if not parts:
        return shapely.Polygon()
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def node(pieces: Sequence[shapely.Geometry], *, snap: float = SNAP) -> list[shapely.Geometry]:
    """Return the pieces with every border vertex shared by both sides: an exact coverage."""
    shapes = np.array(pieces, dtype=object)
    faces = _faces(shapes, snap)
    return _dissolve(faces, _owners(faces, shapes, gap_area=1e-10), len(shapes))


def _weigh(codes: Sequence[tuple[str, str]], polygons: Sequence[shapely.Geometry], load: Load) -> list[Cell]:
    index = CellIndex.build([code for code, _ in codes], polygons, pixels=4_000_000)
    where = index.locate(load.lon, load.lat)
    inside = where >= 0
    residents = np.bincount(where[inside], load.residents[inside], minlength=len(codes))
    rented = np.bincount(where[inside], load.rented_homes[inside], minlength=len(codes))
    return [
        Cell(code, zone, polygon, int(residents[number]), int(rented[number]))
        for number, ((code, zone), polygon) in enumerate(zip(codes, polygons, strict=True))
    ]
