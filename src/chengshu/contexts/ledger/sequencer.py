"""The sequencer: one at a time numbers leaves, signs the tree head, writes tiles, asks the witnesses.

Numbering is one database transaction under a lock on the log's row; a lease keeps idle sequencers away and
makes the next one take over when the holder dies. Signing and files come after the commit, and are made up
for at the next call when a process dies in between. A sequencer never signs what does not continue the last
published head.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from chengshu.contexts.ledger import keys, store
from chengshu.contexts.ledger.domain import (
    KEY_KIND,
    MAX_MANY,
    Deposit,
    Leaf,
    key_for,
    open_checkpoint,
    to_milliseconds,
)
from chengshu.contexts.ledger.models import CheckpointRow, Log
from chengshu.contexts.ledger.tiles import TileStore, extend_by_tiles, write_file
from chengshu.kernel import merkle
from chengshu.kernel.problems import Problem
from chengshu.kernel.signed_note import Checkpoint, sign_note

LEASE = dt.timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Fresh:
    """Leaves just numbered, still in memory."""

    start: int
    texts: Sequence[bytes]
    hashes: Sequence[bytes]
    roots: Mapping[int, bytes]


def open_log(now: dt.datetime) -> Log:
    """Return the log, made with its first key at first start."""
    log = Log.objects.filter(pk=1).first()
    if log is not None:
        return log
    origin = getattr(settings, "LEDGER_ORIGIN", "") or os.environ.get("CHENGSHU_LOG_ORIGIN", "")
    suite = merkle.SUITES[os.environ.get("CHENGSHU_LOG_SUITE", "sha256")]
    origin = origin or f"chengshu.local/{secrets.token_hex(4)}"
    with transaction.atomic():
        empty = merkle.Frontier(suite).root().hex()
        log, made = Log.objects.get_or_create(
            pk=1, defaults={"origin": origin, "suite": suite.name, "root": empty}
        )
        if made:
            keys.record_key(keys.make_key(origin), 0, None, now)
    return log


def sequence(now: dt.datetime, *, holder: str | None = None, takeover: bool = False) -> int:
    """Number all waiting leaves, publish a signed checkpoint; returns how many. 0 while another holds the
    lease.

    ``takeover`` takes the lease from whoever holds it, for one call: an operator does not wait.
    """
    log = open_log(now)
    name = holder or f"{socket.gethostname()}:{os.getpid()}"
    if not _to_do(log) or not _take_lease(name, now, takeover):
        return 0
    done = 0
    while fresh := _number(name, now) if store.waiting() else None:
        done += len(fresh.texts)
        publish(now, fresh)
    if not done and (log.size or _published_size()):
        publish(now)
    if takeover:
        Log.objects.filter(pk=1, holder=name).update(holder="")
    return done


def append_many(deposits: Iterable[Deposit], *, now: dt.datetime) -> list[Leaf]:
    """Deposit many leaves in transactions of their own, numbered at once; the way for bulk loads.

    Must not be called inside a transaction: it holds the log while it writes. The next ``sequence``
    publishes.
    """
    open_log(now)
    leaves: list[Leaf] = []
    for batch in store.batches(deposits):
        with transaction.atomic(durable=True), store.without_collector():
            log = Log.objects.select_for_update().get(pk=1)
            suite = merkle.SUITES[log.suite]
            made, hashes = store.insert_placed(batch, log.size, at=to_milliseconds(now), suite=suite)
            _advance(log, hashes, now, {deposit.kind for deposit in batch})
        leaves += made
    return leaves


def publish(now: dt.datetime, fresh: Fresh | None = None) -> None:
    """Write tiles and a signed checkpoint up to the log's size; what an interrupted call left is made up
    for.
    """
    with folder_lock():
        log = Log.objects.get(pk=1)
        if not log.size:
            return
        published = _published_size()
        if published > log.size:
            raise Problem(
                "ledger-rolled-back",
                f"The published checkpoint has {published} leaves, the database only {log.size}",
                remedy="restore the database that belongs to var/ledger; nothing is signed until then",
                status=503,
            )
        _sign_last_of_old_keys(log)
        row = CheckpointRow.objects.get(size=log.size)
        if published == log.size and row.note:
            return
        _write_tiles(log, published, fresh)
        _sign(log, row)


def latest_note() -> str | None:
    """Return the newest signed checkpoint, with its cosignatures."""
    row = CheckpointRow.objects.exclude(note="").order_by("-size").first()
    return row.note if row else None


def add_cosignatures(size: int, note: str, names: list[str]) -> None:
    """Save a checkpoint with its witnesses' signatures, and publish it where it is still the newest."""
    with folder_lock():
        CheckpointRow.objects.filter(size=size).update(note=note, cosigned_by="\n".join(names))
        if _published_size() == size:
            write_file(keys.ledger_folder() / "checkpoint", note.encode(), durable=True)


