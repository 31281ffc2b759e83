"""Load golden records fast: prepared inserts of tuples on SQLite, COPY on PostgreSQL.

Rows of a snapshot that is not current yet are invisible to readers, so they are loaded in pieces that never hold a
lock for long, and taken back if the load was killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl
from django.db import connection, transaction
from django.db.models import Model

from chengshu.contexts.subjects.models import GoldenRecord, Redirect

PIECE = 20_000
# From this many rows on, an empty table is filled without its indexes, and they are built at the end.
BULK = 50_000
COLUMNS = (
    "subject_id", "kind", "valid_from", "name", "id_number", "phone", "place_code", "cell_code", "community_code",
    "data",
)  # fmt: skip
_KEYS = {
    "person": ("person.name", "person.resident_id", "person.phone"),
    "firm": ("firm.name", "firm.credit_code", "firm.phone"),
    "premises": ("premises.address", "", ""),
    "facility": ("facility.name", "", ""),
}
_TABLE = GoldenRecord._meta.db_table


def golden_rows(kind: str, golden: pl.DataFrame, number: int) -> pl.DataFrame:
    """Return the rows to load for one kind, in the order of ``COLUMNS``."""
    elements = sorted(name for name in golden.columns if "." in name)
    name, code, phone = (_text(golden, column) for column in _KEYS[kind])
    return golden.select(
        "subject_id",
        pl.lit(kind).alias("kind"),
        pl.lit(number).alias("valid_from"),
        name.str.slice(0, 200).alias("name"),
        code.str.slice(0, 40).alias("id_number"),
        phone.str.slice(0, 40).alias("phone"),
        _text(golden, f"{kind}.place_code").alias("place_code"),
        _text(golden, "cell_code").alias("cell_code"),
        _text(golden, "community_code").alias("community_code"),
        pl.struct(elements).struct.json_encode().alias("data"),
    )


def _text(golden: pl.DataFrame, column: str) -> pl.Expr:
    return pl.col(column).fill_null("") if column in golden.columns else pl.lit("")


def load(frames: Iterable[pl.DataFrame], total: int, progress: Any = None) -> None:
    """Insert golden rows; ``frames`` have ``COLUMNS``, sorted by subject."""
    bulk = total >= BULK and not GoldenRecord.objects.exists()
    if bulk:
        _drop_indexes(GoldenRecord)
    done = 0
    for piece in _pieces(frames):
        with transaction.atomic():
            _insert(_TABLE, COLUMNS, piece)
        done += piece.height
        if progress:
            progress("publish", done, total)
    if bulk:
        ensure_indexes(GoldenRecord)


def _pieces(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    for frame in frames:
        yield from frame.iter_slices(PIECE)


def _insert(table: str, columns: Sequence[str], frame: pl.DataFrame) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in frame.select(columns).iter_rows():
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(columns))
    # Django's own cursor would rewrite the statement and look at each parameter.
    raw = connection.connection
    raw.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', frame.select(columns).iter_rows())


def close_versions(ids: pl.Series, number: int) -> None:
    """End, with snapshot ``number``, the version in force of each subject; readers before it still see it."""
    for piece in ids.to_frame("subject_id").iter_slices(PIECE):
        with transaction.atomic():
            if connection.vendor == "postgresql":
                _close_postgres(piece, number)
            else:
                connection.ensure_connection()
                connection.connection.executemany(
                    f'UPDATE "{_TABLE}" SET valid_to = ? WHERE subject_id = ? AND valid_to IS NULL AND valid_from < ?',
                    [(number, subject_id, number) for subject_id in piece["subject_id"]],
                )


def _close_postgres(piece: pl.DataFrame, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE closing (subject_id varchar(24) PRIMARY KEY) ON COMMIT DROP")
        with cursor.copy("COPY closing FROM STDIN") as copy:
            for row in piece.iter_rows():
                copy.write_row(row)
        cursor.execute(
            f'UPDATE "{_TABLE}" g SET valid_to = %s FROM closing c '
            "WHERE g.subject_id = c.subject_id AND g.valid_to IS NULL AND g.valid_from < %s",
            [number, number],
        )
        # Gone with the transaction at the latest; another piece may come within the same one.
        cursor.execute("DROP TABLE closing")


def take_back(current: int) -> None:
    """Undo what a killed publication left: rows beyond the current snapshot, ends it had set, dropped indexes."""
    with transaction.atomic():
        GoldenRecord.objects.filter(valid_from__gt=current).delete()
        GoldenRecord.objects.filter(valid_to__gt=current).update(valid_to=None)
        Redirect.objects.filter(run__number__gt=current).delete()
    ensure_indexes(GoldenRecord)


def _drop_indexes(model: type[Model]) -> None:
    with connection.cursor() as cursor:
        for index in model._meta.indexes:
            cursor.execute(f'DROP INDEX IF EXISTS "{index.name}"')


def ensure_indexes(model: type[Model]) -> None:
    """Make the indexes that the model declares and the table lacks."""
    with connection.cursor() as cursor:
        have = set(connection.introspection.get_constraints(cursor, model._meta.db_table))
    for index in model._meta.indexes:
        if index.name not in have:
            statement = str(index.create_sql(model, connection.schema_editor()))
            with connection.cursor() as cursor:
                cursor.execute(statement)
