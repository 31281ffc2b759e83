"""Reads polygons from an ESRI shapefile (.shp with .dbf beside it), as city agencies hand out zones and cells.

Polygons in longitude and latitude only: a projected file is refused with what to do. The .dbf is read in the code page
that a .cpg names, else as UTF-8, else as GB 18030.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from chengshu.kernel.problems import Problem, Where

_POLYGONS = (5, 15, 25)  # plain, with heights, with measures: the outline lies at the same place in all three
_NULL = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """One polygon and its attributes, all text."""

    attributes: dict[str, str]
    polygon: shapely.Geometry


def read_shapefile(path: Path) -> list[Shape]:
    """Return the polygons of a shapefile; raises ``Problem`` where it is broken, projected or of another kind."""
    _refuse_projection(path)
    polygons = list(_polygons(path))
    table = path.with_suffix(".dbf")
    if not table.is_file():
        raise _broken(path, "the .dbf file is not beside it")
    rows = list(_attributes(table))
    if len(rows) != len(polygons):
        raise _broken(path, f"{len(polygons)} shapes but {len(rows)} rows in the .dbf")
    return [Shape(row, polygon) for row, polygon in zip(rows, polygons, strict=True) if polygon is not None]


def _broken(path: Path, detail: str, row: int | None = None) -> Problem:
    return Problem(
        "shapefile-broken",
        "The shapefile cannot be read",
        detail=detail,
        where=Where(file=path.name, row=row),
        remedy="export it again, or save it as GeoJSON",
    )


def _refuse_projection(path: Path) -> None:
    projection = path.with_suffix(".prj")
    if not projection.is_file():
        return
    text = projection.read_text("utf-8", errors="replace").lstrip().upper()
    if text.startswith(("PROJCS", "PROJCRS")):
        raise Problem(
            "shapefile-projected",
            "The shapefile is in metres of a projection",
            detail=text[:80],
            where=Where(file=projection.name),
            remedy="save it in longitude and latitude (EPSG:4490 or EPSG:4326)",
        )


def _polygons(path: Path) -> Iterator[shapely.Geometry | None]:
    data = path.read_bytes()
    if len(data) < 100 or struct.unpack(">i", data[:4])[0] != 9994:
        raise _broken(path, "the header is not that of a shapefile")
    kind = struct.unpack("<i", data[32:36])[0]
    if kind not in _POLYGONS:
        raise _broken(path, f"it holds shapes of kind {kind}, not polygons")
    at, number = 100, 0
    while at + 8 <= len(data):
        number += 1
        length = struct.unpack(">i", data[at + 4 : at + 8])[0] * 2
        record = data[at + 8 : at + 8 + length]
        if len(record) < length or length < 4:
            raise _broken(path, "it ends in the middle of a shape", number)
        yield _polygon(path, record, number)
        at += 8 + length


def _polygon(path: Path, record: bytes, number: int) -> shapely.Geometry | None:
    if struct.unpack("<i", record[:4])[0] == _NULL:
        return None
    try:
        parts, points = struct.unpack("<2i", record[36:44])
        starts = np.frombuffer(record, dtype="<i4", count=parts, offset=44)
        xy = np.frombuffer(record, dtype="<f8", count=points * 2, offset=44 + parts * 4).reshape(-1, 2)
    except (struct.error, ValueError) as error:
        raise _broken(path, "a shape is cut short", number) from error
    rings = [shapely.LinearRing(ring) for ring in np.split(xy, starts[1:]) if len(ring) >= 4]
    # Outer rings run clockwise; holes, the other way, lie in one of them.
    outer = [shapely.Polygon(ring) for ring in rings if not ring.is_ccw]
    holes = [shapely.Polygon(ring) for ring in rings if ring.is_ccw]
    whole = []
    for shell in outer:
        inside = [hole.exterior for hole in holes if shapely.within(hole.representative_point(), shell)]
        whole.append(shapely.Polygon(shell.exterior, inside))
    if not whole:
        return None
    return whole[0] if len(whole) == 1 else shapely.MultiPolygon(whole)


def _attributes(path: Path) -> Iterator[dict[str, str]]:
    data = path.read_bytes()
    if len(data) < 33:
        raise _broken(path, "the .dbf has no header")
    count, header, width = struct.unpack("<IHH", data[4:12])
    fields, at = [], 32
    while at + 32 <= header and data[at] != 0x0D:
        fields.append((data[at : at + 11].split(b"\0")[0], data[at + 16]))
        at += 32
    encoding = _encoding(path, data[header:])
    if len(data) < header + count * width:
        raise _broken(path, "the .dbf ends in the middle of a row")
    for number in range(count):
        row = data[header + number * width : header + (number + 1) * width]
        values, start = {}, 1
        for name, size in fields:
            text = row[start : start + size].decode(encoding, errors="replace")
            values[name.decode(encoding, errors="replace")] = text.strip(" \0")
            start += size
        yield values


def _encoding(path: Path, body: bytes) -> str:
    """Choose one encoding for the whole table: what the .cpg names, else what its bytes allow."""
    page = path.with_suffix(".cpg")
    named = page.read_text("ascii", errors="ignore").strip().upper() if page.is_file() else ""
    if named:
        return "gb18030" if named in ("936", "GBK", "GB2312", "GB18030", "CP936") else "utf-8"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"
