"""The 620,000 communities and villages of the country, unfolded one district at a time."""

from __future__ import annotations

import re
from functools import lru_cache

import polars as pl

from chengshu.kernel.resources import shipped

_KIND = re.compile(
    "(社区居民委员会|社区居委会|社区村民委员会|社区村委会|社区委员会|居民委员会|居委会|村村民委员会|村民委员会|村委会|社区|村|嘎查委员会|嘎查村民委员会)$"
)
_VILLAGE_KINDS = frozenset(("村村民委员会", "村民委员会", "村委会", "村"))


def plain(name: str) -> str:
    """Return a community's name as people write it: 海裕社区居委会 → 海裕社区, 沿山村委会 → 沿山村."""
    found = _KIND.search(name)
    if found is None or found.start() < 1:
        return name
    kind, stem = found[1], name[: found.start()]
    if kind in _VILLAGE_KINDS:
        return stem if stem.endswith(("村", "庄", "屯")) and len(stem) > 2 else stem + "村"
    if kind.startswith("社区"):
        return stem + "社区"
    if kind.startswith("嘎查"):
        return stem + "嘎查"
    return name if kind == "社区" else stem + "居委会"


class District:
    """The communities of one district, by every form of their names."""

    __slots__ = ("codes", "lengths", "short")

    def __init__(self, district: str, folded: str) -> None:
        self.codes: dict[str, list[tuple[str, str]]] = {}
        self.short: dict[str, str] = {}
        for line in folded.split("\n"):
            code, name = district + line[:6], line[6:]
            shown = plain(name)
            stem = _KIND.sub("", name)
            forms = {name, shown}
            if len(stem) > 1:
                forms.update((stem + "社区", stem + "村", stem + "居委会", stem + "社区居委会", stem + "村委会"))
                self.short[stem] = shown
            for form in forms:
                self.codes.setdefault(form, []).append((code, shown))
        lengths: dict[str, set[int]] = {}
        for form in (*self.codes, *self.short):
            lengths.setdefault(form[:2], set()).add(len(form))
        self.lengths = {start: tuple(sorted(sizes, reverse=True)) for start, sizes in lengths.items()}

    def code_of(self, name: str, street: str | None) -> str | None:
        """Return the twelve digits of a community, if its name is one only in the street (nine digits) or district."""
        found = {code for code, _ in self.codes.get(name, ()) if street is None or code.startswith(street)}
        return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=1)
def _folded() -> dict[str, str]:
    table = pl.read_parquet(shipped("districts", "cn", "divisions", "communities.parquet"))
    return dict(table.iter_rows())


@lru_cache(maxsize=4096)
def communities_of(district: str) -> District | None:
    """Return the communities of a district by its six digits, or None where none are known."""
    folded = _folded().get(district)
    return District(district, folded) if folded else None
