"""Backup and restore of one district: database, snapshots, files, ledger and keys, at one checkpoint.

SQLite is copied by its own online backup, PostgreSQL by a repeatable-read export of every table, so the district may
be served meanwhile. Files under ``var/`` are written once and renamed into place, so a copy taken after the
database holds at least what the database names.
"""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chengshu.kernel.problems import Problem, Where

MANIFEST = "manifest.json"
DATABASE = "chengshu.sqlite3"
DUMP = "database.jsonl"
# Rebuilt from what is kept, or of one process only.
LEFT_OUT = {"static", "cache", "build.lock"}


def back_up(var: Path, target: Path) -> dict[str, Any]:
    """Write the archive ``target`` and return its manifest; an existing file is never overwritten."""
    if target.exists():
        raise Problem(
            "backup-exists",
            "There is a file of that name already",
            where=Where(file=str(target)),
            remedy="choose another name",
        )
    part = target.with_name(target.name + ".part")
    try:
        with tempfile.TemporaryDirectory(dir=var) as scratch, tarfile.open(part, "w") as archive:
            copies = copy_database(Path(scratch))
            manifest = write_archive(archive, var, copies)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return {key: value for key, value in manifest.items() if key != "digests"}


def copy_database(scratch: Path) -> dict[str, Path]:
    """Copy the database consistently; returns archive name → file."""
    from django.db import connection

    if connection.vendor == "sqlite":
        target = scratch / DATABASE
        connection.ensure_connection()
        with sqlite3.connect(target) as copy:
            connection.connection.backup(copy)
        copy.close()
        return {DATABASE: target}
    target = scratch / DUMP
    dump_rows(target)
    return {DUMP: target}


def dump_rows(target: Path) -> None:
    """Write every row of every table of ours as JSON lines, in one repeatable-read transaction."""
    from django.core import serializers
    from django.db import connection, transaction

    with transaction.atomic(), target.open("w", encoding="utf-8") as out:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for model in our_models():
            rows = model._default_manager.order_by("pk").iterator(chunk_size=2000)
            for row in rows:
                out.write(serializers.serialize("jsonl", [row]))


def our_models() -> list[Any]:
    """Return the concrete models of every context, parents before children."""
    from django.apps import apps
    from django.core.serializers import sort_dependencies

    configs = [config for config in apps.get_app_configs() if config.name.startswith("chengshu.contexts.")]
    return sort_dependencies([(config, None) for config in configs], allow_cycles=True)


def write_archive(archive: tarfile.TarFile, var: Path, copies: dict[str, Path]) -> dict[str, Any]:
    """Add the database copies and every kept file, then the manifest with a digest for each."""
    from chengshu.contexts.ledger import api as ledger

    digests: dict[str, str] = {}
    checkpoint = ledger.latest_checkpoint_text()
    for name, path in [*copies.items(), *kept_files(var)]:
        digests[name] = add_file(archive, name, path)
    manifest = {
        "format": 1,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": len(digests),
        "tree_size": ledger.tree_size(),
        "checkpoint": checkpoint,
        "digests": digests,
    }
    body = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    entry = tarfile.TarInfo(MANIFEST)
    entry.size, entry.mode = len(body), 0o600
    archive.addfile(entry, io.BytesIO(body))
    return manifest


def kept_files(var: Path) -> Iterator[tuple[str, Path]]:
    """Yield (name in the archive, path) of the files to keep, sorted; the live database is copied apart."""
    for path in sorted(var.rglob("*")):
        name = path.relative_to(var)
        skipped = name.parts[0] in LEFT_OUT or name.parts[0].startswith((DATABASE, "tmp"))
        if path.is_file() and not path.is_symlink() and not skipped:
            yield str(name), path


def add_file(archive: tarfile.TarFile, name: str, path: Path) -> str:
    """Add one file and return the SHA-256 of the bytes that went in."""
    body = path.read_bytes() if path.stat().st_size < 64_000_000 else None
    entry = archive.gettarinfo(path, arcname=name)
    entry.mode = 0o600
    if body is not None:
        entry.size = len(body)
        archive.addfile(entry, io.BytesIO(body))
        return hashlib.sha256(body).hexdigest()
    with path.open("rb") as file:
        archive.addfile(entry, file)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def restore(source: Path, var: Path) -> dict[str, Any]:
    """Unpack ``source`` into the empty folder ``var``, checking every digest; nothing is left if one is wrong."""
    if var.exists() and any(var.iterdir()):
        raise Problem(
            "var-not-empty",
            "The folder to restore into is not empty",
            where=Where(file=str(var)),
            remedy="set CHENGSHU_VAR to an empty folder",
        )
    var.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=var.parent) as scratch, tarfile.open(source) as archive:
        folder = Path(scratch) / "var"
        archive.extractall(folder, filter="data")
        manifest = checked_manifest(folder, source)
        (folder / MANIFEST).unlink()
        if var.exists():
            var.rmdir()
        folder.rename(var)
    load_dump(var)
    return {key: value for key, value in manifest.items() if key != "digests"}


def checked_manifest(folder: Path, source: Path) -> dict[str, Any]:
    """Return the manifest after comparing every file with its digest."""
    path = folder / MANIFEST
    if not path.exists():
        raise Problem(
            "not-a-backup",
            "The archive has no manifest: it is no backup, or was cut off",
            where=Where(file=str(source)),
        )
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {MANIFEST}
    wrong = sorted(found ^ set(manifest["digests"]))
    for name in found & set(manifest["digests"]):
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != manifest["digests"][name]:
                wrong.append(name)
    if wrong:
        raise Problem(
            "backup-damaged",
            f"{len(wrong)} files of the backup are missing or changed",
            detail=", ".join(wrong[:10]),
            where=Where(file=str(source)),
        )
    return manifest


def load_dump(var: Path) -> None:
    """Load a PostgreSQL dump into the empty database that ``DATABASE_URL`` names."""
    dump = var / DUMP
    if not dump.exists():
        return
    from chengshu.site.cli.common import setup_django

    setup_django()
    from django.core import serializers
    from django.core.management import call_command
    from django.core.management.color import no_style
    from django.db import connection, transaction

    from chengshu.site.schema import create_or_upgrade

    create_or_upgrade()
    call_command("flush", interactive=False, verbosity=0)
    with transaction.atomic(), dump.open(encoding="utf-8") as lines:
        for row in serializers.deserialize("jsonl", lines):
            row.save()
        connection.check_constraints()
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), our_models()):
                cursor.execute(statement)
    dump.unlink()
