"""Loads a district: divisions, zones, cells, special grids, the address library, staff and their posts."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely
from django.db import connection, models, transaction
from shapely.geometry import shape

from chengshu.batch.datum import convert
from chengshu.batch.grid import Load, clean_zones, generate_cells
from chengshu.batch.grid import Zone as ZoneShape
from chengshu.batch.shapefile import read_shapefile
from chengshu.contexts.identity.api import EMPLOYED_ROLES, account_named, departments, save_account
from chengshu.contexts.places.cells import cell_index
from chengshu.contexts.places.domain import LIBRARY_COLUMNS
from chengshu.contexts.places.models import (
    Cell,
    CellChange,
    CellCharge,
    Division,
    Place,
    SpecialGrid,
    SpecialMember,
    Zone,
)
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.spreadsheet import csv_rows
from chengshu.kernel.strict_yaml import load_yaml


def load_district(folder: Path, *, on: date, now: datetime) -> dict[str, int]:
    """Load the frame of a district from its folder (``district.yaml``): divisions and zones. Again changes nothing."""
    manifest = load_yaml(folder / "district.yaml")
    divisions = load_divisions(folder / manifest["divisions"])
    code = manifest["zone_code"]
    streets = (
        _zone_streets(folder / manifest["zone_streets"], code["prefix"]) if "zone_streets" in manifest else {}
    )
    found = read_zones(
        folder / manifest["zones"], code["property"], code["prefix"], manifest.get("datum", "WGS-84")
    )
    zones = load_zones(found, streets)
    return {"divisions": divisions, "zones": zones}


def load_divisions(path: Path) -> int:
    """Load divisions from a CSV with code, level, name, parent, civil_affairs_code."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [
            Division(
                code=row["code"], level=row["level"], name=row["name"], parent=row["parent"],
                civil_affairs_code=row.get("civil_affairs_code", ""),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip
    Division.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["code"],
        update_fields=["level", "name", "parent", "civil_affairs_code"],
    )  # fmt: skip
    return len(rows)


def _zone_streets(path: Path, prefix: str) -> dict[str, str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        # The first column is the zone's code as the zones' file has it.
        return {f"{prefix}{next(iter(row.values()))}": row["street"] for row in csv.DictReader(file)}


def read_zones(path: Path, key: str, prefix: str = "", datum: str = "WGS-84") -> list[ZoneShape]:
    """Read zones from GeoJSON or a shapefile; ill-formed polygons are refused by number and reason, other datums
    converted."""
    zones = []
    for number, (properties, polygon) in enumerate(_outlines(path), start=1):
        where = Where(file=path.name, row=number, field=key)
        code = properties.get(key)
        if code in (None, ""):
            raise Problem("zone-without-code", "A zone has no code", where=where)
        if polygon is None or polygon.is_empty or polygon.geom_type not in ("Polygon", "MultiPolygon"):
            raise Problem("zone-shape", "A zone must be a polygon", where=where, detail=str(code))
        if not polygon.is_valid:
            reason = shapely.is_valid_reason(polygon)
            raise Problem(
                "zone-ill-formed", "A zone's outline is ill-formed", where=where, detail=f"{code}: {reason}",
                remedy="mend the outline in the map program it comes from",
            )  # fmt: skip
        if datum != "WGS-84":
            polygon = shapely.transform(
                polygon, lambda xy: np.column_stack(convert(xy[:, 0], xy[:, 1], datum=datum))
            )
        zones.append(ZoneShape(f"{prefix}{code}", polygon))
    twice = [code for code, count in Counter(zone.code for zone in zones).items() if count > 1]
    if twice:
        raise Problem(
            "zone-twice", "Two zones have one code", where=Where(file=path.name), detail=", ".join(twice)
        )
    return zones


def _outlines(path: Path) -> Iterator[tuple[dict[str, Any], shapely.Geometry | None]]:
    """Yield attributes and outline of each feature of a .shp or GeoJSON file."""
    if path.suffix.lower() == ".shp":
        for one in read_shapefile(path):
            yield dict(one.attributes), one.polygon
        return
    try:
        features = json.loads(path.read_text("utf-8-sig"))["features"]
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(
            "zones-unreadable", "The file is no GeoJSON collection", where=Where(file=path.name)
        ) from error
    for feature in features:
        outline = shape(feature["geometry"]) if feature.get("geometry") else None
        yield feature.get("properties") or {}, outline


def load_zones(zones: Sequence[ZoneShape], streets: dict[str, str] | None = None) -> int:
    """Save zones with borders that meet exactly."""
    rows = []
    for zone in clean_zones(sorted(zones, key=lambda one: one.code)):
        west, south, east, north = shapely.bounds(zone.polygon)
        rows.append(
            Zone(
                code=zone.code, street=(streets or {}).get(zone.code, ""),
                geometry=shapely.to_geojson(zone.polygon), west=west, south=south, east=east, north=north,
            )
        )  # fmt: skip
    Zone.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["code"],
        update_fields=["street", "geometry", "west", "south", "east", "north"],
    )  # fmt: skip
    return len(rows)


