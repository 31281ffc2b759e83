"""``generate``: one call that writes the whole demo district."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from chengshu.batch.generate import firm_tables, registers, tables
from chengshu.batch.generate.business import build_firms
from chengshu.batch.generate.people import NOBODY, build_people
from chengshu.batch.generate.staff import write_staff
from chengshu.batch.generate.tables import Table, World
from chengshu.batch.generate.texts import write_texts
from chengshu.batch.generate.town import District, Town, build_town, library_frame
from chengshu.batch.generate.writing import write_cells, write_table, write_truth
from chengshu.batch.grid import Cell, CellIndex, Load, generate_cells
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped
from chengshu.kernel.strict_yaml import load_yaml

MIN_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the truth of a generated folder lies, read on demand.

    ``rows(kind)`` has source, key, row, entity, place_code and errors (comma-separated) for every source row;
    ``entities(kind)`` the true values; ``library`` the address library as the matcher reads it.
    """

    out: Path

    def rows(self, kind: str) -> pl.DataFrame:
        """Return the truth of every source row of a kind (person, firm, premises, facility)."""
        return pl.read_parquet(self.out / "truth" / f"{kind}_rows.parquet")

    def entities(self, kind: str) -> pl.DataFrame:
        """Return the true people or firms."""
        return pl.read_parquet(self.out / "truth" / f"{kind}s.parquet")

    @property
    def library(self) -> pl.DataFrame:
        """The address library."""
        return pl.read_parquet(self.out / "library" / "library.parquet")


def load_truth(out: Path) -> Truth:
    """Return the truth of a folder that ``generate`` wrote."""
    if not (out / "truth" / "person_rows.parquet").is_file():
        raise Problem("no-truth", f"{out} holds no generated district", remedy="run generate() into it first")
    return Truth(out)