def rotate_key(now: dt.datetime) -> tuple[str, int]:
    """Announce a new key in the log and let it sign from then on; returns it and the position of its entry."""
    log = open_log(now)
    old = keys.log_keys()[-1].verifier
    keys.load_signer(old)
    verifier = keys.make_key(log.origin)
    (leaf,) = append_many(
        [Deposit(KEY_KIND, str(verifier), {"new": str(verifier), "old": str(old)})], now=now
    )
    with transaction.atomic():
        # From here on whoever signs a larger head signs it with the new key.
        log = Log.objects.select_for_update().get(pk=1)
        keys.record_key(verifier, log.size, leaf.id, now)
    publish(now)
    keys.publish_keys()
    entry = store.entry(leaf.id)
    return str(verifier), entry.position if entry and entry.position is not None else -1


def repair(now: dt.datetime) -> int:
    """Write all tiles again from the database; refuses when they would not give the signed root."""
    log = open_log(now)
    with folder_lock():
        _write_tiles(log, 0, None)
        row = CheckpointRow.objects.filter(size=log.size).first()
        if row is not None:
            _sign(log, row)
    return log.size


def tile_store(log: Log) -> TileStore:
    """Return the log's tiles."""
    return TileStore(keys.ledger_folder(), merkle.SUITES[log.suite])


def _to_do(log: Log) -> bool:
    """Return whether anything waits to be numbered, signed or written: an idle clock only reads."""
    if store.waiting() or _published_size() != log.size:
        return True
    return bool(log.size) and CheckpointRow.objects.filter(size=log.size, note="").exists()


def _take_lease(holder: str, now: dt.datetime, takeover: bool) -> bool:
    if takeover:
        return bool(Log.objects.filter(pk=1).update(holder=holder, held_until=now + LEASE))
    free = Q(holder=holder) | Q(holder="") | Q(held_until__isnull=True) | Q(held_until__lt=now)
    return bool(Log.objects.filter(free, pk=1).update(holder=holder, held_until=now + LEASE))


def _number(holder: str, now: dt.datetime) -> Fresh | None:
    with transaction.atomic():
        log = Log.objects.select_for_update().get(pk=1)
        if log.holder != holder:
            return None
        numbered = store.number_leaves(log.size, MAX_MANY)
        if not numbered:
            return None
        start = log.size
        texts = store.texts(start, start + numbered)
        hashes = merkle.leaf_hashes([merkle.LEAF + text for text in texts], merkle.SUITES[log.suite])
        kinds = {text.split(b"\n", 3)[2] for text in texts}
        return Fresh(start, texts, hashes, _advance(log, hashes, now, [kind.decode() for kind in kinds]))


def _advance(
    log: Log, hashes: Sequence[bytes], now: dt.datetime, kinds: Iterable[str]
) -> Mapping[int, bytes]:
    """Move the tree head over new leaves, inside the transaction that numbered them; returns roots of full
    tiles.
    """
    suite = merkle.SUITES[log.suite]
    frontier = merkle.Frontier(suite, log.size, [bytes.fromhex(node) for node in log.frontier])
    roots = extend_by_tiles(frontier, hashes)
    log.size, log.root = frontier.size, frontier.root().hex()
    log.frontier = [node.hex() for node in frontier.hashes]
    log.save(update_fields=["size", "root", "frontier"])
    CheckpointRow.objects.create(size=log.size, root=log.root, at=now)
    store.record_kinds(kinds)
    return roots


def _write_tiles(log: Log, start: int, fresh: Fresh | None) -> None:
    tiles = tile_store(log)
    while start < log.size:
        if fresh is not None and fresh.start == start:
            texts, hashes, roots = fresh.texts, fresh.hashes, fresh.roots
        else:
            texts = store.texts(start, min(start + MAX_MANY, log.size))
            hashes = merkle.leaf_hashes([merkle.LEAF + text for text in texts], tiles.suite)
            roots = {}
        if not texts:
            break
        tiles.append(start, hashes, texts, roots)
        start += len(texts)
    if start != log.size or tiles.root(log.size).hex() != log.root:
        raise Problem(
            "ledger-broken",
            "The rows do not give the root of the log: nothing is signed",
            remedy="chengshu ledger verify names the rows; restore them, then chengshu ledger repair",
            status=503,
        )


def _sign_last_of_old_keys(log: Log) -> None:
    """Sign the head up to which an old key signs, where a crash or a faster neighbour left it unsigned."""
    changes = [key.since for key in keys.log_keys() if key.since]
    for row in CheckpointRow.objects.filter(size__in=changes, note=""):
        _sign_row(log, row)


def _sign_row(log: Log, row: CheckpointRow) -> None:
    head = Checkpoint(log.origin, row.size, bytes.fromhex(row.root))
    signer = keys.load_signer(key_for(keys.log_keys(), row.size).verifier)
    row.note = str(sign_note(str(head), [signer]))
    row.save(update_fields=["note"])


def _sign(log: Log, row: CheckpointRow) -> None:
    if not row.note:
        _sign_row(log, row)
    folder = keys.ledger_folder()
    if not (folder / "keys.txt").exists():
        keys.publish_keys()
    write_file(folder / "checkpoint", row.note.encode(), durable=True)


def _published_size() -> int:
    try:
        data = (keys.ledger_folder() / "checkpoint").read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0
    return open_checkpoint(data)[1].size


@contextmanager
def folder_lock() -> Iterator[None]:
    """Hold the ledger's files: nobody publishes meanwhile."""
    folder = keys.ledger_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
