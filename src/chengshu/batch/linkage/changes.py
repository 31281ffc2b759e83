"""Resolve again only what changed records can change, and come to what resolving everything gives.

Scores look at two records alone, and clusters at one connected component alone, so under one pinned model the rest
stays as it was. What a record can reach is found in an index of keys, kept from the last run: a few columns of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import duckdb
import polars as pl

from chengshu.batch.linkage.blocking import block_keys
from chengshu.batch.linkage.components import Ints
from chengshu.batch.linkage.levels import Model
from chengshu.batch.linkage.models import pinned
from chengshu.batch.linkage.resolve import run
from chengshu.batch.linkage.scoring import workshop
from chengshu.batch.linkage.standard import INPUT, standardise
from chengshu.batch.linkage.sure import sure_keys

_SEED = 2026
_DECISIONS = {"left_id": pl.String, "right_id": pl.String, "decision": pl.String}
# Candidates from here on tie two clusters together, for their mean may speak for it once others changed.
STRONG = 0.49


@dataclass(frozen=True)
class Previous:
    """The last run under the same model: its index and candidates, and what people had decided then.

    ``standard`` returns the records of these ids in standard form. ``candidates`` needs left_id, right_id, probability.
    """

    index: pl.DataFrame
    standard: Callable[[pl.Series], pl.DataFrame]
    candidates: pl.DataFrame
    decisions: pl.DataFrame | None = None
    broken: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Changes:
    """What takes the place of what the last run found.

    ``changed``: ids of the records that came, went or read otherwise; ``standard``: those that are there, in standard
    form. ``again``: ids of all records that were resolved again; ``index``, ``pairs``, ``candidates``: what holds of
    them now. ``broken``: all decisions that could not be followed.
    """

    changed: pl.Series
    standard: pl.DataFrame
    again: pl.Series
    index: pl.DataFrame
    pairs: pl.DataFrame
    candidates: pl.DataFrame
    broken: list[tuple[str, str]]

    def replaced(self, pairs: pl.DataFrame) -> pl.Series:
        """Say of each of the last run's pairs (left_id, right_id) whether it is void: found again, or not at all."""
        gone, again = self.changed.implode(), self.again.implode()
        left, right = pl.col("left_id"), pl.col("right_id")
        void = left.is_in(gone) | right.is_in(gone) | (left.is_in(again) & right.is_in(again))
        return pairs.select(void.alias("void"))["void"]


def differing(now: pl.DataFrame, before: pl.DataFrame) -> pl.Series:
    """Return the ids of records that came, went or read otherwise in what linkage looks at."""
    both = _digests(now).join(_digests(before), on="record_id", how="full", coalesce=True)
    return both.filter(pl.col("digest").ne_missing(pl.col("digest_right")))["record_id"].sort()


def _digests(records: pl.DataFrame) -> pl.DataFrame:
    columns = [
        (pl.col(name).cast(dtype, strict=False) if name in records.columns else pl.lit(None, dtype)).alias(
            name
        )
        for name, dtype in INPUT.items()
    ]
    frame = records.select(columns)
    return frame.select("record_id", digest=frame.hash_rows(_SEED))


def resolve_changes(
    kind: str,
    records: pl.DataFrame,
    changed: pl.Series,
    previous: Previous,
    *,
    decisions: pl.DataFrame | None = None,
    model: Model | None = None,
) -> Changes:
    """Resolve again what the ids ``changed`` can change; ``records``: those of them that are there, as they read now."""
    asked = _redecided(decisions, previous.decisions)
    with workshop() as con:
        fresh = standardise(kind, records)
        there = ~pl.col("record_id").is_in(changed.implode())
        kept, old = previous.index.filter(there), previous.index.filter(~there)
        added = pl.concat([fresh.select("record_id"), sure_keys(kind, fresh)], how="horizontal")
        reach = _Reach(pl.concat([kept, added], how="diagonal"), kept.height)
        reached = reach.of(con, kind, fresh, old, asked, decisions, previous)
        again = reach.index.filter(reached)["record_id"]
        standing = previous.standard(reach.index.filter(reached & reach.is_kept)["record_id"])
        frame = pl.concat([standing, fresh.filter(pl.col("record_id").is_in(again.implode()))]).sort(
            "record_id"
        )
        found = run(con, kind, frame, decisions, model or pinned(kind), reach.crowd_beside(reached))
    rows = set(again.to_list())
    broken = [pair for pair in previous.broken if pair[0] not in rows and pair[1] not in rows]
    broken = [pair for pair in broken if not set(pair) & set(changed.to_list())]
    return Changes(
        changed, fresh, again, found.index, found.pairs, found.candidates, sorted(broken + found.broken)
    )


def _redecided(decisions: pl.DataFrame | None, before: pl.DataFrame | None) -> pl.Series:
    """Return the ids of records on which people decided anew."""
    empty = pl.DataFrame(schema=_DECISIONS)
    now, then = (
        empty if one is None else one.select(pl.col(name).cast(pl.String) for name in _DECISIONS).unique()
        for one in (decisions, before)
    )
    new = now.join(then, on=list(_DECISIONS), how="anti")
    gone = then.join(now, on=list(_DECISIONS), how="anti")
    other = pl.concat([new, gone])
    return pl.concat([other["left_id"], other["right_id"].alias("left_id")]).unique()


