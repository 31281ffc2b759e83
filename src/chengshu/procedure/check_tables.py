"""Decision tables: every combination of choices must meet a row, and every row must be met by one."""

from __future__ import annotations

import itertools

from chengshu.procedure.model import Pack, Table
from chengshu.procedure.sheets import Faults
from chengshu.procedure.types import Type

MAX_COMBINATIONS = 20_000


def check_table(pack: Pack, table: Table, faults: Faults, file: str) -> None:
    """Try all combinations when the inputs are finite; else ask for a last row without a condition."""
    if len({row.id for row in table.rows}) != len(table.rows):
        faults.add("table-row-twice", f"Two rows of {table.id!r} have one name", file, table.line)
    for row in table.rows[:-1]:
        if row.when is None:
            faults.add("table-row-hidden", f"The row {row.id!r} hides those behind it", file, row.line)
    if not table.rows:
        faults.add("table-gap", f"The table {table.id!r} has no row", file, table.line)
        return
    inputs = _inputs(pack, table)
    combinations = _combinations(inputs)
    if combinations is not None:
        _try_all(table, list(inputs), combinations, faults, file)
    elif table.rows[-1].when is not None:
        faults.add(
            "table-gap",
            f"Some input may meet no row of {table.id!r}",
            file,
            table.line,
            remedy="end with a row without 'when'",
        )


def _try_all(
    table: Table, inputs: list[str], combinations: list[tuple[object, ...]], faults: Faults, file: str
) -> None:
    met: set[str] = set()
    for values in combinations:
        scope = dict(zip(inputs, values, strict=True))
        hit = next((row for row in table.rows if row.when is None or row.when.evaluate(scope)), None)
        if hit is None:
            text = ", ".join(f"{name} = {value}" for name, value in scope.items())
            faults.add("table-gap", f"No row of {table.id!r} decides", file, table.line, detail=text)
            return
        met.add(hit.id)
    for row in table.rows:
        if row.id not in met:
            faults.add("table-row-hidden", f"No input ever meets the row {row.id!r}", file, row.line)


def _inputs(pack: Pack, table: Table) -> dict[str, Type]:
    form = pack.forms.get(table.form)
    types = {f"facts.{name}": item.type for name, item in pack.facts.items()}
    types.update({f"case.{name}": type_ for name, type_ in pack.keeps.items()})
    types.update({f"parameters.{name}": item.type for name, item in pack.parameters.items()})
    if form is not None:
        types.update({f"data.{name}": item.type for name, item in form.fields.items()})
    reads = [name for row in table.rows if row.when is not None for name in row.when.reads]
    return {name: types.get(name, Type("text")) for name in dict.fromkeys(reads)}


def _combinations(inputs: dict[str, Type]) -> list[tuple[object, ...]] | None:
    values: list[list[object]] = []
    size = 1
    for type_ in inputs.values():
        if type_.kind not in ("choice", "boolean"):
            return None
        options: list[object] = list(type_.choices) if type_.kind == "choice" else [True, False]
        values.append([*options, None] if type_.optional else options)
        size *= len(values[-1])
        if size > MAX_COMBINATIONS:
            return None
    return list(itertools.product(*values))
