"""Snapshots on disk: each run's step outputs, kept under ``<var>/snapshots/<run_id>``.

A snapshot holds links to the outputs of the build store, so it costs no second copy, survives when the store is
emptied, and gives the store back what the next run starts from.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from chengshu.batch.pipeline.store import Store, read_json, sync_path, write_json
from chengshu.kernel.problems import Problem

# What stays of a snapshot that is no longer the base of a build: provenance, findings, refused rows.
LASTING = ("cells.parquet", "findings.parquet", "refused.parquet", "manifest.json", "facts.json")


def snapshots_dir() -> Path:
    """Return the folder of all snapshots."""
    return Path(settings.VAR_DIR) / "snapshots"


def build_store() -> Store:
    """Return the store of builds."""
    return Store(Path(settings.VAR_DIR) / "build")


def parts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return folder name in the snapshot → key in the store."""
    found = {"match": manifest["match"], "check": manifest["check"]}
    for name, facts in manifest["sources"].items():
        found[f"source-{name}"] = facts["standardise"]
        found[f"intake-{name}"] = facts["intake"]  # in which row a record stands today
    for kind, steps in manifest["kinds"].items():
        found.update({f"{step}-{kind}": key for step, key in steps.items()})
    return found


def keep(run_id: str, manifest: Mapping[str, Any], store: Store) -> Path:
    """Link a run's outputs into its snapshot; the folder appears whole."""
    target = snapshots_dir() / run_id
    aside = target.with_name(run_id + ".aside")
    for old in (aside, target):
        if old.exists():
            shutil.rmtree(old)
    aside.mkdir(parents=True)
    for name, key in parts(manifest).items():
        if name.startswith("intake-") and store.find(key) is None:
            continue  # a late source's last delivery need not be there any more
        _link_tree(store.entries / key, aside / name)
    write_json(aside / "manifest.json", manifest)
    aside.rename(target)
    sync_path(target.parent)
    return target


def manifest_of(run_id: str) -> dict[str, Any]:
    """Read the manifest of a published run; without it nothing may be built, or ids would be given twice."""
    path = snapshots_dir() / run_id / "manifest.json"
    if not path.is_file():
        raise Problem(
            "snapshot-missing",
            "The snapshot that the database is at is not on disk",
            detail=str(path.parent),
            remedy="restore the folder var/snapshots from the backup that belongs to this database",
            status=500,
        )
    manifest: dict[str, Any] = read_json(path)
    return manifest


def give_back(run_id: str, manifest: Mapping[str, Any], store: Store) -> None:
    """Link into the store what it lacks of a snapshot (it may have been emptied, or the backup leaves it out)."""
    for name, key in parts(manifest).items():
        kept = snapshots_dir() / run_id / name
        if store.find(key) is None and kept.is_dir():
            with store.making(key) as folder:
                _link_tree(kept, folder)


def prune(keep_whole: set[str]) -> None:
    """Drop from older snapshots what only the next build would have needed."""
    for folder in sorted(snapshots_dir().iterdir()) if snapshots_dir().is_dir() else ():
        if folder.name in keep_whole:
            continue
        if folder.name.endswith(".aside"):
            shutil.rmtree(folder)
            continue
        for path in folder.rglob("*"):
            if path.is_file() and path.name not in LASTING:
                path.unlink()


def part(run_id: str, name: str, file: str) -> Path:
    """Return the path of one file of a snapshot, as ``part(run, "fuse-person", "cells.parquet")``."""
    return snapshots_dir() / run_id / name / file


def _link_tree(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        try:
            os.link(path, target / path.name)
        except OSError:  # another file system, or one without links
            shutil.copy2(path, target / path.name)
