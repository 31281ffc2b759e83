"""`chengshu demo`: the demo district Bao'an, built and served."""

from __future__ import annotations

import os
import shutil
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from chengshu.kernel.problems import Problem, Where
from chengshu.site.cli.common import print_json
from chengshu.site.paths import var_dir

DEFAULT_PEOPLE = 20_000
DEFAULT_SEED = 20191225


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--people", default=DEFAULT_PEOPLE, show_default=True, type=click.IntRange(200, 5_000_000),
              help="How many residents to generate.")  # fmt: skip
@click.option(
    "--seed", default=DEFAULT_SEED, show_default=True, type=int, help="The same seed makes the same district."
)
@click.option("--fresh", is_flag=True, help="Throw an older demo in var/ away first.")
@click.option("--no-serve", is_flag=True, help="Build only.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Write the result of the build as JSON (with --no-serve)."
)
def app(people: int, seed: int, fresh: bool, no_serve: bool, host: str, port: int, as_json: bool) -> None:
    """Build the demo district Bao'an in var/ (or CHENGSHU_VAR) and serve it.

    Divisions, communities, zones, hospitals, charging stations and weather are real open data; people, firms,
    premises and the departments' tables are generated, and the pages say so. A demo that is already there is
    served again as you left it; --fresh begins anew. Stop with Ctrl-C.
    """
    from chengshu.site import founding

    var = var_dir()
    if fresh:
        remove_demo(var)
    result: dict[str, Any] = {}
    if not founding.is_founded(var):
        refuse_real_district(var)
        remove_demo(var)
        plan = founding.DemoPlan(people, seed, date.today() - timedelta(days=1))
        result = founding.found_demo(var, plan, teller(quiet=as_json))
    elif not (var / "demo").exists():
        refuse_real_district(var)
    if as_json:
        print_json(result)
    if no_serve:
        if not as_json:
            click.echo("Built. Serve it and see the sign-ins with: chengshu demo", err=True)
        return
    tell_how_to_sign_in(host, port)
    from chengshu.site.cli.serve import run

    run(host, port, workers=1, witness=True)


def teller(quiet: bool) -> Any:
    """Return a function that says what is being done and how long all of it has taken."""
    started = time.monotonic()

    def say(text: str) -> None:
        if not quiet:
            click.echo(f"{time.monotonic() - started:6.1f} s  {text}", err=True)

    return say


def refuse_real_district(var: Path) -> None:
    """Raise a ``Problem`` when ``var`` holds something that is not a demo."""
    # Keys and caches alone are left by any command that was run here; they are nobody's district.
    holds = any((var / name).exists() for name in ("district", "founded", "build", "chengshu.sqlite3"))
    if holds and not (var / "demo").exists():
        raise Problem(
            "var-not-demo",
            "The folder holds something that is not a demo district",
            where=Where(file=str(var)),
            remedy="set CHENGSHU_VAR to another folder",
        )


def remove_demo(var: Path) -> None:
    """Delete an older or unfinished demo; anything else is refused."""
    refuse_real_district(var)
    if var.exists():
        shutil.rmtree(var)


def tell_how_to_sign_in(host: str, port: int) -> None:
    """Print the address and the demo sign-ins."""
    from chengshu.site.cli.common import setup_django

    setup_django()
    from chengshu.contexts.identity import api as identity
    from chengshu.site.cli.serve import ANY_HOST

    # The name that certificates and QR codes will say, so that a sign-in or a passkey holds for all of them.
    name = os.environ.get("CHENGSHU_URL") or f"http://{'localhost' if host in ANY_HOST else host}:{port}"
    click.secho(f"\nChengshu, demo district Bao'an: {name}\n", bold=True)
    for account in identity.demo_accounts():
        click.echo(f"  {account.username:16} {account.display_name}")
    click.echo(f"\n  password of all: {identity.DEMO_PASSWORD}    (Ctrl-C stops)\n")
