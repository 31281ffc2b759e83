"""`chengshu address`: take addresses apart."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from chengshu.kernel.problems import Problem
from chengshu.site.cli import address_match
from chengshu.site.cli.common import DONE, WRONG, print_json

if TYPE_CHECKING:
    import polars as pl

RUN = 100_000


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Parse addresses and match them to a library."""


app.add_command(address_match.match)
app.add_command(address_match.compare)


class Day(click.ParamType):
    """A day as YYYY-MM-DD, or the word today."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the day."""
        if isinstance(value, date):
            return value
        try:
            return date.today() if value == "today" else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a day (YYYY-MM-DD) nor the word today", param, ctx)


@app.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--text", help="One address, given here instead of a file.")
@click.option("--column", default="address", show_default=True, help="Column that holds the addresses.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write: one JSON object a row."
)
@click.option("--home", help="Division code of the district whose file this is: completes short addresses.")
@click.option("--on", type=Day(), help="Give divisions the names of that day (YYYY-MM-DD or today).")
@click.option("--encoding", help="Encoding of the file; else it is found out (UTF-8, GBK, GB18030, UTF-16).")
@click.option(
    "--processes", type=click.IntRange(1), help="Processes to use; else as many as there are cores."
)
@click.option("--json", "as_json", is_flag=True, help="Write the summary (or the one address) as JSON.")
def parse(
    file: Path | None,
    text: str | None,
    column: str,
    out: Path | None,
    home: str | None,
    on: date | None,
    encoding: str | None,
    processes: int | None,
    as_json: bool,
) -> None:
    """Take Chinese addresses apart: division, road, number, estate, building, unit, floor, room, place.

    \b
    chengshu address parse people.csv --column address --out parsed.jsonl
    chengshu address parse --text 深圳宝安新安创业一路12号3栋2单元503

    FILE is a CSV in any of UTF-8, GBK, GB18030 and UTF-16. Each row gives one JSON object, in order, also a blank or
    unreadable one (its `error` says why). A field is null when it is neither written nor certain; `inferred` names the
    fields that were completed. A division's former name stays as written, `division_code` is the one in force and
    `renamed` tells today's names; with --on the names themselves are those of that day.
    """
    if (file is None) == (text is None):
        raise click.UsageError("give either a FILE or --text")
    if text is not None:
        _show_one(text, home, on, as_json)
    elif file is not None:
        if out is None:
            raise click.UsageError("say where to write with --out")
        _parse_file(file, column, out, home, on, encoding, processes, as_json)


def _show_one(text: str, home: str | None, on: date | None, as_json: bool) -> None:
    from chengshu.batch.address.parse import parse as parse_one

    found = parse_one(text, home=home, on=on)
    if as_json:
        print_json(found.to_dict())
    else:
        for name, value in found.to_dict().items():
            if value:
                shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
                click.echo(f"{name:<14}{shown}")
    raise SystemExit(WRONG if found.error else DONE)


def _parse_file(
    file: Path,
    column: str,
    out: Path,
    home: str | None,
    on: date | None,
    encoding: str | None,
    processes: int | None,
    as_json: bool,
) -> None:
    import polars as pl

    from chengshu.batch.address.parse import parse_column
    from chengshu.batch.address.tables import read_column

    started = perf_counter()
    rows = refused = 0
    partial = out.with_name(out.name + ".part")
    with _bar(file.stat().st_size) as advance, _writing(partial, out) as target:
        for cells, read in read_column(file, column, encoding=encoding, run=RUN):
            if cells:
                frame = parse_column(pl.Series(cells, dtype=pl.String), home=home, on=on, processes=processes)
                _as_objects(frame).write_ndjson(target)
                rows += frame.height
                refused += frame.height - frame["error"].null_count()
            advance(read)
    seconds = perf_counter() - started
    if as_json:
        print_json({"rows": rows, "errors": refused, "seconds": round(seconds, 3), "out": str(out)})
    else:
        click.echo(
            f"{rows:,} rows parsed in {seconds:.1f} s, {refused:,} of them without a result → {out}", err=True
        )


def _as_objects(frame: pl.DataFrame) -> pl.DataFrame:
    """Give ``renamed`` its JSON form: an object of levels, or null."""
    import polars as pl

    def named(level: str) -> pl.Expr:
        return pl.col("renamed").list.join(",").str.extract(rf"{level}=([^,]+)").alias(level)

    levels = pl.struct(named("province"), named("city"), named("district"))
    return frame.with_columns(pl.when(pl.col("renamed").list.len() > 0).then(levels).alias("renamed"))


@contextmanager
def _writing(partial: Path, out: Path) -> Iterator[Any]:
    """Write beside the target and rename at the end: a broken run leaves no half file under the target's name."""
    try:
        with partial.open("wb") as target:
            yield target
    except OSError as fault:
        raise Problem(
            "cannot-write", f"{out} cannot be written", detail=str(fault), remedy="choose another --out"
        ) from fault
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(out)


@contextmanager
def _bar(size: int) -> Iterator[Any]:
    """Show how far the file is read, on a terminal only."""
    if not sys.stderr.isatty() or size < 1 << 20:
        yield lambda read: None
        return
    with click.progressbar(length=size, label="parsing", file=sys.stderr) as bar:
        yield lambda read: bar.update(max(0, read - bar.pos))
