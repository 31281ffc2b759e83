"""Backup and restore of one district: database, snapshots, files, ledger and keys, at one checkpoint.

SQLite is copied by its own online backup, PostgreSQL by COPY in one repeatable-read transaction, so the district may
be served meanwhile. Files under ``var/`` are written once and renamed into place, so a copy taken after the
database holds at least what the database names.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chengshu import __version__
from chengshu.kernel.problems import Problem, Where

MANIFEST = "manifest.json"
DATABASE = "chengshu.sqlite3"
TABLES = "postgresql"
# Rebuilt from what is kept (the ledger's files are written again from the database), or of one process only.
LEFT_OUT = {"static", "cache", "ledger", "witness", "build.lock"}


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
            # The head is read first: what the archive promises is in the copy that is made after it.
            head = ledger_head()
            manifest = write_archive(archive, var, copy_database(Path(scratch)), head)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return {key: value for key, value in manifest.items() if key != "digests"}


def ledger_head() -> dict[str, Any]:
    """Number what waits in the ledger and return its newest checkpoint and size."""
    from chengshu.contexts.ledger import api as ledger

    ledger.sequence(datetime.now(UTC), takeover=True)
    return {"tree_size": ledger.status()["checkpoint_size"], "checkpoint": ledger.checkpoint()}


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
    return dump_tables(scratch)


def dump_tables(scratch: Path) -> dict[str, Path]:
    """Write each PostgreSQL table with COPY, all in one repeatable-read transaction."""
    from django.db import connection, transaction

    copies: dict[str, Path] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in connection.introspection.django_table_names(only_existing=True):
            path = scratch / f"{table}.copy"
            with path.open("wb") as out, cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as rows:
                for block in rows:
                    out.write(block)
            copies[f"{TABLES}/{path.name}"] = path
    return copies


def write_archive(
    archive: tarfile.TarFile, var: Path, copies: dict[str, Path], head: dict[str, Any]
) -> dict[str, Any]:
    """Add the database copies and every kept file, then the manifest with a digest for each."""
    from chengshu.site.schema import applied_migrations

    digests: dict[str, str] = {}
    for name, path in [*copies.items(), *kept_files(var)]:
        digests[name] = add_file(archive, name, path)
    manifest = {
        "format": 1,
        "version": __version__,
        "schema": applied_migrations(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": len(digests),
        **head,
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
    load_tables(var, manifest)
    repair_ledger()
    return {key: value for key, value in manifest.items() if key != "digests"}


def repair_ledger() -> None:
    """Write the ledger's files again from the restored database."""
    from chengshu.site.cli.common import setup_django

    setup_django()
    from chengshu.contexts.ledger import api as ledger

    if ledger.status()["size"]:
        ledger.repair(datetime.now(UTC))


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


def load_tables(var: Path, manifest: dict[str, Any]) -> None:
    """Load the PostgreSQL tables of a backup into the empty database that ``DATABASE_URL`` names."""
    folder = var / TABLES
    if not folder.is_dir():
        return
    from chengshu.site.cli.common import setup_django

    setup_django()
    from django.core.management import call_command
    from django.db import connection, transaction

    from chengshu.site.schema import applied_migrations, create_or_upgrade

    create_or_upgrade()
    if applied_migrations() != manifest["schema"]:
        raise Problem(
            "backup-schema",
            "The backup was made by a program with another schema",
            detail=f"made by version {manifest['version']}",
            remedy=f"restore with chengshu {manifest['version']}, then run chengshu upgrade with this one",
        )
    call_command("flush", interactive=False, verbosity=0)
    with transaction.atomic(), connection.cursor() as cursor:
        # Content types and permissions come back with the backup; foreign keys are checked at commit.
        tables = [path.stem for path in sorted(folder.iterdir())]
        cursor.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in tables) + " CASCADE")
        for table in tables:
            with (
                (folder / f"{table}.copy").open("rb") as rows,
                cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT binary)') as copy,
            ):
                while block := rows.read(1 << 20):
                    copy.write(block)
        reset_sequences(cursor)
    shutil.rmtree(folder)


def reset_sequences(cursor: Any) -> None:
    """Set every sequence past the highest id that was loaded."""
    from django.apps import apps
    from django.core.management.color import no_style
    from django.db import connection

    for statement in connection.ops.sequence_reset_sql(
        no_style(), apps.get_models(include_auto_created=True)
    ):
        cursor.execute(statement)
