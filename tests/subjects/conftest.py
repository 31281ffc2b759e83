"""A very small district that can be built in a second: three buildings, people, firms, four sources."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chengshu.batch.declarations import load_declarations
from chengshu.batch.pipeline.place import Ground
from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects import api
from tests_support.casework import CELL, EMPTY_CELL, make_cells, make_staff

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
STREET = {
    "province": "广东省",
    "city": "深圳市",
    "district": "宝安区",
    "street": "新安街道",
    "community": "上合社区",
}
BUILDINGS = {
    "44030601701900001": ("创业一路", "12号", CELL),
    "44030601701900002": ("甲岸路", "25号", CELL),
    "44030601701900003": ("裕安一路", "8号", EMPTY_CELL),
}
SOURCES = {
    "public-security.residents": ("person", "id,name,number,phone,address,updated", {
        "name": "person.name", "number": "person.resident_id", "phone": "person.phone", "address": "person.address"}),
    "health.patients": ("person", "id,name,number,phone,address,updated", {
        "name": "person.name", "number": "person.resident_id", "phone": "person.phone", "address": "person.address"}),
    "market.firms": ("firm", "id,name,code,address,status,updated", {
        "name": "firm.name", "code": "firm.credit_code", "address": "firm.address", "status": "firm.status"}),
    "tax.taxpayers": ("firm", "id,name,code,address,status,updated", {
        "name": "firm.name", "code": "firm.credit_code", "address": "firm.address", "status": "firm.status"}),
}  # fmt: skip
ANNA, BERT = "110105194912310021", "11010519491231002X"
FIRM, SHOP = "91350100M000100Y43", "91440300708461136T"
PREFIX = "深圳市宝安区新安街道"
HOME, OTHER, FAR = f"{PREFIX}创业一路12号301", f"{PREFIX}甲岸路25号302", f"{PREFIX}裕安一路8号303"

# How the library writes them.
HOME_IN_FULL, OTHER_IN_FULL, FAR_IN_FULL = (
    text.replace(PREFIX, "广东省深圳市宝安区新安街道上合社区") for text in (HOME, OTHER, FAR)
)


def library() -> pl.DataFrame:
    """Three buildings of three rooms."""
    rows = []
    for code, (road, number, cell) in BUILDINGS.items():
        shared = {**STREET, "road": road, "number": number, "community_code": code[:12], "cell_code": cell}
        shared |= {"lon": 113.885, "lat": 22.555, "state": "active", "division_code": "440306017"}
        rows.append({"place_code": code, "room": None, **shared})
        rows += [{"place_code": f"{code}{n:04}", "room": str(300 + n), **shared} for n in (1, 2, 3)]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    nothing = [
        n
        for n in ("estate", "building", "unit", "floor", "place", "replaced_by", "aliases")
        if n not in frame.columns
    ]
    return frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in nothing)


@dataclass
class Base:
    """Tables that a test changes, and builds over them."""

    root: Path
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    now: dt.datetime = NOW

    def write(self) -> None:
        for name, (kind, header, columns) in SOURCES.items():
            department, table = name.split(".")
            path = self.root / "data" / department / f"{table}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [header, *(",".join(row) for row in self.tables.get(name, []))]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            mapped = "\n".join(f"  {column}: {{element: {element}}}" for column, element in columns.items())
            said = self.root / "sources" / f"{name}.yaml"
            said.parent.mkdir(parents=True, exist_ok=True)
            said.write_text(
                f"source: {name}\ndepartment: {department}\ntitle: {{zh: {table}, en: {table}}}\nkind: {kind}\n"
                f"file: {table}.csv\nkey: [id]\nupdated: updated\ncolumns:\n{mapped}\n"
                "purpose: {zh: 测试, en: test}\n",
                encoding="utf-8",
            )
        library().write_parquet(self.root / "library.parquet")
        order = "person: [public-security.residents, health.patients]\nfirm: [market.firms, tax.taxpayers]\n"
        believed = dict(line.split(": ", 1) for line in order.splitlines())
        elements = sorted({element for _, _, columns in SOURCES.values() for element in columns.values()})
        lines = [f"{element}: {believed[element.split('.')[0]]}" for element in elements]
        (self.root / "sources" / "authority.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def order(self, **options: Any) -> api.Order:
        self.write()
        return api.Order(
            declarations=load_declarations(self.root / "sources"), folder=self.root / "data",
            ground=Ground(self.root / "library.parquet", "440306"), **options,
        )  # fmt: skip

    def build(self, **options: Any) -> api.Run:
        return api.run_build(self.order(**options), now=lambda: self.now)

    def find(self, name: str) -> str:
        """Return the id of the one subject of that name."""
        from chengshu.contexts.subjects.reading import in_force

        (found,) = in_force().filter(name=name).values_list("subject_id", flat=True)
        return str(found)


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return Base(
        tmp_path,
        {
            "public-security.residents": [
                ["1", "王安娜", ANNA, "13800138001", HOME, "2026-10-01"],
                ["2", "李伯特", BERT, "13800138002", OTHER, "2026-10-01"],
            ],
            "health.patients": [
                ["a", "王安娜", ANNA, "13800138001", HOME, "2026-09-01"],
                ["b", "李伯特", BERT, "13800138002", FAR, "2026-09-01"],
            ],
            "market.firms": [["10", "深圳市腾达科技有限公司", FIRM, HOME, "存续", "2026-10-01"]],
            "tax.taxpayers": [["20", "深圳市腾达科技有限公司", FIRM, OTHER, "正常", "2026-09-01"]],
        },
    )


@pytest.fixture
def staff(db) -> Any:
    """Packs, cells and staff: a worker in charge of the first cell, officers, a steward, a decider."""
    cases.load_shipped(NOW)
    make_cells()
    people = make_staff()
    for code in ("health", "public-security", "tax", "data-bureau"):
        identity.save_department(code, code, code)
        setattr(people, code.replace("-", "_"), identity.save_account(
            code, display_name=f"{code} 经办", role="officer", department=code
        ))  # fmt: skip
    return people
