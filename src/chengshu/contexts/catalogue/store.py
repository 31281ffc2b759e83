"""Loads what a district declares into the database; each change makes a version with its difference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from django.db import transaction

from chengshu.contexts.catalogue import domain
from chengshu.contexts.catalogue.models import Dataset, Element, Revision, Version
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.resources import shipped

# The element catalogue that ships: a district without one of its own takes it.
COMMON = ("districts", "baoan", "catalogue")


class Loaded(NamedTuple):
    """What a load changed: codes of elements and names of sources."""

    new: list[str]
    changed: list[str]
    retired: list[str]


def load_folder(folder: Path, *, now: dt.datetime) -> Loaded:
    """Load elements, authority, lists and sources of a district folder, in one transaction.

    Loading the same again changes nothing; what is no longer declared is retired, never deleted.
    """
    return load(domain.read_folder(folder / "sources", folder / "catalogue", shipped(*COMMON)), now=now)


def load(declared: domain.Folder, *, now: dt.datetime) -> Loaded:
    """Load what was read from a district folder, in one transaction."""
    result = Loaded([], [], [])
    with transaction.atomic():
        elements = {code: element.body() for code, element in declared.elements.items()}
        sources = {
            name: domain.source_body(source, declared.listings.get(name))
            for name, source in declared.sources.items()
        }
        pending = _load(Element, "element", elements, _element_fields, result, now)
        pending += _load(Dataset, "source", sources, _dataset_fields, result, now)
        _prove(pending, now)
        if any(result):
            Revision.objects.get_or_create(pk=1)
            revision = Revision.objects.select_for_update().get(pk=1)
            revision.number += 1
            revision.save()
    return result


def _load(
    model: Any,
    prefix: str,
    bodies: Mapping[str, dict[str, Any]],
    fields: Any,
    result: Loaded,
    now: dt.datetime,
) -> list[Version]:
    """Bring ``model`` to ``bodies``; returns the versions made."""
    held = {row.pk: row for row in model.objects.all()}
    versions, fresh, kept = [], [], []
    for name, body in bodies.items():
        row = held.get(name)
        if row is not None and row.retired_at is None and row.body == body:
            continue
        number = row.version + 1 if row else 1
        diff = domain.changes(row.body if row else None, body)
        versions.append(Version(about=f"{prefix}:{name}", number=number, body=body, diff=diff, at=now))
        values = {
            **fields(name, body),
            "body": body,
            "version": number,
            "changed_at": now,
            "retired_at": None,
        }
        (result.changed if row else result.new).append(name)
        (kept if row else fresh).append(model(pk=name, **values))
    for name, row in held.items():
        if name not in bodies and row.retired_at is None:
            row.version, row.changed_at, row.retired_at = row.version + 1, now, now
            diff = [{"field": "retired", "old": False, "new": True}]
            versions.append(
                Version(about=f"{prefix}:{name}", number=row.version, body=None, diff=diff, at=now)
            )
            result.retired.append(name)
            kept.append(row)
    model.objects.bulk_create(fresh)
    for row in kept:
        row.save()
    return versions


def _prove(versions: list[Version], now: dt.datetime) -> None:
    deposits = [
        ledger.Deposit(
            "catalogue.version",
            f"{version.about}@{version.number}",
            {"about": version.about, "number": version.number, "body": version.body},
        )
        for version in versions
    ]
    for version, leaf in zip(versions, ledger.deposit_many(deposits, now=now), strict=True):
        version.leaf_id, version.leaf_salt = leaf.id, leaf.salt
    Version.objects.bulk_create(versions)


def _element_fields(code: str, body: Mapping[str, Any]) -> dict[str, Any]:
    names = ("title_zh", "title_en", "type", "klass", "grade", "privacy", "authority")
    return {name: body[name] for name in names}


def _dataset_fields(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "department": body["department"],
        "title_zh": body["title"]["zh"],
        "title_en": body["title"]["en"],
        "kind": body["kind"],
    }
