"""Link records to subjects and give subjects their ids for life.

Premises are places, not subjects: a premises record belongs to the place it was matched to.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from chengshu.batch.linkage import Changes, Previous, differing, resolve, resolve_changes
from chengshu.batch.linkage.ids import Ids, assign_ids
from chengshu.batch.linkage.models import pinned
from chengshu.batch.pipeline import layers
from chengshu.batch.pipeline.intake import SEED
from chengshu.batch.pipeline.store import Store, read_json, write_json

VERSION = "4"
LINKED = ("person", "firm", "facility")
ASSIGNMENT = {"record_id": pl.String, "subject_id": pl.String, "present": pl.Boolean}
REDIRECTS = {"old": pl.String, "new": pl.String, "how": pl.String}


def link(
    kind: str,
    gather_key: str,
    decisions: pl.DataFrame,
    store: Store,
    *,
    base_key: str | None = None,
    fresh: bool = False,
) -> tuple[str, Path]:
    """Resolve the records of ``kind`` into clusters under the pinned model and people's decisions."""
    model = pinned(kind)
    # The index holds digests that DuckDB and polars make: they hold within one version of each.
    made_of = [VERSION, str(model.version), pl.__version__, duckdb.__version__]
    key = store.key(f"link:{kind}", made_of, _digest(decisions), gather_key)
    if fresh or store.find(key) is None:
        base = store.find(base_key) if base_key and not fresh else None
        with store.making(key) as folder:
            work = _Linking(kind, store, store.entries / gather_key, decisions, folder)
            facts = work.changes(base, made_of) if base else None
            if facts is None:
                facts = work.anew()
            decisions.write_parquet(folder / "decisions.parquet")
            write_json(folder / "facts.json", {"made_of": made_of, "gather": gather_key, **facts})
    return key, store.entries / key


@dataclass(frozen=True)
class _Linking:
    """One kind's records on their way to clusters."""

    kind: str
    store: Store
    gathered: Path
    decisions: pl.DataFrame
    folder: Path

    def anew(self) -> dict[str, Any]:
        """Resolve all records."""
        found = resolve(self.kind, layers.read(self.gathered, "records"), decisions=self.decisions)
        layers.write(self.folder, "clusters", found.index.sort("record_id"))
        layers.write(self.folder, "pairs", found.pairs)
        layers.write(self.folder, "candidates", found.candidates)
        layers.write(self.folder, "standard", found.standard)
        counts = {name: int(value) for name, value in found.counts.items()}
        return {"broken": [list(pair) for pair in found.broken], "worked": found.index.height, **counts}

    def changes(self, base: Path, made_of: list[Any]) -> dict[str, Any] | None:
        """Resolve what the records that changed can change; None where that cannot be told."""
        was = read_json(base / "facts.json")
        before = self.store.find(was["gather"])
        if was["made_of"] != made_of or before is None:
            return None
        records, changed = self._changed(before)
        index = layers.read(base, "clusters", position=True)
        decided = pl.read_parquet(base / "decisions.parquet")
        broken = [(left, right) for left, right in was["broken"]]
        previous = Previous(
            index, lambda ids: _standard(base, ids), layers.read(base, "candidates"), decided, broken
        )
        if changed.is_empty() and decided.equals(self.decisions):
            for name in ("clusters", "pairs", "candidates", "standard"):
                layers.same(self.folder, name, base)
            return {"broken": was["broken"], "worked": 0, "records": was["records"]}
        found = resolve_changes(self.kind, records, changed, previous, decisions=self.decisions)
        self._lay_over(base, index, found)
        return {
            "broken": [list(pair) for pair in found.broken], "worked": len(found.again),
            "records": layers.height(self.folder, "clusters"),
        }  # fmt: skip

    def _changed(self, before: Path) -> tuple[pl.DataFrame, pl.Series]:
        """Return the records that may differ, as they read now, and the ids of those that do for linkage."""
        delta = layers.difference(self.gathered, "records", before, ["record_id", "print"])
        assert delta is not None
        ids = pl.concat([delta.fresh["record_id"], delta.gone["record_id"]]).unique()
        now = layers.read(self.gathered, "records", where=pl.col("record_id").is_in(ids.implode()))
        then = layers.read(before, "records", where=pl.col("record_id").is_in(ids.implode()))
        changed = differing(now, then)
        return now.filter(pl.col("record_id").is_in(changed.implode())), changed

    def _lay_over(self, base: Path, index: pl.DataFrame, found: Changes) -> None:
        over = pl.concat([found.changed, found.again]).unique().implode()
        self._amend(
            "clusters", base, index.filter(pl.col("record_id").is_in(over)), found.index, ["record_id"]
        )
        for name, new in (("pairs", found.pairs), ("candidates", found.candidates)):
            ends = layers.read(base, name, ["left_id", "right_id"], position=True)
            void = ends.filter(found.replaced(ends))
            left = pl.col("left_id").is_in(void["left_id"].unique().implode())
            rows = layers.read(base, name, where=left, position=True)
            rows = rows.join(void.select(layers.POSITION), on=layers.POSITION, how="semi")
            self._amend(name, base, rows, new, ["left_id", "right_id"])
        gone = layers.read(base, "standard", ["record_id"], position=True)
        gone = gone.filter(pl.col("record_id").is_in(found.changed.implode()))
        layers.amend(
            self.folder,
            "standard",
            base,
            gone[layers.POSITION],
            found.standard.sort("record_id"),
            key=["record_id"],
        )

    def _amend(self, name: str, base: Path, void: pl.DataFrame, new: pl.DataFrame, key: list[str]) -> None:
        """Put ``new`` in the place of ``void``; rows that are in both stay where they lie."""
        columns = new.columns
        dead = void.join(new, on=columns, how="anti", nulls_equal=True)[layers.POSITION]
        fresh = new.join(void.select(columns), on=columns, how="anti", nulls_equal=True)
        layers.amend(self.folder, name, base, dead, fresh.sort(key), key=key)


