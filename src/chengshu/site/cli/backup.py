"""`chengshu backup`, `chengshu restore` and `chengshu upgrade`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from chengshu.site.cli.common import print_json, setup_django
from chengshu.site.paths import var_dir

HELP = {"help_option_names": ["-h", "--help"]}


@click.command(context_settings=HELP)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write the manifest as JSON.")
def backup_app(target: Path, as_json: bool) -> None:
    """Save database, snapshots, files, ledger and keys to TARGET (a .tar file) at one checkpoint.

    May run while the district is served. The archive holds the private keys: keep it as you keep them.
    """
    setup_django()
    from chengshu.site.backup import back_up

    manifest = back_up(var_dir(), target)
    if as_json:
        print_json(manifest)
    else:
        click.echo(f"Saved {manifest['files']} files, ledger at {manifest['tree_size']} entries, to {target}")


@click.command(context_settings=HELP)
@click.argument("archive", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Write the manifest as JSON.")
def restore_app(archive: Path, as_json: bool) -> None:
    """Restore ARCHIVE into an empty var/ (CHENGSHU_VAR) and check every digest.

    Afterwards `chengshu ledger verify --against CHECKPOINT`, with a checkpoint kept outside, shows whether
    anything that was acknowledged after the backup is missing.
    """
    from chengshu.site.backup import restore

    manifest = restore(archive, var_dir())
    if as_json:
        print_json(manifest)
    else:
        click.echo(
            f"Restored {manifest['files']} files to {var_dir()}; ledger at {manifest['tree_size']} entries."
        )
        click.echo("Next: chengshu ledger verify, then chengshu serve")


@click.command(context_settings=HELP)
@click.option("--json", "as_json", is_flag=True, help="Write the steps as JSON.")
def upgrade_app(as_json: bool) -> None:
    """Bring the database to this program's schema. Make a backup first; a killed upgrade can be run again."""
    setup_django()
    from chengshu.site.schema import create_or_upgrade

    applied = create_or_upgrade()
    from chengshu.contexts.cases import api as cases

    # Regulations that came with this program; newer versions of those that run are loaded by name: pack load.
    packs = cases.load_missing(datetime.now(UTC))
    if as_json:
        print_json({"applied": applied, "packs": packs})
    else:
        click.echo(f"Applied {len(applied)} schema steps." if applied else "The schema is current.")
        if packs:
            click.echo(f"New packs: {', '.join(packs)}")
