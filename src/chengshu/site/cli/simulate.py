"""`chengshu simulate`: a year in minutes, with everything checked every night."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path

import click

from chengshu.site.cli.common import print_json
from chengshu.site.cli.demo import teller


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 3_650), help="How many days.")
@click.option("--start", default="2026-01-05", show_default=True, type=click.DateTime(["%Y-%m-%d"]),
              help="The first day.")  # fmt: skip
@click.option(
    "--seed", default=20260105, show_default=True, type=int, help="The same seed lives the same year."
)
@click.option("--people", default=400, show_default=True, type=click.IntRange(200, 1_000_000),
              help="How many residents the district has.")  # fmt: skip
@click.option("--openings", default=6, show_default=True, type=click.IntRange(1, 10_000),
              help="How many cases people open on a day, in the mean.")  # fmt: skip
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False),
              help="Where to live it; empty, or not there yet. A temporary folder that is deleted when left out.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
def app(
    days: int, start: datetime, seed: int, people: int, openings: int, folder: Path | None, as_json: bool
) -> None:
    """Live a year of a demo district in minutes: seeded people open and work cases of all packs.

    The clock is injected; staff leave and come, the clocks fail for days, a holiday is moved, the next year's calendar is
    published late, a pack gets a new version and its live cases migrate, departments deliver new tables. Every night,
    those without clocks among them: each open case has an owner and a next term, each step a ground and a leaf in the
    ledger, each value of a record and each answer that a form took from one a source, each look at personal data a
    record, and every term is counted a second time by other code. Exit code 1 when anything failed. Nothing of a real
    district is touched.
    """
    with tempfile.TemporaryDirectory(prefix="chengshu-year-") as spare:
        var = folder or Path(spare) / "var"
        # Before Django reads its settings: the simulation has a folder and an embedded database of its own.
        os.environ["CHENGSHU_VAR"] = str(var)
        os.environ.pop("DATABASE_URL", None)
        from chengshu.site.simulation.stage import live

        result = live(var, start.date(), days, seed, people, openings, teller(quiet=as_json))
    if as_json:
        print_json(result)
    else:
        tell(result)
    if result["faults"]:
        raise SystemExit(1)


def tell(result: dict[str, object]) -> None:
    """Print the report for a person."""
    for name in ("days", "opened", "steps", "refused", "terms_ended", "jobs", "outage_days", "handed_over", "migrated",
                 "terms_recounted_for_a_calendar", "terms_checked", "reads_checked", "values_checked", "answers_checked",
                 "outage_nights_checked"):  # fmt: skip
        click.echo(f"{name.replace('_', ' '):32} {result[name]}")
    faults = result["faults"]
    assert isinstance(faults, list)
    for fault in faults[:50]:
        click.secho(f"FAULT {fault}", fg="red")
    click.secho(f"{len(faults)} faults", fg="red" if faults else "green", bold=True)
