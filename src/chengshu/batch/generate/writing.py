"""Writes the generated tables as departments send them, and the truth beside them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import shapely
from openpyxl import Workbook, load_workbook

from chengshu.batch.generate.tables import Table
from chengshu.batch.grid import Cell

# source → file and encoding; the declarations in districts/baoan/sources name the same files.
FILES: dict[str, tuple[str, str]] = {
    "public-security.residents": ("residents.csv", "utf-8-sig"),
    "housing.tenancies": ("tenancies.csv", "gb18030"),
    "health.patients": ("patients.csv", "utf-8"),
    "market.firms": ("firms.csv", "gb18030"),
    "tax.taxpayers": ("taxpayers.parquet", ""),
    "housing.premises": ("premises.csv", "utf-8"),
    "market.revoked_permits": ("revoked_permits.csv", "utf-8"),
    "housing.fire_acceptances": ("fire_acceptances.csv", "gb18030"),
    "urban-management.protected_places": ("protected_places.csv", "utf-8"),
    "health.hospitals": ("hospitals.csv", "gb18030"),
    "development.charging_stations": ("charging_stations.xlsx", ""),
}
KINDS: dict[str, str] = {
    "public-security.residents": "person",
    "housing.tenancies": "person",
    "health.patients": "person",
    "market.firms": "firm",
    "tax.taxpayers": "firm",
    "housing.premises": "premises",
    "market.revoked_permits": "person",
    "housing.fire_acceptances": "premises",
    "urban-management.protected_places": "premises",
    "health.hospitals": "facility",
    "development.charging_stations": "facility",
}


def path_of(out: Path, source: str) -> Path:
    """Return where a source's file lies."""
    return out / source.split(".", maxsplit=1)[0] / FILES[source][0]


def write_table(out: Path, source: str, rows: pl.DataFrame) -> None:
    """Write one table in its department's format."""
    path = path_of(out, source)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        rows.write_parquet(path)
    elif path.suffix == ".xlsx":
        _write_xlsx(path, rows)
    else:
        encoding = FILES[source][1]
        text = rows.write_csv(line_terminator="\r\n" if encoding == "gb18030" else "\n")
        path.write_bytes(text.encode(encoding))


def read_table(out: Path, source: str) -> pl.DataFrame:
    """Read one table back, all values as text."""
    path = path_of(out, source)
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    if path.suffix == ".xlsx":
        return _read_xlsx(path)
    text = path.read_bytes().decode(FILES[source][1])
    return pl.read_csv(text.encode("utf-8"), infer_schema=False)


def _write_xlsx(path: Path, rows: pl.DataFrame) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("充电站")
    sheet.append(rows.columns)
    numbers = {"经度", "纬度", "充电桩数"}
    for row in rows.iter_rows():
        sheet.append(
            [
                float(value) if name in numbers and value is not None else value
                for name, value in zip(rows.columns, row, strict=True)
            ]
        )
    book.save(path)


def _read_xlsx(path: Path) -> pl.DataFrame:
    rows = load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
    header = [str(name) for name in next(rows)]
    texts = [[None if value is None else str(value) for value in row] for row in rows]
    return pl.DataFrame(texts, schema=dict.fromkeys(header, pl.String), orient="row")


def write_truth(out: Path, tables: list[Table]) -> None:
    """Write for each kind of subject the true entity, place and errors of every source row."""
    folder = out / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    for kind in dict.fromkeys(KINDS.values()):
        frames = [
            table.truth.with_row_index("row", offset=1).select(
                pl.lit(table.source).alias("source"), "key", pl.col("row").cast(pl.Int64),
                pl.col("entity").cast(pl.Int64), "place_code", "errors",
            )
            for table in tables
            if KINDS[table.source] == kind
        ]  # fmt: skip
        pl.concat(frames).write_parquet(folder / f"{kind}_rows.parquet")


def write_cells(out: Path, cells: list[Cell]) -> None:
    """Write the base cells as GeoJSON (WGS-84)."""
    folder = out / "library"
    folder.mkdir(parents=True, exist_ok=True)
    features = [
        {
            "type": "Feature",
            "properties": {
                "code": cell.code, "zone": cell.zone, "residents": cell.residents, "rented_homes": cell.rented_homes,
            },
            "geometry": json.loads(shapely.to_geojson(cell.polygon)),
        }
        for cell in cells
    ]  # fmt: skip
    tree = {"type": "FeatureCollection", "generated": True, "features": features}
    (folder / "cells.geojson").write_text(json.dumps(tree, ensure_ascii=False), "utf-8")
