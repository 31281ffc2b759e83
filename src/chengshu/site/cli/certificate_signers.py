"""`chengshu certificate authority` and `crl`: whose certificates count for the signatures of persons and firms."""

from __future__ import annotations

import datetime as dt
import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from chengshu.site.cli.common import print_json, setup_django

CERTIFICATES = click.option(
    "--certificate", "certificates", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True,
    required=True, help="PEM: the certificate that signs people's certificates, and the roots above it.",
)  # fmt: skip
DAY, INSTANT = click.DateTime(["%Y-%m-%d"]), click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"])
TERMS = (
    click.argument("code"),
    click.option("--name", required=True, help="Its name in Chinese."),
    click.option("--name-en", default="", help="Its name in English."),
    click.option("--jurisdiction", type=click.Choice(["CN-GD", "HK", "MO"]), required=True),
    CERTIFICATES,
    click.option(
        "--policy", required=True, help="The mutual-recognition policy, e.g. 2.16.344.8.2.2008.810.2."
    ),
    click.option(
        "--person", multiple=True, help="What marks a person's certificate: a policy, or O=…, OU=…."
    ),
    click.option("--organisation", multiple=True, help="What marks an organisation's."),
    click.option("--from", "valid_from", type=DAY, help="First day; today."),
    click.option("--until", type=DAY, help="Last day; none: until further notice."),
    click.option("--ground", required=True, help="By which published list or agreement it is recognised."),
)


@click.group("authority")
def authority() -> None:
    """Recognise certification authorities of Guangdong, Hong Kong and Macao for signatures; suspend, resume, withdraw.

    Which authorities and which of their certificates count is what the governments' trust lists say (digitalpolicy.gov.hk,
    gdii.gd.gov.cn); compare the fingerprint with theirs. Each change is a leaf of the ledger.
    """


def _with_terms(function: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(TERMS):
        function = option(function)
    return function


@authority.command()
@_with_terms
@click.option(
    "--fingerprint", required=True, help="SHA-256 of one of the certificates, compared by another way."
)
def add(fingerprint: str, **said: Any) -> None:
    """Put the authority CODE on the list."""
    setup_django()
    from chengshu.contexts.certificates.api import signature_authorities

    now = dt.datetime.now(dt.UTC)
    row = signature_authorities.recognise(
        signature_authorities.terms(**said, now=now), fingerprint=fingerprint, by=getpass.getuser(), now=now
    )
    click.echo(f"{row.code}: recognised from {row.valid_from}")
    _again(row, now)


@authority.command()
@_with_terms
def renew(**said: Any) -> None:
    """Put newer certificates and terms of CODE on the list; its older certificates stay."""
    setup_django()
    from chengshu.contexts.certificates.api import signature_authorities

    now = dt.datetime.now(dt.UTC)
    row = signature_authorities.renew(
        signature_authorities.terms(**said, now=now), by=getpass.getuser(), now=now
    )
    click.echo(f"{row.code}: renewed")
    _again(row, now)


def _changing(act: str, doc: str) -> None:
    @authority.command(act, help=doc)
    @click.argument("code")
    @click.option("--ground", required=True, help="Why: the notice, the letter.")
    @click.option("--since", type=INSTANT, help="From when on, with its zone; now.")
    def command(code: str, ground: str, since: dt.datetime | None) -> None:
        setup_django()
        from chengshu.contexts.certificates.api import signature_authorities

        now = dt.datetime.now(dt.UTC)
        row = signature_authorities.change(
            code, act, ground=ground, by=getpass.getuser(), now=now, since=since
        )
        click.echo(f"{code}: {act}, from {since or now}")
        _again(row, now, since=since or now)


_changing(
    "suspend", "Suspend CODE: what is signed from then on is refused, what was signed before still counts."
)
_changing("resume", "Resume CODE.")
_changing("withdraw", "Withdraw CODE for good.")


@authority.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")
def list_(as_json: bool) -> None:
    """List the recognised authorities, how they stand, and of when their revocation lists are."""
    setup_django()
    from chengshu.contexts.certificates.api import signature_authorities

    lines = signature_authorities.lines(dt.datetime.now(dt.UTC))
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    for line in lines:
        held = (
            f"CRL {line.list_made_at:%Y-%m-%d}{' STALE' if line.stale else ''}"
            if line.list_made_at
            else "no CRL"
        )
        term = f"{line.valid_from} – {line.valid_to or ''}"
        click.echo(f"{line.code}  {line.jurisdiction['zh']}  {line.name['zh']}  {line.state}  {term}  {held}")
    if not lines:
        click.echo("no authority is recognised")


@click.command("crl")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True)
def crl(file: tuple[Path, ...]) -> None:
    """Load revocation lists (CRL) of recognised authorities: nothing is fetched, so load them as often as they are issued."""
    setup_django()
    from chengshu.contexts.certificates.api import signature_authorities

    now = dt.datetime.now(dt.UTC)
    for each in file:
        row = signature_authorities.load_revocations(each.read_bytes(), by=getpass.getuser(), now=now)
        click.echo(
            f"{row.authority.code}: {row.revoked} revoked as of {row.made_at}, next {row.until or '—'}"
        )
        _again(row.authority, now, by_list=row)


def _again(authority: Any, now: dt.datetime, **concerned: Any) -> None:
    from chengshu.contexts.certificates.api import judge_signed_files

    number = judge_signed_files(authority, now, **concerned)
    if number:
        click.echo(f"{number} signed files of cases are judged anew by the worker")
