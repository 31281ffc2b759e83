"""`chengshu code`: a window's device reads citizen codes without a network; an operator enrols and revokes devices."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import sys
import urllib.request
from pathlib import Path

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import WRONG, print_json, setup_django

DEVICE = click.option(
    "--device",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The device's file.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Read citizen codes offline; keep the devices that may.

    On the device: `chengshu code device FILE --code hall-3 --name "3 号窗口"` makes its keys and prints one line. An operator
    gives that line to `chengshu code enrol` (or pastes it on the page /code-devices/). Then `chengshu code sync` fetches the
    keys for the next days, and `chengshu code verify` needs no network.
    """


@app.command("device")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--code", required=True, help="What the device is called in lists: letters, digits, hyphens.")
@click.option("--name", required=True, help="Its name for people.")
def device_(path: Path, code: str, name: str) -> None:
    """Make a device's keys in a new file; print what it is enrolled by."""
    from chengshu.contexts.hall.citizen_code import device

    if path.exists():
        raise Problem("device-exists", "There is a file already", detail=str(path))
    made = device.new_device(code)
    device.save(made, path)
    click.echo(json.dumps(made.request(name), ensure_ascii=False))


@app.command()
@click.argument("text", required=False)
@DEVICE
@click.option(
    "--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S"]), help="As of this instant (UTC) instead of now."
)
@JSON
def verify(text: str | None, path: Path, at: dt.datetime | None, as_json: bool) -> None:
    """Say who shows a code, offline. TEXT is what the scanner read; without it, standard input.

    Exit code 0: accepted; 1: refused, and why.
    """
    from chengshu.contexts.hall.citizen_code import codec, device

    now = at.replace(tzinfo=dt.UTC) if at else dt.datetime.now(dt.UTC)
    held = device.load(path)
    try:
        said = device.verify(held, text if text is not None else sys.stdin.readline(), now)
    except codec.CodeRefusal as refusal:
        words = codec.WORDS[refusal.code]
        if as_json:
            print_json({"ok": False, "why": refusal.code, **words})
        else:
            click.secho(f"refused: {words['en']}（{words['zh']}）", fg="red")
        sys.exit(WRONG)
    # Kept before it is said: a device that is cut off does not accept the same code again.
    device.save(held, path)
    if as_json:
        print_json({"ok": True, "subject_id": said.subject_id, "name": said.name, "at": said.at})
    else:
        click.secho(f"accepted: {said.name}  {said.subject_id}", fg="green")


@app.command()
@DEVICE
@click.option("--url", required=True, help="The installation's address, e.g. https://hub.example.")
def sync(path: Path, url: str) -> None:
    """Tell what was read and fetch the keys for the next days."""
    from chengshu.contexts.hall.citizen_code import device

    if not url.startswith(("https://", "http://")):
        raise Problem("device-url", "An address begins with https://", detail=url)
    held, now = device.load(path), dt.datetime.now(dt.UTC)
    told = device.told(held, now).encode()
    asked = urllib.request.Request(f"{url.rstrip('/')}/code-devices/sync", data=told, method="POST")
    asked.add_header("Content-Type", "application/jose")
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            device.take_bundle(held, answer.read().decode("ascii"))
    except OSError as error:
        raise Problem(
            "device-sync", "The installation did not answer as it should", detail=str(error)
        ) from error
    device.forget(held, held.bundle)
    device.save(held, path)
    click.echo(f"reads codes until {held.bundle['good_until']}")


@app.command()
@click.argument("request")
@click.option("--department", required=True, help="The department whose window it stands at.")
@click.option("--place", required=True, help="Where it stands.")
@click.option("--days", default=180, show_default=True, type=click.IntRange(1, 366), help="For how long.")
def enrol(request: str, department: str, place: str, days: int) -> None:
    """Enrol a device by the line that it has printed."""
    setup_django()
    from chengshu.contexts.hall.api import citizen_code

    try:
        said = json.loads(request)
    except ValueError as error:
        raise Problem("device-request", "This is not what a device has printed") from error
    now = dt.datetime.now(dt.UTC)
    row = citizen_code.enrol(
        said, department=department, place=place, days=days, by=getpass.getuser(), now=now
    )
    click.echo(f"{row.code}: enrolled until {row.expires_at.date()}")


@app.command()
@click.argument("code")
def revoke(code: str) -> None:
    """Revoke a device; a new key serves from now on."""
    setup_django()
    from chengshu.contexts.hall.api import citizen_code

    citizen_code.revoke(code, by=getpass.getuser(), now=dt.datetime.now(dt.UTC))
    click.echo(f"{code}: revoked")


@app.command()
def rotate() -> None:
    """Let a new key serve from now on; devices need a sync."""
    setup_django()
    from chengshu.contexts.hall.api import citizen_code

    citizen_code.rotate(dt.datetime.now(dt.UTC), "by hand")
    click.echo("rotated")
