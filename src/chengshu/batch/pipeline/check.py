"""Findings: what the joined-up base shows that no single table does, each with its reason and the values at odds.

A finding has a key that depends on what it is about, not on the run, and a digest of the values at odds: the same
finding in the next run is the same, and one whose values changed is told apart from one that a person has answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from chengshu.batch.pipeline import layers
from chengshu.batch.pipeline.intake import SEED
from chengshu.batch.pipeline.place import Ground
from chengshu.batch.pipeline.store import Store, read_json, write_json
from chengshu.batch.pipeline.values import is_resident_id
from chengshu.kernel.canonical import digest

VERSION = "6"
# Records this much older than a subject's newest say where it was, not where it is: a move, no contradiction.
# People move more often than firms; two registrations of one quarter that differ are worth a visit.
CURRENT_DAYS = {"firm": 365, "person": 90}
# A flat is crowded with more than this; the verification pack's parameter `crowded_from` is the next number.
FIRMS_IN_ONE_FLAT = 7
PEOPLE_IN_ONE_FLAT = 15
ROOM = 21
CLOSED = ("注销", "吊销", "已注销", "吊销未注销", "歇业", "停业", "迁出")
FINDINGS: dict[str, Any] = {
    "key": pl.String, "kind": pl.String, "subject_id": pl.String, "place_code": pl.String, "cell_code": pl.String,
    "community_code": pl.String, "elements": pl.List(pl.String), "values": pl.String, "digest": pl.String,
    "reason_zh": pl.String, "reason_en": pl.String, "department": pl.String,
}  # fmt: skip
# Kinds that a grid worker can answer at the door. Which of two identity numbers is whose, nobody can see there: that is
# for the data steward, who parts or joins the records.
ON_THE_GROUND = (
    "place-conflict", "two-homes", "address-nowhere", "crowded-flat", "people-in-flat", "firm-closed", "rented-unregistered",
    "record-absent",
)  # fmt: skip
REASONS: dict[str, tuple[str, str]] = {
    "place-conflict": ("两个数源登记的地址不在同一栋楼", "Sources place the firm in different buildings"),
    "two-homes": ("同一人在不同地址登记居住", "The person is registered as living at different addresses"),
    "address-nowhere": ("登记的地址在地址库中找不到", "The address is not in the address library"),
    "crowded-flat": ("同一套房登记了异常多的企业", "An implausible number of firms is registered in one flat"),
    "people-in-flat": ("同一套房登记了异常多的人", "An implausible number of people is registered in one flat"),
    "firm-closed": ("一个数源登记已停业，另一数源仍在营业", "One source says the firm has closed, another that it is active"),
    "rented-unregistered": ("房屋登记为出租，但没有租赁备案", "The home is rented, but no tenancy is registered"),
    "record-absent": ("全量报送中不再出现，也没有其他数源", "A full delivery no longer contains it, and no other source does"),
    "identity-conflict": ("关联为一人的记录有不同的有效证件号码", "Records linked as one carry different valid identity numbers"),
}  # fmt: skip


# Findings that depend on the records of one subject, and on nothing else.
OF_ONE = {"firm": ("place-conflict", "firm-closed"), "person": ("two-homes", "identity-conflict")}
_SEEN = (
    "record_id", "source", "at", "absent_since", "address", "place_code", "place_reason", "cell_code", "community_code",
)  # fmt: skip
_SEEN_IF = ("rented", "use", "status", "resident_id")
# What people live in: firms let shops and workshops to each other, and no tenancy of people is registered there.
HOMES = ("住宅", "宿舍")


@dataclass(frozen=True, slots=True)
class Fused:
    """The step outputs of one kind that the checks look at."""

    gathered: Path
    ids: Path
    fused: Path


def check(
    kinds: Mapping[str, tuple[str, str, str]],
    match_key: str,
    corrections: pl.DataFrame,
    departments: Mapping[str, str],
    ground: Ground,
    store: Store,
    *,
    base_key: str | None = None,
    fresh: bool = False,
) -> tuple[str, Path]:
    """Find what does not fit.

    ``kinds``: kind → keys of its place, ids and fuse steps; ``departments``: source → department. What concerns one
    subject alone is looked at again only for the subjects that the last run's fuse step did not leave as they were.
    """
    said = str(corrections.hash_rows(SEED).sum()) if corrections.height else "0"
    told = digest(dict(sorted(departments.items())))
    key = store.key("check", VERSION, sorted("".join(keys) for keys in kinds.values()), match_key, said, told)
    if fresh or store.find(key) is None:
        paths = {kind: Fused(*(store.entries / step for step in steps)) for kind, steps in kinds.items()}
        base = store.find(base_key) if base_key and not fresh else None
        before = Before.of(base, kinds, paths, told) if base else None
        checks = _Checks(paths, store.entries / match_key, corrections, departments, ground, before)
        found = checks.all()
        with store.making(key) as folder:
            found.sort("key").write_parquet(folder / "findings.parquet", compression="zstd")
            counts = found.group_by("kind").len().sort("kind")
            write_json(folder / "facts.json", {
                "findings": dict(counts.iter_rows()), "departments": told, "version": VERSION,
                "fused": {kind: steps[2] for kind, steps in kinds.items()},
            })  # fmt: skip
    return key, store.entries / key


@dataclass(frozen=True, slots=True)
class Before:
    """The last run's findings, and by kind the subjects that may have others now (None: all)."""

    findings: pl.DataFrame
    touched: Mapping[str, pl.Series | None]

    @classmethod
    def of(
        cls, base: Path, kinds: Mapping[str, tuple[str, str, str]], paths: Mapping[str, Fused], told: str
    ) -> Before | None:
        """Read them; None if they were found on other terms."""
        facts = read_json(base / "facts.json")
        if facts.get("version") != VERSION or facts["departments"] != told:
            return None
        touched: dict[str, pl.Series | None] = {}
        for kind, steps in kinds.items():
            was, path = facts["fused"].get(kind), paths[kind].fused
            if was == steps[2]:
                touched[kind] = pl.Series("subject_id", [], dtype=pl.String)
            elif was is not None and read_json(path / "facts.json")["base"] == was:
                touched[kind] = pl.read_parquet(path / "touched.parquet")["subject_id"]
            else:
                touched[kind] = None
        return cls(pl.read_parquet(base / "findings.parquet"), touched)


