"""Merkle log of every act: the only module that other contexts, interfaces and the site may import.

Depositing, in the caller's transaction: ``deposit``, ``deposit_many``; in a transaction of its own: ``append``; for bulk
loads in transactions of their own: ``append_many``. ``Unit`` is the short transaction of an act, ``sql()`` its statements.
Keep the returned ``salt`` beside the payload: with both one can show that a leaf speaks of it. Kind and reference are
public: opaque ids only, never personal data. ``sequence`` is called by the clock each second.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import connection

from chengshu.contexts.ledger import audit as auditing
from chengshu.contexts.ledger import keys, sequencer, store, witness_client
from chengshu.contexts.ledger.domain import (
    Deposit,
    Entry,
    Finding,
    Leaf,
    Receipt,
    Report,
    open_checkpoint,
    write_keys,
)
from chengshu.contexts.ledger.models import CheckpointRow, KindRow, LeafRow, Log
from chengshu.contexts.ledger.sequencer import append_many, repair, rotate_key
from chengshu.contexts.ledger.sources import Source, SqlSource, open_source
from chengshu.contexts.ledger.statements import Sql, Unit, sql
from chengshu.contexts.ledger.store import append, insert_unread, last_leaf_id, without_collector
from chengshu.contexts.ledger.tiles import write_file
from chengshu.contexts.ledger.witness_client import add_witness, witnesses
from chengshu.kernel import merkle
from chengshu.kernel.problems import Problem, Where

# How many of the newest checkpoints, and of those from all times, a verification looks at.
HISTORY = 500

__all__ = [
    "Deposit",
    "Entry",
    "Finding",
    "Leaf",
    "Receipt",
    "Report",
    "Sql",
    "Unit",
    "add_witness",
    "append",
    "append_many",
    "checkpoint",
    "checkpoints",
    "deposit",
    "deposit_many",
    "entries_for",
    "entry",
    "export",
    "find_entries",
    "first_checkpoint_over",
    "insert_unread",
    "kinds",
    "last_leaf_id",
    "ledger_folder",
    "log_keys",
    "receipt",
    "repair",
    "rotate_key",
    "sequence",
    "sql",
    "status",
    "verify",
    "verify_files",
    "without_collector",
    "witnesses",
]


def deposit(kind: str, reference: str, payload: Mapping[str, Any], *, now: dt.datetime) -> Leaf:
    """Deposit the salted digest of ``payload`` in the caller's transaction; it gets its position within a
    second.
    """
    return store.insert(kind, reference, payload, now=now)


def deposit_many(deposits: Iterable[Deposit], *, now: dt.datetime) -> list[Leaf]:
    """Deposit many acts in the caller's transaction."""
    return store.insert_many(deposits, now=now)


def sequence(now: dt.datetime, *, takeover: bool = False) -> int:
    """Number what waits, sign and publish the tree head, have it cosigned; returns how many leaves were
    numbered.

    Only the holder of the lease does so; ``takeover`` takes the lease for one call (an operator's command).
    """
    numbered = sequencer.sequence(now, takeover=takeover)
    witness_client.cosign()
    return numbered


def checkpoint() -> str | None:
    """Return the newest signed checkpoint with its cosignatures; ``None`` before the first."""
    return sequencer.latest_note()


def first_checkpoint_over(leaf_id: int) -> tuple[str, int, str] | None:
    """Return the digest of a leaf, and size and root of the first signed tree head that covers it; ``None`` before.

    Which tree head that is follows from the leaf: nobody can wait for one that suits them.
    """
    found = store.entry(leaf_id)
    if found is None or found.position is None:
        return None
    head = CheckpointRow.objects.filter(size__gt=found.position).exclude(note="").order_by("size").first()
    return (found.digest, head.size, head.root) if head is not None else None


def log_keys() -> list[str]:
    """Return the log's verifier keys, oldest first."""
    return [str(key.verifier) for key in keys.log_keys()]


def ledger_folder() -> Path:
    """Return the folder of tiles, checkpoint and verifier keys."""
    return keys.ledger_folder()


def checkpoints(number: int = 20) -> list[dict[str, Any]]:
    """Return the newest signed checkpoints: size, root, time, who cosigned."""
    rows = CheckpointRow.objects.exclude(note="").order_by("-size")[:number]
    return [
        {"size": row.size, "root": row.root, "at": row.at, "cosigned_by": row.cosigned_by.split()}
        for row in rows
    ]


def entry(leaf_id: int) -> Entry | None:
    """Return one entry by its id."""
    return store.entry(leaf_id)


def entries_for(reference: str) -> list[Entry]:
    """Return the entries of one reference, oldest first."""
    return list(store.entries_of(LeafRow.objects.filter(reference=reference).order_by("id")))


def find_entries(
    *, reference: str = "", kind: str = "", before: int | None = None, number: int = 50
) -> list[Entry]:
    """Return entries by the start of their reference and by kind, newest first; ``before`` an id, to page
    on.
    """
    query = LeafRow.objects.order_by("-id")
    if reference:
        # A range instead of LIKE: both databases then use the index, whatever their collation rules.
        query = query.filter(reference__gte=reference, reference__lt=reference + "\U0010ffff")
    if kind:
        query = query.filter(kind=kind)
    if before is not None:
        query = query.filter(id__lt=before)
    return list(store.entries_of(query[:number]))


def kinds() -> list[str]:
    """Return the kinds of entries that there are."""
    return list(KindRow.objects.order_by("kind").values_list("kind", flat=True))


