"""Place records: distinct addresses against the library, coordinates into cells; one frame of records a kind.

Matching costs the most, so it is done once for each distinct text and kept: a text that was matched against the
same library before is not matched again. Cells and communities are looked up afterwards, so a changed cell border
does not match anything anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chengshu.batch.address.library import COLUMNS, PARTS, AddressLibrary
from chengshu.batch.datum import check_against_area, check_against_points, gcj02_to_wgs84
from chengshu.batch.declarations import Source
from chengshu.batch.grid import CellIndex
from chengshu.batch.pipeline import layers
from chengshu.batch.pipeline.intake import SEED
from chengshu.batch.pipeline.store import Store, read_json, write_json

VERSION = "2"
CHUNK = 50_000
BUILDING = 17
MATCHED = {
    "text": pl.String, "place_code": pl.String, "score": pl.Float64, "level": pl.String, "reason": pl.String,
    "candidates": pl.String,
}  # fmt: skip
_MATCHING = ("place_code", *PARTS, "state", "replaced_by", "aliases")
# What a record gets from where it lies.
PLACED = ("place_code", "building_code", "community_code", "cell_code", "place_level", "place_reason")


@dataclass(frozen=True)
class Ground:
    """What records are placed on: the address library, the cells, and the district that short addresses mean."""

    library: Path | None
    home: str | None
    cells: CellIndex | None = None

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The library's rows; none without a library."""
        if self.library is None:
            return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
        return pl.read_parquet(self.library)

    @cached_property
    def matching_digest(self) -> str:
        """Digest of what matching sees of the library."""
        names = [name for name in _MATCHING if name in self.frame.columns]
        return f"{self.frame.select(names).hash_rows(SEED).sum()}/{self.frame.height}/{self.home}"

    @cached_property
    def places(self) -> pl.DataFrame:
        """place_code → community, cell, coordinates."""
        wanted = {"place_code": pl.String, "community_code": pl.String, "cell_code": pl.String,
                  "lon": pl.Float64, "lat": pl.Float64}  # fmt: skip
        have = [
            (pl.col(name) if name in self.frame.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in wanted.items()
        ]
        return self.frame.select(have)

    @cached_property
    def texts(self) -> pl.DataFrame:
        """place_code → the address as the library writes it, from the province to the room."""
        frame = self.frame.select(
            (pl.col(name) if name in self.frame.columns else pl.lit(None)).cast(pl.String).alias(name)
            for name in ("place_code", *PARTS)
        )
        # The floor is left out where the room says it.
        floor = pl.when(pl.col("room").is_null()).then("floor")
        name = pl.concat_str(pl.lit("（"), "place", pl.lit("）"))
        parts = [pl.col(part) for part in PARTS if part not in ("floor", "place")]
        return frame.select("place_code", text=pl.concat_str(*parts, floor, name, ignore_nulls=True))

    @cached_property
    def places_digest(self) -> str:
        """Digest of cells and coordinates."""
        cells = "" if self.cells is None else str(len(self.cells.codes))
        return f"{self.places.hash_rows(SEED).sum()}/{cells}"

    def inside(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether points lie in any cell of the district."""
        assert self.cells is not None
        return self.cells.locate(lon, lat) >= 0


def texts_of(folders: Mapping[str, Path]) -> pl.Series:
    """Return the distinct address texts of all sources, sorted."""
    parts = [pl.Series("text", [], dtype=pl.String)]
    for folder in folders.values():
        if "address" in layers.columns(folder, "records"):
            parts.append(
                layers.read(folder, "records", ["address"])["address"].drop_nulls().unique().alias("text")
            )
    return pl.concat(parts).unique().sort()


def texts_that_came(folders: Mapping[str, Path], before: Mapping[str, Path | None]) -> pl.Series | None:
    """Return the texts of records that differ from the last run's; None when that cannot be told."""
    parts = [pl.Series("text", [], dtype=pl.String)]
    for name, folder in folders.items():
        if "address" not in layers.columns(folder, "records"):
            continue
        delta = layers.delta(folder, "records", before.get(name), ["record_id"])
        if delta is None:
            return None
        parts.append(delta.fresh["address"].drop_nulls().unique().alias("text"))
    return pl.concat(parts).unique().sort()


def match(
    folders: Mapping[str, Path],
    ground: Ground,
    store: Store,
    *,
    base_key: str | None,
    before: Mapping[str, Path | None] | None = None,
    fresh: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[str, Path]:
    """Match the sources' texts against the library; only those that the last run did not match are worked on.

    ``before``: the outputs of the sources that the last run matched. A text that no record carries any more stays in
    the table until it is written whole again.
    """
    made_of = [VERSION, ground.matching_digest]
    base = store.find(base_key) if base_key and not fresh else None
    if base is not None and read_json(base / "facts.json")["made_of"] != made_of:
        base = None
    came = texts_that_came(folders, before or {}) if base else None
    if base is None or base_key is None or came is None or layers.heavy(base, "matched"):
        return _match_all(texts_of(folders), made_of, base, ground, store, fresh, progress)
    new = came.to_frame("text").join(layers.read(base, "matched", ["text"]), on="text", how="anti")["text"]
    if new.is_empty():
        return base_key, base
    key = store.key("match", made_of, [str(new.hash(SEED).sum()), len(new)], base_key)
    if store.find(key) is None:
        with store.making(key) as folder:
            found = _match_new(new, ground, progress)
            layers.amend(folder, "matched", base, pl.Series([], dtype=pl.UInt64), found, key=["text"])
            known = read_json(base / "facts.json")
            _note(
                folder, made_of, known["texts"] + len(new), len(new), known["placed"] + _count_placed(found)
            )
    return key, store.entries / key


def _match_all(
    texts: pl.Series,
    made_of: list[str],
    base: Path | None,
    ground: Ground,
    store: Store,
    fresh: bool,
    progress: Callable[[int, int], None],
) -> tuple[str, Path]:
    key = store.key("match", made_of, [str(texts.hash(SEED).sum()), len(texts)])
    if store.find(key) is None or fresh:
        known = layers.read(base, "matched") if base else pl.DataFrame(schema=MATCHED)
        known = known.join(texts.to_frame("text"), on="text", how="semi")
        new = texts.to_frame("text").join(known, on="text", how="anti")["text"]
        with store.making(key) as folder:
            table = pl.concat([known, _match_new(new, ground, progress)]).sort("text")
            layers.write(folder, "matched", table)
            _note(folder, made_of, len(texts), len(new), _count_placed(table))
    return key, store.entries / key


def _match_new(new: pl.Series, ground: Ground, progress: Callable[[int, int], None]) -> pl.DataFrame:
    found = [pl.DataFrame(schema=MATCHED)]
    if ground.library is not None and len(new):
        library = AddressLibrary.from_frame(ground.frame)
        for start in range(0, len(new), CHUNK):
            progress(start, len(new))
            found.append(_match(library, new.slice(start, CHUNK), ground))
    elif len(new):
        nothing = new.to_frame("text").with_columns(
            pl.lit(None, dtype=kind).alias(name) for name, kind in MATCHED.items() if name != "text"
        )
        found.append(nothing.with_columns(reason=pl.lit("no_library")).select(list(MATCHED)))
    return pl.concat(found).sort("text")


def _count_placed(table: pl.DataFrame) -> int:
    return int(table["place_code"].count())


def _note(folder: Path, made_of: list[str], texts: int, worked: int, placed: int) -> None:
    facts = {"made_of": made_of, "texts": texts, "worked": worked, "placed": placed}
    write_json(folder / "facts.json", facts)


def _match(library: AddressLibrary, texts: pl.Series, ground: Ground) -> pl.DataFrame:
    found = library.match_many(texts, home=ground.home)
    # The first three candidates are enough for a person who must choose.
    nearest = (
        pl.col("candidates").list.head(3).list.eval(pl.element().struct.field("place_code")).list.join(" ")
    )
    return found.with_columns(candidates=nearest, score=pl.col("score").cast(pl.Float64)).select(
        pl.col(name).cast(kind) for name, kind in MATCHED.items()
    )


def gather(
    kind: str,
    sources: Mapping[str, tuple[Source, str]],
    match_key: str,
    ground: Ground,
    store: Store,
    *,
    base_key: str | None = None,
    fresh: bool = False,
) -> tuple[str, Path]:
    """Bring the records of one kind together, placed. ``sources``: name → declaration and standardise key."""
    steps = {name: key for name, (_, key) in sorted(sources.items())}
    matching = read_json(store.entries / match_key / "facts.json")["made_of"]
    made_of = [VERSION, kind, sorted(steps), matching, ground.places_digest]
    key = store.key(f"place:{kind}", made_of, steps)
    if fresh or store.find(key) is None:
        base = store.find(base_key) if base_key and not fresh else None
        with store.making(key) as folder:
            task = _Gathering(kind, sources, store.entries / match_key, ground, store, folder)
            counts = task.changes(base, made_of) if base else None
            if counts is None:
                counts = task.anew()
            shifted = _shifted(sources, folder, ground)
            write_json(
                folder / "facts.json",
                {"made_of": made_of, "sources": steps, "counts": counts, "shifted": shifted},
            )
    return key, store.entries / key


@dataclass(frozen=True)
class _Gathering:
    """One kind's records on their way to their places."""

    kind: str
    sources: Mapping[str, tuple[Source, str]]
    matched: Path
    ground: Ground
    store: Store
    folder: Path

    def anew(self) -> dict[str, list[int]]:
        """Place every record; returns how many of each source lie somewhere, and how many could."""
        parts = [
            _with_coordinates(source, layers.read(self.store.entries / step, "records"))
            for source, step in self.sources.values()
        ]
        records = pl.concat(parts, how="diagonal") if parts else pl.DataFrame(schema={"record_id": pl.String})
        records = self._finished(records, layers.read(self.matched, "matched"))
        layers.write(self.folder, "records", records.sort("record_id"))
        return _counted(records)

    def changes(self, base: Path, made_of: list[Any]) -> dict[str, list[int]] | None:
        """Place the records that differ from the last run's, and lay them over those; None where that cannot be told."""
        was = read_json(base / "facts.json")
        if was["made_of"] != made_of:
            return None
        came, ids = [], []
        for name, (source, step) in self.sources.items():
            if (old := was["sources"][name]) == step:
                continue
            now, then = self.store.entries / step, self.store.find(old)
            if (
                then is None
                or read_json(now / "facts.json")["made_of"][2] != read_json(then / "facts.json")["made_of"][2]
            ):
                return None  # other terms can make other records of equal rows
            delta = layers.difference(now, "records", then, ["record_id", "hash", "absent_since"])
            if delta is None:
                return None
            fresh = layers.read(
                now, "records", where=pl.col("record_id").is_in(delta.fresh["record_id"].implode())
            )
            came.append(_with_coordinates(source, fresh))
            ids += [delta.fresh["record_id"], delta.gone["record_id"]]
        every = pl.concat([pl.Series("record_id", [], dtype=pl.String), *ids]).unique()
        touched = pl.col("record_id").is_in(every.implode())
        names = layers.read(base, "records", ["record_id"], position=True).filter(touched)
        old = layers.read(base, "records", [*_COUNTED, "record_id"], where=touched)
        fresh = self._laid_over(base, came)
        layers.amend(self.folder, "records", base, names[layers.POSITION], fresh, key=["record_id"])
        return _balance(was["counts"], _counted(old), _counted(fresh))

    def _laid_over(self, base: Path, came: list[pl.DataFrame]) -> pl.DataFrame:
        schema = layers.columns(base, "records")
        values = {name: dtype for name, dtype in schema.items() if name not in (*PLACED, "print")}
        empty = pl.DataFrame(schema=values)
        records = pl.concat([empty, *came], how="diagonal").select(list(values))
        texts = records["address"].drop_nulls().unique()
        matched = layers.read(self.matched, "matched", where=pl.col("text").is_in(texts.implode()))
        return self._finished(records, matched).select(list(schema)).sort("record_id")

    def _finished(self, records: pl.DataFrame, matched: pl.DataFrame) -> pl.DataFrame:
        records = _placed(records, matched, self.ground)
        unseen = ["file", "row", "hash", "warned"]
        shown = sorted(name for name in records.columns if name not in unseen)
        return records.with_columns(print=records.select(shown).hash_rows(SEED))


_COUNTED = ("source", "place_code", "cell_code", "address", "longitude")


def _counted(records: pl.DataFrame) -> dict[str, list[int]]:
    here = pl.col("cell_code").is_not_null() | pl.col("place_code").is_not_null()
    has = pl.col("address").is_not_null() | pl.col("longitude").is_not_null()
    counts = records.group_by("source").agg(here.sum().alias("placed"), has.sum().alias("addressed"))
    return {source: [int(placed), int(addressed)] for source, placed, addressed in counts.iter_rows()}


def _balance(
    was: Mapping[str, list[int]], gone: Mapping[str, list[int]], come: Mapping[str, list[int]]
) -> dict[str, list[int]]:
    nothing = [0, 0]
    return {
        name: [
            was.get(name, nothing)[n] - gone.get(name, nothing)[n] + come.get(name, nothing)[n]
            for n in (0, 1)
        ]
        for name in sorted({*was, *come})
    }


def _with_coordinates(source: Source, records: pl.DataFrame) -> pl.DataFrame:
    """Turn GCJ-02 into WGS-84 where the declaration says so."""
    if not {"longitude", "latitude"} <= set(records.columns) or source.datum != "GCJ-02":
        return records
    lon, lat = (records[name].cast(pl.Float64, strict=False).to_numpy() for name in ("longitude", "latitude"))
    lon, lat = gcj02_to_wgs84(lon, lat)
    pairs = {"longitude": lon, "latitude": lat}
    return records.with_columns(
        pl.Series(name, value).fill_nan(None).round(7).cast(pl.String).alias(name)
        for name, value in pairs.items()
    )


def _has_coordinates(source: Source) -> bool:
    return {"longitude", "latitude"} <= {column.element.split(".", 1)[1] for column in source.columns}


def _placed(records: pl.DataFrame, matched: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    for name in ("address", "longitude", "latitude"):
        if name not in records.columns:
            records = records.with_columns(pl.lit(None, dtype=pl.String).alias(name))
    found = matched.select(
        address="text", place_code="place_code", place_level="level", place_reason="reason"
    )
    records = records.join(found, on="address", how="left", maintain_order="left")
    places = ground.places.select("place_code", "community_code", "cell_code")
    records = records.join(places, on="place_code", how="left", maintain_order="left")
    records = records.with_columns(building_code=pl.col("place_code").str.slice(0, BUILDING))
    if ground.cells is not None and records["longitude"].null_count() < records.height:
        lon, lat = (
            records[name].cast(pl.Float64, strict=False).to_numpy() for name in ("longitude", "latitude")
        )
        located = pl.Series("located", ground.cells.locate_codes(lon, lat), dtype=pl.String)
        records = records.with_columns(cell_code=pl.coalesce(pl.col("cell_code"), located))
    names = [name for name in records.columns if name not in PLACED]
    return records.select(*names, *PLACED)


def _shifted(sources: Mapping[str, Any], folder: Path, ground: Ground) -> dict[str, str]:
    """Say which sources call their coordinates WGS-84 while they look like GCJ-02 (about 500 m off), and why."""
    if not any(_has_coordinates(source) and source.datum == "WGS-84" for source, _ in sources.values()):
        return {}
    records = layers.read(folder, "records", ["source", "longitude", "latitude", "place_code"])
    joined = records.join(ground.places.select("place_code", "lon", "lat"), on="place_code", how="left")
    found: dict[str, str] = {}
    for name, (source, _) in sources.items():
        if source.datum != "WGS-84" or not _has_coordinates(source):
            continue
        own = joined.filter(pl.col("source") == name).select(
            pl.col("longitude", "latitude").cast(pl.Float64, strict=False), "lon", "lat"
        )
        lon, lat, home_lon, home_lat = (own[column].to_numpy() for column in own.columns)
        check = check_against_points(lon, lat, home_lon, home_lat)
        if check.suspicious:
            found[name] = (
                f"{check.fit_as_wgs84:.0f} m from their addresses, {check.fit_as_gcj02:.0f} m once converted"
            )
        elif ground.cells is not None and check_against_area(lon, lat, ground.inside).suspicious:
            found[name] = "more of them lie in the district once converted"
    return found
