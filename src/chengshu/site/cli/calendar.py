"""`chengshu calendar`: the official holidays of a year as dated data; terms are counted by them."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import print_json, setup_django

JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Load and list the holidays by which terms are counted.

    A term that reaches into a year whose notice is not known is provisional. When the State Council has published
    it: `chengshu calendar load 2027.yaml`, or `chengshu calendar load --year 2027` once chinesecalendar knows it.
    """


@app.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--year", type=click.IntRange(2004, 2100), help="Take this year from the installed chinesecalendar."
)
@click.option("--as", "username", default="", help="The operator who loads it, by sign-in name.")
@JSON
def load(file: Path | None, year: int | None, username: str, as_json: bool) -> None:
    """Put a year in force and count anew every running term that it touches.

    FILE is YAML with year, reference, last_checked, days_off and days_on; a span is written 2027-02-05/2027-02-11.
    Each changed case gets an event, and those concerned a notice. Loading the same again changes nothing.
    """
    if (file is None) == (year is None):
        raise Problem(
            "calendar-call", "Name a FILE or a --year", remedy="chengshu calendar load --help", status=400
        )
    setup_django()
    from chengshu.contexts.cases.api import calendars
    from chengshu.contexts.identity import api as identity
    from chengshu.kernel.workdays import load_calendar

    actor = identity.account_named(username) if username else None
    if username and (actor is None or actor.role != "operator"):
        raise Problem("account-unknown", f"No operator is called {username!r}", status=403)
    wanted = load_calendar(file) if file is not None else calendars.supplied_year(int(year or 0))
    found = calendars.load_year(wanted, actor=actor, now=dt.datetime.now(dt.UTC))
    if as_json:
        print_json(asdict(found))
    elif found.changed_from is None:
        click.echo(f"{found.year} is in force already, just so.")
    else:
        click.echo(
            f"{found.year}: {found.changed_days} days differ from what was counted with, from {found.changed_from} on; "
            f"terms of {found.recounted:,} cases were counted anew."
        )


@app.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List the years that are known, and where each is written."""
    setup_django()
    from chengshu.contexts.cases.api import calendars

    found = calendars.years()
    if as_json:
        print_json([asdict(line) for line in found])
        return
    for line in found:
        loaded = f"loaded {line.loaded_at:%Y-%m-%d}" if line.loaded_at else "supply"
        click.echo(
            f"{line.year}  {line.days_off:>2} days off  {line.days_on:>2} adjusted  {loaded}  {line.reference}"
        )
