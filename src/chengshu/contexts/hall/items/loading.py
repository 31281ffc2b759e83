"""Loads item files: all or nothing, idempotent, each change a version with its difference and a ledger leaf."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from chengshu.contexts.hall.items.elements import Body, Mistake, body_of, read_lines
from chengshu.contexts.hall.items.models import Item, ItemFacet, ItemRevision, ItemVersion
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.canonical import digest
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import load_yaml

MOST_ERRORS = 50
BATCH = 2_000
COLUMNS = ("name", "name_en", "kind", "department", "department_name", "area_code", "catalogue_code")
COLUMNS += ("statutory_days", "promised_days", "visits", "online", "pack")


@dataclass(slots=True)
class Loaded:
    """What a load did, by item code."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: int = 0
    # Changed here by an officer since the last load, and changed again by the file, which wins.
    over_guides: list[str] = field(default_factory=list)


def load_file(path: Path, *, now: dt.datetime, source: str = "") -> Loaded:
    """Load a JSONL file of items in one transaction; a file with any mistake changes nothing.

    Raises ``Problem`` "items-refused" whose ``errors`` name file, line, field and what is wrong.
    """
    errors: list[dict[str, Any]] = []

    def wrong(where: Where, text: str) -> None:
        errors.append({"file": where.file, "line": where.line, "field": where.field, "message": text})

    bodies: dict[str, Body] = {}
    lines: dict[str, int] = {}
    for number, body in read_lines(path, wrong):
        code = body["code"]
        if code in lines:
            wrong(Where(path.name, number, None, "TASK_CODE"), f"{code} stands in line {lines[code]} already")
            continue
        lines[code], bodies[code] = number, body
    if errors:
        first = errors[0]
        raise Problem(
            "items-refused",
            f"{len(errors)} mistakes; nothing was loaded",
            detail=first["message"],
            where=Where(first["file"], first["line"], None, first["field"]),
            errors=errors[:MOST_ERRORS],
        )
    return load(list(bodies.values()), now=now, source=source or path.name)


def read_guides(path: Path) -> list[Body]:
    """Read a district's own items: YAML with ``items:``, each with the keys of the JSONL format."""
    declared = load_yaml(path)
    bodies = []
    for row in declared["items"]:
        try:
            bodies.append(body_of(row))
        except Mistake as mistake:
            line = row.lines.get(mistake.field, row.line)
            raise Problem(
                "items-refused", mistake.text, where=Where(path.name, line, None, mistake.field)
            ) from mistake
    return bodies


def load(bodies: Sequence[Body], *, now: dt.datetime, source: str) -> Loaded:
    """Bring the items to ``bodies`` in one transaction; items that are not among them stay as they are."""
    result = Loaded()
    with transaction.atomic():
        held = _held([body["code"] for body in bodies])
        departments = dict(Item.objects.exclude(department="").values_list("department_name", "department"))
        fresh: list[Item] = []
        renewed: list[Item] = []
        versions: list[ItemVersion] = []
        for body in bodies:
            if not body["department"]:
                body["department"] = departments.get(body["department_name"], "")
            item = _item(body, held.get(body["code"]), result, now, source)
            if item is None:
                continue
            known = held.get(item.code)
            diff = differences(known.body if known else {}, body) if known else []
            (renewed if known else fresh).append(item)
            versions.append(version_of(item, diff, now, source=source))
        Item.objects.bulk_create(fresh, batch_size=BATCH)
        names = ["body", "digest", "state", "version", "changed_at", "source", *COLUMNS]
        Item.objects.bulk_update(renewed, names, batch_size=200)
        save_facets([*fresh, *renewed], anew=bool(renewed))
        prove(versions, now)
        if versions:
            touch()
    return result


def _held(codes: Iterable[str]) -> dict[str, Item]:
    wanted, held = list(codes), {}
    for start in range(0, len(wanted), BATCH):
        held.update(Item.objects.in_bulk(wanted[start : start + BATCH]))
    return held


