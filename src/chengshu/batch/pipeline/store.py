"""The build's store: each step's output is a folder named after the digest of everything it depends on.

A folder appears whole or not at all (written aside, synced, renamed), so a build that was killed anywhere
goes on from the steps that are there, and a step whose inputs did not change costs one look-up.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chengshu.kernel.canonical import digest
from chengshu.kernel.problems import Problem


class Store:
    """Step outputs under ``<var>/build/store``; one build at a time holds it (``locked``)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries = root / "store"
        self.aside = root / "aside"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store; a second build is refused. What a killed build left aside is removed."""
        for folder in (self.entries, self.aside):
            folder.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Problem(
                    "build-running",
                    "Another build is running",
                    remedy="wait until it has ended; a build that was killed does not count",
                    status=409,
                ) from error
            for left in self.aside.iterdir():
                shutil.rmtree(left)
            yield

    def key(self, step: str, *inputs: Any) -> str:
        """Name the output of ``step`` for these inputs (canonical JSON values)."""
        return f"{step.replace(':', '-')}-{digest(list(inputs))[:24]}"

    def find(self, key: str) -> Path | None:
        """Return the finished output, or None."""
        path = self.entries / key
        return path if path.is_dir() else None

    @contextlib.contextmanager
    def making(self, key: str) -> Iterator[Path]:
        """Yield a folder to write into; it becomes the output of ``key`` if the block ends well."""
        target = self.entries / key
        aside = self.aside / key
        if aside.exists():
            shutil.rmtree(aside)
        aside.mkdir(parents=True)
        try:
            yield aside
            sync_tree(aside)
        except BaseException as error:
            shutil.rmtree(aside, ignore_errors=True)
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise disk_full(self.root) from error
            raise
        if target.exists():
            shutil.rmtree(target)
        aside.rename(target)
        sync_path(self.entries)

    def keep_only(self, keys: set[str]) -> int:
        """Remove every output that is not among ``keys``; returns how many went."""
        gone = 0
        for entry in self.entries.iterdir() if self.entries.is_dir() else ():
            if entry.name not in keys:
                shutil.rmtree(entry)
                gone += 1
        return gone


def disk_full(where: Path) -> Problem:
    """Say that the disk is full; nothing half-written stays behind."""
    return Problem(
        "disk-full",
        "The disk is full; the build stopped and what was published before stays in force",
        detail=str(where),
        remedy="free some space and run the same command again: finished steps are kept",
        status=507,
    )


def sync_path(path: Path) -> None:
    """Flush one file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush a folder and all files in it."""
    for path in sorted(folder.rglob("*")):
        sync_path(path)
    sync_path(folder)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON whole or not at all."""
    aside = path.with_name(path.name + ".aside")
    aside.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
    sync_path(aside)
    aside.rename(path)


def read_json(path: Path) -> Any:
    """Read JSON written by ``write_json``."""
    return json.loads(path.read_text(encoding="utf-8"))
