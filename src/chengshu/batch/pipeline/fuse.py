"""Fuse records into golden records; only subjects touched since the last run are worked on.

A subject is touched when one of its records differs, or belongs to another than before, or when people corrected or
disputed something of it. The others keep their golden record as it lies.

Output: the tables ``golden`` (all subjects in force) and ``conflicts`` (all, see `layers`), ``cells.parquet`` (every
value with its origin, of the subjects worked on, sorted by subject), ``said.parquet`` (what people said) and ``facts.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chengshu.batch.fusion import effective, fuse
from chengshu.batch.pipeline import layers
from chengshu.batch.pipeline.intake import SEED
from chengshu.batch.pipeline.place import BUILDING, PLACED, Ground
from chengshu.batch.pipeline.standardise import META
from chengshu.batch.pipeline.store import Store, read_json, write_json
from chengshu.kernel.canonical import digest

VERSION = "4"
CORRECTION = "correction"
PART = 100_000
CORRECTIONS = {
    "id": pl.Int64, "subject_id": pl.String, "element": pl.String, "value": pl.String, "at": pl.String,
}  # fmt: skip
DISPUTED = {"subject_id": pl.String, "element": pl.String}


@dataclass(frozen=True, slots=True)
class Human:
    """What people decided and a run takes in: values they corrected, values in dispute, pairs they linked."""

    corrections: pl.DataFrame
    disputed: pl.DataFrame
    decisions: pl.DataFrame

    @classmethod
    def nothing(cls) -> Human:
        """Return the state before anybody decided anything."""
        decisions = dict.fromkeys(("left_id", "right_id", "decision"), pl.String)
        return cls(
            pl.DataFrame(schema=CORRECTIONS), pl.DataFrame(schema=DISPUTED), pl.DataFrame(schema=decisions)
        )


def fuse_kind(
    kind: str,
    gather_key: str,
    ids_key: str,
    authority: Mapping[str, Sequence[str]],
    human: Human,
    ground: Ground,
    store: Store,
    *,
    base_key: str | None,
    fresh: bool = False,
) -> tuple[str, Path]:
    """Make the golden records of one kind; what the last run made of untouched subjects is carried over."""
    corrections = human.corrections.filter(pl.col("element").str.starts_with(f"{kind}."))
    ranked = {
        element: (CORRECTION, *sources)
        for element, sources in authority.items()
        if element.startswith(f"{kind}.")
    }
    if address := ranked.get(f"{kind}.address"):
        # Whose address is believed, their place is: else the text would name one place and the code another.
        ranked.setdefault(f"{kind}.place_code", address)
    made_of = [VERSION, kind, digest(ranked), ground.places_digest, ground.matching_digest]
    said = [str(frame.hash_rows(SEED).sum()) for frame in (corrections, human.disputed) if frame.height]
    content = store.key(f"fuse:{kind}", made_of, gather_key, ids_key, said)
    before = store.find(base_key) if base_key and not fresh else None
    if before is not None and base_key and read_json(before / "facts.json")["content"] == content:
        return base_key, before
    # The cells of a run are those of the subjects it worked on, so what it started from is part of the name.
    key = store.key(f"fuse:{kind}", content, base_key if before else None)
    if store.find(key) is not None and not fresh:
        return key, store.entries / key
    if before is not None and read_json(before / "facts.json")["made_of"] != made_of:
        before = None
    inputs = _Inputs(kind, store.entries / gather_key, store.entries / ids_key, corrections, human.disputed)
    touched = inputs.touched(before, store) if before else None
    records, assignment = inputs.of(touched)
    marks = _marks(records, assignment, corrections, human.disputed)
    with store.making(key) as folder:
        golden, conflicts = _fuse_in_parts(
            kind, records, assignment, marks, corrections, human, ranked, ground, folder
        )
        golden = _located(kind, golden.join(marks, on="subject_id"), ground).sort("subject_id")
        golden = golden.with_columns(print=golden.select(sorted(golden.columns)).hash_rows(SEED))
        _lay_over(folder, "golden", golden, before, touched, ["subject_id"])
        _lay_over(folder, "conflicts", conflicts, before, touched, ["subject_id", "element"])
        inputs.said.write_parquet(folder / "said.parquet")
        if touched is not None:
            touched.to_frame("subject_id").write_parquet(folder / "touched.parquet")
        write_json(folder / "facts.json", {
            "made_of": made_of, "content": content, "gather": gather_key, "ids": ids_key,
            "base": base_key if touched is not None else None, "worked": marks.height,
            "subjects": layers.height(folder, "golden"), "conflicts": layers.height(folder, "conflicts"),
        })  # fmt: skip
    return key, store.entries / key


def _marks(
    records: pl.DataFrame, assignment: pl.DataFrame, corrections: pl.DataFrame, disputed: pl.DataFrame
) -> pl.DataFrame:
    """Return subject_id, mark: a digest of the subject's records, their places, and what people said of it.

    A golden record whose values stay though a losing value changed is another by its mark: readers find the values
    that lost in the run that it holds from.
    """
    own = records.select("record_id", "print").join(assignment, on="record_id")
    own = own.select("subject_id", mark=pl.struct("record_id", "print").hash(SEED))
    for frame in (corrections, disputed):
        said = frame.select("subject_id", mark=pl.struct(frame.columns).hash(SEED))
        own = pl.concat([own, said.join(own.select("subject_id").unique(), on="subject_id", how="semi")])
    # A sum forgets order, and wraps around: exactly what a set's digest needs.
    return own.group_by("subject_id").agg(pl.col("mark").sum())


@dataclass(frozen=True)
class _Inputs:
    """What the golden records of one kind are made of."""

    kind: str
    gathered: Path
    ids: Path
    corrections: pl.DataFrame
    disputed: pl.DataFrame

    @property
    def said(self) -> pl.DataFrame:
        """What people said, by subject: digests of corrections and disputes."""
        both = (self.corrections, self.disputed)
        return pl.concat(
            [frame.select("subject_id", said=pl.struct(frame.columns).hash(SEED)) for frame in both]
        )

    def of(self, touched: pl.Series | None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the records and their subjects, of all or of the touched."""
        assignment = layers.read(self.ids, "assignment", ["record_id", "subject_id", "present"]).filter(
            "present"
        )
        if touched is None:
            return layers.read(self.gathered, "records"), assignment
        assignment = assignment.filter(pl.col("subject_id").is_in(touched.implode()))
        own = pl.col("record_id").is_in(assignment["record_id"].implode())
        return layers.read(self.gathered, "records", where=own), assignment

    def touched(self, before: Path, store: Store) -> pl.Series | None:
        """Return the subjects, old and new, whose golden record may differ; None where that cannot be told."""
        was = read_json(before / "facts.json")
        seen = ["record_id", "print"]
        records = layers.difference(self.gathered, "records", store.find(was["gather"]), seen)
        belongs = ["record_id", "subject_id", "present"]
        owners = layers.difference(self.ids, "assignment", store.find(was["ids"]), belongs)
        if records is None or owners is None:
            return None
        other = pl.concat([records.fresh["record_id"], records.gone["record_id"]]).unique()
        now = layers.read(self.ids, "assignment", ["record_id", "subject_id"])
        now = now.filter(pl.col("record_id").is_in(other.implode()))
        said, old = self.said, pl.read_parquet(before / "said.parquet")
        more = [said.join(old, on=said.columns, how="anti"), old.join(said, on=said.columns, how="anti")]
        parts = [now, owners.fresh, owners.gone, *more]
        return pl.concat([part["subject_id"] for part in parts]).unique().sort()


