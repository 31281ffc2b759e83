"""Generated staff of the demo: grid workers and the cells they are posted to."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import polars as pl

from chengshu.batch.generate import names
from chengshu.batch.generate.town import District
from chengshu.batch.grid import Cell

CELLS_A_WORKER = 4
DEMO_WORKERS = ("worker", "worker2")


def write_staff(out: Path, district: District, cells: list[Cell], rng: np.random.Generator) -> None:
    """Write ``staff/staff.csv`` (grid workers) and ``staff/posts.csv``.

    Each worker is the main one of a few neighbouring cells and deputy of the next worker's. The two workers whose
    sign-ins the demo prints have the fullest cells. Two cells in a hundred are left without anyone, so that the
    page which lists those has something to show.
    """
    folder = out / "staff"
    folder.mkdir(parents=True, exist_ok=True)
    runs = _runs(district, cells)
    people = _workers(len(runs), rng)
    posts = []
    for at, run in enumerate(runs):
        deputy = people[(at + 1) % len(runs)][0]
        for code in run:
            if rng.random() < 0.02 and at > 1:
                continue
            posts.append((people[at][0], code, "main"))
            if deputy != people[at][0]:
                posts.append((deputy, code, "deputy"))
    # The sign-ins of the demo are made by identity; the file holds their colleagues.
    colleagues = [person for person in people if person[0] not in DEMO_WORKERS]
    columns = ["username", "display_name", "role", "department"]
    pl.DataFrame(colleagues, schema=dict.fromkeys(columns, pl.String), orient="row").write_csv(
        folder / "staff.csv"
    )
    pl.DataFrame(posts, schema=["username", "cell", "post"], orient="row").write_csv(folder / "posts.csv")


def _runs(district: District, cells: list[Cell]) -> list[list[str]]:
    """Cut the cells, street by street, into runs of neighbours; the two fullest runs come first."""
    street_of = {
        district.zones[zone].code: street for street, zones in district.street_zones.items() for zone in zones
    }
    by_street: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=lambda one: (street_of[one.zone], one.zone, one.code)):
        by_street.setdefault(street_of[cell.zone], []).append(cell)
    runs: list[list[Cell]] = []
    for members in by_street.values():
        count = max(1, round(len(members) / CELLS_A_WORKER))
        edges = [round(at * len(members) / count) for at in range(count + 1)]
        runs += [members[low:high] for low, high in itertools.pairwise(edges)]
    runs.sort(key=lambda run: -sum(cell.residents for cell in run))
    return [[cell.code for cell in run] for run in runs]


def _workers(count: int, rng: np.random.Generator) -> list[tuple[str, str, str, str]]:
    female = rng.random(count) < 0.5
    first, last = names.given_parts(rng, female)
    display = (names.surnames(rng, count) + first + last).to_list()
    logins = [*DEMO_WORKERS, *(f"grid{at:04d}" for at in range(len(DEMO_WORKERS) + 1, count + 1))]
    return [(login, name, "grid_worker", "grid-office") for login, name in zip(logins, display, strict=False)]
