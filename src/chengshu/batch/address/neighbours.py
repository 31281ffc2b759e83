"""What lies near an address that was refused: for a person to look at, never to be accepted by a program."""

from __future__ import annotations

import re

import polars as pl
from rapidfuzz.distance import Indel

from chengshu.batch.address.adapt import adapted
from chengshu.batch.address.library import AddressLibrary
from chengshu.batch.address.parse import parse_column
from chengshu.batch.address.scoring import BOUND

_SHOWN = ("road_k", "number_k", "estate_k", "building_k")


def neighbours(
    library: AddressLibrary, text: str, *, home: str | None = None, limit: int = 5
) -> list[dict[str, str | float]]:
    """Return the buildings whose names ``text`` seems to speak of, the most alike first: place_code, score.

    The score is likeness of the written parts, scaled to stay below the bound of acceptance.
    """
    read = adapted(library, parse_column(pl.Series([text], dtype=pl.String), home=home)).row(0, named=True)
    names = [read[name] for name in ("road_k", "estate_k", "place_k") if read[name]]
    numbers = {number for name in names for number, _ in library.names.find(name)}
    found = library.keys.filter(pl.col("nid").is_in(list(numbers)))["bid"].unique()
    rows = library.buildings.filter(
        pl.col("bid").is_in(found.implode())
        & (pl.col("state") == "active")
        & ~pl.col("place_code").str.starts_with("?")
    )
    scored = [
        (round(BOUND * _closeness([read[name] for name in _SHOWN], parts), 4), code)
        for code, *parts in rows.select("place_code", *_SHOWN).iter_rows()
    ]
    best = sorted(scored, key=lambda item: (-item[0], item[1]))[:limit]
    return [{"place_code": code, "score": score} for score, code in best]


def _closeness(asked: list[str | None], held: list[str | None]) -> float:
    """Mostly the likeness of what is written, a little how close the house numbers are."""
    likeness = Indel.normalized_similarity("".join(filter(None, asked)), "".join(filter(None, held)))
    one, other = (re.match(r"\d+", parts[1] or "") for parts in (asked, held))
    if not one or not other:
        return 0.8 * likeness
    return 0.8 * likeness + 0.2 / (1 + abs(int(one[0]) - int(other[0])) / 10)
