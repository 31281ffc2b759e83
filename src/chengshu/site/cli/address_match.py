"""`chengshu address match` and `chengshu address compare`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from chengshu.kernel.problems import Problem
from chengshu.kernel.spreadsheet import safe_cell
from chengshu.site.cli.common import DONE, WRONG, print_json
from chengshu.site.paths import var_dir

if TYPE_CHECKING:
    from chengshu.batch.address.library import AddressLibrary

RUN = 50_000
HEADER = ("row", "address", "code", "score", "level", "candidates", "reason")
_EXACT, _OTHER = DONE, WRONG


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--column", default="address", show_default=True, help="Column that holds the addresses.")
@click.option(
    "--library", "name", required=True, help="Name of a library in var/libraries, or a Parquet or CSV file."
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write: CSV."
)
@click.option("--home", help="Division code of the district; by default that of the library's communities.")
@click.option("--encoding", help="Encoding of the file; else it is found out (UTF-8, GBK, GB18030, UTF-16).")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
def match(
    file: Path, column: str, name: str, out: Path, home: str | None, encoding: str | None, as_json: bool
) -> None:
    """Match addresses to an address library; refuse what is not certain, and say why.

    \b
    chengshu address match firms.csv --column address --library district --out matched.csv

    The result has one row for each row of FILE, in order: code (empty where refused), score (0 to 1), level (room or
    building), candidates (code:score, best first) and reason. Reasons: not_found, no_such_number, no_such_building,
    too_short, outside, ambiguous, uncertain, retired, unreadable; with a building's code also new_room (the building
    is known, the room is not) and ambiguous_room.

    A CSV library needs a column place_code, and the parts of each address or one column address.
    """
    from chengshu.batch.address.library import AddressLibrary

    started = perf_counter()
    library = AddressLibrary.load(library_path(name))
    home = home or library.home
    counts: dict[str, int] = {"rows": 0, "matched": 0, "rooms": 0, "refused": 0}
    partial = out.with_name(out.name + ".part")
    try:
        with partial.open("w", encoding="utf-8-sig", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(HEADER)
            for row in _answers(file, column, encoding, library, home):
                _count(counts, row)
                writer.writerow([safe_cell(value) for value in (counts["rows"], *row)])
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(out)
    seconds = round(perf_counter() - started, 2)
    if as_json:
        print_json({**counts, "seconds": seconds, "library": len(library), "out": str(out)})
        return
    click.echo(
        f"{counts['rows']:,} rows: {counts['matched']:,} matched ({counts['rooms']:,} to a room), "
        f"{counts['refused']:,} refused, in {seconds} s → {out}",
        err=True,
    )


def _answers(
    file: Path, column: str, encoding: str | None, library: AddressLibrary, home: str | None
) -> Iterator[tuple[Any, ...]]:
    """Yield address, code, score, level, candidates, reason of each row; equal texts are matched once a run."""
    import polars as pl

    from chengshu.batch.address.tables import read_column

    size = file.stat().st_size
    shown = sys.stderr.isatty() and size > 1 << 20
    with click.progressbar(length=size, label="matching", file=sys.stderr, hidden=not shown) as bar:
        for cells, read in read_column(file, column, encoding=encoding, run=RUN):
            texts = pl.DataFrame({"text": pl.Series(cells, dtype=pl.String)})
            found = library.match_many(texts["text"].unique(maintain_order=True), home=home)
            listed = pl.col("candidates").list.eval(
                pl.concat_str(
                    pl.element().struct.field("place_code"),
                    pl.element().struct.field("score").cast(pl.String).fill_null(""),
                    separator=":",
                )
            )
            found = found.with_columns(candidates=listed.list.join(" "))
            joined = texts.join(found, on="text", how="left", maintain_order="left")
            yield from joined.select(HEADER_COLUMNS).iter_rows()
            bar.update(max(0, read - bar.pos))


HEADER_COLUMNS = ("text", "place_code", "score", "level", "candidates", "reason")


def _count(counts: dict[str, int], row: tuple[Any, ...]) -> None:
    counts["rows"] += 1
    counts["matched" if row[1] else "refused"] += 1
    counts["rooms"] += row[3] == "room"


def library_path(name: str) -> Path:
    """Return the file of a library: a path, or the name of one in var/libraries."""
    given = Path(name)
    if given.suffix.lower() in (".parquet", ".csv") or given.is_file():
        return given
    folder = var_dir() / "libraries"
    path = folder / f"{name}.parquet"
    if path.is_file():
        return path
    known = ", ".join(sorted(found.stem for found in folder.glob("*.parquet"))) or "none yet"
    raise Problem(
        "address-library-missing",
        f"There is no address library named {name}",
        detail=f"libraries in {folder}: {known}",
        remedy="build a district first (chengshu demo, chengshu init) or give the path of a Parquet or CSV file",
        status=404,
    )


@click.command()
@click.argument("left")
@click.argument("right")
@click.option("--json", "as_json", is_flag=True, help="Write the verdict as JSON.")
def compare(left: str, right: str, as_json: bool) -> None:
    """Say whether two addresses are the same place, parts of one, or two places.

    \b
    chengshu address compare 创业一路12号海华花园3栋 海华花园3幢2单元503

    Prints exact, partial or different and the reason; the exit code is 0 for exact, 1 otherwise.
    """
    from chengshu.batch.address.pairs import Verdict
    from chengshu.batch.address.pairs import compare as compare_addresses

    found = compare_addresses(left, right)
    if as_json:
        print_json({"verdict": str(found.verdict), "reasons": list(found.reasons)})
    else:
        click.echo(f"{found.verdict}: {'; '.join(found.reasons)}")
    raise SystemExit(_EXACT if found.verdict is Verdict.EXACT else _OTHER)