def _item(body: Body, known: Item | None, result: Loaded, now: dt.datetime, source: str) -> Item | None:
    """Return the item to save, or nothing when the file says what it said before."""
    mark = digest(body)
    if known is not None and known.digest == mark:
        result.same += 1
        return None
    if known is not None and known.source == "guide":
        result.over_guides.append(known.code)
    (result.changed if known else result.new).append(body["code"])
    return Item(
        code=body["code"],
        body=body,
        digest=mark,
        state=known.state if known else Item.State.PUBLISHED,
        version=known.version + 1 if known else 1,
        changed_at=now,
        source=source,
        **columns_of(body),
    )


def columns_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the elements that are columns of their own."""
    return {name: body[name] for name in COLUMNS}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the elements that differ, sorted by name."""
    names = sorted({*old, *new})
    return [
        {"element": name, "old": old.get(name), "new": new.get(name)}
        for name in names
        if old.get(name) != new.get(name)
    ]


def version_of(
    item: Item,
    diff: list[dict[str, Any]],
    now: dt.datetime,
    *,
    source: str,
    made_by: str = "",
    reason: str = "",
) -> ItemVersion:
    """Return the version to keep of an item as it stands."""
    return ItemVersion(
        item_id=item.code,
        number=item.version,
        state=item.state,
        body=item.body,
        diff=diff,
        at=now,
        source=source,
        made_by=made_by,
        reason=reason,
    )


def prove(versions: Sequence[ItemVersion], now: dt.datetime) -> None:
    """Save versions, each with its leaf; in the caller's transaction."""
    deposits = [
        ledger.Deposit(
            "item.version",
            f"{version.item_id}@{version.number}",
            {
                "code": version.item_id,
                "number": version.number,
                "state": version.state,
                "body": version.body,
                "made_by": version.made_by,
            },
        )
        for version in versions
    ]
    for version, leaf in zip(versions, ledger.deposit_many(deposits, now=now), strict=True):
        version.leaf_id, version.leaf_salt = leaf.id, leaf.salt
    ItemVersion.objects.bulk_create(versions, batch_size=BATCH)


def save_facets(items: Sequence[Item], *, anew: bool) -> None:
    """Keep themes and audiences of items in their table; ``anew`` when some had facets before."""
    if anew:
        codes = [item.code for item in items]
        for start in range(0, len(codes), 500):
            ItemFacet.objects.filter(item_id__in=codes[start : start + 500]).delete()
    facets = [
        ItemFacet(item_id=item.code, sort=sort, value=value[:40])
        for item in items
        for sort, name in (("theme", "themes"), ("audience", "audiences"))
        for value in dict.fromkeys(item.body[name])
    ]
    ItemFacet.objects.bulk_create(facets, batch_size=BATCH)


def touch() -> None:
    """Count a change, so that indexes and caches are made anew; in the caller's transaction."""
    ItemRevision.objects.get_or_create(pk=1)
    revision = ItemRevision.objects.select_for_update().get(pk=1)
    revision.number += 1
    revision.save()


def load_folder(folder: Path, *, now: dt.datetime) -> Loaded:
    """Load what a district ships in its folder ``items``: ``*.jsonl``, ``own.yaml`` and ``links.yaml``, if there."""
    result = Loaded()
    links = load_yaml(folder / "links.yaml") if (folder / "links.yaml").exists() else {}
    loads = [(load_items(path, links), path.name) for path in sorted(folder.glob("*.jsonl"))]
    if (folder / "own.yaml").exists():
        loads.append((linked(read_guides(folder / "own.yaml"), links), "own.yaml"))
    with transaction.atomic():
        for bodies, name in loads:
            one = load(bodies, now=now, source=name)
            result.new += one.new
            result.changed += one.changed
            result.over_guides += one.over_guides
            result.same += one.same
    return result


def load_items(path: Path, links: Mapping[str, Any]) -> list[Body]:
    """Read a shipped JSONL file, which must be sound, with the district's links put in."""

    def wrong(where: Where, text: str) -> None:
        raise Problem("items-refused", text, where=where)

    return linked([body for _line, body in read_lines(path, wrong)], links)


def linked(bodies: list[Body], links: Mapping[str, Any]) -> list[Body]:
    """Put in which pack runs an item and which of our departments answers for it."""
    packs = {code: pack for pack, codes in (links.get("packs") or {}).items() for code in codes}
    departments = links.get("departments") or {}
    for body in bodies:
        body["pack"] = body["pack"] or packs.get(body["code"], "")
        body["department"] = body["department"] or departments.get(body["department_name"], "")
    return bodies
