"""A first folder for a real district, drafted from the national divisions that ship with the program."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.resources import shipped

DEPARTMENTS = [
    ("data-bureau", "政务服务和数据管理局", "Government Services and Data"),
    ("grid-office", "网格管理办公室", "Grid Office"),
    ("public-security", "公安分局", "Public Security"),
    ("market", "市场监管局", "Market Supervision"),
    ("housing", "住房建设局", "Housing and Construction"),
    ("health", "卫生健康局", "Health"),
    ("tax", "税务局", "Taxation"),
    ("fire", "消防救援大队", "Fire and Rescue"),
    ("work-safety", "应急管理局", "Emergency Management"),
]
MANIFEST = """# The district that `chengshu init` sets up.
code: "{code}"
name: {{zh: {name}, en: {name}}}
operator: {{zh: 未设定, en: not set}}
contact: {{zh: "", en: ""}}
datum: WGS-84
divisions: divisions.csv
departments: departments.csv
# Outlines of the zones, GeoJSON polygons; `property` names the property that holds each zone's code.
zones: zones.geojson
zone_code: {{property: code, prefix: Z}}
# Base cells as GeoJSON polygons with the properties code, zone, residents, rented_homes; leave out to make them later.
# cells: cells.geojson
# The address library as Parquet; see docs/how-to/real-district.md for its columns.
# library: library.parquet
cell_load: {{residents: 1000, rented_homes: 500}}
special_grids:
  - {{kind: security, zh: 治安网格, en: Public security grid, cells: 124}}
  - {{kind: fire, zh: 消防网格, en: Fire grid, cells: 124}}
"""
README = """# District {code} {name}

1. `zones.geojson`: put the outlines of your zones here (streets, communities or traffic zones), WGS-84, each with a code.
2. `departments.csv`: correct the list.
3. `staff.csv`: one line a person; role is grid_worker, steward, officer, operator or clerk. Nobody gets a password by it.
4. `sources/`: declare the departments' tables; `chengshu build --sources DIR --draft` writes first declarations.
5. `chengshu init {folder} --admin NAME --staff {folder}/staff.csv`
"""


def draft_district(folder: Path, code: str) -> list[Path]:
    """Write a first district folder and return the files; a folder that is not empty is refused."""
    if folder.exists() and any(folder.iterdir()):
        raise Problem("folder-not-empty", "The folder is not empty", where=Where(file=str(folder)))
    rows = list(division_rows(code))
    name = next((row[2] for row in rows if row[1] == "district"), None)
    if name is None:
        raise Problem(
            "division-unknown",
            f"No district has the code {code}",
            remedy="use the six-digit statistical code",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sources").mkdir()
    texts = {
        "district.yaml": MANIFEST.format(code=code, name=name),
        "README.md": README.format(code=code, name=name, folder=folder),
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    write_csv(folder / "divisions.csv", ["code", "level", "name", "parent", "civil_affairs_code"], rows)
    write_csv(folder / "departments.csv", ["code", "name_zh", "name_en"], DEPARTMENTS)
    write_csv(folder / "staff.csv", ["username", "display_name", "role", "department", "email"], [])
    return sorted(path for path in folder.iterdir() if path.is_file())


def division_rows(code: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield (code, level, name, parent, civil-affairs code) of a district, what it lies in, and what lies in it."""
    import polars as pl

    folder = shipped("districts", "cn", "divisions")
    wanted = pl.col("code").is_in([f"{code[:2]}0000", f"{code[:4]}00", code]) | (
        pl.col("code").str.starts_with(code) & (pl.col("code").str.len_chars() == 9)
    )
    found = pl.read_parquet(folder / "divisions.parquet").filter(wanted).sort("level", "code")
    for row in found.iter_rows(named=True):
        level = ("province", "city", "district", "street")[row["level"] - 1]
        yield row["code"], level, row["name"], parent_of(row["code"], level), row["civil_code"] or ""
    packed = pl.read_parquet(folder / "communities.parquet").filter(pl.col("district") == code)
    for line in "\n".join(packed["communities"].to_list()).splitlines():
        yield code + line[:6], "community", line[6:], code + line[:3], ""


def parent_of(code: str, level: str) -> str:
    """Return the code of the division one level up."""
    return {"province": "", "city": f"{code[:2]}0000", "district": f"{code[:4]}00", "street": code[:6]}[level]


def write_csv(path: Path, header: list[str], rows: list[tuple[str, ...]]) -> None:
    """Write a CSV that spreadsheets open as UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
