"""`chengshu bench`: run a benchmark beside its peers. The benchmarks live in a checkout, in ``benchmarks/``."""

from __future__ import annotations

import importlib.util
import os
import platform
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped
from chengshu.site.cli.common import NOT_RUN, print_json


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", required=False)
@click.option("--small", is_flag=True, help="A size that ends in a minute, to see that it runs.")
@click.option(
    "--shared",
    type=click.Path(path_type=Path),
    help="Folder with measured data [CHENGSHU_SHARED, ../shared].",
)
@click.option("--json", "as_json", is_flag=True, help="Write the rows as JSON.")
@click.option("--report", type=click.Path(path_type=Path), help="Also write the rows as Markdown tables.")
@click.option("--list", "only_list", is_flag=True, help="Name the benchmarks and stop.")
def app(
    name: str | None, small: bool, shared: Path | None, as_json: bool, report: Path | None, only_list: bool
) -> None:
    """Measure Chengshu beside its peers, in one run, as ratios.

    NAME is one benchmark; without it all run, one after the other. A benchmark whose data is not here prints
    NOT RUN; if that is so for any, the exit code is 3.
    """
    modules = find(name)
    if only_list:
        for module in modules:
            click.echo(f"{Path(module.__file__ or '').stem}: {module.NAME}")
        return
    shared = shared or default_shared()
    results = {stem(module): run_one(module, small, shared, as_json) for module in modules}
    if as_json:
        print_json(results)
    if report:
        report.write_text(
            markdown({module.NAME: results[stem(module)] for module in modules}, small), "utf-8"
        )
    if any(result.get("not_run") for result in results.values()):
        raise SystemExit(NOT_RUN)


def stem(module: ModuleType) -> str:
    """Return the name that a benchmark is called by."""
    return Path(module.__file__ or "").stem


def markdown(results: dict[str, dict[str, Any]], small: bool) -> str:
    """Return the report page: what, ours, the peer's in the same run, the ratio and the goal."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    size = "small sizes" if small else "full sizes"
    parts = [
        f"Run on {date.today()}: {machine}, {size}. Each peer ran in the same run; compare ratios, not seconds.\n"
    ]
    for title, result in results.items():
        parts.append(f"\n## {title}\n")
        if result.get("not_run"):
            parts.append(f"NOT RUN: {result['not_run']}\n")
        elif rows := result.get("rows"):
            parts.append("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
            cells = ("ours", "peer", "ratio", "goal")
            parts += [
                f"| {row['what']} | "
                + " | ".join(show(row.get(c)) if row.get(c) is not None else "–" for c in cells)
                + " |"
                for row in rows
            ]
    return "\n".join(parts) + "\n"


def find(name: str | None) -> list[ModuleType]:
    """Load the benchmark ``name``, or all of them by name."""
    folder = shipped("benchmarks")
    paths = sorted(path for path in folder.glob("*.py") if not path.stem.startswith("_"))
    if not paths:
        raise Problem(
            "no-benchmarks",
            "The benchmarks are not part of the wheel",
            remedy="run chengshu bench from a checkout after make setup-bench",
            exit_code=NOT_RUN,
        )
    chosen = [path for path in paths if name in (None, path.stem)]
    if not chosen:
        names = ", ".join(path.stem for path in paths)
        raise Problem("unknown-benchmark", f"There is no benchmark {name}", remedy=f"choose one of: {names}")
    return [load(path) for path in chosen]


def load(path: Path) -> ModuleType:
    """Import one benchmark file."""
    spec = importlib.util.spec_from_file_location(f"chengshu_benchmark_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise Problem("unreadable-benchmark", f"{path.name} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def default_shared() -> Path | None:
    """Return the folder of measured data, if it is there."""
    folder = Path(os.environ.get("CHENGSHU_SHARED") or shipped("..", "shared"))
    return folder.resolve() if folder.is_dir() else None


def run_one(module: ModuleType, small: bool, shared: Path | None, quiet: bool) -> dict[str, Any]:
    """Run one benchmark and print its rows."""
    result: dict[str, Any] = module.run(small=small, shared=shared)
    if quiet:
        return result
    click.secho(f"\n{module.NAME}", bold=True)
    if result.get("not_run"):
        click.echo(f"  NOT RUN: {result['not_run']}")
    for row in result.get("rows", []):
        click.echo(format_row(row))
    return result


def format_row(row: dict[str, Any]) -> str:
    """Return one line: what, ours, the peer's, the ratio and the goal."""
    parts = [f"  {row['what']:<58}", f"ours {show(row.get('ours'))}"]
    if row.get("peer") is not None:
        parts.append(f"peer {show(row['peer'])}")
    if row.get("ratio") is not None:
        parts.append(f"ratio {show(row['ratio'])}")
    if row.get("goal") is not None:
        parts.append(f"goal {row['goal']}")
    return "  ".join(parts)


def show(value: Any) -> str:
    """Format a figure with three or four significant digits."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)
