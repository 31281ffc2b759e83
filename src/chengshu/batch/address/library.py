"""The address library in memory: buildings under their names and details, rooms under their building.

A library row is a building (``room`` is null) or a room; a room repeats its building's fields and its code starts
with the building's. ``replaced_by`` of a retired row names the code that took its place, or several, separated by
commas, after a split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from chengshu.batch.address.adapt import division_heads
from chengshu.batch.address.names import NameIndex, name_index
from chengshu.batch.address.normalise import keyed
from chengshu.kernel.problems import Problem, Where

PARTS = (
    "province", "city", "district", "street", "community",
    "road", "number", "estate", "building", "unit", "floor", "room", "place",
)  # fmt: skip
COLUMNS = (
    "place_code", *PARTS, "division_code", "community_code", "cell_code", "state", "replaced_by", "aliases",
)  # fmt: skip
_BUILDING_CODE = 17
_BUILDING_KEYS = ("street", "community", "road", "number", "estate", "building", "place")


@dataclass(slots=True)
class AddressLibrary:
    """An address library, indexed for matching. Make one with ``load`` or ``from_frame``."""

    rows: pl.DataFrame
    buildings: pl.DataFrame
    rooms: pl.DataFrame
    names: NameIndex
    keys: pl.DataFrame
    districts: frozenset[str]
    cities: frozenset[str]
    communities: frozenset[str]
    heads: dict[str, tuple[str, str]]
    replaced: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # The library as of the day that was last asked for: whole files ask for one day.
    dated: tuple[date, AddressLibrary] | None = None

    @classmethod
    def load(cls, path: Path | str) -> AddressLibrary:
        """Read a library from a Parquet or CSV file."""
        path = Path(path)
        if not path.is_file():
            raise Problem(
                "address-library-missing",
                "There is no such address library",
                where=Where(file=str(path)),
                remedy="give the name of a library in var/libraries or the path of a Parquet or CSV file",
                status=404,
            )
        if path.suffix.lower() == ".csv":
            return cls.from_frame(pl.read_csv(path, infer_schema=False, encoding="utf8-lossy"))
        return cls.from_frame(pl.read_parquet(path))

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, *, home: str | None = None) -> AddressLibrary:
        """Index a library frame; a frame of only ``place_code`` and ``address`` is parsed first."""
        rows = _completed(frame, home)
        replaced = _replacements(rows)
        buildings, rooms = _split(rows)
        alternates = _alternate_names(buildings)
        columns = [buildings[name].to_list() for name in ("road_k", "estate_k", "place_k")]
        names = name_index([*columns, *(alternates[name].to_list() for name in alternates.columns[1:])])
        return cls(
            rows=rows,
            buildings=buildings,
            rooms=rooms,
            names=names,
            keys=_keys(buildings, alternates, names),
            districts=_values(buildings, "district"),
            cities=_values(buildings, "city"),
            communities=_values(buildings, "community_k"),
            heads=division_heads(buildings),
            replaced=replaced,
        )

    def match_many(
        self,
        texts: Sequence[str] | pl.Series,
        *,
        home: str | None = None,
        on: date | None = None,
    ) -> pl.DataFrame:
        """Match texts, one row a text in order: text, place_code, score, level, candidates, reason, retired_code.

        ``place_code`` is null where the matcher refuses, and ``reason`` says why. Give distinct texts: equal
        ones are worked twice. With ``on`` both divisions and library stand as they did on that day.
        """
        from chengshu.batch.address.match import match_texts

        return match_texts(self.as_of(on) if on else self, texts, home=home, on=on)

    def as_of(self, day: date) -> AddressLibrary:
        """Return the library as it stood on ``day``: what ended later still stands, what began later is not there yet."""
        if self.dated is None or self.dated[0] != day:
            rows = _standing(self.rows, day)
            self.dated = (day, self if rows is None else AddressLibrary.from_frame(rows))
        return self.dated[1]

    def propose(self, texts: Sequence[str] | pl.Series, *, home: str | None = None) -> pl.DataFrame:
        """Propose addresses that the library lacks: their parts and the code of the parent place, no new code."""
        from chengshu.batch.address.proposals import propose

        return propose(self, texts, home=home)

    @property
    def home(self) -> str | None:
        """The six-digit code of the one district that all communities of the library lie in; None for several."""
        codes = self.buildings["community_code"].drop_nulls().str.slice(0, 6).unique().to_list()
        return str(codes[0]) if len(codes) == 1 else None

    def __len__(self) -> int:
        return self.rows.height


def _standing(rows: pl.DataFrame, day: date) -> pl.DataFrame | None:
    """Return the rows of ``day`` with the state that they had; ``None`` when they are those of today."""
    if not {"valid_from", "valid_to"} <= set(rows.columns):
        return None
    days = rows.select(
        pl.col("valid_from", "valid_to").cast(pl.String).str.slice(0, 10).str.to_date(strict=False)
    )
    since, until = days["valid_from"], days["valid_to"]
    begun = (since.is_null() | (since <= day)).fill_null(True)
    ended = (until.is_not_null() & (until <= day)).fill_null(False)
    gone = (rows["state"] == "retired") & until.is_not_null()
    if begun.all() and (ended == gone).all():
        return None
    state = pl.when(pl.lit(ended)).then(pl.lit("retired")).when(pl.lit(gone)).then(pl.lit("active"))
    replaced = pl.when(pl.lit(gone & ~ended)).then(None).otherwise(pl.col("replaced_by"))
    changed = rows.with_columns(state=state.otherwise(pl.col("state")), replaced_by=replaced)
    return changed.filter(begun)


def _values(buildings: pl.DataFrame, column: str) -> frozenset[str]:
    return frozenset(buildings[column].unique().drop_nulls().to_list())


def _completed(frame: pl.DataFrame, home: str | None) -> pl.DataFrame:
    if "place_code" not in frame.columns:
        raise Problem(
            "address-library-columns",
            "An address library needs a column place_code",
            detail=f"columns found: {', '.join(frame.columns[:20])}",
            remedy="name the column of the code place_code, and give the parts or a column address",
        )
    if "address" in frame.columns and not {"road", "estate"} & set(frame.columns):
        frame = _parsed(frame, home)
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in COLUMNS if name not in frame.columns]
    frame = frame.with_columns(missing)
    texts = [pl.col(name).cast(pl.String) for name in COLUMNS]
    blank = [
        pl.when(pl.col(name).str.strip_chars() == "").then(None).otherwise(pl.col(name)).alias(name)
        for name in (*PARTS, "replaced_by", "aliases")
    ]
    frame = frame.with_columns(texts).with_columns(blank)
    frame = frame.with_columns(pl.col("state").fill_null("active"))
    doubles = frame.filter(pl.col("place_code").is_duplicated() | pl.col("place_code").is_null())
    if doubles.height:
        raise Problem(
            "address-library-codes",
            "Every place of a library has one code of its own",
            detail=f"{doubles.height} rows share a code or have none, such as {doubles['place_code'][0]}",
            remedy="remove the doubles",
        )
    return frame


def _parsed(frame: pl.DataFrame, home: str | None) -> pl.DataFrame:
    from chengshu.batch.address.parse import parse_column

    parts = parse_column(frame["address"].cast(pl.String).fill_null(""), home=home)
    clash = [name for name in parts.columns if name in frame.columns]
    return frame.hstack(parts.drop([*clash, "inferred", "error"], strict=False))


def _replacements(rows: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """For every retired code the codes in force that stand for it now, through any number of steps."""
    retired = rows.filter((pl.col("state") == "retired") | pl.col("replaced_by").is_not_null())
    steps = {
        code: tuple(part.strip() for part in (by or "").split(",") if part.strip())
        for code, by in retired.select("place_code", "replaced_by").iter_rows()
    }
    return {code: _follow(code, steps) for code in steps}


def _follow(code: str, steps: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    found: list[str] = []
    seen = {code}
    queue = list(steps[code])
    while queue:
        step = queue.pop(0)
        if step in seen:  # a ring of replacements leads nowhere
            continue
        seen.add(step)
        if step in steps:
            queue = list(steps[step]) + queue
        else:
            found.append(step)
    return tuple(found)


def _split(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split the rows into buildings with a number ``bid`` and rooms that know theirs."""
    kept = rows.filter(pl.col("state") != "proposed")
    own = kept.filter(pl.col("room").is_null())
    rooms = kept.filter(pl.col("room").is_not_null()).with_columns(
        parent=pl.col("place_code").str.slice(0, _BUILDING_CODE)
    )
    housed = rooms.join(own.select("place_code"), left_on="parent", right_on="place_code", how="semi")
    homeless = rooms.join(own.select("place_code"), left_on="parent", right_on="place_code", how="anti")
    own, homeless = _house(own, homeless)
    buildings = keyed(own, _BUILDING_KEYS).with_row_index("bid")
    codes = buildings.select("bid", parent="place_code")
    rooms = keyed(pl.concat([housed, homeless], how="vertical"), ("unit", "floor", "room")).join(
        codes, on="parent", how="inner"
    )
    wanted = ("bid", "place_code", "state", "unit_k", "floor_k", "room_k")
    return buildings, rooms.select(wanted)


