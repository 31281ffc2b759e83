"""`chengshu pack new`, `diff`, `schema`, `report` and `mutate`: what whoever writes a pack needs besides check and test."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from chengshu.kernel.problems import Problem
from chengshu.procedure.diff import CHANGED, PARTS, Difference, differences
from chengshu.procedure.files import read_files
from chengshu.procedure.loader import check_folder, load_files
from chengshu.procedure.mutation import SURVIVED, Verdict, mutate
from chengshu.procedure.ports import built_in
from chengshu.procedure.report import coverage_report
from chengshu.procedure.schemas import schema_texts
from chengshu.procedure.starter import starter
from chengshu.site.cli.common import WRONG, print_json

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
LANGUAGE = click.option("--language", type=click.Choice(["zh", "en"]), default="en", show_default=True)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
SCHEMAS = ".schemas"
_ID = re.compile(r"^[a-z0-9][a-z0-9-]{0,49}$")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Write a small working pack with comments into FOLDER, whose name becomes the pack's id.

    Beside it, .schemas/ gets the JSON Schemas that the first line of each file names: editors then complete and check
    while you type (in VS Code by the YAML extension).
    """
    if not _ID.match(folder.name):
        raise Problem(
            "pack-name", f"{folder.name!r} is no name for a pack",
            remedy="use lower case letters, digits and -", exit_code=2,
        )  # fmt: skip
    if folder.exists() and any(folder.iterdir()):
        raise Problem("pack-exists", f"{folder} is not empty", remedy="name another folder", exit_code=2)
    for path, text in starter(folder.name, dt.date.today()).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    _write_schemas(folder.parent / SCHEMAS)
    click.echo(
        f"{folder} is a pack. Change it, then: chengshu pack check {folder} && chengshu pack test {folder}"
    )


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="The folder to write to.")
@click.option("--name", type=click.Choice([name.removesuffix(".json") for name in schema_texts(built_in)]))
def schema(out: Path | None, name: str | None) -> None:
    """Write the JSON Schema of each file of a pack, or show one of them."""
    if name:
        click.echo(schema_texts(built_in)[f"{name}.json"], nl=False)
        return
    if out is None:
        raise click.UsageError("give --out FOLDER, or --name and the schema to show")
    _write_schemas(out)
    click.echo(f"{len(schema_texts(built_in))} schemas are in {out}")


def _write_schemas(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_texts(built_in).items():
        (folder / name).write_text(text, encoding="utf-8")


@click.command()
@click.argument("old", type=FOLDER)
@click.argument("new_", metavar="NEW", type=FOLDER)
@LANGUAGE
@click.option("--texts/--no-texts", default=True, help="Whether to list changed wording too.")
@JSON
def diff(old: Path, new_: Path, language: str, texts: bool, as_json: bool) -> None:
    """Compare two versions of a pack in words: states, steps, terms, fields, articles, parameters, texts."""
    packs = [load_files(read_files(folder)) for folder in (old, new_)]
    found = [item for item in differences(*packs) if texts or item.part != "texts"]
    if as_json:
        print_json([asdict(item) for item in found])
        return
    for part in PARTS:
        _print_part(part, [item for item in found if item.part == part], language)
    if not found:
        click.echo("两个版本没有差别" if language == "zh" else "The two versions do not differ")


def _print_part(part: str, found: Iterable[Difference], language: str) -> None:
    lines = list(found)
    if lines:
        click.echo(PARTS[part][0 if language == "zh" else 1])
    for item in lines:
        sign = {"added": "+", "removed": "-", CHANGED: "~"}[item.change]
        click.echo(f"  {sign} {item.text[language]}")


@click.command()
@click.argument("folder", type=FOLDER)
@LANGUAGE
def report(folder: Path, language: str) -> None:
    """Write the report on the articles as Markdown: what executes each, which are exempt and why."""
    for path in packs_in(folder):
        checked = check_folder(path)
        if checked.pack is None:
            raise checked.faults[0]
        click.echo(coverage_report(checked.pack, checked.coverage, language))


@click.command(name="mutate")
@click.argument("folder", type=FOLDER)
@click.option("--every", type=click.IntRange(1), default=1, help="Try only every n-th element.")
@JSON
def mutate_(folder: Path, every: int, as_json: bool) -> None:
    """Take away each element that cites an article, one at a time: a golden case must fail, or the pack not load."""
    results: dict[Path, list[Verdict]] = {}
    for path in packs_in(folder):
        files = read_files(path)
        results[path] = mutate(load_files(files), files, every=every)
    if as_json:
        print_json({str(path): [_verdict(item) for item in found] for path, found in results.items()})
    else:
        for path, found in results.items():
            _print_verdicts(path, found)
    if any(item.how == SURVIVED for found in results.values() for item in found):
        raise SystemExit(WRONG)


def _verdict(item: Verdict) -> dict[str, object]:
    mutant = item.mutant
    return {"kind": mutant.kind, "key": mutant.key, "line": mutant.line, "how": item.how, "case": item.case}


def _print_verdicts(path: Path, found: list[Verdict]) -> None:
    lived = [item.mutant for item in found if item.how == SURVIVED]
    for mutant in lived:
        click.echo(f"{path}: nobody misses the {mutant.kind} {mutant.key} (line {mutant.line})", err=True)
    click.echo(
        f"{path}: {len(found) - len(lived)} of {len(found)} elements are missed when they are taken away"
    )


def packs_in(folder: Path) -> list[Path]:
    """Return the pack that a folder is, or the packs in it."""
    if (folder / "pack.yaml").exists():
        return [folder]
    found = sorted(path.parent for path in folder.glob("*/pack.yaml"))
    return found or [folder]