class _Reach:
    """What changed records can change, found in the index of all records as they stand now.

    What a record is surely one with, and so which code it holds, hangs on its sure component alone: first those of the
    changed records, as they read now and as they read before. New pairs arise only where a row of these shares a key;
    and who is compared anew brings its whole old component along. Nothing else can change.
    """

    def __init__(self, index: pl.DataFrame, kept: int) -> None:
        self.index = index
        self.is_kept = pl.int_range(index.height, eager=True) < kept
        self.sure = [name for name in index.columns if name[0] == "s" and name[1:].isdecimal()]
        self.block = [name for name in index.columns if name[0] == "k" and name[1:].isdecimal()]

    def of(
        self,
        con: duckdb.DuckDBPyConnection,
        kind: str,
        fresh: pl.DataFrame,
        old: pl.DataFrame,
        asked: pl.Series,
        decisions: pl.DataFrame | None,
        previous: Previous,
    ) -> pl.Series:
        """Return for each row of the index whether it must be resolved again."""
        start = ~self.is_kept | self._named(asked)
        core = self._spread(start, self.sure, old)
        standing = previous.standard(self.index.filter(core & self.is_kept)["record_id"])
        # Which code a row of the core holds is not known yet: it stands with either birth.
        con.register("core", _either_birth(pl.concat([fresh, standing])))
        either = block_keys(con, kind, "core")
        con.unregister("core")
        named = pl.concat([either, old.select(self.block), self.index.filter(core).select(self.block)])
        touched = core | self._sharing(self.block, named)
        touched |= self._sharing(["cluster"], old)
        return self._closed(touched, self._ties(decisions, previous))

    def crowd_beside(self, reached: pl.Series) -> Callable[[pl.DataFrame], pl.DataFrame]:
        """Return the function that counts, for keys of the rows reached, the other rows that bear them."""
        others = self.index.filter(~reached)

        def count(keys: pl.DataFrame) -> pl.DataFrame:
            found = [pl.DataFrame(schema={"n": pl.Int32, "k": pl.UInt64, "m": pl.Int64})]
            for number, name in enumerate(self.block):
                wanted = keys[name].drop_nulls().unique()
                borne = others[name].filter(others[name].is_in(wanted.implode()))
                counted = borne.to_frame("k").group_by("k").agg(pl.len().cast(pl.Int64).alias("m"))
                found.append(counted.select(pl.lit(number, pl.Int32).alias("n"), "k", "m"))
            return pl.concat(found)

        return count

    def _named(self, ids: pl.Series) -> pl.Series:
        return self.index["record_id"].is_in(ids.implode())

    def _sharing(self, names: Iterable[str], wanted: pl.DataFrame) -> pl.Series:
        """Say of each row whether it bears a value that ``wanted`` has in the same column."""
        found = pl.repeat(False, self.index.height, dtype=pl.Boolean, eager=True)
        for name in names:
            values = wanted[name].drop_nulls().unique()
            if len(values):
                found |= self.index[name].is_in(values.implode()).fill_null(False)
        return found

    def _spread(self, start: pl.Series, names: list[str], also: pl.DataFrame | None = None) -> pl.Series:
        """Return the rows that chains of shared values lead to from ``start``."""
        reached = start
        edge = self.index.filter(start).select(names)
        if also is not None:
            edge = pl.concat([edge, also.select(names)])
        while edge.height:
            more = self._sharing(names, edge) & ~reached
            reached = reached | more
            edge = self.index.filter(more).select(names)
        return reached

    def _ties(self, decisions: pl.DataFrame | None, previous: Previous) -> tuple[Ints, Ints]:
        """Return the row pairs that old strong candidates and people's decisions tie together."""
        strong = previous.candidates.filter(pl.col("probability") >= STRONG).select("left_id", "right_id")
        ties = [strong]
        if decisions is not None and decisions.height:
            ties.append(decisions.select(pl.col("left_id", "right_id").cast(pl.String)))
        pairs = pl.concat(ties)
        ends = pl.concat([pairs["left_id"], pairs["right_id"].alias("left_id")]).unique()
        rows = self.index.select("record_id", pl.int_range(pl.len(), dtype=pl.Int64).alias("left"))
        rows = rows.filter(pl.col("record_id").is_in(ends.implode()))
        found = pairs.join(rows, left_on="left_id", right_on="record_id")
        found = found.join(rows.rename({"left": "right"}), left_on="right_id", right_on="record_id")
        return found["left"].to_numpy(), found["right"].to_numpy()

    def _closed(self, start: pl.Series, ties: tuple[Ints, Ints]) -> pl.Series:
        """Return the rows in whole old components: clusters, strong candidates, sure keys, decisions."""
        left, right = ties
        reached = start
        while True:
            wider = self._spread(reached, ["cluster", *self.sure])
            mask = wider.to_numpy(writable=True)
            mask[left] |= mask[right]
            mask[right] |= mask[left]
            tied = pl.Series(mask)
            if int(tied.sum()) == int(wider.sum()):
                return wider
            reached = tied


def _either_birth(frame: pl.DataFrame) -> pl.DataFrame:
    """Number the rows; one whose typed birth date is not its code's stands there with either."""
    rows = frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    typed = rows.filter(pl.col("code_ok") & pl.col("birth_typed").ne_missing(pl.col("birth_date")))
    return pl.concat([rows, typed.with_columns(pl.col("birth_typed").alias("birth_date"))])
