"""`chengshu case`: list, show, open and work cases from the command line."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import print_json, setup_django

if TYPE_CHECKING:
    from chengshu.contexts.identity.api import Account

AS = click.option("--as", "username", required=True, help="The account that acts, by its sign-in name.")
JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Work cases: the same rights, terms and records as on the pages.

    For example: `chengshu case list --as worker`, `chengshu case show ID --as worker`,
    `chengshu case do ID confirm --as worker --data '{"value": "新安街道创业一路12号"}'`.
    """


@app.command("list")
@AS
@click.option("--view", type=click.Choice(["mine", "nobody", "all"]), default="mine", show_default=True)
@click.option("--light", type=click.Choice(["red", "amber", "green"]), help="Only this light.")
@click.option("--search", default="", help="Part of the subject, the area, or a case's number.")
@click.option("--page", default=1, type=click.IntRange(1), show_default=True)
@JSON
def list_(username: str, view: str, light: str | None, search: str, page: int, as_json: bool) -> None:
    """List an account's open work, what is due first standing first."""
    account, now = _account(username), dt.datetime.now(dt.UTC)
    from chengshu.contexts.cases import api as cases

    filters = cases.Filters(view=view, light=light or "", text=search)
    found = cases.tasks_for(account, now=now, filters=filters, page=page)
    if as_json:
        print_json(asdict(found))
        return
    for row in found.rows:
        click.echo(
            f"{row.case_id}  {row.light.zh}  {row.title['zh']}  {row.state['zh']}  {row.area}  {row.cell_code}"
        )
    click.echo(f"{found.total} in all; page {found.page} of {found.pages}")


@app.command()
@click.argument("case_id")
@AS
@JSON
def show(case_id: str, username: str, as_json: bool) -> None:
    """Show a case as an account sees it; a look at personal values is put on record, as on the page."""
    account, now = _account(username), dt.datetime.now(dt.UTC)
    from chengshu.contexts.cases import api as cases

    view = cases.case_view(case_id, account, now=now)
    if as_json:
        print_json(asdict(view))
        return
    click.echo(f"{view.case_id}  {view.title['zh']}  {view.state_title['zh']}  (version {view.version})")
    click.echo(f"  {view.reason['zh']}")
    for term in view.terms:
        click.echo(f"  {term.title['zh']}: {term.due_on or '—'}  {term.light.zh}  ({term.arithmetic['zh']})")
    for ground in view.grounds:
        click.echo(f"  {ground.citation['zh']}: {ground.gist['zh']}")
    for value in view.values:
        click.echo(f"  {value.source_title}: {value.value}")
    for event in view.events:
        click.echo(f"  {event.seq}. {event.at:%Y-%m-%d %H:%M} {event.sentence['zh']}")
    for command in view.commands:
        fields = ", ".join(f"{field.name}{'' if field.required else '?'}" for field in command.fields)
        click.echo(f"  → {command.name}({fields})  {command.title['zh']}")


@app.command("open")
@click.argument("pack")
@click.option("--facts", required=True, help="The facts as a JSON object (see the pack's form.yaml).")
@click.option("--cell", default="", help="The grid cell whose worker gets it.")
@click.option("--department", default="", help="The department whose officers get it.")
@click.option("--key", default="", help="A key that makes opening twice harmless; made up when left out.")
@click.option("--as", "username", default="", help="The account that opens it; the system when left out.")
@JSON
def open_(pack: str, facts: str, cell: str, department: str, key: str, username: str, as_json: bool) -> None:
    """Open a case under the current version of a pack and print its number."""
    account = _account(username) if username else _nobody()
    from chengshu.contexts.cases import api as cases

    case_id = cases.open_case(
        pack,
        _json(facts, "--facts"),
        opened_by=account,
        cell_code=cell or None,
        department=department or None,
        idempotency_key=key or f"cli:{uuid.uuid4().hex}",
        now=dt.datetime.now(dt.UTC),
    )
    print_json({"case_id": case_id}) if as_json else click.echo(case_id)


@app.command()
@click.argument("case_id")
@click.argument("command")
@AS
@click.option("--data", default="{}", help="The answers of the command's form as a JSON object.")
@click.option("--version", type=int, help="The version you decided on; refused when the case has moved on.")
@click.option("--key", default="", help="A key that makes sending twice harmless.")
@JSON
def do(
    case_id: str, command: str, username: str, data: str, version: int | None, key: str, as_json: bool
) -> None:
    """Carry out a command on a case."""
    account, now = _account(username), dt.datetime.now(dt.UTC)
    from chengshu.contexts.cases import api as cases

    view = cases.command(
        case_id, command, _json(data, "--data"), actor=account, expected_version=version, idempotency_key=key or None,
        now=now,
    )  # fmt: skip
    if as_json:
        print_json(asdict(view))
    else:
        click.echo(f"{view.case_id}  {view.state_title['zh']}  (version {view.version})")


@app.command()
@click.argument("pack")
@click.option("--to", "version", required=True, help="The loaded version that the live cases move to.")
@click.option(
    "--map",
    "mapped",
    multiple=True,
    metavar="STATE=STATE",
    help="A state of old cases → one of the new version.",
)
@click.option("--reason", default="", help="Why, for the record; needed unless --dry-run.")
@click.option("--as", "username", default="", help="The operator who moves them; needed unless --dry-run.")
@click.option(
    "--dry-run", is_flag=True, help="Only say for each state how many cases fit, and why the others do not."
)
@JSON
def migrate(
    pack: str, version: str, mapped: tuple[str, ...], reason: str, username: str, dry_run: bool, as_json: bool
) -> None:
    """Move the live cases of PACK to another version of it.

    Look first: `chengshu case migrate PACK --to 1.1.0 --dry-run`. A case that does not fit stays where it is, and the
    report says why. Each moved case gets an event with its ground and a ledger leaf; its terms are counted anew by
    the new version. A run that was cut short goes on when it is called again.
    """
    mapping = dict(_pair(item) for item in mapped)
    setup_django()
    from chengshu.contexts.cases.api import migration

    now = dt.datetime.now(dt.UTC)
    to = migration.version_named(pack, version)
    if dry_run:
        report = migration.dry_run(pack, to.pk, now, mapping)
    elif username and reason:
        report = migration.migrate(pack, to.pk, _account(username), reason, now, mapping)
    else:
        raise Problem(
            "migration-call", "A migration needs --as and --reason", remedy="or look first: --dry-run"
        )
    if as_json:
        print_json(asdict(report))
        return
    for line in report.lines:
        said = f"{line.state} → {line.target}" if line.state != line.target else line.state
        click.echo(f"{line.count:>8,}  {said}  {'fits' if line.ok else line.reason}")
    word = "would move" if dry_run else "moved"
    click.echo(f"{report.moved:,} cases {word} to {pack} {report.to_version}; {report.left:,} stay.")


def _pair(text: str) -> tuple[str, str]:
    state, equals, target = text.partition("=")
    if not (state and equals and target):
        raise Problem("migration-map", f"{text!r} is no STATE=STATE", status=400)
    return state, target


def _account(username: str) -> Account:
    setup_django()
    from chengshu.contexts.identity import api as identity

    found = identity.account_named(username)
    if found is None or not identity.may_act(found):
        raise Problem("account-unknown", f"No account {username!r} may act here", remedy="see chengshu staff")
    return found


def _nobody() -> None:
    setup_django()


def _json(text: str, option: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise Problem("json", f"{option} is no JSON", detail=str(error)) from error
    if not isinstance(found, dict):
        raise Problem("json", f"{option} is a JSON object")
    return found