def status() -> dict[str, Any]:
    """Return how the log stands: size, root, what waits, the newest checkpoint and who cosigned it."""
    log = Log.objects.filter(pk=1).first()
    row = CheckpointRow.objects.exclude(note="").order_by("-size").first()
    return {
        "origin": log.origin if log else None,
        "suite": log.suite if log else None,
        "size": log.size if log else 0,
        "root": log.root if log else None,
        "waiting": LeafRow.objects.filter(position__isnull=True).count(),
        "checkpoint_size": row.size if row else 0,
        "checkpoint_at": row.at if row else None,
        "cosigned_by": row.cosigned_by.split() if row else [],
    }


def receipt(leaf_id: int) -> Receipt | None:
    """Return the proof that an entry stands under the newest checkpoint; ``None`` until it has been
    numbered.
    """
    found = store.entry(leaf_id)
    log = Log.objects.filter(pk=1).first()
    note = sequencer.latest_note()
    if found is None or log is None or note is None or found.position is None:
        return None
    head = open_checkpoint(note)[1]
    if found.position >= head.size:
        return None
    tiles = sequencer.tile_store(log)
    path = merkle.inclusion_proof(found.position, head.size, tiles.read_node, tiles.suite)
    return Receipt(leaf_id, found.position, found.text, note, tuple(node.hex() for node in path), log.suite)


def verify(
    *,
    against: Sequence[Path] = (),
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Verify the database and the files of this installation, offline."""
    log = Log.objects.filter(pk=1).first()
    note = _note_on_file() or sequencer.latest_note()
    if log is None or note is None:
        raise Problem(
            "ledger-empty",
            "There is no ledger here yet",
            remedy="it starts with the first act",
            exit_code=3,
            status=404,
        )
    source = _source()
    report = auditing.audit(
        auditing.Case(
            source=source,
            tiles=sequencer.tile_store(log),
            note=note,
            keys=keys.log_keys(),
            witnesses=[known.verifier for known in witnesses()],
            history=_history(),
            outside=[auditing.read_outside(path) for path in against],
            log_size=Log.objects.get(pk=1).size,
            processes=processes or os.cpu_count() or 1,
            progress=progress,
        )
    )
    report.unpositioned = LeafRow.objects.filter(position__isnull=True).count()
    return report


def verify_files(
    folder: Path,
    *,
    against: Sequence[Path] = (),
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Verify an export by its files alone."""
    return auditing.audit_folder(folder, against, processes or os.cpu_count() or 1, progress)


def export(folder: Path) -> int:
    """Copy checkpoint, keys, history and tiles to ``folder``, for anyone to verify; returns the number of
    leaves.
    """
    note = sequencer.latest_note()
    log = Log.objects.filter(pk=1).first()
    if note is None or log is None:
        raise Problem("ledger-empty", "There is no ledger here yet", exit_code=3, status=404)
    if folder.exists() and any(folder.iterdir()):
        raise Problem("folder-not-empty", "The folder is not empty", where=Where(file=str(folder)))
    with sequencer.folder_lock():
        # Nothing grows meanwhile: a partial tile goes as soon as its full one is there.
        note = sequencer.latest_note() or note
        size = open_checkpoint(note)[1].size
        source = keys.ledger_folder()
        for path in sequencer.tile_store(log).paths(size):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, folder / path)
    write_file(folder / "keys.txt", write_keys(keys.log_keys()).encode())
    pinned = "".join(f"{known.verifier} {known.url}\n" for known in witnesses())
    if pinned:
        write_file(folder / "witnesses.txt", pinned.encode())
    history = "".join(text + "\f\n" for text in _history() if open_checkpoint(text)[1].size <= size)
    write_file(folder / "history.txt", history.encode())
    write_file(folder / "suite.txt", f"{log.suite}\n".encode())
    write_file(folder / "checkpoint", note.encode())
    return size


def _history() -> list[str]:
    """Return signed checkpoints on file, by size: the newest, some of all times, and the last of each old
    key.

    A day of acts makes 86,400 of them; a rewritten row breaks every later one, so a sample finds it as well.
    """
    signed = CheckpointRow.objects.exclude(note="").order_by("size")
    sizes = list(signed.values_list("size", flat=True))
    chosen = {
        *sizes[-HISTORY:],
        *sizes[:: max(len(sizes) // HISTORY, 1)],
        *(key.since for key in keys.log_keys()),
    }
    found: list[str] = []
    ordered = sorted(chosen)
    for start in range(0, len(ordered), 500):
        part = signed.filter(size__in=ordered[start : start + 500])
        found += part.values_list("note", flat=True)
    return found


def _note_on_file() -> str | None:
    path = keys.ledger_folder() / "checkpoint"
    return path.read_text(encoding="utf-8") if path.exists() else None


def _source() -> Source:
    """Return the rows of this database; several processes can read them unless it lives in memory."""
    params = connection.get_connection_params()
    if connection.vendor == "postgresql":
        from psycopg.conninfo import make_conninfo

        wanted = ("dbname", "user", "password", "host", "port")
        return open_source(
            ("postgresql", make_conninfo(**{k: params[k] for k in wanted if params.get(k)}), "")
        )
    name = str(params["database"])
    if "mode=memory" in name or name == ":memory:":
        connection.ensure_connection()
        return SqlSource(connection.connection, "?", None)
    return open_source(("sqlite", str(Path(name).resolve()), ""))