def _standard(base: Path, ids: pl.Series) -> pl.DataFrame:
    return layers.read(base, "standard", where=pl.col("record_id").is_in(ids.implode()))


def _digest(decisions: pl.DataFrame) -> str:
    return f"{decisions.height}/{decisions.hash_rows(SEED).sum() if decisions.height else 0}"


def assign(
    kind: str, link_key: str, store: Store, *, base_key: str | None, base: Path | None, fresh: bool = False
) -> tuple[str, Path]:
    """Give clusters their ids. ``base`` holds the last run's assignment: ids follow most of their records.

    Records that are gone keep their last id in the file (``present`` false): they find it again when they return,
    and no id is ever given twice.
    """
    if base and base_key and not fresh and read_json(base / "facts.json").get("link") == link_key:
        return base_key, base
    key = store.key(f"ids:{kind}", VERSION, link_key, base_key)
    if fresh or store.find(key) is None:
        linked = store.entries / link_key
        with store.making(key) as folder:
            facts = _assign_changes(kind, linked, base, store, folder) if base and not fresh else None
            if facts is None:
                facts = _assign_anew(kind, linked, base, folder)
            write_json(folder / "facts.json", {"link": link_key, **facts})
    return key, store.entries / key


def _assign_anew(kind: str, linked: Path, base: Path | None, folder: Path) -> dict[str, Any]:
    clusters = layers.read(linked, "clusters", ["record_id", "cluster"])
    before = layers.read(base, "assignment") if base else pl.DataFrame(schema=ASSIGNMENT)
    serial = int(read_json(base / "facts.json")["next_serial"]) if base else 1
    ids = assign_ids(clusters, before.select("record_id", "subject_id"), serial, kind=kind)
    now = ids.assignment.with_columns(present=pl.lit(True)).select(list(ASSIGNMENT))
    dormant = before.join(clusters, on="record_id", how="anti").with_columns(present=pl.lit(False))
    layers.write(folder, "assignment", pl.concat([now, dormant]).sort("record_id"))
    _redirected(ids, before).write_parquet(folder / "redirects.parquet")
    return {
        "next_serial": ids.next_serial, "churn": round(ids.churn * 1_000_000),
        "subjects": now["subject_id"].n_unique(),
    }  # fmt: skip


def _redirected(ids: Ids, before: pl.DataFrame) -> pl.DataFrame:
    """Return the redirects; an id that went to sleep in an earlier run is not reported again."""
    alive = before.filter("present").select(old="subject_id").unique()
    return ids.redirects.join(alive, on="old", how="semi")


