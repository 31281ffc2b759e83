"""`chengshu build`: departments' tables in, one linked and placed base out."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import BAD_CALL, DONE, WRONG, print_json, setup_django

if TYPE_CHECKING:
    from chengshu.batch.declarations import Declarations
    from chengshu.batch.pipeline.place import Ground

_HELP = {"help_option_names": ["-h", "--help"]}
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings=_HELP)
@click.option(
    "--sources", "folder", type=_FOLDER, help="Folder with the departments' files (CSV, XLSX, Parquet)."
)
@click.option(
    "--declarations", type=_FOLDER, help="Folder of declarations; by default those in the sources' folder."
)
@click.option("--library", type=_FILE, help="Address library (Parquet); by default the district's own.")
@click.option("--home", help="Division code of the district that short addresses mean, such as 440306.")
@click.option(
    "--draft", "drafting", is_flag=True, help="Write a first declaration for each undeclared file, then stop."
)
@click.option(
    "--resubmit",
    multiple=True,
    type=_FILE,
    help="A refused-rows file, mended: its rows go in with the build.",
)
@click.option(
    "--accept-shrink",
    multiple=True,
    metavar="SOURCE",
    help="Accept that SOURCE lost more than half its rows.",
)
@click.option(
    "--withdraw", multiple=True, metavar="SOURCE", help="Take SOURCE's rows out: its file was withdrawn."
)
@click.option("--full", is_flag=True, help="Work on everything anew; the result must be the same.")
@click.option(
    "--dry-run", is_flag=True, help="Stop before publishing; show what would be taken in and refused."
)
@click.option("--no-cases", is_flag=True, help="Publish without opening verification cases.")
@click.option("--steps", is_flag=True, help="Print the steps of a build and stop.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
def app(folder: Path | None, steps: bool, drafting: bool, as_json: bool, **options: Any) -> None:
    """Run a build: take in, standardise, place, link, fuse, check, publish, open verification cases.

    Put each department's files into DIR/<department>/ and a declaration of each (source, key, columns → data
    elements) into DIR as YAML; `chengshu build --sources DIR --draft` writes a first one from the headers. What did
    not change since the last build is not worked on again; a build that was killed goes on where it was.

    \b
    Exit codes: 0 published, or nothing to do; 1 stopped for you to decide (a source shrank by half);
    2 wrong call or input.
    """
    if steps:
        _print_steps(as_json)
        return
    if folder is None:
        raise click.UsageError("say where the departments' files are: --sources DIR")
    if drafting:
        _draft(folder, as_json)
        return
    try:
        run = _build(folder, as_json, options)
    except Problem as problem:
        if as_json:
            print_json({"state": "stopped", "problem": problem.to_dict()})
            sys.exit(int(problem.extra.get("exit_code", BAD_CALL)))
        raise
    _report(run, as_json)
    sys.exit(DONE if run.state in ("published", "unchanged") else WRONG)


def _print_steps(as_json: bool) -> None:
    from chengshu.batch.pipeline.run import STEPS

    if as_json:
        print_json([{"step": name, "does": text} for name, text in STEPS])
        return
    for number, (name, text) in enumerate(STEPS, 1):
        click.echo(f"{number:2}. {name:12} {text}")


def _draft(folder: Path, as_json: bool) -> None:
    from chengshu.batch.pipeline.draft import draft, undeclared

    declared = _declarations(folder, None, needed=False)
    drafts = [
        draft(path, folder, folder / "sources") for path in undeclared(folder, declared.sources.values())
    ]
    written = []
    for item in drafts:
        if not item.path.exists():
            item.path.parent.mkdir(parents=True, exist_ok=True)
            item.path.write_text(item.text, encoding="utf-8")
            written.append(item)
    if as_json:
        print_json([{"path": str(item.path), "kind": item.kind} for item in written])
        return
    for item in written:
        click.echo(f"drafted {item.path} ({item.kind})")
    click.echo(
        "Read and correct the drafts, then run: chengshu build --sources " + str(folder)
        if written
        else "Nothing to draft."
    )


def _declarations(folder: Path, given: Path | None, *, needed: bool = True) -> Declarations:
    """Find the declarations: given, in the sources' folder, of the installed district, of the demo district."""
    from chengshu.batch.declarations import Declarations, load_declarations
    from chengshu.kernel.resources import shipped
    from chengshu.site.paths import var_dir

    if given:
        return load_declarations(given)
    for place in (folder / "sources", folder, var_dir() / "district" / "sources"):
        if place.is_dir() and any(place.rglob("*.yaml")):
            return load_declarations(place)
    if (var_dir() / "demo").exists():
        return load_declarations(shipped("districts", "baoan", "sources"))
    if not needed:
        return Declarations({}, {})
    raise Problem(
        "nothing-declared",
        "No file in the folder is declared",
        detail=str(folder),
        remedy=f"run chengshu build --sources {folder} --draft, read what it wrote, and build again",
    )