def generate(
    out: Path,
    people: int,
    seed: int,
    as_of: date,
    *,
    district: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Truth:
    """Write the demo district for ``people`` residents into ``out``: departments' tables, library, cells, staff, truth.

    The same arguments give the same bytes in Parquet and CSV. ``progress`` hears the name of each step.
    """
    if people < MIN_PEOPLE:
        raise Problem(
            "too-few-people", f"At least {MIN_PEOPLE} people make a district", detail=f"{people} asked for"
        )
    folder = district or shipped("districts", "baoan")
    say = progress or (lambda _step: None)
    out.mkdir(parents=True, exist_ok=True)
    say("town")
    real = District.read(folder)
    town = build_town(real, people, _stream(seed, "town"))
    say("people")
    residents = build_people(town, people, as_of, _stream(seed, "people"))
    firms = build_firms(town, residents, as_of, _stream(seed, "firms"))
    rented = _rented(town, residents, _stream(seed, "rent"))
    say("cells")
    cells, of_building = _cells(real, town, residents, rented)
    library = library_frame(town, of_building)
    say("addresses")
    texts = write_texts(library, seed)
    rooms = library.filter(pl.col("room").is_not_null())
    world = World(town, rooms, texts, rented, residents, firms, _drawn(error_rates(folder)), as_of)
    made = []
    for source, make in _makers(world, folder, seed).items():
        say(source)
        table = make()
        write_table(out, table.source, table.rows)
        made.append(table)
    say("truth")
    write_truth(out, made)
    _write_entities(out, world)
    write_cells(out, cells)
    library.write_parquet(out / "library" / "library.parquet")
    write_staff(out, real, cells, _stream(seed, "staff"))
    return Truth(out)


def _stream(seed: int, step: str) -> np.random.Generator:
    """Give each step its own stream of chance: a change in one leaves the others as they were."""
    return np.random.default_rng([seed, *step.encode()])


def error_rates(folder: Path) -> dict[str, dict[str, float]]:
    """Return kind of subject → kind of error → least share, from the committed file."""
    tree: Any = load_yaml(folder / "error_rates.yaml")
    return {
        kind: {name: float(spec["at_least"]) for name, spec in kinds.items()} for kind, kinds in tree.items()
    }


def _drawn(floors: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the rates to draw with: an eighth above the floors, so that chance does not fall below them."""
    return {kind: {name: rate * 1.125 for name, rate in kinds.items()} for kind, kinds in floors.items()}


def _makers(world: World, folder: Path, seed: int) -> dict[str, Callable[[], Table]]:
    def stream(source: str) -> np.random.Generator:
        return _stream(seed, source)

    return {
        "public-security.residents": lambda: tables.residents(world, stream("residents")),
        "housing.tenancies": lambda: tables.tenancies(world, stream("tenancies")),
        "health.patients": lambda: tables.patients(world, stream("patients")),
        "market.firms": lambda: firm_tables.market_firms(world, stream("market")),
        "tax.taxpayers": lambda: firm_tables.taxpayers(world, stream("tax")),
        "housing.premises": lambda: firm_tables.premises(world, stream("premises"), folder),
        "market.revoked_permits": lambda: registers.revoked_permits(world, stream("revoked")),
        "housing.fire_acceptances": lambda: registers.fire_acceptances(world, stream("acceptances")),
        "urban-management.protected_places": lambda: registers.protected_places(world, stream("protected")),
        "health.hospitals": lambda: firm_tables.hospitals(world, folder),
        "development.charging_stations": lambda: firm_tables.charging_stations(folder, first_entity=1000),
    }


def _rented(
    town: Town, people: pl.DataFrame, rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which rooms are let: most in villages, a quarter in estates, all dormitories and flats shared by mates.

    A room in which nobody lives is not let: without a tenant there is no tenancy to register.
    """
    kind = town.rooms["kind"].to_numpy()
    share = np.select([kind == "village", kind == "estate", kind == "dormitory"], [0.88, 0.25, 1.0], 0.5)
    let = rng.random(len(share)) < share
    mates = people.filter(pl.col("household_kind").is_in(["flatmates", "dormitory"]))["home"].to_numpy()
    let[mates] = True
    second = people["second_home"].to_numpy()
    let[second[second != NOBODY]] = True
    lived_in = np.zeros(len(let), dtype=bool)
    lived_in[people["home"].to_numpy()] = True
    lived_in[second[second != NOBODY]] = True
    return let & lived_in


def _cells(
    real: District, town: Town, people: pl.DataFrame, rented: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[list[Cell], list[str | None]]:
    """Make base cells to the load of the buildings; returns them and the cell of each building."""
    building = town.rooms["building_row"].to_numpy()
    residents = np.bincount(building[people["home"].to_numpy()], minlength=town.buildings.height)
    homes = town.rooms["use"].is_in(["住宅", "宿舍"]).to_numpy() & rented
    let = np.bincount(building[homes], minlength=town.buildings.height)
    lon, lat = town.buildings["lon"].to_numpy(), town.buildings["lat"].to_numpy()
    cells = generate_cells(real.zones, Load(lon, lat, residents.astype(float), let.astype(float)))
    index = CellIndex.build([cell.code for cell in cells], [cell.polygon for cell in cells], pixels=4_000_000)
    return cells, index.locate_codes(lon, lat)


def _write_entities(out: Path, world: World) -> None:
    codes = world.texts.codes

    def place(column: str) -> pl.Expr:
        at = pl.when(pl.col(column) != NOBODY).then(pl.col(column))
        return at.map_batches(lambda rows: codes.gather(rows.cast(pl.UInt32)), return_dtype=pl.String)

    places = {
        "place_code": place("home"), "second_place": place("second_home"), "former_place": place("former_home"),
    }  # fmt: skip
    world.people.with_columns(**places).write_parquet(out / "truth" / "persons.parquet")
    world.firms.with_columns(**places).write_parquet(out / "truth" / "firms.parquet")
