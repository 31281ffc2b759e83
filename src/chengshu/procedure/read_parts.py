"""Reads parts.yaml: the parts of a one-thing and where they meet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chengshu.procedure.parts import Given, Join, Part, Parts
from chengshu.procedure.read_forms import Names
from chengshu.procedure.sheets import PACK_ID, Sheet
from chengshu.procedure.types import Type

# Ids are read in expressions as part.<id>.
PART_ID = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


def part_ids(sheet: Sheet) -> tuple[str, ...]:
    """Return the ids of all parts, before anything else is read: expressions may name them."""
    found = sheet.data.get("parts")
    items = found if isinstance(found, list) else []
    ids = [item.get("id") for item in items if isinstance(item, Mapping)]
    return tuple(name for name in ids if isinstance(name, str) and PART_ID.match(name))


def read_parts(sheet: Sheet, names: Names) -> Parts:
    """Read the whole file."""
    known = {
        name: type_
        for name, type_ in names.known().items()
        if name.startswith(("facts.", "case.", "parameters.")) or name in ("today", "opened_on")
    }
    parts: dict[str, Part] = {}
    joins: dict[str, Join] = {}
    for item in sheet.listed("parts", required=True):
        part = _part(item, known, names)
        _unique(item, part.id, parts, joins)
        parts[part.id] = part
    for item in sheet.listed("joins"):
        join = _join(item, known)
        _unique(item, join.id, parts, joins)
        joins[join.id] = join
    read = Parts(sheet.words("runs_while", required=True), sheet.name("on_part"), parts, joins, sheet.line)
    sheet.close()
    return read


def _unique(item: Sheet, name: str, *known: Mapping[str, Any]) -> None:
    if any(name in found for found in known):
        item.fault("part-twice", f"The part or join {name!r} stands twice", "id", remedy="give it another id")


def _part(item: Sheet, known: Mapping[str, Type], names: Names) -> Part:
    part = Part(
        id=item.name("id", pattern=PART_ID),
        pack=item.name("pack", pattern=PACK_ID),
        when=item.expression("when", known, Type("boolean")),
        after=item.words("after"),
        done=item.words("done", required=True),
        then=tuple(_then(given, known) for given in item.listed("then")),
        withdraw=item.name("withdraw", ""),
        facts=item.expressions("facts", known),
        returns=_returns(item, names),
        cite=item.words("cite"),
        line=item.line,
    )
    item.close()
    return part


def _then(item: Sheet, known: Mapping[str, Type]) -> Given:
    given = Given(item.name("do"), item.expressions("with", known), item.line)
    item.close()
    return given


def _returns(item: Sheet, names: Names) -> dict[str, str]:
    """Read `returns`: kept value of this pack → expression over the child, read once the child's pack is known."""
    inner = item.sheet("returns")
    found = {}
    for name in inner.data if inner is not None else ():
        text = inner.text(name) if inner is not None else ""
        if name not in names.keeps:
            item.fault(
                "pack-value", f"The case keeps no {name!r}", "returns", remedy="declare it under keeps:"
            )
        else:
            found[name] = text
    return found


def _join(item: Sheet, known: Mapping[str, Type]) -> Join:
    join = Join(
        id=item.name("id", pattern=PART_ID),
        pack=item.name("pack", pattern=PACK_ID),
        parts=_written(item, "parts"),
        facts=item.expressions("facts", known),
        done=item.words("done", required=True),
        gives={name: _give(given) for name, given in item.named("gives")},
        withdraw=item.name("withdraw", ""),
        leaves=_written(item, "leaves", required=False),
        cite=item.words("cite"),
        line=item.line,
    )
    item.close()
    return join


def _give(item: Sheet) -> Given:
    inner = item.sheet("with")
    data = {name: _source(inner, name) for name in inner.data} if inner is not None else {}
    given = Given(item.name("do"), data, item.line)
    item.close()
    return given


def _source(sheet: Sheet, name: str) -> str:
    """Return an expression as text; booleans and whole numbers may stand as YAML has them."""
    value = sheet.get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else sheet.text(name)


def _written(item: Sheet, key: str, *, required: bool = True) -> dict[str, str]:
    inner = item.sheet(key, required=required)
    return {name: inner.text(name) for name in inner.data} if inner is not None else {}