def load_cells(path: Path, *, on: date, now: datetime, origin: str = Cell.Origin.GENERATED) -> int:
    """Load base cells from GeoJSON with properties code, zone, residents, rented_homes; only into an empty grid."""
    if Cell.objects.exists():
        raise Problem(
            "grid-not-empty", "The grid already has cells",
            remedy="change it by split and merge, so that its history is kept",
        )  # fmt: skip
    tree = json.loads(path.read_text("utf-8-sig"))
    zones = set(Zone.objects.values_list("code", flat=True))
    rows = []
    for number, feature in enumerate(tree["features"], start=1):
        properties, polygon = feature["properties"], shape(feature["geometry"])
        if properties["zone"] not in zones:
            raise Problem(
                "cell-zone", "A cell names a zone that is not loaded", where=Where(path.name, row=number)
            )
        if not polygon.is_valid:
            raise Problem(
                "cell-ill-formed", "A cell's outline is ill-formed", where=Where(path.name, row=number)
            )
        west, south, east, north = polygon.bounds
        rows.append(
            Cell(
                code=properties["code"], zone_id=properties["zone"], geometry=json.dumps(feature["geometry"]),
                west=west, south=south, east=east, north=north, residents=properties.get("residents", 0),
                rented_homes=properties.get("rented_homes", 0), origin=origin, valid_from=on,
            )
        )  # fmt: skip
    with transaction.atomic():
        Cell.objects.bulk_create(rows, batch_size=500)
        CellChange.objects.create(kind="load", after=[path.name], on=on, at=now)
    return len(rows)


def generate_grid(*, on: date, now: datetime) -> int:
    """Make base cells inside the loaded zones from the address library, for a district without cells of its own.

    Without counts of residents each room of the library counts as one rented home.
    """
    if Cell.objects.exists():
        raise Problem("grid-not-empty", "The grid already has cells")
    zones = [ZoneShape(row.code, shapely.from_geojson(row.geometry)) for row in Zone.objects.order_by("code")]
    known = Place.objects.filter(lon__isnull=False, lat__isnull=False).exclude(room=None)
    points = np.array(list(known.values_list("lon", "lat")), dtype=float).reshape(-1, 2)
    load = Load(points[:, 0], points[:, 1], np.zeros(len(points)), np.ones(len(points)))
    cells = generate_cells(zones, load)
    rows = []
    for cell in cells:
        west, south, east, north = shapely.bounds(cell.polygon)
        rows.append(
            Cell(
                code=cell.code, zone_id=cell.zone, geometry=shapely.to_geojson(cell.polygon), west=west, south=south,
                east=east, north=north, residents=0, rented_homes=cell.rented_homes, origin=Cell.Origin.GENERATED,
                valid_from=on,
            )
        )  # fmt: skip
    with transaction.atomic():
        Cell.objects.bulk_create(rows, batch_size=500)
        CellChange.objects.create(kind="load", after=["generated"], on=on, at=now)
        place_addresses()
    return len(rows)


def place_addresses() -> int:
    """Give every address with coordinates the cell it lies in; returns how many changed."""
    index = cell_index()
    changed = []
    for row in Place.objects.only("place_code", "lon", "lat", "cell_code").iterator(chunk_size=20_000):
        if row.lon is not None and row.lat is not None:
            changed.append(row)
    if index is None or not changed:
        return 0
    codes = index.locate_codes(np.array([row.lon for row in changed]), np.array([row.lat for row in changed]))
    moved = [(row, code) for row, code in zip(changed, codes, strict=True) if row.cell_code != code]
    for row, code in moved:
        row.cell_code = code
    Place.objects.bulk_update([row for row, _ in moved], ["cell_code"], batch_size=500)
    return len(moved)


def make_special_grids(kinds: Sequence[dict[str, Any]]) -> int:
    """Put each base cell in force into exactly one cell of each special grid.

    ``kinds`` has kind, zh and cells (how many). Neighbouring base cells of like total load go together: the cells
    are walked zone by zone from south-west to north-east and cut into runs.
    """
    rows = list(Cell.objects.filter(valid_to=None).select_related("zone"))
    rows.sort(key=lambda row: (row.zone.street, row.zone.west + row.zone.south, row.zone_id, row.code))
    load = [max(row.residents, 1) for row in rows]
    grids, members = [], []
    for spec in kinds:
        run = _runs(load, min(int(spec["cells"]), len(rows)))
        for number in range(1, max(run, default=-1) + 2):
            code = f"{spec['kind']}-{number:03d}"
            grids.append(SpecialGrid(code=code, kind=spec["kind"], name=f"{spec['zh']}{number:03d}"))
        members += [
            SpecialMember(cell=row, kind=spec["kind"], grid_id=f"{spec['kind']}-{at + 1:03d}")
            for row, at in zip(rows, run, strict=True)
        ]
    with transaction.atomic():
        SpecialMember.objects.all().delete()
        SpecialGrid.objects.all().delete()
        SpecialGrid.objects.bulk_create(grids)
        SpecialMember.objects.bulk_create(members, batch_size=500)
    return len(grids)


