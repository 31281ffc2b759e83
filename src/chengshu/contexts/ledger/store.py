"""Leaves in and out of the database, in SQL that SQLite and PostgreSQL share, with one branch for bulk
loading.
"""

from __future__ import annotations

import datetime as dt
import gc
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import chain, count, islice, repeat
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from chengshu.contexts.ledger.domain import (
    HEADER,
    MAX_MANY,
    MAX_REFERENCE,
    Deposit,
    Entry,
    Leaf,
    check_names,
    from_milliseconds,
    to_milliseconds,
)
from chengshu.contexts.ledger.models import KindRow, LeafRow
from chengshu.contexts.ledger.statements import Unit, sql
from chengshu.kernel import merkle
from chengshu.kernel.canonical import canonical_json

SALT_BYTES = 16
ROWS_A_STATEMENT = 256
_INSERT = "INSERT INTO ledger_leaf (kind, reference, digest, at) VALUES (%s, %s, %s, %s)"
# The text that is hashed, put together by the database itself (see domain.leaf_text).
TEXT_SQL = f"'{HEADER}\n' || id || '\n' || kind || '\n' || reference || '\n' || at || '\n' || digest"


def insert(kind: str, reference: str, payload: Any, *, now: dt.datetime) -> Leaf:
    """Insert one leaf without a position, in whatever transaction is open."""
    check_names(kind, reference)
    salt, digest = _salted(payload)
    db, values = sql(), (kind, reference, digest, to_milliseconds(now))
    if db.sqlite:
        return Leaf(db.run(_INSERT, values).lastrowid, digest, salt)
    return Leaf(db.run(f"{_INSERT} RETURNING id", values).fetchone()[0], digest, salt)


def insert_unread(kind: str, reference: str, payload: Any, *, now: dt.datetime) -> str:
    """Insert one leaf without asking for its id (``last_leaf_id`` names it to the next statement); returns its salt."""
    check_names(kind, reference)
    salt, digest = _salted(payload)
    sql().run(_INSERT, (kind, reference, digest, to_milliseconds(now)))
    return salt


def last_leaf_id() -> str:
    """Return the SQL expression for the id of the leaf that was inserted last on this connection."""
    return "last_insert_rowid()" if sql().sqlite else "currval('ledger_leaf_id_seq')"


def append(kind: str, reference: str, payload: Any, *, now: dt.datetime) -> Leaf:
    """Insert one leaf in a transaction of its own."""
    with Unit():
        return insert(kind, reference, payload, now=now)


def insert_many(deposits: Iterable[Deposit], *, now: dt.datetime) -> list[Leaf]:
    """Insert many leaves without positions, in whatever transaction is open; all of them or none."""
    at = to_milliseconds(now)
    leaves: list[Leaf] = []
    with transaction.atomic(savepoint=False), without_collector():
        for batch in batches(deposits):
            salts, digests = _salt_all(batch)
            ids = _reserve_ids(len(batch))
            _load(batch, ids, digests, at, None)
            leaves += _leaves(ids, digests, salts)
    return leaves


def insert_placed(
    batch: Sequence[Deposit], first: int, *, at: int, suite: merkle.Suite
) -> tuple[list[Leaf], list[bytes]]:
    """Insert leaves at positions ``first`` …; the caller holds the log. Returns the leaves and their hashes."""
    salts, digests = _salt_all(batch)
    ids = _reserve_ids(len(batch))
    _load(batch, ids, digests, at, first)
    new = suite.new
    hashes = [
        new(f"\0{HEADER}\n{leaf_id}\n{kind}\n{reference}\n{at}\n{digest}".encode()).digest()
        for leaf_id, (kind, reference, _), digest in zip(ids, batch, digests, strict=True)
    ]
    return _leaves(ids, digests, salts), hashes


def number_leaves(first: int, most: int) -> int:
    """Give the oldest unpositioned leaves positions ``first`` …; returns how many. The caller holds the log."""
    # One statement, so that a leaf which commits meanwhile is either wholly in or left for the next time.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_leaf SET position = %s + waiting.n FROM "
            "(SELECT id, ROW_NUMBER() OVER (ORDER BY id) - 1 AS n FROM ledger_leaf "
            "WHERE position IS NULL ORDER BY id LIMIT %s) AS waiting WHERE ledger_leaf.id = waiting.id",
            (first, most),
        )
        return int(cursor.rowcount)


def waiting() -> bool:
    """Return whether any leaf has no position yet."""
    return LeafRow.objects.filter(position__isnull=True).exists()


