"""Read a parsed address with the library's names at hand: 新安锦绣小区 is 锦绣小区 in 新安, if the library knows it.

The parser works without a library; where it glued a short division to a name, or took an estate for a community,
the names on file settle it. Works on distinct values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from chengshu.batch.address.normalise import division_key, fold, keyed, name_core, name_key

if TYPE_CHECKING:
    from chengshu.batch.address.library import AddressLibrary

_AFTER_DIVISION = re.compile(r"^.*(?:街道|[省市区镇])(?=.{2,})")
_ROOM_IN_NOTE = r"(?:^|[ /])([A-Za-z]?\d{3,4})(?:[^\d号路街酒连公便艺创广]|$)"
_SITE_AND_ROOM = re.compile(r"^(\D+?|.*[区村围城苑])([A-Z]?\d{3,4})(?![\d号路])")
_PEELED = dict.fromkeys(("head", "rest", "peeled_street", "peeled_community"), pl.String)


def adapted(library: AddressLibrary, parsed: pl.DataFrame) -> pl.DataFrame:
    """Return the keys of what was written; an inferred street or community proves nothing and is left out."""
    rows = keyed(_with_list(parsed))
    inferred = pl.col("inferred")
    hide = [
        pl.when(inferred.list.contains(name)).then(None).otherwise(pl.col(name + "_k")).alias(name + "_k")
        for name in ("street", "community", "floor")
    ]
    # 401沃尔玛后面; but 168酒店 is a name.
    room = pl.col("place").str.extract(_ROOM_IN_NOTE).str.to_uppercase()
    housed = pl.col("number_k").is_not_null() | pl.col("building_k").is_not_null()
    room = pl.when(housed).then(room)
    rows = rows.with_columns(*hide, outside=_outside(library), room_k=pl.coalesce("room_k", room))
    rows = _unglued(library, rows)
    rows = _estates_from_elsewhere(library, rows)
    for column in ("road_k", "estate_k", "place_k"):
        rows = _peeled(library, rows, column)
    return rows


def _with_list(parsed: pl.DataFrame) -> pl.DataFrame:
    """``inferred`` as a list, also when it came back from a file as text."""
    kind = parsed["inferred"].dtype
    if kind == pl.String:
        return parsed.with_columns(pl.col("inferred").fill_null("").str.split(","))
    return parsed if kind != pl.Null else parsed.with_columns(inferred=pl.lit([], dtype=pl.List(pl.String)))


def _outside(library: AddressLibrary) -> pl.Expr:
    """A district or city was written that the library does not reach."""
    district = ~pl.col("inferred").list.contains("district") & ~pl.col("district").is_in(
        list(library.districts)
    )
    city = ~pl.col("inferred").list.contains("city") & ~pl.col("city").is_in(list(library.cities))
    return (district.fill_null(False) | city.fill_null(False)) if library.districts else pl.lit(False)


def _unglued(library: AddressLibrary, rows: pl.DataFrame) -> pl.DataFrame:
    """第二工业园D is building D of the park; 海华二村404天虹商场 is room 404 of the village, and a note."""
    glued = pl.col("estate_k").str.extract_groups(r"^(.*[园区城厦场苑村楼])([A-Z])$")
    splits = pl.col("building_k").is_null() & glued.struct.field("2").is_not_null()
    rows = rows.with_columns(
        estate_k=pl.when(splits).then(glued.struct.field("1")).otherwise(pl.col("estate_k")),
        building_k=pl.when(splits).then(glued.struct.field("2")).otherwise(pl.col("building_k")),
    )
    texts = rows["place"].unique().drop_nulls().to_list()
    read = [(text, *found) for text in texts if (found := _note(library, text)) is not None]
    if not read:
        return rows
    table = pl.DataFrame(
        read, schema=dict.fromkeys(("place", "note_site", "note_room"), pl.String), orient="row"
    )
    rows = rows.join(table, on="place", how="left", maintain_order="left")
    return rows.with_columns(
        place_k=pl.coalesce("note_site", "place_k"), room_k=pl.coalesce("room_k", "note_room")
    ).drop("note_site", "note_room")


def _note(library: AddressLibrary, note: str) -> tuple[str | None, str | None] | None:
    """Find an estate and a room in a note; None when there is neither to be told apart."""
    site = room = None
    for word in note.split():
        cut = _SITE_AND_ROOM.match(fold(word))
        if cut and library.names.find(cut[1]):
            site, room = site or cut[1], room or cut[2]
            continue
        key = name_key(word)
        if site is None and key and _is_site(library, key):
            site = key
    return (site, room) if room or (site and " " in note) else None


def _estates_from_elsewhere(library: AddressLibrary, rows: pl.DataFrame) -> pl.DataFrame:
    """A place that is called like an estate is one; a community that only estates are called like, too."""
    named = rows["community"].unique().drop_nulls().to_list()
    estates = {
        text: key for text in named if (key := name_key(text)) and library.names.exact(key) is not None
    }
    known = list(library.communities)
    from_community = pl.col("community").replace_strict(estates, default=None, return_dtype=pl.String)
    sites = [text for text in rows["place_k"].unique().drop_nulls().to_list() if _is_site(library, text)]
    taken = pl.when(pl.col("place_k").is_in(sites)).then(pl.col("place_k"))
    cleaned = rows["community_k"].unique().drop_nulls().to_list()
    tails = {text: tail for text in cleaned if text not in known and (tail := _tail(text, library)) != text}
    return rows.with_columns(
        estate_k=pl.coalesce(pl.col("estate_k"), from_community, taken),
        community_k=pl.col("community_k").replace(tails),
        place_k=pl.when(pl.col("estate_k").is_null() & pl.col("place_k").is_in(sites))
        .then(None)
        .otherwise(pl.col("place_k")),
    )


def _is_estate(library: AddressLibrary, text: str, key: str) -> bool:
    if library.names.exact(key) is not None:
        return True
    return division_key(text) not in library.communities and bool(library.names.find(key))


def _is_site(library: AddressLibrary, key: str) -> bool:
    """A note that is, or nearly is, a name of the library, or ends like an estate."""
    return (name_core(key) != key and len(key) <= 10) or (len(key) > 2 and bool(library.names.find(key)))


def _tail(text: str, library: AddressLibrary) -> str:
    """西乡街道麻布, 新桥新桥: the community is what stands last."""
    tail = _AFTER_DIVISION.sub("", text)
    for at in range(len(tail) - 1):
        if tail[at:] in library.communities:
            return tail[at:]
    return tail


def _peeled(library: AddressLibrary, rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Take division names off the front of an unknown name when what is left is a known one."""
    names = [
        text for text in rows[column].unique().drop_nulls().to_list() if library.names.exact(text) is None
    ]
    found = [peeled for text in names if (peeled := peel(library, text))]
    if not found:
        return rows
    table = pl.DataFrame(found, schema=_PEELED, orient="row")
    rows = rows.join(table, left_on=column, right_on="head", how="left")
    return rows.with_columns(
        pl.coalesce("rest", column).alias(column),
        street_k=pl.coalesce("street_k", "peeled_street"),
        community_k=pl.coalesce("community_k", "peeled_community"),
    ).drop("rest", "peeled_street", "peeled_community")


