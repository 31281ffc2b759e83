"""`chengshu oidc`: the systems that sign people in through Chengshu, the keys, the outside providers."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import print_json, setup_django


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Register systems that sign people in here (OpenID Connect), change keys, look at outside providers.

    First: `chengshu oidc client add "区图书馆" --purpose 借书 --redirect https://library.example/back --scope profile`.
    """


@app.group()
def client() -> None:
    """Systems that sign people in through Chengshu."""


@client.command("add")
@click.argument("name")
@click.option("--purpose", required=True, help="One sentence for the consent page.")
@click.option(
    "--redirect",
    "redirects",
    multiple=True,
    required=True,
    help="Address that answers go to; again for more.",
)
@click.option("--after-logout", "after", multiple=True, help="Address to go to after signing out.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="profile, phone, department, role, offline_access; again for more.",
)
@click.option("--name-en", default="", help="The name on English pages.")
@click.option("--contact", default="", help="Whom to ask.")
@click.option("--public", is_flag=True, help="An app or a page that cannot keep a secret.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def add(
    name: str,
    purpose: str,
    redirects: tuple[str, ...],
    after: tuple[str, ...],
    scopes: tuple[str, ...],
    name_en: str,
    contact: str,
    public: bool,
    as_json: bool,
) -> None:
    """Register the system NAME; its secret is printed once."""
    setup_django()
    from chengshu.interfaces.oidc import store

    made = store.add_system(
        name,
        purpose=purpose,
        redirect_uris=redirects,
        post_logout_redirect_uris=after,
        scopes=scopes,
        name_en=name_en,
        contact=contact,
        public=public,
        actor=None,
        now=datetime.now(UTC),
    )
    said = {"issuer": store.issuer(), "client_id": made.system.client_id, "client_secret": made.secret}
    if as_json:
        print_json(said)
    else:
        click.echo("\n".join(f"{key}: {value}" for key, value in said.items() if value))


@client.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def list_clients(as_json: bool) -> None:
    """List the systems."""
    setup_django()
    from chengshu.interfaces.oidc import store

    rows = [
        {
            "client_id": each.client_id,
            "name": each.name,
            "scopes": each.scopes,
            "redirects": each.redirect_uris.split(),
            "ended_at": each.ended_at.isoformat() if each.ended_at else None,
        }
        for each in store.systems()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        ended = f"  ended {row['ended_at'][:10]}" if row["ended_at"] else ""
        click.echo(f"{row['client_id']}  {row['name']}  {' '.join(row['scopes'])}{ended}")


@client.command()
@click.argument("client_id")
def remove(client_id: str) -> None:
    """End the system CLIENT_ID: its tokens are void at once; what it did stays on record."""
    setup_django()
    from chengshu.interfaces.oidc import store

    found = store.system_named(client_id)
    if found is None:
        raise Problem(
            "system-unknown", "There is no such system", detail=client_id, remedy="chengshu oidc client list"
        )
    store.end_system(found, None, datetime.now(UTC))
    click.echo(f"{found.name}: ended")


@app.command()
@click.option("--rotate", is_flag=True, help="Make a new key: published now, signing in an hour.")
def keys(rotate: bool) -> None:
    """List the keys that verify identity tokens."""
    setup_django()
    from chengshu.interfaces.oidc import keys as store

    now = datetime.now(UTC)
    if rotate:
        store.make_key(now)
    signing = store.signing_key(now).thumbprint()
    for key in store.published_keys(now):
        click.echo(f"{key['kid']}{'  signs' if key['kid'] == signing else ''}")