class _Checks:
    """The checks over one run's outputs."""

    def __init__(
        self,
        paths: Mapping[str, Fused],
        matched: Path,
        corrections: pl.DataFrame,
        departments: Mapping[str, str],
        ground: Ground,
        before: Before | None = None,
    ) -> None:
        self.paths, self.matched, self.corrections = paths, matched, corrections
        self.departments, self.ground, self.before = departments, ground, before
        self.read: dict[str, pl.DataFrame] = {}

    def all(self) -> pl.DataFrame:
        """Run every check that the kinds at hand allow."""
        found: list[pl.DataFrame] = [pl.DataFrame(schema=FINDINGS)]
        for kind in self.paths:
            found += [self.absent(kind), self.nowhere(kind)]
        if "firm" in self.paths:
            found.append(self.crowded("firm", "crowded-flat", FIRMS_IN_ONE_FLAT))
            found += self.of_subjects("firm")
        if "person" in self.paths:
            found.append(self.crowded("person", "people-in-flat", PEOPLE_IN_ONE_FLAT))
            found += self.of_subjects("person")
        if {"person", "premises"} <= set(self.paths):
            found.append(self.unregistered())
        return pl.concat(found)

    def of_subjects(self, kind: str) -> list[pl.DataFrame]:
        """Return the findings that concern one subject alone: of those touched anew, of the others as they were."""
        if kind == "firm":
            found = [self.apart("firm", "place-conflict"), self.closed()]
        else:
            found = [self.apart("person", "two-homes"), self.identities()]
        touched = self.touched(kind)
        if touched is not None and self.before is not None:
            own = pl.col("kind").is_in(OF_ONE[kind]) & ~pl.col("subject_id").is_in(touched.implode())
            found.append(self.before.findings.filter(own))
        return found

    def touched(self, kind: str) -> pl.Series | None:
        """Return the subjects whose findings may differ from the last run's; None: all."""
        return None if self.before is None else self.before.touched.get(kind)

    def records(self, kind: str) -> pl.DataFrame:
        """Return the records of a kind's touched subjects, with them."""
        if kind not in self.read:
            touched = self.touched(kind)
            owners = self._owners(kind)
            where = None
            if touched is not None:
                owners = owners.filter(pl.col("subject_id").is_in(touched.implode()))
                where = pl.col("record_id").is_in(owners["record_id"].implode())
            self.read[kind] = self._read(kind, where).join(owners, on="record_id")
        return self.read[kind]

    def _read(self, kind: str, where: pl.Expr | None) -> pl.DataFrame:
        folder = self.paths[kind].gathered
        have = layers.columns(folder, "records")
        return layers.read(
            folder, "records", [*_SEEN, *(name for name in _SEEN_IF if name in have)], where=where
        )

    def _owners(self, kind: str) -> pl.DataFrame:
        owners = layers.read(self.paths[kind].ids, "assignment", ["record_id", "subject_id", "present"])
        return owners.filter("present").select("record_id", "subject_id")

    def _some(self, kind: str, where: pl.Expr) -> pl.DataFrame:
        """Return few records with their subjects (null where there is none)."""
        rows = self._read(kind, where)
        if rows.is_empty():
            return rows.with_columns(subject_id=pl.lit(None, dtype=pl.String))
        owners = self._owners(kind).filter(pl.col("record_id").is_in(rows["record_id"].implode()))
        return rows.join(owners, on="record_id", how="left")

    def apart(self, kind: str, finding: str) -> pl.DataFrame:
        """Subjects that records of one time put in different buildings."""
        placed = self.records(kind).filter(pl.col("place_code").is_not_null())
        at = pl.col("at").str.to_date("%Y-%m-%d", strict=False)
        newest = at.max().over("subject_id")
        placed = placed.filter(newest.is_null() | (at >= newest - pl.duration(days=CURRENT_DAYS[kind])))
        placed = placed.filter(pl.col("absent_since").is_null())
        building = pl.col("place_code").str.slice(0, 17)
        several = placed.group_by("subject_id").agg(building.n_unique().alias("n")).filter(pl.col("n") > 1)
        # A building and a room in it do not contradict each other, so buildings are compared.
        rows = placed.join(several.select("subject_id"), on="subject_id", how="semi")
        rows = self._unanswered(rows, [f"{kind}.address", f"{kind}.place_code"])
        return self._by_subject(finding, rows, pl.col("address"), [f"{kind}.address", f"{kind}.place_code"])

    def nowhere(self, kind: str) -> pl.DataFrame:
        """Addresses that the library does not know, of subjects that no source could place."""
        lost = pl.col("place_code").is_null() & pl.col("place_reason").is_in(["not_found", "outside"])
        records = self._some(kind, lost & pl.col("address").is_not_null())
        rows = records.filter(
            ~pl.col("subject_id").is_in(self._placed(kind, records["subject_id"]).implode())
        )
        rows = self._unanswered(rows, [f"{kind}.address", f"{kind}.place_code"])
        grouped = rows.sort("record_id").group_by("address", maintain_order=True).agg(
            pl.col("subject_id").drop_nulls().first(), pl.col("source").first(), pl.len().alias("n"),
            _values(pl.col("address")),
        )  # fmt: skip
        grouped = grouped.join(self._near(grouped["address"]), on="address", how="left")
        about = pl.concat_str(pl.lit(f"{kind}:"), "address")
        return self._finish("address-nowhere", grouped, about, [f"{kind}.address"])

    def _placed(self, kind: str, subjects: pl.Series) -> pl.Series:
        """Return those of ``subjects`` that any record places."""
        owners = self._owners(kind).filter(
            pl.col("subject_id").is_in(subjects.drop_nulls().unique().implode())
        )
        own = pl.col("record_id").is_in(owners["record_id"].implode()) & pl.col("place_code").is_not_null()
        placed = layers.read(self.paths[kind].gathered, "records", ["record_id"], where=own)
        return owners.join(placed, on="record_id", how="semi")["subject_id"].unique()

    def crowded(self, kind: str, finding: str, limit: int) -> pl.DataFrame:
        """Flats in which more subjects of a kind are registered than can be."""
        code = f"{kind}.place_code"
        flats = layers.read(self.paths[kind].fused, "golden", [code])
        flats = flats.filter(pl.col(code).str.len_chars() == ROOM).group_by(code).len()
        full = pl.col(code).is_in(flats.filter(pl.col("len") > limit)[code].implode())
        names = ["subject_id", code, f"{kind}.name", "cell_code", "community_code"]
        many = layers.read(self.paths[kind].fused, "golden", names, where=full)
        many = many.rename({code: "place_code"}).sort("subject_id")
        value = pl.struct(
            source=pl.lit("golden"), value=pl.col(f"{kind}.name"), record_id=pl.col("subject_id")
        )
        rows = many.group_by("place_code").agg(
            pl.col("cell_code").first(), pl.col("community_code").first(), pl.len().alias("n"),
            value.alias("rows"), pl.lit(None, dtype=pl.String).first().alias("source"),
        ).with_columns(subject_id=pl.lit(None, dtype=pl.String))  # fmt: skip
        return self._finish(finding, rows, pl.col("place_code"), [f"{kind}.place_code"], by_count=True)

    def closed(self) -> pl.DataFrame:
        """Firms that one source calls closed and another active."""
        records = self.records("firm")
        if "status" not in records.columns:
            return pl.DataFrame(schema=FINDINGS)
        said = records.filter(pl.col("status").is_not_null())
        shut = pl.col("status").is_in(CLOSED)
        mixed = (
            said.group_by("subject_id").agg(shut.any().alias("a"), (~shut).any().alias("b")).filter("a", "b")
        )
        rows = self._unanswered(said.join(mixed, on="subject_id", how="semi"), ["firm.status"])
        return self._by_subject("firm-closed", rows, pl.col("status"), ["firm.status"])

    def unregistered(self) -> pl.DataFrame:
        """Premises registered as rented without any registered tenancy; only where tenancies are delivered."""
        people = layers.read(
            self.paths["person"].gathered,
            "records",
            ["place_code", "source"],
            where=pl.col("source").str.ends_with(".tenancies"),
        )
        if people.is_empty() or "rented" not in layers.columns(self.paths["premises"].gathered, "records"):
            return pl.DataFrame(schema=FINDINGS)
        rented = self._some(
            "premises", (pl.col("rented") == "是") & (pl.col("place_code").str.len_chars() == ROOM)
        )
        if "use" in rented.columns:
            rented = rented.filter(pl.col("use").is_in(HOMES) | pl.col("use").is_null())
        let = people.select("place_code").drop_nulls().unique()
        # A tenancy placed only as far as the building may be this one: the benefit of the doubt.
        rows = rented.join(let, on="place_code", how="anti")
        rows = rows.join(
            let, left_on=pl.col("place_code").str.slice(0, 17), right_on="place_code", how="anti"
        )
        rows = self._unanswered(rows, ["premises.rented"])
        return self._by_subject("rented-unregistered", rows, pl.col("rented"), ["premises.rented"])

    def identities(self) -> pl.DataFrame:
        """People whose linked records carry different valid numbers; one with a wrong check digit is a slip, no person."""
        records = self.records("person")
        if "resident_id" not in records.columns:
            return pl.DataFrame(schema=FINDINGS)
        said = records.filter(pl.col("resident_id").is_not_null() & is_resident_id(pl.col("resident_id")))
        several = (
            said.group_by("subject_id")
            .agg(pl.col("resident_id").n_unique().alias("n"))
            .filter(pl.col("n") > 1)
        )
        rows = self._unanswered(said.join(several, on="subject_id", how="semi"), ["person.resident_id"])
        return self._by_subject("identity-conflict", rows, pl.col("resident_id"), ["person.resident_id"])

    def absent(self, kind: str) -> pl.DataFrame:
        """Subjects of which no delivery contains a record any more."""
        gone = self._some(kind, pl.col("absent_since").is_not_null()).drop_nulls("subject_id")
        owners = self._owners(kind).filter(pl.col("subject_id").is_in(gone["subject_id"].unique().implode()))
        still = owners.join(gone.select("record_id"), on="record_id", how="anti")
        rows = gone.join(still.select("subject_id"), on="subject_id", how="anti")
        rows = self._unanswered(rows, [f"{kind}.address"])
        return self._by_subject("record-absent", rows, pl.col("address"), [f"{kind}.address"])

    def _unanswered(self, rows: pl.DataFrame, elements: Sequence[str]) -> pl.DataFrame:
        """Leave out subjects whose element a person has corrected or confirmed."""
        answered = self.corrections.filter(pl.col("element").is_in(list(elements))).select("subject_id")
        return rows.join(answered, on="subject_id", how="anti")

    def _by_subject(
        self, finding: str, rows: pl.DataFrame, value: pl.Expr, elements: Sequence[str]
    ) -> pl.DataFrame:
        # The value in force first, and with it the place and the cell in which to look.
        kind = elements[0].split(".", 1)[0]
        mine = pl.col("subject_id").is_in(rows["subject_id"].unique().implode())
        # An address is in force by its place: the golden record writes it as the library does.
        by_place = elements[0].endswith(".address")
        column, own = (f"{kind}.place_code", pl.col("place_code")) if by_place else (elements[0], value)
        held = layers.read(self.paths[kind].fused, "golden", ["subject_id", column], where=mine)
        held = held.rename({column: "_held"})
        ordered = rows.join(held, on="subject_id", how="left")
        ordered = ordered.with_columns(_lost=(own != pl.col("_held")).fill_null(True))
        ordered = ordered.sort("_lost", "source", "record_id")
        grouped = ordered.group_by("subject_id", maintain_order=True).agg(
            pl.col("place_code").drop_nulls().first(), pl.col("cell_code").drop_nulls().first(),
            pl.col("community_code").drop_nulls().first(), pl.col("source").first(), pl.len().alias("n"),
            _values(value),
        )  # fmt: skip
        return self._finish(finding, grouped, pl.col("subject_id"), elements)

    def _near(self, texts: pl.Series) -> pl.DataFrame:
        """Return, for each of these unplaced texts, the cell and community of the nearest candidate."""
        matched = layers.read(
            self.matched, "matched", ["text", "candidates"], where=pl.col("text").is_in(texts.implode())
        )
        first = pl.col("candidates").str.split(" ").list.first().alias("place_code")
        near = matched.select(pl.col("text").alias("address"), first)
        places = self.ground.places.select("place_code", "cell_code", "community_code")
        return near.join(places, on="place_code", how="left").select("address", "cell_code", "community_code")

    def _finish(
        self,
        finding: str,
        rows: pl.DataFrame,
        about: pl.Expr,
        elements: Sequence[str],
        *,
        by_count: bool = False,
    ) -> pl.DataFrame:
        """Give rows their key, digest, reason and department."""
        zh, en = REASONS[finding]
        told = pl.col("n").cast(pl.String)
        for name in ("place_code", "cell_code", "community_code", "subject_id"):
            if name not in rows.columns:
                rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name))
        values = pl.struct(values=pl.col("rows")).struct.json_encode()
        rows = rows.with_columns(values=values, odds=_at_odds())
        digests = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in rows["odds"]]
        names = rows.select(about.alias("about"))["about"]
        keys = [f"{finding}:{hashlib.sha256(name.encode()).hexdigest()[:32]}" for name in names]
        rows = rows.with_columns(
            pl.Series("digest", digests, dtype=pl.String), pl.Series("key", keys, dtype=pl.String)
        )
        return rows.select(
            key="key",
            kind=pl.lit(finding),
            subject_id="subject_id",
            place_code="place_code",
            cell_code="cell_code",
            community_code="community_code",
            elements=pl.lit(list(elements), dtype=pl.List(pl.String)),
            values="values",
            digest="digest",
            reason_zh=pl.concat_str(pl.lit(zh), pl.lit("（"), told, pl.lit("）")) if by_count else pl.lit(zh),
            reason_en=pl.concat_str(pl.lit(en), pl.lit(" ("), told, pl.lit(")")) if by_count else pl.lit(en),
            department=pl.col("source").replace_strict(dict(self.departments), default="grid-office"),
        )


def _value(value: pl.Expr) -> pl.Expr:
    return pl.struct(source=pl.col("source"), value=value, record_id=pl.col("record_id"))


def _at_odds() -> pl.Expr:
    """Write the values at odds as one text, in an order that does not depend on record numbers."""
    one = pl.element().struct
    pair = pl.concat_str(one.field("source"), pl.lit("="), one.field("value").fill_null(""))
    return pl.col("rows").list.eval(pair).list.sort().list.join("|")


def _values(value: pl.Expr) -> pl.Expr:
    return _value(value).alias("rows")