def _lay_over(
    folder: Path,
    name: str,
    fresh: pl.DataFrame,
    before: Path | None,
    touched: pl.Series | None,
    key: list[str],
) -> None:
    """Write the table: whole, or what it has of the touched subjects over what was; equal rows stay where they lie."""
    fresh = fresh.sort(key)
    if before is None or touched is None:
        layers.write(folder, name, fresh)
        return
    gone = layers.read(before, name, where=pl.col("subject_id").is_in(touched.implode()), position=True)
    dead = gone
    if fresh.schema == gone.drop(layers.POSITION).schema:
        dead = gone.join(fresh, on=fresh.columns, how="anti", nulls_equal=True)
        fresh = fresh.join(gone, on=fresh.columns, how="anti", nulls_equal=True, maintain_order="left")
    layers.amend(folder, name, before, dead[layers.POSITION], fresh, key=key)


def values_of(records: pl.DataFrame) -> list[str]:
    """Return the columns of placed records that carry values of elements, the place code included."""
    other = {*META, *PLACED, "print"} - {"place_code"}
    return [name for name in records.columns if name not in other]


def _fuse_in_parts(
    kind: str,
    records: pl.DataFrame,
    assignment: pl.DataFrame,
    touched: pl.DataFrame,
    corrections: pl.DataFrame,
    human: Human,
    ranked: Mapping[str, Sequence[str]],
    ground: Ground,
    folder: Path,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fuse ``PART`` subjects at a time: a subject's record depends on nobody else's, and memory stays bounded."""
    ordered = touched.sort("subject_id")
    golden, conflicts, cells = [], [], []
    for number, part in enumerate(ordered.iter_slices(PART) if ordered.height else [ordered]):
        cells.append(folder / f"cells-{number:04}.parquet")
        one = _fuse(kind, records, assignment, part, corrections, human, ranked, ground, cells[-1])
        golden.append(one[0])
        conflicts.append(one[1])
    if len(cells) == 1:
        cells[0].rename(folder / "cells.parquet")
    else:
        pl.scan_parquet(cells).sink_parquet(
            folder / "cells.parquet", compression="zstd", row_group_size=50_000
        )
        for path in cells:
            path.unlink()
    return pl.concat(golden, how="vertical_relaxed"), pl.concat(conflicts, how="vertical_relaxed")


def _fuse(
    kind: str,
    records: pl.DataFrame,
    assignment: pl.DataFrame,
    touched: pl.DataFrame,
    corrections: pl.DataFrame,
    human: Human,
    ranked: Mapping[str, Sequence[str]],
    ground: Ground,
    cells_to: Path,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    members = assignment.join(touched.select("subject_id"), on="subject_id", how="semi")
    wanted = records.join(members.select("record_id"), on="record_id", how="semi")
    wanted = wanted.select("record_id", "source", "at", *values_of(records))
    corrections = corrections.join(touched.select("subject_id"), on="subject_id", how="semi")
    known = {f"{kind}.{name}" for name in values_of(records)}
    corrections = corrections.filter(pl.col("element").is_in(sorted(known))).sort("id")
    rows, owners = _as_records(kind, corrections)
    wanted = pl.concat([wanted, rows], how="diagonal_relaxed")
    members = pl.concat([members.select("record_id", "subject_id"), owners])
    fused = fuse(kind, wanted, members, ranked, disputed=human.disputed, cells_to=cells_to)
    # A correction to "there is none" has no value to rank: it is laid over the result.
    golden = effective(fused.golden, corrections.select("subject_id", "element", "value"))
    golden = _in_standard_form(kind, golden, wanted, members, ground)
    return golden, _real_conflicts(kind, fused.conflicts, wanted, members)


def _in_standard_form(
    kind: str, golden: pl.DataFrame, records: pl.DataFrame, members: pl.DataFrame, ground: Ground
) -> pl.DataFrame:
    """Write the address as the library does where its place is certain: where that very text was placed there.

    The source's own text stays with the values it came from. What a person wrote stays as they wrote it.
    """
    code, address = f"{kind}.place_code", f"{kind}.address"
    if address not in golden.columns or "address" not in records.columns:
        return golden
    placed = records.filter(pl.col("address").is_not_null() & pl.col("place_code").is_not_null())
    placed = placed.select("record_id", pl.col("address").alias(address), pl.col("place_code").alias(code))
    sure = placed.join(members, on="record_id").select("subject_id", address, code).unique()
    sure = sure.join(ground.texts.rename({"place_code": code}), on=code)
    golden = golden.join(sure, on=["subject_id", address, code], how="left", maintain_order="left")
    return golden.with_columns(pl.coalesce("text", address).alias(address)).drop("text")


def _real_conflicts(
    kind: str, conflicts: pl.DataFrame, records: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """Leave out conflicts of address that are none: two texts for one place, a building and a room in it."""
    code, address = f"{kind}.place_code", f"{kind}.address"
    rooms = (
        pl.col("values")
        .list.eval(pl.element().filter(pl.element().str.len_chars() > BUILDING))
        .list.n_unique()
    )
    buildings = pl.col("values").list.eval(pl.element().str.slice(0, BUILDING)).list.n_unique()
    apart = (buildings > 1) | (rooms > 1)
    conflicts = conflicts.filter((pl.col("element") != code) | apart)
    if "address" not in records.columns:
        return conflicts
    unplaced = records.filter(pl.col("address").is_not_null() & pl.col("place_code").is_null())
    by_text = unplaced.select("record_id").join(members, on="record_id").select("subject_id")
    by_place = conflicts.filter(pl.col("element") == code).select("subject_id")
    open_to_doubt = pl.concat([by_text, by_place]).unique()
    texts = conflicts.filter(pl.col("element") == address).join(open_to_doubt, on="subject_id", how="semi")
    return pl.concat([conflicts.filter(pl.col("element") != address), texts])


def _as_records(kind: str, corrections: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn the last correction of each element into a record of the source 'correction'."""
    last = corrections.unique(["subject_id", "element"], keep="last", maintain_order=True)
    last = last.with_columns(record_id=pl.concat_str(pl.lit(f"{CORRECTION}:"), "id"))
    rows = last.with_columns(pl.col("element").str.strip_prefix(f"{kind}."))
    meta = rows.select("record_id", "at", source=pl.lit(CORRECTION))
    wide = (
        rows.pivot("element", index="record_id", values="value") if rows.height else rows.select("record_id")
    )
    return meta.join(wide, on="record_id"), last.select("record_id", "subject_id")


def _located(kind: str, golden: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Add community and cell: of the place, else of the coordinates."""
    code = f"{kind}.place_code"
    places = ground.places.select(pl.col("place_code").alias(code), "community_code", "cell_code")
    golden = golden.join(places, on=code, how="left", maintain_order="left")
    lon, lat = f"{kind}.longitude", f"{kind}.latitude"
    if ground.cells is None or lon not in golden.columns or golden[lon].null_count() == golden.height:
        return golden
    x, y = (golden[name].cast(pl.Float64, strict=False).to_numpy() for name in (lon, lat))
    located = pl.Series("located", ground.cells.locate_codes(x, y), dtype=pl.String)
    return golden.with_columns(cell_code=pl.coalesce(pl.col("cell_code"), located))
