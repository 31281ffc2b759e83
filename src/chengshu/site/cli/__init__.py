"""The command line ``chengshu``: each group of commands is a module, loaded only when it is called."""

from __future__ import annotations

import importlib
import sys

import click

from chengshu import __version__
from chengshu.kernel.problems import Problem

# name → (module, attribute, one line of help). Modules load on use: `chengshu address` never imports Django.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("chengshu.site.cli.demo", "app", "Build the demo district Bao'an and serve it."),
    "init": (
        "chengshu.site.cli.init",
        "app",
        "Set up a real district: divisions, cells, staff, first administrator.",
    ),
    "serve": ("chengshu.site.cli.serve", "app", "Run the web pages, the jobs and the clocks."),
    "build": (
        "chengshu.site.cli.build",
        "app",
        "Run a build: departments' tables in, one linked and placed base out.",
    ),
    "source": ("chengshu.site.cli.source", "app", "Halt and resume the tables that forms are filled from."),
    "address": ("chengshu.site.cli.address", "app", "Parse addresses and match them to a library."),
    "link": ("chengshu.site.cli.link", "app", "Link or deduplicate any two tables."),
    "pack": ("chengshu.site.cli.pack", "app", "Check, test, show and load packs."),
    "case": ("chengshu.site.cli.case", "app", "Open, list, show, work and migrate cases."),
    "calendar": ("chengshu.site.cli.calendar", "app", "Load the official holidays of a year; list them."),
    "certificate": (
        "chengshu.site.cli.certificate",
        "app",
        "Verify a certificate or credential offline; the trust list; keys.",
    ),
    "archive": (
        "chengshu.site.cli.archive",
        "app",
        "E-archives of closed cases: list, export, verify offline.",
    ),
    "items": ("chengshu.site.cli.items", "app", "Load and check service items; list them."),
    "search": (
        "chengshu.site.cli.search",
        "app",
        "Find items in everyday words, pinyin, with typing errors.",
    ),
    "code": ("chengshu.site.cli.code", "app", "Read citizen codes offline; enrol and revoke devices."),
    "register": ("chengshu.site.cli.register", "app", "Search and export the public registers."),
    "ledger": (
        "chengshu.site.cli.ledger",
        "app",
        "Verify the ledger, prove an entry, show or sign a checkpoint.",
    ),
    "staff": ("chengshu.site.cli.staff", "app", "Import staff, post them to cells, set substitutes."),
    "oidc": (
        "chengshu.site.cli.oidc",
        "app",
        "Systems that sign people in through Chengshu; their keys; outside providers.",
    ),
    "backup": (
        "chengshu.site.cli.backup",
        "backup_app",
        "Save database, snapshots, files and keys at one checkpoint.",
    ),
    "restore": (
        "chengshu.site.cli.backup",
        "restore_app",
        "Restore a backup into an empty folder and verify it.",
    ),
    "upgrade": ("chengshu.site.cli.backup", "upgrade_app", "Bring the database to this program's schema."),
    "simulate": (
        "chengshu.site.cli.simulate",
        "app",
        "Live a year in minutes, everything checked every night.",
    ),
    "bench": ("chengshu.site.cli.bench", "app", "Run a benchmark beside its peers (from a checkout)."),
}


class Group(click.Group):
    """A click group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command's module and return it."""
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chengshu")
def root() -> None:
    """Chengshu (城枢), the open city hub.

    Start with `chengshu demo`: it builds the demo district Bao'an and prints where to look and how to sign in.

    Exit codes: 0 done; 1 the work found something wrong (a refused pack, a broken ledger); 2 a wrong call or
    input; 3 not run, because something it needs is not here.
    """


def main() -> None:
    """Run the command line; a ``Problem`` prints as one line with its remedy and exits with 2."""
    try:
        root()
    except Problem as problem:
        click.echo(f"chengshu: {problem}", err=True)
        sys.exit(int(problem.extra.get("exit_code", 2)))
