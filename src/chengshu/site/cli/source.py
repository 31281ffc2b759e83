"""`chengshu source`: the departments' tables that forms are filled from; halt one, resume it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import print_json, setup_django

if TYPE_CHECKING:
    from chengshu.contexts.identity.api import Account

AS = click.option(
    "--as", "username", required=True, help="The steward or operator who acts, by sign-in name."
)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")
ROLES = ("steward", "operator")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Halt and resume the tables that forms take values from: the same rights and records as on the pages."""


@app.command("list")
@click.option("--history", is_flag=True, help="Also what was halted and resumed, newest first.")
@JSON
def list_(history: bool, as_json: bool) -> None:
    """List the tables, those that are halted first."""
    setup_django()
    from chengshu.contexts.subjects import api as subjects

    rows = [
        {
            "source": source,
            "title": dict(title),
            "halted": halt.kind if halt else "",
            "since": halt.since.isoformat() if halt else "",
            "by": halt.by if halt else "",
            "reason": halt.reason if halt else "",
        }
        for source, title, halt in subjects.halting(subjects.source_titles())
    ]
    past = [
        {
            "source": halt.source,
            "kind": halt.kind,
            "reason": halt.reason,
            "since": halt.since.isoformat(),
            "by": halt.by,
            "ended": halt.ended_at.isoformat() if halt.ended_at else "",
            "ended_by": halt.ended_by,
            "ended_reason": halt.ended_reason,
        }
        for halt in (subjects.halts() if history else [])
    ]
    if as_json:
        print_json({"sources": rows, "history": past} if history else rows)
        return
    for row in rows:
        said = (
            f"halted ({row['halted']}) since {row['since'][:16]}: {row['reason']}"
            if row["halted"]
            else "in use"
        )
        click.echo(f"{row['source']:32}  {said}")
    for each in past:
        until = f"{each['ended'][:16]} by {each['ended_by']}" if each["ended"] else "now"
        click.echo(f"  {each['since'][:16]} to {until}: {each['source']} ({each['kind']}), {each['reason']}")


@app.command()
@click.argument("source")
@click.option("--kind", type=click.Choice(["down", "withdrawn"]), default="down", show_default=True,
              help="down: cannot be used now; withdrawn: its department shares it no more.")  # fmt: skip
@click.option("--reason", required=True, help="Why, for the record.")
@AS
def halt(source: str, kind: str, reason: str, username: str) -> None:
    """Take nothing more from SOURCE: forms ask those fields from now on."""
    setup_django()
    from chengshu.contexts.subjects import api as subjects

    account = _account(username)
    if source not in subjects.source_titles():
        raise Problem(
            "source-unknown", f"No table {source!r} in the snapshot", remedy="see chengshu source list"
        )
    subjects.halt_source(source, kind, reason, actor=account, now=datetime.now(UTC))
    click.echo(f"halted: {source}")


@app.command()
@click.argument("source")
@click.option("--reason", required=True, help="Why it may be used again, for the record.")
@AS
def resume(source: str, reason: str, username: str) -> None:
    """Fill forms from SOURCE again."""
    setup_django()
    from chengshu.contexts.subjects import api as subjects

    if not subjects.end_halt(source, actor=_account(username), now=datetime.now(UTC), reason=reason):
        raise Problem("source-in-use", f"{source!r} is not halted", remedy="see chengshu source list")
    click.echo(f"in use: {source}")


def _account(username: str) -> Account:
    from chengshu.contexts.identity import api as identity

    found = identity.account_named(username)
    if found is None or not identity.may_act(found) or found.role not in ROLES:
        raise Problem(
            "account-unknown",
            f"No steward or operator {username!r} may act here",
            remedy="see chengshu staff",
        )
    return found
