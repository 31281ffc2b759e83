"""Golden records without a build: people and firms in the snapshot in force, each value from a table of its own."""

from __future__ import annotations

import datetime as dt

import polars as pl

from chengshu.contexts.subjects.models import CurrentSnapshot, GoldenRecord, Run, RunSource
from chengshu.contexts.subjects.snapshots import part

SOURCES = {
    "public-security.residents": (
        "public-security",
        "person",
        {"zh": "常住人口登记", "en": "Resident registration"},
    ),
    "health.patients": ("health", "person", {"zh": "居民健康档案", "en": "Health records"}),
    "market.firms": ("market", "firm", {"zh": "市场主体登记", "en": "Register of firms"}),
    "housing.premises": ("housing", "premises", {"zh": "房屋登记", "en": "Premises"}),
    "housing.fire_acceptances": ("housing", "premises", {"zh": "消防验收备案", "en": "Fire acceptances"}),
    "market.revoked_permits": ("market", "person", {"zh": "吊销名单", "en": "Revoked permits"}),
    "urban-management.protected_places": (
        "urban-management",
        "premises",
        {"zh": "禁设名录", "en": "Protected places"},
    ),
}
# Elements that stand in a table of their own.
OF_ELEMENT = {
    "premises.exits": "housing.fire_acceptances",
    "premises.fire_equipment": "housing.fire_acceptances",
    "person.permit_revoked_on": "market.revoked_permits",
    "premises.sign_ground": "urban-management.protected_places",
}
OF_KIND = {"person": "public-security.residents", "firm": "market.firms", "premises": "housing.premises"}


def publish(now: dt.datetime, *records: tuple[str, dict[str, str]], at: str = "2026-10-01") -> Run:
    """Put records (subject id, values by element) in force, with the provenance of each value."""
    run = Run.objects.create(run_id=f"r-{now:%H%M%S}", state=Run.State.PUBLISHED, started_at=now)
    CurrentSnapshot.objects.update_or_create(id=1, defaults={"run": run, "published_at": now})
    for source, (department, kind, title) in SOURCES.items():
        RunSource.objects.create(run=run, source=source, department=department, kind=kind, title=title)
    cells: dict[str, list[tuple[str, str, str, str, str, str, int, bool]]] = {}
    for subject_id, values in records:
        kind = next(iter(values)).partition(".")[0]
        source = OF_KIND[kind]
        GoldenRecord.objects.create(
            subject_id=subject_id, kind=kind, valid_from=run.number, name=values.get(f"{kind}.name", ""),
            id_number=values.get(f"{kind}.resident_id", values.get(f"{kind}.credit_code", "")),
            place_code=values.get(f"{kind}.place_code", ""), data=values,
        )  # fmt: skip
        cells.setdefault(kind, []).extend(
            (subject_id, element, value, OF_ELEMENT.get(element, source), f"{source}:1", at, 0, True)
            for element, value in values.items()
        )
    for kind, rows in cells.items():
        path = part(run.run_id, f"fuse-{kind}", "cells.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        names = ["subject_id", "element", "value", "source", "record_id", "at", "rank", "agrees"]
        pl.DataFrame(rows, schema=names, orient="row").write_parquet(path)
    return run
