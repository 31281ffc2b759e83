"""`chengshu pack`: check, test, show and load packs; `pack_write` has what writing one needs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped
from chengshu.kernel.strict_yaml import load_yaml
from chengshu.procedure.checker import Coverage
from chengshu.procedure.complement import Complement, check_complement
from chengshu.procedure.diagram import mermaid, mermaid_parts
from chengshu.procedure.drawing import draw
from chengshu.procedure.files import read_files
from chengshu.procedure.golden import Report, run_golden
from chengshu.procedure.loader import Checked, check_folder, load_files
from chengshu.procedure.model import Pack
from chengshu.procedure.parts import Join
from chengshu.procedure.shown import bare_days
from chengshu.procedure.svg import svg
from chengshu.site.cli import pack_write
from chengshu.site.cli.common import WRONG, print_json, setup_django
from chengshu.site.cli.pack_write import packs_in

FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Work with packs: a regulation as a folder of YAML, without code.

    Begin one with `chengshu pack new DIR`, change it, then `pack check DIR`, `pack test DIR`, and `pack load DIR`. DIR is a
    pack, or a folder of packs such as packs/cn.
    """


for _command in (pack_write.new, pack_write.diff, pack_write.report, pack_write.mutate_, pack_write.schema):
    app.add_command(_command)


@app.command()
@FOLDER
@click.option(
    "--elements",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The catalogue's data elements; the demo district's when left out.",
)
@JSON
def check(folder: Path, elements: Path | None, as_json: bool) -> None:
    """Check packs: every error with file, line and what to do; then the article coverage.

    A warning does not keep a pack from loading: golden days whose arithmetic is not shown.
    """
    known = _elements(elements)
    results = {path: check_folder(path, elements=known) for path in packs_in(folder)}
    if as_json:
        print_json({str(path): {**_checked(result), **_warned(path)} for path, result in results.items()})
    else:
        for path, result in results.items():
            _print_checked(path, result)
            _print_warned(path)
    if any(result.faults for result in results.values()):
        raise SystemExit(WRONG)


@app.command()
@FOLDER
@JSON
def test(folder: Path, as_json: bool) -> None:
    """Play the golden cases, and try everything that the steps do not allow.

    Steps, rows, grounds, checks, dated values and ends of terms that no case goes through are errors too; a day that is
    expected without the arithmetic that leads to it (because:) is a warning.
    """
    reports: dict[Path, tuple[Report, Complement]] = {}
    for path in packs_in(folder):
        files = read_files(path)
        pack = load_files(files)
        reports[path] = run_golden(pack, files), check_complement(pack)
    if as_json:
        print_json({str(path): {**_tested(*found), **_warned(path)} for path, found in reports.items()})
    else:
        for path, found in reports.items():
            _print_tested(path, *found)
            _print_warned(path)
    if not all(report.good() and not rest.let_through for report, rest in reports.values()):
        raise SystemExit(WRONG)


@app.command()
@FOLDER
@click.option("--language", type=click.Choice(["zh", "en"]), default="en", show_default=True)
@click.option("--mermaid", "only_diagram", is_flag=True, help="Only the diagram, as Mermaid text.")
@click.option(
    "--svg", "svg_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the diagram as SVG."
)
def show(folder: Path, language: str, only_diagram: bool, svg_file: Path | None) -> None:
    """Show a pack: its states, steps, terms and grounds, and a diagram (Mermaid here, SVG into a file)."""
    for path in packs_in(folder):
        pack = load_files(read_files(path))
        if svg_file is not None:
            svg_file.write_text(svg(draw(pack, language)), encoding="utf-8")
            continue
        if not only_diagram:
            _print_pack(pack, language)
        click.echo(mermaid(pack, language))
        if pack.parts is not None:
            click.echo(mermaid_parts(pack, language))


@app.command()
@FOLDER
def load(folder: Path) -> None:
    """Load packs into the district: new cases use them, running cases keep the version they were opened under."""
    setup_django()
    from chengshu.contexts.cases import api as cases

    for path in packs_in(folder):
        report = run_golden(load_files(read_files(path)), read_files(path))
        if not report.good():
            raise Problem(
                "pack-untested",
                "Its golden cases do not hold: the pack is not loaded",
                detail=str(path),
                remedy=f"run chengshu pack test {path}",
                exit_code=WRONG,
            )
        row = cases.load_pack_version(path, dt.datetime.now(dt.UTC))
        click.echo(f"{row.pack} {row.version} {row.hash[:16]} is loaded")


