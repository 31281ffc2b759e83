"""`chengshu items`: load service items, check them, list and show them."""

from __future__ import annotations

import datetime as dt
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import BAD_CALL, WRONG, print_json, setup_django

JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Load and check service items: code, kind, legal basis, conditions, materials, times, fee, windows."""


@app.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@JSON
def load(file: Path, as_json: bool) -> None:
    """Load items from FILE, one JSON object a line, in the format of government portals (TASK_CODE, TASK_NAME, …).

    Loading the same again changes nothing; what changed becomes a new version. A file with any mistake is refused
    whole, each mistake with its line and field (exit code 2). FILE may be a folder with *.jsonl, own.yaml, links.yaml.
    """
    setup_django()
    from chengshu.contexts.hall import api as hall
    from chengshu.site.schema import applied_migrations, create_or_upgrade, require_current_schema

    begun = time.perf_counter()
    # A fresh folder gets its schema; one with a district in it is upgraded on purpose only.
    if applied_migrations():
        require_current_schema()
    else:
        create_or_upgrade()
    now = dt.datetime.now(dt.UTC)
    try:
        loaded = hall.load_items(file, now=now)
    except Problem as problem:
        for error in problem.extra.get("errors", [])[1:]:
            place = f"{error['file']}, line {error['line']}"
            place += f", field {error['field']}" if error["field"] else ""
            click.echo(f"chengshu: {place}: {error['message']}", err=True)
        raise
    hall.search_engine(now)
    seconds = time.perf_counter() - begun
    if as_json:
        print_json({**asdict(loaded), "seconds": round(seconds, 2)})
        return
    click.echo(
        f"{len(loaded.new)} new, {len(loaded.changed)} changed, {loaded.same} as before; {seconds:.1f} s; index ready"
    )
    for code in loaded.over_guides:
        click.echo(f"  {code}: the file replaced what an officer had published; the older version is kept")


@app.command()
@click.option("--department", default="", help="Only items of the department whose name holds this.")
@click.option("--most", default=20, show_default=True, help="How many findings of a kind to print.")
@JSON
def check(department: str, most: int, as_json: bool) -> None:
    """Check the items: missing elements, contradictory times, double names, unclear legal basis; by department.

    Exit code 0 when nothing is wrong, 1 when an item has an error (warnings alone leave 0), 2 for a wrong call.
    """
    setup_django()
    from chengshu.contexts.hall import api as hall

    report = hall.check_items(department)
    if not report.items:
        click.echo("chengshu: there are no items here → chengshu items load FILE.jsonl", err=True)
        sys.exit(BAD_CALL)
    if as_json:
        print_json(report.to_dict())
    else:
        for line in report.lines(most):
            click.echo(line)
    sys.exit(WRONG if report.errors else 0)


@app.command("list")
@click.option("--department", default="", help="Only items of the department whose name holds this.")
@JSON
def list_(department: str, as_json: bool) -> None:
    """List the items: code, state, department, name."""
    setup_django()
    from chengshu.contexts.hall import api as hall

    rows = hall.item_lines(department)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['code']}  {row['state']:9}  {row['department_name']}  {row['name']}")
