"""The 620,000 communities and villages of the country, searched one district at a time in its folded text."""

from __future__ import annotations

import re
from functools import lru_cache

import polars as pl

from chengshu.kernel.resources import shipped

# Longest first: what a community's name ends in when it is written out.
_KINDS = (
    "社区居民委员会|社区居委会|社区村民委员会|社区村委会|社区委员会|社区工作站|社区居委|社区|村民委员会|村委会|村委|居民委员会|居委会|居委|"
    "嘎查委员会|嘎查"
)
_KIND = re.compile(f"(?:{_KINDS}|村)$")
KIND_NEXT = re.compile(f"(?:村(?={_KINDS}))?(?:{_KINDS}|村)")
_SHOWN = {"s": "社区", "v": "村", "j": "居委会", "g": "嘎查", "o": ""}
_SETTLEMENT = ("村", "庄", "屯", "寨")


def shown(stem: str, kind: str) -> str:
    """Return a community's name as people write it: 海裕社区, 沿山村."""
    if kind == "v" and len(stem) > 2 and stem.endswith(_SETTLEMENT):
        return stem
    return stem + _SHOWN[kind]


def plain(name: str) -> str:
    """Return a written community in the same short form: 海裕社区居委会 → 海裕社区, 沿山村委会 → 沿山村."""
    found = _KIND.search(name)
    if found is None or found.start() < 1:
        return name
    kind, stem = found[0], name[: found.start()]
    if kind.startswith("社区"):
        return stem + "社区"
    if kind.startswith("村"):
        return shown(stem, "v")
    return stem + ("嘎查" if kind.startswith("嘎查") else "居委会")


class District:
    """The communities of one district: lines of stem (海裕), the code's last six digits and the kind.

    They stay one text: to search it for two letters costs less than to index a district that few rows name.
    """

    __slots__ = ("district", "folded", "starts")

    def __init__(self, district: str, folded: str) -> None:
        self.district = district
        self.folded = f"\n{folded}\n"
        self.starts = {line[:2] for line in folded.split("\n")}

    def stem_at(self, text: str, at: int) -> str | None:
        """Return the longest stem that stands at a place of a text."""
        if text[at : at + 2] not in self.starts:
            return None
        folded, start = self.folded, "\n" + text[at : at + 2]
        best: str | None = None
        line = folded.find(start)
        while line >= 0 and len(start) == 3:
            stem = folded[line + 1 : folded.index("\t", line)]
            if text.startswith(stem, at) and len(stem) > 1 and (best is None or len(stem) > len(best)):
                best = stem
            line = folded.find(start, line + 1)
        return best

    def entries(self, stem: str) -> list[str]:
        """Return the last six digits and the kind of each community with this stem."""
        start, found = f"\n{stem}\t", []
        line = self.folded.find(start)
        while line >= 0:
            found.append(self.folded[line + len(start) : line + len(start) + 7])
            line = self.folded.find(start, line + 1)
        return found

    def name_of(self, stem: str) -> str:
        """Return the community that a stem stands for, in its short form."""
        return shown(stem, self.entries(stem)[0][6])

    def code_of(self, name: str, street: str | None) -> str | None:
        """Return the twelve digits of a community, if its name is one only in the street (nine digits) or district."""
        found = _KIND.search(name)
        entries = (self.entries(name[: found.start()]) if found else []) or self.entries(name)
        codes = {self.district + entry[:6] for entry in entries}
        if street is not None:
            codes = {code for code in codes if code.startswith(street)}
        return codes.pop() if len(codes) == 1 else None


@lru_cache(maxsize=1)
def _folded() -> dict[str, str]:
    table = pl.read_parquet(shipped("districts", "cn", "divisions", "communities.parquet"))
    return dict(table.iter_rows())


def preload() -> None:
    """Read the file of all communities now: a forked process must not call polars."""
    _folded()


@lru_cache(maxsize=4096)
def communities_of(district: str) -> District | None:
    """Return the communities of a district by its six digits, or None where none are known."""
    folded = _folded().get(district)
    return District(district, folded) if folded else None
