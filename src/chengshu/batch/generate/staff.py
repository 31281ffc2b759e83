"""Generated staff of the demo: grid workers posted to cells, stewards, officers, the operator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from chengshu.batch.generate import names
from chengshu.batch.grid import Cell

DEPARTMENTS: tuple[tuple[str, str, str], ...] = (
    ("grid-office", "宝安区网格办", "Bao'an Grid Office"),
    ("data-bureau", "宝安区政务服务和数据管理局", "Bao'an Data Bureau"),
    ("public-security", "宝安区公安分局", "Bao'an Public Security"),
    ("market", "宝安区市场监督管理局", "Bao'an Market Supervision"),
    ("housing", "宝安区住房和建设局", "Bao'an Housing and Construction"),
    ("health", "宝安区卫生健康局", "Bao'an Health"),
    ("development", "宝安区发展和改革局", "Bao'an Development and Reform"),
    ("tax", "宝安区税务局", "Bao'an Taxation"),
    ("civil-affairs", "宝安区民政局", "Bao'an Civil Affairs"),
    ("fire", "宝安区消防救援大队", "Bao'an Fire and Rescue"),
    ("work-safety", "宝安区应急管理局", "Bao'an Emergency Management"),
)
CELLS_A_WORKER = 3


def write_staff(out: Path, cells: list[Cell], rng: np.random.Generator) -> None:
    """Write ``staff/departments.csv``, ``staff/staff.csv`` and ``staff/posts.csv``.

    Each worker has about three cells of one zone as main and the neighbours' cells as deputy; two cells in a
    hundred are left without anyone, so that the page which lists those has something to show.
    """
    folder = out / "staff"
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(DEPARTMENTS, schema=["code", "name_zh", "name_en"], orient="row").write_csv(
        folder / "departments.csv"
    )
    groups = _groups(cells)
    people = _workers(len(groups), rng)
    posts = []
    for at, group in enumerate(groups):
        deputy = people[(at + 1) % len(groups)][0]
        for code in group:
            if rng.random() < 0.02 and at > 0:
                continue
            posts.append((people[at][0], code, "main"))
            if deputy != people[at][0]:
                posts.append((deputy, code, "deputy"))
    staff = people + _office()
    pl.DataFrame(staff, schema=["username", "display_name", "role", "department"], orient="row").write_csv(
        folder / "staff.csv"
    )
    pl.DataFrame(posts, schema=["username", "cell", "post"], orient="row").write_csv(folder / "posts.csv")


def _groups(cells: list[Cell]) -> list[list[str]]:
    """Cut the cells into runs of one zone, the fullest cell's run first: its worker is the demo's."""
    by_zone: dict[str, list[Cell]] = {}
    for cell in cells:
        by_zone.setdefault(cell.zone, []).append(cell)
    runs = []
    for members in by_zone.values():
        count = max(1, round(len(members) / CELLS_A_WORKER))
        runs += [list(part) for part in np.array_split(np.array(members, dtype=object), count)]
    runs.sort(key=lambda run: -sum(cell.residents for cell in run))
    return [[cell.code for cell in run] for run in runs]


def _workers(count: int, rng: np.random.Generator) -> list[tuple[str, str, str, str]]:
    female = rng.random(count) < 0.5
    first, last = names.given_parts(rng, female)
    display = (names.surnames(rng, count) + first + last).to_list()
    return [(f"grid{at:04d}", display[at - 1], "grid_worker", "grid-office") for at in range(1, count + 1)]


def _office() -> list[tuple[str, str, str, str]]:
    officers = [
        (f"{code}-officer", f"{zh.removeprefix('宝安区')}经办", "officer", code)
        for code, zh, _ in DEPARTMENTS
        if code not in ("grid-office", "data-bureau")
    ]
    return [
        ("steward", "数据专员", "steward", "data-bureau"),
        ("operator", "区级运行员", "operator", "grid-office"),
        *officers,
    ]