def peel(library: AddressLibrary, text: str) -> tuple[str, str, str | None, str | None] | None:
    """Split a name into (itself, the known name in it, street, community); None when nothing comes off."""
    rest, street, community = text, None, None
    while True:
        head = next((text for text in _heads(library, rest)), None)
        if head is None:
            break
        kind, core = library.heads[head]
        street = core if kind == "street" else street
        community = core if kind == "community" else community
        rest = rest[len(head) :]
        if library.names.exact(rest) is not None:
            return text, rest, street, community
    if rest != text and len(rest) > 2 and library.names.find(rest):
        return text, rest, street, community
    return None


def _heads(library: AddressLibrary, text: str) -> list[str]:
    """Division names at the start of ``text``, longest first, that leave a name behind."""
    return [text[:size] for size in range(min(9, len(text) - 2), 1, -1) if text[:size] in library.heads]


def division_heads(buildings: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """Every way to write a library division at the head of a name: text → (level, key)."""
    heads: dict[str, tuple[str, str]] = {}
    for level in ("province", "city", "district", "street", "community"):
        for name in buildings[level].unique().drop_nulls().sort().to_list():
            key = division_key(name) if level in ("street", "community") else fold(name)
            for form in _forms(fold(name), level):
                if len(form) > 1 and key:
                    heads.setdefault(form, (level, key))
    return heads


def _forms(name: str, level: str) -> set[str]:
    suffixes = {"province": "省", "city": "市", "district": "区", "street": "街道", "community": "社区"}
    core = name.removesuffix(suffixes[level])
    forms = {name, core}
    if level == "street":
        forms |= {core + "镇", core + "办事处", core + "街"}
    return forms
