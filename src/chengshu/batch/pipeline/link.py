"""Link records to subjects and give subjects their ids for life.

Premises are places, not subjects: a premises record belongs to the place it was matched to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from chengshu.batch.linkage import Previous, Resolution, resolve
from chengshu.batch.linkage.ids import assign_ids
from chengshu.batch.linkage.models import pinned
from chengshu.batch.pipeline.intake import SEED
from chengshu.batch.pipeline.store import Store, read_json, write_json

VERSION = "3"
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
    made_of = [VERSION, str(model.version), _digest(decisions)]
    key = store.key(f"link:{kind}", made_of, gather_key)
    if fresh or store.find(key) is None:
        records = pl.read_parquet(store.entries / gather_key / "records.parquet")
        before = None if fresh else _before(store, base_key, made_of)
        with store.making(key) as folder:
            found = resolve(kind, records, decisions=decisions, model=model, previous=before)
            _write(found, decisions, folder, [*made_of, gather_key])
    return key, store.entries / key


def _before(store: Store, base_key: str | None, made_of: list[str]) -> Previous | None:
    """Return what the last run resolved under the same model, for the next to go on from."""
    base = store.find(base_key) if base_key else None
    if base is None:
        return None
    was = read_json(base / "facts.json")["made_of"]
    gathered = store.find(was[3])
    if was[:2] != made_of[:2] or gathered is None:
        return None
    clusters, pairs, candidates, standard = (
        pl.read_parquet(base / f"{name}.parquet") for name in ("clusters", "pairs", "candidates", "standard")
    )
    return Previous(
        records=pl.read_parquet(gathered / "records.parquet"),
        decisions=pl.read_parquet(base / "decisions.parquet"),
        clusters=clusters,
        pairs=pairs,
        candidates=candidates,
        standard=standard,
        broken=[(left, right) for left, right in read_json(base / "facts.json")["broken"]],
    )


def _write(found: Resolution, decisions: pl.DataFrame, folder: Path, made_of: list[str]) -> None:
    packed: dict[str, Any] = {"compression": "zstd", "compression_level": 1}
    found.clusters.sort("record_id").write_parquet(folder / "clusters.parquet", **packed)
    found.pairs.write_parquet(folder / "pairs.parquet", **packed)
    found.candidates.write_parquet(folder / "candidates.parquet", **packed)
    # The form in which linkage compares: a record that did not change is not worked into it again.
    found.standard.write_parquet(folder / "standard.parquet", **packed)
    decisions.write_parquet(folder / "decisions.parquet")
    counts = {name: int(value) for name, value in found.counts.items()}
    write_json(
        folder / "facts.json", {"made_of": made_of, "broken": [list(b) for b in found.broken], **counts}
    )


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
        clusters = pl.read_parquet(store.entries / link_key / "clusters.parquet")
        before = pl.read_parquet(base / "assignment.parquet") if base else pl.DataFrame(schema=ASSIGNMENT)
        serial = int(read_json(base / "facts.json")["next_serial"]) if base else 1
        ids = assign_ids(clusters, before.select("record_id", "subject_id"), serial, kind=kind)
        alive = before.filter("present").select(old="subject_id").unique()
        dormant = before.join(clusters, on="record_id", how="anti").with_columns(present=pl.lit(False))
        now = ids.assignment.with_columns(present=pl.lit(True)).select(list(ASSIGNMENT))
        with store.making(key) as folder:
            packed: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "row_group_size": 50_000}
            pl.concat([now, dormant]).sort("record_id").write_parquet(folder / "assignment.parquet", **packed)
            # An id that went to sleep in an earlier run is not reported again.
            ids.redirects.join(alive, on="old", how="semi").write_parquet(folder / "redirects.parquet")
            write_json(folder / "facts.json", {
                "link": link_key, "next_serial": ids.next_serial, "churn": round(ids.churn * 1_000_000),
                "subjects": now["subject_id"].n_unique(),
            })  # fmt: skip
    return key, store.entries / key


def assign_premises(gather_key: str, store: Store, *, fresh: bool = False) -> tuple[str, Path]:
    """Give each premises record the code of the place it was matched to; unplaced ones belong nowhere yet."""
    key = store.key("ids:premises", VERSION, gather_key)
    if fresh or store.find(key) is None:
        records = pl.read_parquet(store.entries / gather_key / "records.parquet")
        now = records.filter(pl.col("place_code").is_not_null()).select(
            "record_id", subject_id="place_code", present=pl.lit(True)
        )
        with store.making(key) as folder:
            now.sort("record_id").write_parquet(folder / "assignment.parquet")
            pl.DataFrame(schema=REDIRECTS).write_parquet(folder / "redirects.parquet")
            write_json(
                folder / "facts.json",
                {"next_serial": 1, "churn": 0, "subjects": now["subject_id"].n_unique()},
            )
    return key, store.entries / key