def texts(start: int, stop: int) -> list[bytes]:
    """Return the texts of the leaves at positions ``start`` … ``stop`` - 1 that are there, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {TEXT_SQL} FROM ledger_leaf WHERE position >= %s AND position < %s ORDER BY position",
            (start, stop),
        )
        return [text.encode() for (text,) in cursor.fetchall()]


def record_kinds(found: Iterable[str]) -> None:
    """Remember which kinds occur, so that pages need not read the whole log."""
    KindRow.objects.bulk_create([KindRow(kind=kind) for kind in sorted(found)], ignore_conflicts=True)


def entry(leaf_id: int) -> Entry | None:
    """Return one entry by its id."""
    return next(entries_of(LeafRow.objects.filter(pk=leaf_id)), None)


def entries_of(query: QuerySet[LeafRow]) -> Iterator[Entry]:
    """Yield what readers see of ``query``."""
    fields = ("id", "position", "kind", "reference", "at", "digest")
    for leaf_id, position, kind, reference, at, digest in query.values_list(*fields):
        yield Entry(leaf_id, position, kind, reference, from_milliseconds(at), digest)


def _salted(payload: Any) -> tuple[str, str]:
    salt = os.urandom(SALT_BYTES)
    data = payload if isinstance(payload, bytes) else canonical_json(payload)
    return salt.hex(), hashlib.sha256(salt + data).hexdigest()


def _salt_all(batch: Sequence[Deposit]) -> tuple[list[str], list[str]]:
    """Return the salts and salted digests of a batch, and refuse it when a name is wrong."""
    kinds, references, payloads = zip(*batch, strict=True)
    for kind in set(kinds):
        check_names(kind, "-")
    lengths = set(map(len, references))
    if not "".join(references).isprintable() or 0 in lengths or max(lengths) > MAX_REFERENCE:
        for reference in references:
            check_names("-", reference)
    # One call for all salts: the kernel's random numbers cost more than a hash.
    noise, new = os.urandom(SALT_BYTES * len(batch)), hashlib.sha256
    data = [payload if isinstance(payload, bytes) else canonical_json(payload) for payload in payloads]
    starts = range(0, len(noise), SALT_BYTES)
    digests = [
        new(noise[at : at + SALT_BYTES] + item).hexdigest() for at, item in zip(starts, data, strict=True)
    ]
    shown, width = noise.hex(), 2 * SALT_BYTES
    return [shown[at : at + width] for at in range(0, len(shown), width)], digests


def _leaves(ids: Sequence[int], digests: Sequence[str], salts: Sequence[str]) -> list[Leaf]:
    make: Callable[[tuple[int, str, str]], Leaf] = partial(tuple.__new__, Leaf)
    return list(map(make, zip(ids, digests, salts, strict=True)))


def batches(deposits: Iterable[Deposit]) -> Iterator[list[Deposit]]:
    """Yield ``deposits`` in lists of at most ``MAX_MANY``."""
    source = iter(deposits)
    while batch := list(islice(source, MAX_MANY)):
        yield batch


def _reserve_ids(number: int) -> Sequence[int]:
    """Return ids for ``number`` new leaves; inside a transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('ledger_leaf', 'id')) FROM generate_series(1, %s)",
                (number,),
            )
            return [leaf_id for (leaf_id,) in cursor.fetchall()]
        # SQLite: the transaction is immediate, so nobody else inserts before it ends.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'ledger_leaf'")
        found = cursor.fetchone()
        first = (found[0] if found else 0) + 1
        return range(first, first + number)


def _load(
    batch: Sequence[Deposit], ids: Sequence[int], digests: Sequence[str], at: int, first: int | None
) -> None:
    """Insert a batch; ``first`` is the position of its first leaf, ``None`` leaves positions open."""
    if connection.vendor == "postgresql":
        _copy(batch, ids, digests, at, first)
        return
    connection.ensure_connection()
    with connection.wrap_database_errors:
        _insert_sqlite(connection.connection, batch, ids, digests, at, first)


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep Python's cycle collector away while a bulk load makes a million objects, none of them in a cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _copy(
    batch: Sequence[Deposit], ids: Sequence[int], digests: Sequence[str], at: int, first: int | None
) -> None:
    positions: Iterable[int | None] = repeat(None) if first is None else count(first)
    columns = "id, position, kind, reference, digest, at"
    with connection.cursor() as cursor, cursor.copy(f"COPY ledger_leaf ({columns}) FROM STDIN") as copy:
        for leaf_id, position, (kind, reference, _), digest in zip(
            ids, positions, batch, digests, strict=False
        ):
            copy.write_row((leaf_id, position, kind, reference, digest, at))


def _insert_sqlite(
    raw: Any, batch: Sequence[Deposit], ids: Sequence[int], digests: Sequence[str], at: int, first: int | None
) -> None:
    """Insert many rows a statement, straight to the driver, binding nothing that can be computed."""
    for start in range(0, len(batch), ROWS_A_STATEMENT):
        part = batch[start : start + ROWS_A_STATEMENT]
        # Ids follow each other: the transaction is immediate.
        values: list[Any] = [ids[start], None if first is None else first + start, at]
        kinds, references, _ = zip(*part, strict=True)
        values += chain.from_iterable(
            zip(kinds, references, digests[start : start + ROWS_A_STATEMENT], strict=True)
        )
        raw.execute(_insert_sql(len(part)), values)


@lru_cache(maxsize=2)
def _insert_sql(number: int) -> str:
    rows = ", ".join(
        f"(?1 + {n}, ?2 + {n}, ?{3 * n + 4}, ?{3 * n + 5}, ?{3 * n + 6}, ?3)" for n in range(number)
    )
    return f"INSERT INTO ledger_leaf (id, position, kind, reference, digest, at) VALUES {rows}"