def _elements(path: Path | None) -> frozenset[str] | None:
    path = path or shipped("districts", "baoan", "catalogue", "elements.yaml")
    if not path.exists():
        return None
    found = load_yaml(path)
    listed = found.get("elements", found) if isinstance(found, dict) else found
    return frozenset(item["code"] for item in listed) if isinstance(listed, list) else frozenset(listed)


def _checked(result: Checked) -> dict[str, Any]:
    pack = result.pack
    return {
        "ok": pack is not None,
        "id": pack.id if pack else None,
        "hash": pack.hash if pack else None,
        "faults": [fault.to_dict() for fault in result.faults],
        "coverage": _covered(result.coverage),
    }


def _warned(path: Path) -> dict[str, Any]:
    return {"warnings": [warning.to_dict() for warning in _warnings(path)]}


def _print_warned(path: Path) -> None:
    for warning in _warnings(path):
        click.echo(f"warning: {warning}", err=True)


def _warnings(path: Path) -> list[Problem]:
    """Return what is not as it should be, though it loads; of a folder that is no pack the faults say enough."""
    try:
        return bare_days(read_files(path))
    except Problem:
        return []


def _covered(coverage: Coverage) -> dict[str, Any]:
    return {
        "share": coverage.share(),
        "executed": {key: list(by) for key, by in coverage.executed.items()},
        "exempt": dict(coverage.exempt),
        "informative": list(coverage.informative),
        "missing": list(coverage.missing),
    }


def _print_checked(path: Path, result: Checked) -> None:
    for fault in result.faults:
        click.echo(str(fault), err=True)
    if result.pack is None:
        click.echo(f"{path}: {len(result.faults)} fault(s); the pack does not load", err=True)
        return
    coverage = result.coverage
    click.echo(f"{path}: {result.pack.id} {result.pack.version} is sound, hash {result.pack.hash[:16]}")
    click.echo(
        f"  articles: {len(coverage.executed)} executed, {len(coverage.exempt)} exempt, "
        f"{len(coverage.informative)} informative; coverage {coverage.share():.0%}"
    )
    for key, why in coverage.exempt.items():
        click.echo(f"  exempt {key}: {why}")


def _tested(report: Report, rest: Complement) -> dict[str, Any]:
    return {
        "ok": report.good() and not rest.let_through,
        "refused": rest.refused,
        "let_through": list(rest.let_through),
        "cases": [
            {"name": case.name, "file": case.file, "differences": case.differences} for case in report.played
        ],
        "untouched": list(report.untouched),
        "faults": [fault.to_dict() for fault in report.faults],
    }


def _print_tested(path: Path, report: Report, rest: Complement) -> None:
    failed = [case for case in report.played if case.differences]
    for fault in report.faults:
        click.echo(str(fault), err=True)
    for case in failed:
        click.echo(f"{case.file}: {case.name}", err=True)
        for difference in case.differences:
            click.echo(f"  {difference}", err=True)
    for mark in report.untouched:
        click.echo(f"{path}: no golden case goes through: {mark}", err=True)
    for text in rest.let_through:
        click.echo(f"{path}: not refused: {text}", err=True)
    click.echo(
        f"{path}: {len(report.played) - len(failed)} of {len(report.played)} golden cases hold; "
        f"{rest.refused - len(rest.let_through)} of {rest.refused} steps that nothing allows are refused"
    )


def _print_pack(pack: Pack, language: str) -> None:
    click.echo(f"{pack.title(language)}  {pack.id} {pack.version}  {pack.hash[:16]}")
    for instrument in pack.basis.values():
        click.echo(f"  rests on {instrument.title} ({instrument.issuer}, {instrument.date})")
    for step in pack.transitions:
        target = pack.text(f"states.{step.target}", language) if step.target else "="
        sources = ", ".join(pack.text(f"states.{name}", language) for name in step.sources)
        name = pack.text(f"commands.{step.command}", language)
        click.echo(
            f"  {name}: {sources} → {target}  by {', '.join(sorted(step.by))}  [{', '.join(step.cite)}]"
        )
    for item in pack.deadlines.values():
        click.echo(
            f"  {pack.text(f'terms.{item.id}', language)}: {item.words(language)}  [{', '.join(item.cite)}]"
        )
    for part in pack.parts or ():
        kind, waits = ("join", part.parts) if isinstance(part, Join) else ("part", part.after)
        after = f" after {', '.join(waits)}" if waits else ""
        title = pack.text(f"{kind}s.{part.id}.title", language)
        click.echo(
            f"  {kind} {title}: {part.pack}{after}, done in {', '.join(part.done)}  [{', '.join(part.cite)}]"
        )
    click.echo("")
