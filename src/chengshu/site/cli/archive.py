"""`chengshu archive`: the packages of closed cases: list, export for the archives office, verify offline."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from types import ModuleType

import click

from chengshu.kernel.information_package import Report
from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import WRONG, print_json, setup_django

JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """E-archives: a closed case becomes a sealed information package, its digest a leaf of the ledger."""


@app.command("list")
@click.option("--pack", default="", help="Of this pack only.")
@click.option("--year", type=int, help="Closed in this year.")
@click.option("--due", is_flag=True, help="Only those whose term of keeping is over.")
@click.option("--failed", is_flag=True, help="Only those that could not be made, with why.")
@click.option(
    "--number", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many at most."
)
@JSON
def list_(pack: str, year: int | None, due: bool, failed: bool, number: int, as_json: bool) -> None:
    """List the packages, newest first; they name nobody."""
    setup_django()
    from chengshu.contexts.hall.api import archive

    rows = archive.ArchivePackage.objects.order_by("-closed_at", "-pk")
    rows = rows.filter(pack=pack) if pack else rows
    rows = rows.filter(closed_at__year=year) if year else rows
    rows = archive.due(rows, dt.datetime.now(dt.UTC)) if due else rows
    found = list((rows.filter(state="failed") if failed else rows)[:number])
    if as_json:
        names = (
            "number",
            "case_id",
            "version",
            "pack",
            "department",
            "closed_at",
            "years",
            "due_on",
            "digest",
            "size",
            "state",
            "error",
        )
        print_json([{name: getattr(row, name) for name in names} for row in found])
        return
    for row in found:
        term = f"{row.years} years, until {row.due_on}" if row.years else "permanent"
        click.echo(
            f"{row.number}  {row.title_zh}  {row.closed_at:%Y-%m-%d}  {term}  {row.state}  {row.error or row.digest[:12]}"
        )
    if not found:
        click.echo("no archives")


@app.command()
@click.argument("number", nargs=-1, required=True)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write to.",
)
@click.option("--as", "username", required=True, help="The operator's account: who hands over.")
@click.option("--reason", required=True, help="To whom and why; on record in the ledger and for the persons.")
def export(number: tuple[str, ...], folder: Path, username: str, reason: str) -> None:
    """Write packages NUMBER… to a folder, to hand them over to the archives office."""
    setup_django()
    from chengshu.contexts.hall.api import archive
    from chengshu.contexts.identity import api as identity

    actor = identity.account_named(username)
    if actor is None:
        raise Problem("account-unknown", "No such account", detail=username, status=404)
    rows = {row.number: row for row in archive.ArchivePackage.objects.filter(number__in=number)}
    if unknown := [each for each in number if each not in rows]:
        raise Problem("archive-unknown", "No such package", detail=", ".join(unknown), status=404)
    folder.mkdir(parents=True, exist_ok=True)
    for row in (rows[each] for each in dict.fromkeys(number)):
        content = archive.hand_over(row, actor, reason, dt.datetime.now(dt.UTC))
        (folder / f"{row.number}.zip").write_bytes(content)
        click.echo(f"{row.number}.zip  {row.digest}")


@app.command("file")
@click.argument("case")
def file_(case: str) -> None:
    """File the closed case CASE now, without waiting for the job to come to it.

    Exit code 1: its package is not made yet, and why; the job tries it again.
    """
    setup_django()
    from chengshu.contexts.hall.api import archive

    row = archive.file_case(case, dt.datetime.now(dt.UTC))
    click.echo(f"{row.number}  {row.digest or 'not made: ' + row.error}")
    sys.exit(0 if row.digest else WRONG)


@app.command()
@click.argument("number", nargs=-1)
def again(number: tuple[str, ...]) -> None:
    """Make packages that could not be made once more: those of NUMBER…, or all of them.

    Exit code 1: one is still not made; `archive list --failed` says why.
    """
    setup_django()
    from chengshu.contexts.hall.api import archive

    rows = archive.ArchivePackage.objects.filter(state="failed")
    if unknown := set(number) - set(rows.values_list("number", flat=True)):
        raise Problem(
            "archive-unknown",
            "No such package, or it was made",
            detail=", ".join(sorted(unknown)),
            status=404,
        )
    rows = rows.filter(number__in=number) if number else rows
    made, missing = archive.make_again(rows, dt.datetime.now(dt.UTC))
    click.echo(f"{made} made, {missing} not")
    sys.exit(WRONG if missing else 0)


@app.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--trust", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True,
    help="A trust list (/verify/trust-list.json): whose seals count. Without one the seal is not verified.",
)  # fmt: skip
@click.option(
    "--digest", default="", help="The digest on the handover list, or in the ledger: the file must have it."
)
@JSON
def verify(file: Path, trust: tuple[Path, ...], digest: str, as_json: bool) -> None:
    """Check the package FILE for the four properties: authentic, whole, usable, safe. Offline, no database.

    Exit code 0: all four hold; 1: one does not, or could not be checked.
    """
    from chengshu.kernel import information_package as packages
    from chengshu.site.cli.certificate import opener

    content = file.read_bytes()
    report = packages.check(content, opener(trust) if trust else None)
    if digest:
        same = packages.digest_of(content) == digest.strip().lower()
        words = (
            ("与登记的摘要一致", "It has the digest on record")
            if same
            else ("与登记的摘要不同", "Its digest is another than on record")
        )
        report.note(packages.AUTHENTIC, same, *words)
    if as_json:
        four = {name: report.of(name) for name in packages.PROPERTIES}
        findings = [
            {"quality": each.quality, "ok": each.ok, "zh": each.zh, "en": each.en} for each in report.findings
        ]
        print_json({"ok": report.ok, "number": report.metadata.get("number"), **four, "findings": findings})
    else:
        _tell(packages, report)
    sys.exit(0 if report.ok else WRONG)


def _tell(packages: ModuleType, report: Report) -> None:
    marks = {True: ("yes", "green"), False: ("NO", "red"), None: ("not checked", "yellow")}
    title = report.metadata.get("title")
    said = title.get("zh", "") if isinstance(title, dict) else ""
    click.echo(packages.printable(f"{report.metadata.get('number', '?')}  {said}"))
    for quality, words in packages.PROPERTIES.items():
        said, colour = marks[report.of(quality)]
        click.secho(f"{words['zh']} {words['en']}: {said}", bold=True, fg=colour)
        for each in report.findings:
            if each.quality == quality:
                click.echo(f"  {'+' if each.ok else '?' if each.ok is None else '-'} {each.en}（{each.zh}）")