def _assign_changes(kind: str, linked: Path, base: Path, store: Store, folder: Path) -> dict[str, Any] | None:
    """Give ids to the clusters that changed: an id depends on the clusters and ids that share records, on nothing else."""
    was = read_json(base / "facts.json")
    delta = layers.difference(linked, "clusters", store.find(was["link"]), ["record_id", "cluster"])
    if delta is None:
        return None
    clusters = layers.read(linked, "clusters", ["record_id", "cluster"])
    before = layers.read(base, "assignment", position=True)
    mine, theirs = _sharing_records(clusters, before, delta)
    serial = int(was["next_serial"])
    ids = assign_ids(mine, theirs.select("record_id", "subject_id"), serial, kind=kind)
    now = ids.assignment.with_columns(present=pl.lit(True)).select(list(ASSIGNMENT))
    dormant = theirs.join(mine, on="record_id", how="anti").with_columns(present=pl.lit(False))
    over = pl.concat([now, dormant.select(list(ASSIGNMENT))])
    names = list(ASSIGNMENT)
    dead = theirs.join(over, on=names, how="anti")[layers.POSITION]
    fresh = over.join(theirs.select(names), on=names, how="anti")
    layers.amend(folder, "assignment", base, dead, fresh.sort("record_id"), key=["record_id"])
    _redirected(ids, theirs).write_parquet(folder / "redirects.parquet")
    known = theirs.join(now, on="record_id", suffix="_now")
    moved = known.filter(pl.col("subject_id") != pl.col("subject_id_now")).height
    untouched = clusters.height - mine.height
    subjects = (
        was["subjects"] - theirs.filter("present")["subject_id"].n_unique() + now["subject_id"].n_unique()
    )
    share = moved / (untouched + known.height) if untouched + known.height else 0.0
    return {"next_serial": ids.next_serial, "churn": round(share * 1_000_000), "subjects": subjects}


def _sharing_records(
    clusters: pl.DataFrame, before: pl.DataFrame, delta: layers.Delta
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the changed clusters, the ids their records had, the clusters these records are in now, and so on."""
    records = pl.concat([delta.fresh["record_id"], delta.gone["record_id"]]).unique()
    while True:
        ids = before.filter(pl.col("record_id").is_in(records.implode()))["subject_id"].unique()
        theirs = before.filter(
            pl.col("subject_id").is_in(ids.implode()) | pl.col("record_id").is_in(records.implode())
        )
        every = pl.concat([records, theirs["record_id"]]).unique()
        names = clusters.filter(pl.col("record_id").is_in(every.implode()))["cluster"].unique()
        mine = clusters.filter(pl.col("cluster").is_in(names.implode()))
        wider = pl.concat([every, mine["record_id"]]).unique()
        if len(wider) == len(records):
            return mine, theirs
        records = wider


def assign_premises(
    gather_key: str, store: Store, *, base_key: str | None = None, fresh: bool = False
) -> tuple[str, Path]:
    """Give each premises record the code of the place it was matched to; unplaced ones belong nowhere yet."""
    key = store.key("ids:premises", VERSION, gather_key)
    if fresh or store.find(key) is None:
        gathered = store.entries / gather_key
        base = store.find(base_key) if base_key and not fresh else None
        with store.making(key) as folder:
            subjects = _premises_that_moved(gathered, base, store, folder) if base else None
            if subjects is None:
                now = _places_of(layers.read(gathered, "records", ["record_id", "place_code"]))
                layers.write(folder, "assignment", now.sort("record_id"))
                subjects = now["subject_id"].n_unique()
            pl.DataFrame(schema=REDIRECTS).write_parquet(folder / "redirects.parquet")
            write_json(
                folder / "facts.json",
                {"gather": gather_key, "next_serial": 1, "churn": 0, "subjects": subjects},
            )
    return key, store.entries / key


def _places_of(records: pl.DataFrame) -> pl.DataFrame:
    placed = records.filter(pl.col("place_code").is_not_null())
    return placed.select("record_id", subject_id="place_code", present=pl.lit(True))


def _premises_that_moved(gathered: Path, base: Path, store: Store, folder: Path) -> int | None:
    was = read_json(base / "facts.json")
    before = store.find(was["gather"]) if "gather" in was else None
    delta = layers.difference(gathered, "records", before, ["record_id", "place_code"])
    if delta is None:
        return None
    ids = pl.concat([delta.fresh["record_id"], delta.gone["record_id"]]).unique()
    held = layers.read(base, "assignment", position=True)
    touched = held.filter(pl.col("record_id").is_in(ids.implode()))
    now = _places_of(delta.fresh)
    dead = touched.join(now, on=now.columns, how="anti")[layers.POSITION]
    fresh = now.join(touched, on=now.columns, how="anti")
    layers.amend(folder, "assignment", base, dead, fresh.sort("record_id"), key=["record_id"])
    return layers.read(folder, "assignment", ["subject_id"])["subject_id"].n_unique()
