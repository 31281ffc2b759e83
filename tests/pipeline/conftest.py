"""A small district of our own: declarations and tables that a test writes and changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chengshu.batch.declarations import load_declarations
from chengshu.batch.pipeline import layers
from chengshu.batch.pipeline.fuse import Human
from chengshu.batch.pipeline.place import Ground
from chengshu.batch.pipeline.run import Built, Task, build
from chengshu.batch.pipeline.store import Store

ON = dt.date(2026, 11, 20)
FIRMS = """\
source: market.firms
department: market
title: {zh: 商事主体登记, en: Firms}
kind: firm
file: "firms*.*"
key: [no]
updated: changed
delivery: full
columns:
  name: {element: firm.name, required: true, aliases: [企业名称]}
  code: {element: firm.credit_code}
  phone: {element: firm.phone}
  address: {element: firm.address}
  status: {element: firm.status}
  founded: {element: firm.established_on}
rules:
  - {rule: required, columns: [name]}
  - {rule: format, column: code, format: credit_code, severity: warn}
  - {rule: not_after_today, column: founded}
purpose: {zh: 登记, en: Registration}
"""
HEADER = "no,name,code,phone,address,status,founded,changed"


@dataclass
class World:
    """Declarations, delivered files and a build store."""

    root: Path
    on: dt.date = ON
    base: dict[str, Any] | None = None
    human: Human = field(default_factory=Human.nothing)
    mends: Path | None = None

    @property
    def delivered(self) -> Path:
        return self.root / "delivered"

    @property
    def store(self) -> Store:
        return Store(self.root / "build")

    def declare(self, text: str, name: str = "firms") -> None:
        path = self.root / "sources" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def deliver(self, rows: list[str] | bytes, name: str = "firms.csv", header: str = HEADER) -> Path:
        path = self.delivered / "market" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = rows if isinstance(rows, bytes) else "\n".join([header, *rows, ""]).encode("utf-8")
        path.write_bytes(content)
        return path

    def build(self, **options: Any) -> Built:
        """Build, and make the result the base of the next build."""
        task = Task(
            declarations=load_declarations(self.root / "sources"), folder=self.delivered, store=self.store,
            ground=options.pop("ground", Ground(None, "440306")), human=self.human, on=self.on, base=self.base,
            mends=self.mends, **options,
        )  # fmt: skip
        with self.store.locked():
            built = build(task)
        self.base = built.manifest()
        return built

    def records(self, built: Built, source: str = "market.firms") -> pl.DataFrame:
        return layers.read(self.store.entries / built.sources[source]["standardise"], "records")

    def refused(self, built: Built, source: str = "market.firms") -> list[tuple[int, str, str]]:
        folder = self.store.entries / built.sources[source]["standardise"]
        return [
            tuple(row)
            for row in pl.read_parquet(folder / "refused.parquet").select("row", "field", "code").rows()
        ]

    def golden(self, built: Built, kind: str = "firm") -> pl.DataFrame:
        return layers.read(self.store.entries / built.kinds[kind]["fuse"], "golden")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "world")
    made.root.mkdir()
    made.declare(FIRMS)
    return made
