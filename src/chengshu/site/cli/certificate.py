"""`chengshu certificate`: verify offline, print the trust list, recognise other regions, rotate an issuer's key."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.certificate_region import region
from chengshu.site.cli.certificate_signers import authority, crl
from chengshu.site.cli.common import NOT_RUN, WRONG, print_json, setup_django

if TYPE_CHECKING:
    from chengshu.contexts.certificates.api import Verdict

JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Verify certificates, documents and credentials; keep the issuers' keys.

    `chengshu certificate verify FILE --trust trust.json` needs no network and no database: the trust list says who is
    believed and how certificates stood when it was made. Get one from the page /verify/, or by
    `chengshu certificate trust-list > trust.json` where they are issued.
    """


@app.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--trust", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True,
    help="A trust list; several are believed together. Without one: this installation's own issuers.",
)  # fmt: skip
@click.option(
    "--at", type=click.DateTime(["%Y-%m-%d"]), help="As of this day (noon in China) instead of now."
)
@click.option("--audience", default="", help="To whom a presentation must have been shown: yourself.")
@click.option(
    "--signature", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A signature of FILE that lies beside it (CMS, .p7s): FILE may then be of any kind.",
)  # fmt: skip
@click.option("--nonce", default="", help="The nonce of your request, which a presentation must answer.")
@JSON
def verify(
    file: Path, trust: tuple[Path, ...], at: dt.datetime | None, audience: str, signature: Path | None, nonce: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Verify FILE: a PDF (sealed here, or signed by persons and firms), a credential (JWT, JSON around one, or SD-JWT with or
    without a holder's key), a QR text (- is standard input).

    Says by whom, for what, whether in force, and why not. Exit code 0: genuine and in force; 1: not, or not known to be
    in force; 2: a wrong call; 3: there is nobody to trust.
    """
    now = dt.datetime.now(dt.UTC)
    if at is not None:
        now = at.replace(hour=12, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    if trust:
        # Past the api, which would load Django: with a trust list nothing of an installation is needed.
        from chengshu.contexts.certificates import trust as lists
        from chengshu.contexts.certificates import verification

        believed = lists.merge([lists.read_trust(path) for path in trust])
        verdict = (
            verification.verify_detached(content, signature.read_bytes(), believed, now)
            if signature
            else verification.verify(content, believed, now, verification.Expected(audience, nonce))
        )
    else:
        verdict = _by_our_own(content, now, audience, nonce, signature)
    if as_json:
        print_json({"ok": verdict.ok, **asdict(verdict)})
    else:
        _tell(asdict(verdict))
    sys.exit(0 if verdict.ok else WRONG)


def opener(trust: tuple[Path, ...]) -> Callable[[str], dict[str, Any]]:
    """Return what reads a statement that somebody on these trust lists has signed; raises ``ValueError`` for anybody else's."""
    from chengshu.contexts.certificates import trust as lists

    believed = lists.merge([lists.read_trust(path) for path in trust])
    return believed.open_credential


def _by_our_own(
    content: bytes, now: dt.datetime, audience: str, nonce: str, signature: Path | None
) -> Verdict:
    setup_django()
    from django.db import DatabaseError

    from chengshu.contexts.certificates import api, verification

    try:
        if signature:
            return api.verify_detached(content, signature.read_bytes(), now)
        return api.verify(content, now, expected=verification.Expected(audience, nonce))
    except DatabaseError as error:
        raise Problem(
            "trust-missing",
            "There is no installation here, and no trust list was given",
            remedy="give one: --trust trust.json",
            exit_code=NOT_RUN,
        ) from error


def _tell(said: dict[str, Any]) -> None:
    if said["signatures"]:
        _tell_signatures(said["signatures"], said["notes"])
        return
    genuine, in_force = said["genuine"], said["in_force"]
    head = "genuine, in force" if genuine and in_force else "genuine, status unknown" if genuine and in_force is None else (
        "genuine, NOT in force" if genuine else "NOT genuine"
    )  # fmt: skip
    click.secho(head, bold=True, fg="green" if genuine and in_force else "yellow" if genuine else "red")
    names = {
        "issuer": "by", "title": "for", "number": "number", "holder": "holder", "valid_from": "from", "valid_to": "to",
        "shown_to": "shown to", "shown_until": "until",
    }  # fmt: skip
    if said["region"]:
        click.echo(f"  region   {said['region'].get('zh') or said['region'].get('en')}")
    for key, label in names.items():
        value = said["issuer_name"]["zh"] if key == "issuer" and said["issuer_name"] else said[key]
        if value:
            click.echo(f"  {label:8} {value}")
    for name, value in said["claims"].items():
        click.echo(f"  {name:8} {value}")
    for reason in said["reasons"]:
        click.echo(f"  why      {reason['en']}（{reason['zh']}）")
    for note in said["notes"]:
        click.echo(f"  note     {note['en']}")


def _tell_signatures(found: list[dict[str, Any]], notes: list[dict[str, str]]) -> None:
    colours = {"recognised": "green", "doubtful": "yellow", "refused": "red"}
    for each in found:
        click.secho(f"signature {each['outcome']}", bold=True, fg=colours[each["outcome"]])
        name = each["authority_name"]
        lines = {
            "signer": each["signer"], "for": each["organisation"], "holder": each["holder"], "at": each["signed_at"],
            "by": name.get("zh", ""), "region": each["jurisdiction"], "ground": each["ground"],
        }  # fmt: skip
        for label, value in lines.items():
            if value:
                click.echo(f"  {label:8} {value}")
        for reason in each["reasons"]:
            click.echo(f"  why      {reason['en']}（{reason['zh']}）")
    for note in notes:
        click.echo(f"  note     {note['en']}")


@app.command("trust-list")
@click.option(
    "--signed", is_flag=True, help="Signed by the district's authority: what another region takes in."
)
def trust_list(signed: bool) -> None:
    """Print this installation's trust list: issuers, public keys, status lists of this moment."""
    setup_django()
    from chengshu.contexts.certificates import api

    now = dt.datetime.now(dt.UTC)
    if signed:
        click.echo(api.signed_trust(now))
    else:
        print_json(api.trust_json(now))


@app.command()
def fingerprint() -> None:
    """Print the fingerprint of the district's authority: say it to whoever takes in your signed list."""
    setup_django()
    from chengshu.contexts.certificates.api import recognising

    click.echo(recognising.fingerprint(dt.datetime.now(dt.UTC)))


@app.command("list")
@click.option(
    "--number", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many at most."
)
@JSON
def list_(number: int, as_json: bool) -> None:
    """List the newest certificates; holders masked."""
    setup_django()
    from chengshu.contexts.certificates import api

    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
    lines = [api.line_of(row, today, masked=True) for row in api.issued_certificates()[:number]]
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    for line in lines:
        click.echo(
            f"{line.number}  {line.state_words['zh']}  {line.title['zh']}  {line.holder}  {line.valid_to or ''}"
        )
    if not lines:
        click.echo("no certificates yet")


@app.command("rotate-key")
@click.argument("issuer")
@click.option(
    "--use",
    type=click.Choice(["seal", "credential", "sm2", "authority", "code"]),
    required=True,
    help="Which of its keys.",
)
@click.option(
    "--compromised",
    is_flag=True,
    help="The old key was in wrong hands: what it signs from now on counts no more.",
)
def rotate_key(issuer: str, use: str, compromised: bool) -> None:
    """Make a new key for ISSUER (a department's code); the old public key stays, so that old certificates verify."""
    setup_django()
    from chengshu.contexts.certificates import api

    now = dt.datetime.now(dt.UTC)
    click.echo(api.rotate_key(issuer, use, now, compromised_at=now if compromised else None))


@app.command("condemn-key")
@click.argument("kid")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]),
    required=True,
    help="From when it was in wrong hands, with its zone: 2026-11-01T08:00+0800.",
)
def condemn_key(kid: str, since: dt.datetime) -> None:
    """Refuse what the key KID has signed since an instant, also where it was replaced long ago; one in use is replaced."""
    setup_django()
    from chengshu.contexts.certificates import api

    api.condemn_key(kid, since, dt.datetime.now(dt.UTC))


app.add_command(region)
app.add_command(authority)
app.add_command(crl)
