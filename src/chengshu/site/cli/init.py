"""`chengshu init`: a real district, from a folder that describes it."""

from __future__ import annotations

import getpass
import os
import secrets
import sys
from pathlib import Path

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import print_json
from chengshu.site.cli.demo import teller
from chengshu.site.paths import var_dir

MIN_PASSWORD = 10


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--draft", metavar="CODE", help="Write a first FOLDER for the district CODE (six digits), then stop."
)
@click.option("--admin", help="User name of the first administrator (a district operator).")
@click.option("--admin-name", default="", help="Name that pages show for the administrator.")
@click.option("--staff", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="CSV with username, display_name, role, department.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
def app(
    folder: Path, draft: str | None, admin: str | None, admin_name: str, staff: Path | None, as_json: bool
) -> None:
    """Set up a real district in var/ (or CHENGSHU_VAR) from FOLDER.

    Begin with `chengshu init DIR --draft 440306`: it writes district.yaml, the district's divisions (real, as of
    2023-06-30), a list of departments and an empty staff list, and says what to add. Then run `chengshu init DIR
    --admin NAME`. The password is asked for, read from CHENGSHU_ADMIN_PASSWORD, or made and printed once.

    Demo sign-ins do not exist here.
    """
    if draft:
        from chengshu.site.drafting import draft_district

        for path in draft_district(folder, draft):
            click.echo(f"wrote {path}")
        click.echo(
            f"Next: read {folder / 'README.md'}, add the zones, then chengshu init {folder} --admin NAME"
        )
        return
    if not admin:
        raise click.UsageError("name the first administrator: --admin NAME")
    from chengshu.site import founding

    password, made = first_password()
    counts = founding.found_district(var_dir(), folder, staff, teller(quiet=as_json))
    new = founding.first_administrator(admin, admin_name or admin, password)
    if as_json:
        print_json({"counts": counts, "administrator": admin, "password": password if made and new else None})
        return
    click.echo("\n" + ", ".join(f"{number:,} {name}" for name, number in counts.items()))
    if not new:
        click.echo(f"{admin} is there already and keeps the password.")
    elif made:
        click.echo(f"Administrator {admin}, password (shown once): {password}")
    click.echo("Next: chengshu build --sources DIR, then chengshu serve")


def first_password() -> tuple[str, bool]:
    """Return the administrator's password and whether it was made here."""
    if given := os.environ.get("CHENGSHU_ADMIN_PASSWORD"):
        password = given
    elif sys.stdin.isatty():
        password = getpass.getpass("Password of the administrator (empty: make one): ")
        if not password:
            return secrets.token_urlsafe(12), True
    else:
        return secrets.token_urlsafe(12), True
    if len(password) < MIN_PASSWORD:
        raise Problem("password-short", f"The password has fewer than {MIN_PASSWORD} characters")
    return password, False