def ground(folder: Path, library: Path | None, home: str | None) -> Ground:
    """Find what records are placed on: the library given, beside the sources, or of the district; and its cells."""
    from chengshu.batch.pipeline.place import Ground
    from chengshu.contexts.places import api as places
    from chengshu.site.paths import var_dir

    candidates = (
        library,
        folder / "library" / "library.parquet",
        var_dir() / "libraries" / "district.parquet",
    )
    found = next((path for path in candidates if path and path.is_file()), None)
    index = places.cell_index() if hasattr(places, "cell_index") else None
    return Ground(found, home or _home(), index)


def _home() -> str | None:
    from django.conf import settings

    code = (getattr(settings, "DISTRICT", None) or {}).get("code")
    return str(code) if code else None


def _build(folder: Path, as_json: bool, options: dict[str, Any]) -> Any:
    declared = _declarations(folder, options["declarations"])
    setup_django()
    from chengshu.contexts.subjects import api as subjects
    from chengshu.site import schema

    if not schema.applied_migrations():
        from chengshu.contexts.cases import api as cases

        schema.create_or_upgrade()
        cases.load_shipped(dt.datetime.now(dt.UTC))
    schema.require_current_schema()
    for path in options["resubmit"]:
        count = subjects.resubmit(path)
        if not as_json:
            click.echo(f"{path}: {count} mended rows will go in", err=True)
    order = subjects.Order(
        declarations=declared,
        folder=folder,
        ground=ground(folder, options["library"], options["home"]),
        full=options["full"],
        dry_run=options["dry_run"],
        accept_shrink=frozenset(options["accept_shrink"]),
        withdraw=frozenset(options["withdraw"]),
        open_cases=not options["no_cases"],
    )
    with Bar(not as_json) as bar:
        return subjects.run_build(order, now=lambda: dt.datetime.now(dt.UTC), progress=bar)


class Bar:
    """One line that shows the step and how far it is; silent for machines and where nobody watches."""

    def __init__(self, wanted: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description:18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console, disable=not (wanted and console.is_terminal), transient=False,
        )  # fmt: skip
        self.task: Any = None
        self.step = ""

    def __enter__(self) -> Bar:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self.progress.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` of a step is done."""
        if step != self.step:
            self._close()
            self.step, self.task = step, self.progress.add_task(step, total=max(total, 1))
        self.progress.update(self.task, completed=done, total=max(total, 1))

    def _close(self) -> None:
        if self.task is not None:
            total = self.progress.tasks[-1].total
            self.progress.update(self.task, completed=total)


def _report(run: Any, as_json: bool) -> None:
    facts = run.facts
    if as_json:
        print_json({
            "run": run.run_id, "state": run.state, "rows": run.rows, "accepted": run.accepted,
            "refused": run.refused, "facts": {name: value for name, value in facts.items() if name != "keys"},
        })  # fmt: skip
        return
    words = {
        "published": "published",
        "unchanged": "nothing to publish" if not facts.get("dry_run") else "dry run",
    }
    click.echo(f"Run {run.run_id}: {words.get(run.state, run.state)}")
    click.echo(f"  rows       {run.rows:>10,}  accepted {run.accepted:,}, refused {run.refused:,}")
    addresses = facts.get("addresses", {})
    click.echo(f"  addresses  {addresses.get('texts', 0):>10,}  placed {addresses.get('placed', 0):,}")
    for kind, number in sorted(facts.get("subjects", {}).items()):
        conflicts = facts.get("conflicts", {}).get(kind, 0)
        click.echo(f"  {kind:10} {number:>10,}  values in conflict {conflicts:,}")
    found = facts.get("findings", {})
    click.echo(
        f"  findings   {sum(found.values()):>10,}  " + ", ".join(f"{name} {n:,}" for name, n in found.items())
    )
    if cases := facts.get("cases"):
        click.echo(
            f"  cases      {cases.get('opened', 0):>10,}  opened, {cases.get('withdrawn', 0):,} withdrawn"
        )
    seconds = facts.get("seconds", {})
    click.echo("  seconds    " + ", ".join(f"{step} {value:.1f}" for step, value in seconds.items()))
