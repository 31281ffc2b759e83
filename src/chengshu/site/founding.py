"""Founding a district: the schema, the folder, the frame of places, the packs, the staff; for the demo its data too."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.resources import shipped
from chengshu.kernel.spreadsheet import csv_rows
from chengshu.site.district import install_folder, read_district

Say = Callable[[str], None]
Now = Callable[[], datetime]
FOUNDED = "founded"


def real_now() -> datetime:
    """Return the time; a simulation gives its own."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the demo is made from: how many people, which chance, seen on which day."""

    people: int
    seed: int
    as_of: date
    # Services of the weeks before, how they were rated, and the hotline; a simulated year lives its own.
    past: bool = True


def is_founded(var: Path) -> bool:
    """Tell whether a founding came to its end here; a killed one is begun again."""
    return (var / FOUNDED).exists()


def lay_ground(var: Path, folder: Path, say: Say) -> Path:
    """Install the district folder and bring the database to this program's schema; Django must not be set up before."""
    say("The folder and the schema")
    read_district(folder)
    var.mkdir(parents=True, exist_ok=True)
    installed = install_folder(folder, var)
    from chengshu.site.cli.common import setup_django

    setup_django()
    from chengshu.site.schema import create_or_upgrade

    create_or_upgrade()
    return installed


def load_common(installed: Path, say: Say, now: datetime) -> None:
    """Load what every district has: the catalogue and the packs that ship with the program."""
    from chengshu.contexts.cases import api as cases
    from chengshu.contexts.catalogue import api as catalogue

    say("The catalogue of data elements and sources")
    catalogue.load_folder(installed, now=now)
    say("The packs")
    cases.load_shipped(now)
    load_items(installed / "items", say, now)


def load_items(folder: Path, say: Say, now: datetime) -> None:
    """Load the service items that the district's folder holds, if any, and make the search ready."""
    from chengshu.contexts.hall import api as hall

    if folder.is_dir():
        say("Service items and the search")
        hall.load_items(folder, now=now)
        hall.search_engine(now)


def found_demo(var: Path, plan: DemoPlan, say: Say, now: Now = real_now) -> dict[str, Any]:
    """Make the demo district in ``var``: generate the departments' tables, load the frame, run the first build."""
    var.mkdir(parents=True, exist_ok=True)
    (var / "demo").touch()
    installed = lay_ground(var, shipped("districts", "baoan"), say)
    from chengshu.batch.generate.demo import generate
    from chengshu.contexts.certificates import api as certificates
    from chengshu.contexts.hall import api as hall
    from chengshu.contexts.identity import api as identity
    from chengshu.contexts.places import api as places
    from chengshu.site.hall_demo import seed_hall_cases

    say(f"Five departments' tables about {plan.people:,} generated people")
    tables = var / "sources"
    generate(tables, plan.people, plan.seed, plan.as_of, district=installed)
    identity.seed_demo()
    load_common(installed, say, now())
    say("Zones, cells, addresses and the people in charge")
    places.load_generated(tables, installed, on=plan.as_of, now=now())
    places.export_library(var / "libraries" / "district.parquet")
    run = first_build(tables, installed, say, now)
    identity.seed_demo(resident_subject_id=telling_person(now()))
    hall.seed_mandates(now())
    hall.seed_code(now())
    certificates.seed_signature_authorities(now())
    seed_hall_cases(now())
    if plan.past:
        say("Services of the last weeks, how they were rated, and the hotline")
        hall.seed_hotline(now())
        hall.seed_ratings(now())
    # What the demo's people hold since the build: who is entitled by it is told so.
    hall.find_entitled("founding", now())
    finish_ledger(now())
    (var / FOUNDED).touch()
    return {"run": run.run_id, "rows": run.rows, "accepted": run.accepted, "refused": run.refused}


def first_build(tables: Path, installed: Path, say: Say, now: Now = real_now) -> Any:
    """Run a build over tables that were generated for the moment at which the demo plays: they are of that moment, too."""
    from chengshu.batch.declarations import load_declarations
    from chengshu.contexts.subjects import api as subjects
    from chengshu.site.cli.build import ground

    made = now().timestamp()
    for table in tables.rglob("*"):
        os.utime(table, (made, made))
    code = str(read_district(installed)["code"])
    order = subjects.Order(
        declarations=load_declarations(installed / "sources"),
        folder=tables,
        ground=ground(tables, None, code),
    )
    steps: list[str] = []

    def progress(step: str, done: int, total: int) -> None:
        if not steps or steps[-1] != step:
            steps.append(step)
            say(f"Build: {step}")

    return subjects.run_build(order, now=now, progress=progress)


