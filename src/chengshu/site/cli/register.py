"""`chengshu register`: list, search and export the public registers."""

from __future__ import annotations

import datetime as dt
import json
import sys

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import print_json, setup_django

JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Read the public registers: what anyone sees on the pages /registers/."""


@app.command("list")
@JSON
def list_(as_json: bool) -> None:
    """List the registers."""
    setup_django()
    from chengshu.contexts.certificates import api

    found = api.registers()
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(f"{each['code']}  {each['title']['zh']}  {each['active']} of {each['total']} in force")
    if not found:
        click.echo("no registers yet")


@app.command()
@click.argument("register")
@click.argument("text", default="")
@click.option(
    "--number", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@JSON
def search(register: str, text: str, number: int, as_json: bool) -> None:
    """Search REGISTER; each word of TEXT must occur in what an entry shows."""
    setup_django()
    from chengshu.contexts.certificates import api

    _known(register)
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
    rows = [
        {
            "number": row.number,
            "title": row.title,
            "state": api.entry_state(row, today),
            "valid_to": row.valid_to,
            "fields": {item["name"]: item["value"]["zh"] for item in json.loads(row.fields)},
        }
        for row in api.entries(register, text=text)[:number]
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['number']:6}  {row['state']:10}  {row['title']}")


@app.command()
@click.argument("register")
def export(register: str) -> None:
    """Write REGISTER as open data (CSV) to standard output."""
    setup_django()
    from chengshu.contexts.certificates import api

    _known(register)
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
    for line in api.register_csv(register, today):
        sys.stdout.write(line)


def _known(code: str) -> None:
    from chengshu.contexts.certificates import api

    if api.register(code) is None:
        raise Problem(
            "register-unknown", "No such register", detail=code, remedy="see: chengshu register list"
        )
