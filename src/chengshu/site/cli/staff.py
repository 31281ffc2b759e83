"""`chengshu staff`: who works for the district, in which cells, and who stands in for whom."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import print_json, setup_django

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Import staff, post them to cells, set substitutes.

    A first import: `chengshu staff import staff.csv --posts posts.csv`. Accounts made so have no password; give
    one with `chengshu staff password NAME`.
    """


@app.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--posts", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with username, cell, post (main or deputy).",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write the counts as JSON.")
def import_staff(file: Path, posts: Path | None, as_json: bool) -> None:
    """Make or update accounts from FILE.

    FILE is a CSV (UTF-8 or GB 18030) with username, display_name, role (grid_worker, steward, officer, operator,
    clerk) and department (its code); email may be added. It is taken whole or not at all.
    """
    setup_django()
    from chengshu.contexts.places import api as places

    counts = {"staff": places.load_staff(file)}
    if posts:
        counts["posts"] = places.load_posts(posts, on=_today())
    if as_json:
        print_json(counts)
    else:
        click.echo(", ".join(f"{number:,} {name}" for name, number in counts.items()))


@app.command()
@click.argument("username")
@click.argument("cell")
@click.option("--as", "post_kind", type=click.Choice(["main", "deputy"]), default="main", show_default=True)
@click.option("--from", "first_day", type=_DAY, help="First day; today if not given.")
@click.option("--end", is_flag=True, help="End the post instead.")
def post(username: str, cell: str, post_kind: str, first_day: datetime | None, end: bool) -> None:
    """Put USERNAME in charge of CELL, or end that.

    A new main person ends the former one's post on that day.
    """
    setup_django()
    from chengshu.contexts.places import api as places

    account = _account(username)
    on = first_day.date() if first_day else _today()
    if end:
        places.end_post(account, cell, on=on, actor=None, now=datetime.now(UTC))
        click.echo(f"{account.display_name} no longer works {cell} from {on}")
        return
    places.post(account, cell, post_kind, on=on, actor=None, now=datetime.now(UTC))
    click.echo(f"{account.display_name}: {post_kind} of {cell} from {on}")


@app.command()
@click.argument("username")
@click.option("--from", "first_day", type=_DAY, required=True, help="First day away.")
@click.option("--to", "last_day", type=_DAY, required=True, help="Last day away.")
@click.option("--substitute", help="User name of who stands in; without one the deputies do the work.")
def absence(username: str, first_day: datetime, last_day: datetime, substitute: str | None) -> None:
    """Put on record that USERNAME is away, and who stands in."""
    setup_django()
    from chengshu.contexts.identity import api as identity

    account = _account(username)
    other = _account(substitute) if substitute else None
    identity.set_absence(account, other, first_day.date(), last_day.date())
    stands_in = other.display_name if other else "nobody; deputies take over"
    click.echo(
        f"{account.display_name} is away {first_day.date()} to {last_day.date()}; stands in: {stands_in}"
    )


@app.command()
@click.argument("username")
@click.option("--to", "heir", required=True, help="User name of who takes over the cells.")
@click.option("--on", "day", type=_DAY, help="Last day; today if not given.")
def leave(username: str, heir: str, day: datetime | None) -> None:
    """Let USERNAME leave: all posts pass to a colleague, and the account can no longer sign in."""
    setup_django()
    from chengshu.contexts.identity import api as identity
    from chengshu.contexts.places import api as places

    leaver, colleague = _account(username), _account(heir)
    on = day.date() if day else _today()
    count = places.hand_over_posts(leaver, colleague, on=on, actor=None, now=datetime.now(UTC))
    identity.depart(leaver, on)
    click.echo(f"{leaver.display_name} leaves on {on}; {count} posts pass to {colleague.display_name}")


@app.command()
@click.argument("username")
@click.password_option(help="The new password; asked for if not given.")
def password(username: str, password: str) -> None:
    """Give USERNAME a password."""
    setup_django()
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    account = _account(username)
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise Problem("password-weak", "The password is too weak", detail=" ".join(error.messages)) from error
    account.set_password(password)
    account.save(update_fields=["password"])
    click.echo(f"{account.display_name} can sign in")


@app.command("reset-factors")
@click.argument("username")
def reset_factors(username: str) -> None:
    """Forget the second factors of USERNAME, who lost them and was checked in person; all their sessions end."""
    setup_django()
    from chengshu.contexts.identity import api as identity

    account = _account(username)
    identity.reset_second_factors(account, datetime.now(UTC))
    click.echo(f"{account.display_name} signs in by password and sets up a second factor again")


@app.command("bare")
@click.option("--on", "day", type=_DAY, help="The day to look at; today if not given.")
@click.option("--json", "as_json", is_flag=True, help="Write the codes as JSON.")
def bare_cells(day: datetime | None, as_json: bool) -> None:
    """List the cells for which nobody works on a day; exit code 1 when there are any."""
    setup_django()
    from chengshu.contexts.places import api as places

    codes = places.cells_without_staff(day.date() if day else _today())
    if as_json:
        print_json(codes)
    else:
        click.echo("\n".join(codes) if codes else "every cell has someone")
    if codes:
        raise SystemExit(1)


def _account(username: str) -> Any:
    from chengshu.contexts.identity import api as identity

    found = identity.account_named(username)
    if found is None:
        raise Problem("account-unknown", "Nobody has this user name", detail=username)
    return found


def _today() -> date:
    from django.utils import timezone

    return timezone.localdate()