def telling_person(now: datetime) -> str:
    """Return a person for the resident's sign-in: one about whom there is a verification; the demo's worker has it.

    Which cells have most to verify is known only after the build: the worker whom one signs in as trades names with
    the one who has that work.
    """
    from chengshu.contexts.cases import api as cases
    from chengshu.contexts.identity import api as identity
    from chengshu.contexts.places import api as places
    from chengshu.contexts.subjects import api as subjects
    from chengshu.site.hall_demo import may_be_mother

    people = [found for found in subjects.findings("two-homes") if found.subject_id.startswith("P")]
    people = people or [found for found in subjects.findings(None) if found.subject_id.startswith("P")]
    if not people:
        raise Problem(
            "demo-without-findings", "The demo's build found nothing to verify", remedy="choose more people"
        )
    charged = places.people_in_charge_of({found.cell_code for found in people}, now.date())
    work: dict[int, int] = {}
    for account_id in sorted({someone for found in charged.values() for someone in found[:1]}):
        account = identity.account(account_id)
        work[account_id] = cases.tasks_for(account, now=now).total if account else 0

    def busiest(found: Any) -> int:
        return max((work[someone] for someone in charged[found.cell_code][:1]), default=-1)

    ordered = sorted(people, key=lambda found: (busiest(found), found.subject_id), reverse=True)
    # A woman who may have a child to register, where there is one: the hospital records mothers.
    chosen = next((found for found in ordered if may_be_mother(found.subject_id, now)), ordered[0])
    worker, holder = identity.account_named("worker"), charged[chosen.cell_code][:1]
    account = identity.account(holder[0]) if holder else None
    if worker is not None and account is not None and account.pk != worker.pk:
        identity.trade_names(worker, account)
    return str(chosen.subject_id)


def finish_ledger(now: datetime) -> None:
    """Number and sign all that the founding deposited."""
    from chengshu.contexts.ledger import api as ledger

    while ledger.sequence(now, takeover=True):
        pass


def found_district(var: Path, folder: Path, staff: Path | None, say: Say) -> dict[str, int]:
    """Set up a real district from its folder; nothing is generated and no demo sign-in works."""
    if (var / "demo").exists():
        raise Problem(
            "var-is-demo",
            "This folder holds a demo district",
            where=Where(file=str(var)),
            remedy="set CHENGSHU_VAR to another folder",
        )
    installed = lay_ground(var, folder, say)
    from chengshu.contexts.places import api as places

    now = datetime.now(UTC)
    declared = read_district(installed)
    say("Divisions and zones")
    counts = places.load_district(installed, on=now.date(), now=now)
    if departments := declared.get("departments"):
        load_departments(installed / departments)
    if cells := declared.get("cells"):
        say("Cells")
        counts["cells"] = places.load_cells(installed / cells, on=now.date(), now=now)
        places.make_special_grids(declared.get("special_grids") or [])
    if library := declared.get("library"):
        say("The address library")
        counts["addresses"] = places.load_library(installed / library)
        if not cells:
            say("Cells, made inside the zones from the addresses")
            counts["cells"] = places.generate_grid(on=now.date(), now=now)
            places.make_special_grids(declared.get("special_grids") or [])
        places.export_library(var / "libraries" / "district.parquet")
    load_common(installed, say, now)
    if staff is not None:
        say("Staff")
        counts["staff"] = places.load_staff(staff)
    finish_ledger(now)
    (var / FOUNDED).touch()
    return counts


def load_departments(path: Path) -> None:
    """Load the departments from a CSV with code, name_zh, name_en."""
    from chengshu.contexts.identity import api as identity

    rows = csv_rows(path, ["code", "name_zh"])
    for number, row in enumerate(rows, start=1):
        if not (row.get("code") and row.get("name_zh")):
            raise Problem(
                "department-incomplete",
                "A department needs code and name_zh",
                where=Where(file=path.name, row=number),
            )
    # Saved only when every row is right: nothing is half-applied.
    for row in rows:
        identity.save_department(row["code"], row["name_zh"], row.get("name_en") or row["name_zh"])


def first_administrator(username: str, display_name: str, password: str) -> bool:
    """Make the first district operator, who lets everyone else in; returns False when the account is there already."""
    from chengshu.contexts.identity import api as identity

    if identity.account_named(username) is not None:
        return False
    identity.save_account(username, display_name=display_name, role="operator", password=password)
    return True
