"""`chengshu ledger`: verify, prove, show or sign a checkpoint, rotate the key, export, run a witness."""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path
from typing import Any

import click

from chengshu.kernel.problems import Problem, Where
from chengshu.site.cli.common import NOT_RUN, WRONG, print_json, setup_django

_VAR = click.option(
    "--var",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the district, instead of CHENGSHU_VAR or ./var.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON value instead of text.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Verify the ledger, prove an entry, show or sign a checkpoint.

    Every act stands in a Merkle log (RFC 6962). Keep a copy of a checkpoint somewhere else now and then
    (`chengshu ledger checkpoint > head.txt`): with it, `chengshu ledger verify --against head.txt` finds a
    rewritten or shortened log even if this host and its key were in wrong hands.
    """


@app.command()
@_VAR
@_JSON
@click.option(
    "--against",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="A checkpoint kept elsewhere, or a witness's folder. May be given several times.",
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Verify an export by its files alone, without any database.",
)
@click.option(
    "--processes", type=click.IntRange(1, 64), help="Processes to use; by default one for each core."
)
def verify(
    var: Path | None, as_json: bool, against: tuple[Path, ...], files: Path | None, processes: int | None
) -> None:
    """Verify every entry, offline; names each row that was changed, removed, moved or cut off.

    Exit code 0: the ledger holds; 1: something is wrong; 3: there is no ledger yet.
    """
    _use(var)
    from chengshu.contexts.ledger import api

    bar = _bar(as_json)
    if files is not None:
        report = api.verify_files(files, against=against, processes=processes, progress=bar)
    else:
        report = _or_not_run(lambda: api.verify(against=against, processes=processes, progress=bar))
    if as_json:
        print_json(report.to_dict())
    else:
        _print_report(report)
    sys.exit(0 if report.ok else WRONG)


@app.command()
@click.argument("leaf", type=int)
@_VAR
@_JSON
def prove(leaf: int, var: Path | None, as_json: bool) -> None:
    """Print the proof that entry LEAF stands in the log: a C2SP tlog-proof, or JSON.

    What is printed verifies with any tool that knows the format and the log's key.
    """
    _use(var)
    from chengshu.contexts.ledger import api

    receipt = api.receipt(leaf)
    if receipt is None:
        known = api.entry(leaf)
        title = "This entry waits for its position" if known else "There is no entry with this id"
        raise Problem(
            "ledger-no-proof",
            title,
            detail=str(leaf),
            remedy="chengshu ledger checkpoint --sign numbers what waits",
        )
    if as_json:
        print_json(receipt.to_dict())
    else:
        click.echo(receipt.as_text(), nl=False)


@app.command()
@_VAR
@_JSON
@click.option("--sign", is_flag=True, help="First number what waits and sign a new checkpoint.")
def checkpoint(var: Path | None, as_json: bool, sign: bool) -> None:
    """Print the newest signed checkpoint. Keep copies elsewhere: they are what a rewritten log fails
    against.
    """
    _use(var)
    from chengshu.contexts.ledger import api

    if sign:
        api.sequence(dt.datetime.now(dt.UTC), takeover=True)
    note = api.checkpoint()
    if note is None:
        click.echo("chengshu: there is no checkpoint yet; it comes with the first act", err=True)
        sys.exit(NOT_RUN)
    if as_json:
        print_json({**api.status(), "note": note, "keys": api.log_keys()})
    else:
        click.echo(note, nl=False)


@app.command("rotate-key")
@_VAR
@_JSON
@click.confirmation_option(prompt="Announce a new signing key in the log and use it from now on?")
def rotate_key(var: Path | None, as_json: bool) -> None:
    """Announce a new signing key in the log itself and use it from then on. Old keys keep verifying."""
    _use(var)
    from chengshu.contexts.ledger import api

    now = dt.datetime.now(dt.UTC)
    api.sequence(now, takeover=True)
    verifier, position = api.rotate_key(now)
    api.sequence(now, takeover=True)
    if as_json:
        print_json({"verifier": verifier, "announced_at": position})
    else:
        click.echo(f"New key {verifier}, announced by row {position}.")


@app.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_VAR
@_JSON
def export(folder: Path, var: Path | None, as_json: bool) -> None:
    """Copy the log (checkpoint, keys, tiles) to FOLDER, for anyone to verify.

    It holds salted digests and opaque references, no personal data. `chengshu ledger verify --files FOLDER`
    verifies it, and so does any tool for C2SP tlog-tiles.
    """
    _use(var)
    from chengshu.contexts.ledger import api

    size = _or_not_run(lambda: api.export(folder))
    if as_json:
        print_json({"folder": str(folder), "leaves": size})
    else:
        click.echo(f"{size} leaves in {folder}")


@app.command()
@_VAR
@_JSON
def repair(var: Path | None, as_json: bool) -> None:
    """Write lost or damaged tiles again from the database; refuses where they would not give the signed
    root.
    """
    _use(var)
    from chengshu.contexts.ledger import api

    size = api.repair(dt.datetime.now(dt.UTC))
    if as_json:
        print_json({"leaves": size})
    else:
        click.echo(f"Tiles of {size} leaves written.")


@app.command("add-witness")
@click.argument("url")
@click.option("--key", help="The witness's verifier key, from its operator; else it is taken from URL now.")
@_VAR
@_JSON
def add_witness(url: str, key: str | None, var: Path | None, as_json: bool) -> None:
    """Have checkpoints cosigned by the witness at URL from now on."""
    _use(var)
    from chengshu.contexts.ledger import api

    known = api.add_witness(url, key)
    if as_json:
        print_json({"url": known.url, "verifier": str(known.verifier)})
    else:
        click.echo(f"Pinned {known.verifier}")


@app.command()
@click.option(
    "--dir",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the witness's key and memory. Not the district's folder, best another machine.",
)
@click.option(
    "--port", default=8790, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--name", default="", help="Name of the witness in its signatures; made up at first start.")
@click.option(
    "--log-key", multiple=True, help="A verifier key of the log (`chengshu ledger checkpoint --json`)."
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The log's keys.txt, instead of --log-key; waited for when it is not there yet.",
)
@click.option(
    "--suite",
    type=click.Choice(["sha256", "sm3"]),
    default="sha256",
    show_default=True,
    help="Hash suite of the log.",
)
def witness(
    folder: Path, port: int, host: str, name: str, log_key: tuple[str, ...], log: Path | None, suite: str
) -> None:
    """Run a cosigning witness: it signs only what continues what it has signed before.

    Prints its address and verifier key on one line, then serves until Ctrl-C. Needs no database.
    """
    from chengshu.contexts.ledger.witness import Witness, serve
    from chengshu.kernel.merkle import SUITES
    from chengshu.kernel.signed_note import parse_verifier

    keys = tuple(parse_verifier(text) for text in log_key)
    if not keys and log is None and not (folder / "log-keys.txt").exists():
        raise Problem(
            "witness-no-log", "The witness must know the log's key", remedy="give --log-key or --log"
        )
    made = Witness(folder, name=name, log_keys=keys, log_file=log, suite=SUITES[suite])
    server = serve(made, port, host)
    address = f"http://{host}:{server.server_address[1]}"
    click.echo(f"{address} {(folder / 'witness.pub').read_text(encoding='utf-8').strip()}")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _use(var: Path | None) -> None:
    if var is not None:
        if not (var / "chengshu.sqlite3").exists() and not os.environ.get("DATABASE_URL"):
            raise Problem(
                "folder-not-a-district", "This folder holds no district", where=Where(file=str(var))
            )
        os.environ["CHENGSHU_VAR"] = str(var.resolve())
    setup_django()


def _or_not_run(work: Any) -> Any:
    try:
        return work()
    except Problem as problem:
        if problem.code != "ledger-empty":
            raise
        click.echo(f"chengshu: {problem}", err=True)
        sys.exit(NOT_RUN)


def _bar(quiet: bool) -> Any:
    """Return a function that counts leaves on the error output of a terminal, or ``None``."""
    if quiet or not sys.stderr.isatty():
        return None
    done = 0

    def count(leaves: int) -> None:
        nonlocal done
        done += leaves
        click.echo(f"\r{done:,} leaves", nl=False, err=True)

    return count


def _print_report(report: Any) -> None:
    for line in report.trust:
        click.echo(f"  {line}")
    if report.unpositioned:
        click.echo(f"  {report.unpositioned} entries wait for their position")
    for finding in report.findings:
        about = f" [{finding.kind} {finding.reference}, id {finding.leaf_id}]" if finding.kind else ""
        click.echo(f"✗ {finding.code}: {finding.text}{about}")
    speed = report.size / max(report.seconds, 1e-9)
    verdict = "The ledger holds" if report.ok else f"The ledger is BROKEN: {len(report.findings)} findings"
    click.echo(
        f"{verdict}: {report.size} leaves, root {report.root[:16]}…, {report.seconds:.2f} s ({speed:,.0f}/s)"
    )
