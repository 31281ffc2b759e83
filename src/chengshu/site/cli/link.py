"""`chengshu link`: link any two tables, or find the duplicates in one."""

from __future__ import annotations

import json
from pathlib import Path

import click
import polars as pl

from chengshu.kernel.problems import Problem
from chengshu.site.cli.common import print_json

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("left", type=FILE)
@click.argument("right", type=FILE, required=False)
@click.option("--spec", "spec_path", type=FILE, required=True, help="Kind and columns, as YAML (see below).")
@click.option("--out", type=FILE, required=True, help="The CSV of pairs to write.")
@click.option(
    "--all", "with_candidates", is_flag=True, help="Add the pairs that were compared and not held to be one."
)
@click.option("--json", "as_json", is_flag=True, help="Write the counts as JSON.")
def app(
    left: Path, right: Path | None, spec_path: Path, out: Path, with_candidates: bool, as_json: bool
) -> None:
    """Link LEFT with RIGHT, or find the duplicates in LEFT.

    OUT gets left_id, right_id, probability and reasons (JSON: comparison, level, weight in log2 odds): the pairs held to be
    one. No labels and no threshold are needed. With --all a column `held` (yes or no) is added and the candidates follow.

    \b
    The spec says what the tables speak of and which column carries which element:
      kind: place                # person, firm or place
      left: {id: id, name: name, phone: tel, address: addr, longitude: lon, latitude: lat,
             datum: {const: GCJ-02}}
      right: {id: no, name: title, ...}
    Known elements: id, name, given_name, surname, phone, address, longitude, latitude, datum, resident_id, credit_code,
    birth_date, sex, postcode, legal_representative; any other name is compared by the kind of its values. A list of
    columns is joined: {name: [first, last]}. Tables are CSV (UTF-8 or GB 18030), XLSX or Parquet.

    \b
    Example: chengshu link ours.csv theirs.csv --spec shops.yaml --out pairs.csv
    """
    from chengshu.batch.linkage.spec import read_spec, read_table, select
    from chengshu.batch.linkage.tables import link_tables

    spec = read_spec(spec_path)
    if right is not None and spec.right is None:
        raise Problem(
            "link-spec", "The spec says nothing of the right table", remedy="add `right:` to the spec"
        )
    ours = select(read_table(left), spec.left, str(left))
    theirs = select(read_table(right), spec.right or {}, str(right)) if right else None
    linked = link_tables(spec.kind, ours, theirs, progress=lambda step: click.echo(f"{step} …", err=True))
    table = _as_text(linked.pairs)
    if with_candidates:
        table = pl.concat(
            [
                table.with_columns(held=pl.lit("yes")),
                _as_text(linked.candidates).with_columns(held=pl.lit("no")),
            ]
        )
    table.write_csv(out)
    counts = {
        "left": ours.height,
        "right": theirs.height if theirs is not None else None,
        "pairs": linked.pairs.height,
    }
    if as_json:
        print_json(counts | {"out": str(out)})
    else:
        click.echo(f"{linked.pairs.height} pairs are held to be one → {out}", err=True)


def _as_text(pairs: pl.DataFrame) -> pl.DataFrame:
    reasons = [
        json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in pairs["reasons"].to_list()
    ]
    return pairs.select(
        "left_id", "right_id", pl.col("probability").round(6), pl.Series("reasons", reasons, dtype=pl.String)
    )
