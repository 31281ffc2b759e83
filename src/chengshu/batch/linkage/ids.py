"""Subject ids for life: a rebuild gives every cluster the id that most of its records had before.

An id is the kind's letter, nine digits and a check character (ISO 7064, MOD 37,36), so a mistyped id is noticed.
Ids are never used twice. Merges and splits leave redirects, so an id that someone wrote down still leads somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.kernel.problems import Problem

LETTERS = {"person": "P", "firm": "F", "facility": "H"}
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = 9


@dataclass(frozen=True)
class Ids:
    """The ids of one run.

    ``assignment``: record_id, subject_id. ``redirects``: old, new, how: 'merged' (old is retired, read new instead),
    'split' (old lives on, new took some of its records), 'gone' (no record of old is left; new is null).
    ``churn``: share of records known before whose subject id is now another.
    """

    assignment: pl.DataFrame
    redirects: pl.DataFrame
    next_serial: int
    churn: float


def subject_id(letter: str, serial: int) -> str:
    """Return the id with ``serial`` and its check character."""
    return _ids(letter, np.array([serial], dtype=np.int64))[0]


def is_subject_id(text: str) -> bool:
    """Say whether ``text`` has the shape of an id and the right check character."""
    letter, digits = text[:1], text[1 : 1 + _DIGITS]
    shaped = (
        len(text) == _DIGITS + 2 and letter in LETTERS.values() and digits.isascii() and digits.isdecimal()
    )
    return shaped and subject_id(letter, int(digits)) == text


def assign_ids(
    clusters: pl.DataFrame, previous: pl.DataFrame | None, next_serial: int, *, kind: str = "person"
) -> Ids:
    """Give each cluster of ``clusters`` (record_id, cluster) an id, by overlap with ``previous`` (record_id, subject_id).

    The pair with the most common records goes first; ties go to the older id, then to the smaller cluster name. A
    cluster that shares no record with the past gets the next serial, in the order of its smallest record id.
    """
    clusters = clusters.select(pl.col("record_id").cast(pl.String), pl.col("cluster").cast(pl.String))
    if previous is None:
        previous = pl.DataFrame(schema={"record_id": pl.String, "subject_id": pl.String})
    overlap = (
        clusters.join(previous.select("record_id", "subject_id"), on="record_id")
        .group_by("cluster", "subject_id")
        .agg(pl.len().cast(pl.Int64).alias("common"))
    )
    taken = _matching(overlap)
    fresh = (
        clusters.join(taken, on="cluster", how="anti")
        .group_by("cluster")
        .agg(pl.col("record_id").min().alias("first"))
        .sort("first")
    )
    end = next_serial + fresh.height
    if end > 10**_DIGITS:
        raise Problem(
            "subject-ids-exhausted", f"No serial number of {_DIGITS} digits is left for {kind}", status=500
        )
    new_ids = _ids(LETTERS[kind], np.arange(next_serial, end, dtype=np.int64))
    fresh = fresh.select("cluster", pl.Series("subject_id", new_ids, dtype=pl.String))
    all_ids = pl.concat([taken, fresh])
    assignment = clusters.join(all_ids, on="cluster").select("record_id", "subject_id").sort("record_id")
    return Ids(assignment, _redirects(overlap, all_ids, previous), end, _churn(assignment, previous))


def _matching(overlap: pl.DataFrame) -> pl.DataFrame:
    """Return cluster, subject_id: a greedy matching by common records."""
    plain = (pl.len().over("cluster") == 1) & (pl.len().over("subject_id") == 1)
    marked = overlap.with_columns(plain.alias("plain"))
    contested = marked.filter(~pl.col("plain")).sort(
        ["common", "subject_id", "cluster"], descending=[True, False, False]
    )
    clusters_done: set[str] = set()
    ids_done: set[str] = set()
    chosen: list[tuple[str, str]] = []
    for cluster, old in contested.select("cluster", "subject_id").iter_rows():
        if cluster not in clusters_done and old not in ids_done:
            clusters_done.add(cluster)
            ids_done.add(old)
            chosen.append((cluster, old))
    schema = {"cluster": pl.String, "subject_id": pl.String}
    taken = marked.filter("plain").select("cluster", "subject_id")
    return pl.concat([taken, pl.DataFrame(chosen, schema=schema, orient="row")])


def _redirects(overlap: pl.DataFrame, all_ids: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    moved = overlap.join(all_ids.rename({"subject_id": "new"}), on="cluster").rename({"subject_id": "old"})
    alive = all_ids.select(pl.col("subject_id").alias("old"))
    merged = (
        moved.join(alive, on="old", how="anti")
        .sort(["old", "common", "new"], descending=[False, True, False])
        .group_by("old", maintain_order=True)
        .first()
        .select("old", "new", pl.lit("merged").alias("how"))
    )
    split = moved.join(alive, on="old", how="semi").filter(pl.col("old") != pl.col("new"))
    gone = previous.select(pl.col("subject_id").alias("old")).unique().join(moved, on="old", how="anti")
    return pl.concat(
        [
            merged,
            split.select("old", "new", pl.lit("split").alias("how")),
            gone.select("old", pl.lit(None, pl.String).alias("new"), pl.lit("gone").alias("how")),
        ]
    ).sort("old", "new", "how", nulls_last=True)


def _churn(assignment: pl.DataFrame, previous: pl.DataFrame) -> float:
    known = assignment.join(previous, on="record_id", suffix="_before")
    if known.is_empty():
        return 0.0
    return known.filter(pl.col("subject_id") != pl.col("subject_id_before")).height / known.height


def _ids(letter: str, serials: NDArray[np.int64]) -> list[str]:
    """ISO 7064, MOD 37,36 over letter and digits, for all serials at once."""
    check = np.full(serials.shape, 36, dtype=np.int64)
    columns = [np.full(serials.shape, _ALPHABET.index(letter), dtype=np.int64)]
    columns += [serials // 10**power % 10 for power in range(_DIGITS - 1, -1, -1)]
    for column in columns:
        total = (check + column) % 36
        check = np.where(total == 0, 36, total) * 2 % 37
    characters = (1 - check) % 36
    return [
        f"{letter}{serial:0{_DIGITS}d}{_ALPHABET[character]}"
        for serial, character in zip(list(serials), list(characters), strict=True)
    ]