def _house(own: pl.DataFrame, homeless: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give rooms without a building row the building with their parts, made up without a usable code if need be."""
    if not homeless.height:
        return own, homeless
    parts = ["district", *_BUILDING_KEYS]
    group = pl.concat_str([pl.col(part).fill_null("") for part in parts], separator="|").alias("group")
    homeless = homeless.with_columns(group)
    known = own.with_columns(group).unique("group", keep="first").select("group", code="place_code")
    homeless = homeless.join(known, on="group", how="left")
    made = (
        homeless.filter(pl.col("code").is_null())
        .unique("group", keep="first", maintain_order=True)
        .with_columns(
            place_code=pl.concat_str(pl.lit("?"), pl.col("group")),
            **{name: pl.lit(None, dtype=pl.String) for name in ("unit", "floor", "room")},
        )
    )
    homeless = homeless.with_columns(
        parent=pl.coalesce(pl.col("code"), pl.concat_str(pl.lit("?"), pl.col("group")))
    )
    return pl.concat([own, made.select(own.columns)]), homeless.drop("group", "code")


def _alternate_names(buildings: pl.DataFrame) -> pl.DataFrame:
    """How the parser itself reads each pair of road and estate, where it differs from the library's fields.

    A lane in a village (固戍新村 三巷) can be cut in two ways; with both on file the cut does not matter.
    """
    from chengshu.batch.address.parse import parse_column

    group = ["district", "street", "community", "road", "estate"]
    distinct = buildings.unique(group, keep="first", maintain_order=True)
    text = [
        pl.col(name).fill_null("")
        for name in ("province", "city", *group[:4], "number", "estate", "building")
    ]
    read = parse_column(distinct.select(pl.concat_str(text).alias("text"))["text"])
    names = keyed(read.select("road", "estate", "place"), ("road", "estate", "place"))
    distinct = distinct.select([*group]).hstack(
        names.select(alt_road="road_k", alt_estate="estate_k", alt_place="place_k")
    )
    joined = buildings.select("bid", *group).join(distinct, on=group, how="left", nulls_equal=True)
    return joined.select("bid", "alt_road", "alt_estate", "alt_place").sort("bid")


def _keys(buildings: pl.DataFrame, alternates: pl.DataFrame, names: NameIndex) -> pl.DataFrame:
    """Every (name, number, building) under which a building can be asked for: kind, key, bid, nid."""
    base = buildings.select("bid", "road_k", "estate_k", "place_k", "number_k", "building_k", "aliases").join(
        alternates, on="bid", how="left"
    )
    long = pl.concat(
        [base.select("bid", "number_k", "building_k", "road_k", name=column) for column in _NAME_COLUMNS]
        + [
            keyed(
                base.filter(pl.col("aliases").is_not_null())
                .with_columns(place=pl.col("aliases").str.split("|"))
                .explode("place"),
                ("place",),
            ).select("bid", "number_k", "building_k", "road_k", name="place_k")
        ]
    )
    known = long["name"].unique().drop_nulls().to_list()
    for name in known:
        if names.exact(name) is None:
            names.add(name)
    long = long.drop_nulls("name").with_columns(
        nid=pl.col("name").replace_strict(
            known, [names.exact(name) for name in known], return_dtype=pl.UInt32
        )
    )
    long = long.unique(["bid", "nid"], maintain_order=True)
    return long.select("bid", "nid", "number_k", "building_k", road=pl.col("name") == pl.col("road_k"))


_NAME_COLUMNS = ("road_k", "estate_k", "place_k", "alt_road", "alt_estate", "alt_place")
