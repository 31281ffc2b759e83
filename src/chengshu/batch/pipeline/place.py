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
from chengshu.batch.pipeline.intake import SEED
from chengshu.batch.pipeline.store import Store, write_json

VERSION = "1"
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
        records = pl.scan_parquet(folder / "records.parquet")
        if "address" in records.collect_schema().names():
            parts.append(records.select(text="address").drop_nulls().unique().collect()["text"])
    return pl.concat(parts).unique().sort()


def match(
    texts: pl.Series,
    ground: Ground,
    store: Store,
    *,
    base_key: str | None,
    fresh: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[str, Path]:
    """Match texts against the library; only those that the last run did not match are worked on."""
    content = str(texts.hash(SEED).sum()), len(texts)
    made_of = [VERSION, ground.matching_digest]
    key = store.key("match", made_of, content)
    if store.find(key) is not None and not fresh:
        return key, store.entries / key
    known = _known(store, base_key, made_of) if not fresh else pl.DataFrame(schema=MATCHED)
    known = known.join(texts.to_frame("text"), on="text", how="semi")
    new = texts.to_frame("text").join(known, on="text", how="anti")["text"]
    with store.making(key) as folder:
        found = [known]
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
        table = pl.concat(found).sort("text")
        table.write_parquet(folder / "matched.parquet", compression="zstd", compression_level=1)
        placed = table["place_code"].is_not_null().sum()
        write_json(folder / "facts.json", {
            "made_of": made_of, "texts": len(texts), "worked": len(new), "placed": int(placed),
        })  # fmt: skip
    return key, store.entries / key


def _known(store: Store, base_key: str | None, made_of: list[str]) -> pl.DataFrame:
    from chengshu.batch.pipeline.store import read_json

    base = store.find(base_key) if base_key else None
    if base is None or read_json(base / "facts.json")["made_of"] != made_of:
        return pl.DataFrame(schema=MATCHED)
    return pl.read_parquet(base / "matched.parquet")


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
    fresh: bool = False,
) -> tuple[str, Path]:
    """Bring the records of one kind together, placed. ``sources``: name → declaration and standardise key."""
    made_of = [VERSION, kind, sorted(key for _, key in sources.values()), match_key, ground.places_digest]
    key = store.key(f"place:{kind}", made_of)
    if fresh or store.find(key) is None:
        with store.making(key) as folder:
            matched = pl.read_parquet(store.entries / match_key / "matched.parquet")
            frames = [
                _with_coordinates(source, pl.read_parquet(store.entries / step / "records.parquet"))
                for source, step in sources.values()
            ]
            records = (
                pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema={"record_id": pl.String})
            )
            records = _placed(records, matched, ground)
            unseen = ["file", "row", "hash", "warned"]
            shown = [name for name in records.columns if name not in unseen]
            records = records.with_columns(print=records.select(sorted(shown)).hash_rows(SEED)).sort(
                "record_id"
            )
            records.write_parquet(
                folder / "records.parquet", compression="zstd", compression_level=1, row_group_size=25_000
            )
            write_json(folder / "facts.json", {"shifted": _shifted(sources, records, ground)})
    return key, store.entries / key


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


def _shifted(sources: Mapping[str, Any], records: pl.DataFrame, ground: Ground) -> dict[str, str]:
    """Say which sources call their coordinates WGS-84 while they look like GCJ-02 (about 500 m off), and why."""
    joined = records.join(ground.places.select("place_code", "lon", "lat"), on="place_code", how="left")
    found: dict[str, str] = {}
    for name, (source, _) in sources.items():
        if source.datum != "WGS-84":
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