def _runs(load: Sequence[int], count: int) -> list[int]:
    """Cut a row of loads into exactly ``count`` runs of like total; returns the run of each."""
    runs, number, held, left = [], 0, 0.0, float(sum(load))
    for at, weight in enumerate(load):
        cells_left, runs_left = len(load) - at, count - number
        full = held > 0 and held + weight / 2 > (left + held) / runs_left
        # Never so few cells behind that a later run would stay empty.
        if held > 0 and (full or cells_left < runs_left) and runs_left > 1:
            number, held = number + 1, 0.0
        runs.append(number)
        held, left = held + weight, left - weight
    return runs


def load_library(source: Path | pl.DataFrame) -> int:
    """Replace the address library by the rows of a Parquet file or frame."""
    frame = pl.read_parquet(source) if isinstance(source, Path) else source
    missing = [name for name in LIBRARY_COLUMNS if name not in frame.columns]
    if missing:
        raise Problem("library-columns", "The library lacks columns", detail=", ".join(missing))
    frame = frame.select(LIBRARY_COLUMNS).with_columns(building_code=pl.col("place_code").str.slice(0, 17))
    with transaction.atomic():
        Place.objects.all().delete()
        bulk_insert(Place, frame.columns, frame.iter_rows())
    return frame.height


def bulk_insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert many rows fast: COPY on PostgreSQL, executemany elsewhere. Inside the caller's transaction."""
    names = ", ".join(connection.ops.quote_name(model._meta.get_field(name).column) for name in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        for batch in _batches(rows, 20_000):
            cursor.executemany(statement, batch)


def _batches(rows: Iterable[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def load_staff(path: Path, *, is_demo: bool = False) -> int:
    """Make accounts from a CSV with username, display_name, role, department; nobody gets a password by it."""
    rows = csv_rows(path, ["username", "display_name", "role", "department"])
    known = {department.code for department in departments()}
    for number, row in enumerate(rows, start=1):
        for field, allowed in (("role", set(EMPLOYED_ROLES)), ("department", known | {""})):
            if row[field] not in allowed:
                raise Problem(
                    f"staff-{field}", f"The {field} is not known", detail=row[field],
                    where=Where(file=path.name, row=number, field=field), remedy=", ".join(sorted(allowed)),
                )  # fmt: skip
    with transaction.atomic():
        for row in rows:
            save_account(
                row["username"], display_name=row["display_name"], role=row["role"],
                department=row["department"] or None, email=row.get("email") or "", is_demo=is_demo,
            )  # fmt: skip
    return len(rows)


def load_posts(path: Path, *, on: date) -> int:
    """Post staff to cells from a CSV with username, cell, post (main or deputy); existing posts stay."""
    rows = csv_rows(path, ["username", "cell", "post"])
    cells = set(Cell.objects.filter(valid_to=None).values_list("code", flat=True))
    accounts: dict[str, int] = {}
    charges = []
    for number, row in enumerate(rows, start=1):
        where = Where(file=path.name, row=number)
        if row["username"] not in accounts:
            found = account_named(row["username"])
            if found is None:
                raise Problem(
                    "post-account", "Nobody has this user name", where=where, detail=row["username"]
                )
            accounts[row["username"]] = found.pk
        if row["cell"] not in cells:
            raise Problem("post-cell", "There is no such cell in force", where=where, detail=row["cell"])
        if row["post"] not in CellCharge.Post.values:
            raise Problem("post-kind", "A post is main or deputy", where=where, detail=row["post"])
        charges.append(
            CellCharge(
                cell_id=row["cell"], account_id=accounts[row["username"]], post=row["post"], first_day=on
            )
        )
    CellCharge.objects.bulk_create(charges, batch_size=500)
    return len(charges)


def load_generated(out: Path, district: Path, *, on: date, now: datetime) -> dict[str, int]:
    """Load what ``batch.generate`` wrote into an empty database: frame, cells, special grids, library, staff, posts."""
    counts = load_district(district, on=on, now=now)
    counts["cells"] = load_cells(out / "library" / "cells.geojson", on=on, now=now)
    counts["special_grids"] = make_special_grids(load_yaml(district / "district.yaml")["special_grids"])
    counts["addresses"] = load_library(out / "library" / "library.parquet")
    counts["staff"] = load_staff(out / "staff" / "staff.csv", is_demo=True)
    counts["posts"] = load_posts(out / "staff" / "posts.csv", on=on)
    return counts
