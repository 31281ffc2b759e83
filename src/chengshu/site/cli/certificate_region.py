"""`chengshu certificate region`: whose certificates count here besides our own, for which types, until when."""

from __future__ import annotations

import datetime as dt
import getpass
from dataclasses import asdict
from pathlib import Path

import click

from chengshu.site.cli.common import print_json, setup_django

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
DAY = click.DateTime(["%Y-%m-%d"])


@click.group("region")
def region() -> None:
    """Recognise other regions' issuers by their signed lists; renew and withdraw.

    The other side gives FILE from its page /verify/trust-list.jwt and says its fingerprint by another way
    (`chengshu certificate fingerprint` prints it).
    """


@region.command()
@FILE
@click.option("--code", required=True, help="What the region is called here, e.g. shanghai-pudong.")
@click.option("--name", required=True, help="Its name in Chinese.")
@click.option("--name-en", default="", help="Its name in English.")
@click.option("--type", "types", multiple=True, required=True, help="A type that counts; several times.")
@click.option("--from", "valid_from", type=DAY, help="First day; today.")
@click.option("--until", type=DAY, required=True, help="Last day.")
@click.option("--fingerprint", required=True, help="The fingerprint that you compared by another way.")
def add(
    file: Path, code: str, name: str, name_en: str, types: tuple[str, ...], valid_from: dt.datetime | None,
    until: dt.datetime, fingerprint: str,
) -> None:  # fmt: skip
    """Recognise a region for the first time, or on new terms."""
    setup_django()
    from chengshu.contexts.certificates.api import recognising

    now = dt.datetime.now(dt.UTC)
    terms = recognising.Terms(
        code,
        {"zh": name, "en": name_en or name},
        frozenset(types),
        (valid_from or dt.datetime.now()).date(),
        until.date(),
    )
    recognising.recognise(file.read_text("utf-8"), terms, signer=fingerprint, by=getpass.getuser(), now=now)
    click.echo(f"{code}: recognised until {until.date()} for {', '.join(sorted(types))}")


@region.command()
@click.argument("code")
@FILE
def renew(code: str, file: Path) -> None:
    """Take in a newer list of a region: new keys, new status lists."""
    setup_django()
    from chengshu.contexts.certificates.api import recognising

    row = recognising.renew(code, file.read_text("utf-8"), by=getpass.getuser(), now=dt.datetime.now(dt.UTC))
    click.echo(f"{code}: list of {row.made_at.isoformat(timespec='seconds')}")


@region.command()
@click.argument("code")
def withdraw(code: str) -> None:
    """Stop recognising a region."""
    setup_django()
    from chengshu.contexts.certificates.api import recognising

    recognising.withdraw(code, by=getpass.getuser(), now=dt.datetime.now(dt.UTC))
    click.echo(f"{code}: withdrawn")


@region.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")
def list_(as_json: bool) -> None:
    """List the recognised regions."""
    setup_django()
    from chengshu.contexts.certificates.api import recognising

    lines = recognising.regions(dt.datetime.now(dt.UTC))
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    for line in lines:
        types = "、".join(each["zh"] for each in line.types)
        click.echo(
            f"{line.code}  {line.name['zh']}  {line.state}  {line.valid_from} – {line.valid_to}  {types}"
        )
    if not lines:
        click.echo("no region is recognised")
