"""A second reading of texts that stayed unmatched: cut by the library's own names instead of by the parser.

It copes with reversed order, lost suffixes, any separators and repeats, because every known name is found wherever
it stands; what is left over between names is read as number, building, unit and room. What it does not know it
does not drop: an unknown name that looks like a road or an estate stays in the reading and counts against a match.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

import polars as pl

from chengshu.batch.address.library import AddressLibrary
from chengshu.batch.address.model import FIELDS
from chengshu.batch.address.names import NameIndex
from chengshu.batch.address.normalise import name_core, numerals

_BRACKET = re.compile(r"\([^()]*\)")
_GAP = re.compile(r"[^\w-]+|_+")
_TWICE = re.compile(r"([\u4e00-\u9fff][\u4e00-\u9fff0-9]+?)\1+")
_ROAD = re.compile(r"(?:路|街|大道|巷|里|道)$")
_FOREIGN = re.compile(r"[\u4e00-\u9fff]{2,}(?:省|市|县|区|镇|乡)$")
_LOOSE_END = re.compile(r"[\u4e00-\u9fffA-Z]$")
_DIVISION_END = re.compile(r"(?:街道|社区|[省市区县镇乡村号栋幢座室房元层楼])$")
_PART_OF_NAME = re.compile(r"^[东南西北中上下新老大小前后]?(?:[区苑院段]|\d?期)|^\d+[区巷路街期]")
_DETAILS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("dash", re.compile(r"(?<![\dA-Z-])(\d{1,3}|[A-Z]\d?)(?:-(\d{1,2}|[A-Z]))?-([A-Z]?\d{3,4})(?![\d-])(?:室|号房|房)?")),
    ("building", re.compile(r"(?<![\dA-Z])(\d{1,3}|[A-Z]\d{0,2})(?:栋|幢|座|号楼)")),
    ("unit", re.compile(r"(?<![\dA-Z])(\d{1,2}|[A-Z])单元")),
    ("number", re.compile(r"(?<![\dA-Z])(\d{1,4}(?:-\d{1,3})?[A-Z]?)号(?![楼栋房铺])")),
    ("floor", re.compile(r"(?<![\dA-Z])(\d{1,2})[层楼]")),
    ("room", re.compile(r"(?<![\dA-Z-])([A-Z]?\d{3,4})(?:室|号房|房|$)")),
)  # fmt: skip
_LONGEST = 14


@dataclass(slots=True)
class _Reading:
    """What has been found so far; the first of each level stands."""

    found: dict[str, str] = field(default_factory=dict)
    foreign: bool = False

    def take(self, level: str, value: str) -> None:
        self.found.setdefault(level, value)


def reread(library: AddressLibrary, texts: pl.Series, *, strict: pl.Series) -> pl.DataFrame:
    """Read texts by the library's names; a frame like the parser's.

    Where ``strict``, a text lies in the library's district only if it names one of its streets or communities
    and no other.
    """
    lexicon = _lexicon(library)
    roads = set(library.buildings["road_k"].unique().drop_nulls().to_list())
    city, district = (next(iter(names), None) for names in (library.cities, library.districts))
    rows = []
    known = {key for level, key in library.heads.values() if level in ("street", "community")}
    for text, sure in zip(texts.to_list(), strict.to_list(), strict=True):
        reading = _read(text, library.names, lexicon, roads)
        if sure:
            stated = {reading.found[level] for level in ("street", "community") if level in reading.found}
            reading.foreign = reading.foreign or not stated or not stated <= known
        fields: dict[str, object] = {name: reading.found.get(name) for name in FIELDS}
        # Somewhere else: no district of the library stands in the text, another one does.
        fields["district"] = "?" if reading.foreign else district
        fields["city"] = city
        rows.append(fields)
    schema = dict.fromkeys(FIELDS, pl.String)
    frame = pl.DataFrame(rows, schema=schema)
    return frame.with_columns(
        inferred=pl.lit([], dtype=pl.List(pl.String)), error=pl.lit(None, dtype=pl.String)
    )


def _lexicon(library: AddressLibrary) -> dict[str, tuple[str, str]]:
    """Text → (level, key) of everything that has a name in the library; road and estate are "name"."""
    lexicon = dict(library.heads)
    lexicon.update((name, ("name", name)) for name in library.names.names if len(name) > 1)
    return lexicon


def _read(text: str, names: NameIndex, lexicon: dict[str, tuple[str, str]], roads: set[str]) -> _Reading:
    reading = _Reading()
    for piece in _pieces(text):
        _names(_tokens(piece, lexicon), names, roads, reading)
    return reading


def _pieces(text: str) -> list[str]:
    text = re.sub(r"[—–－~～]", "-", unicodedata.normalize("NFKC", text).upper())
    pieces = [_TWICE.sub(r"\1", numerals(piece)) for piece in _GAP.split(_BRACKET.sub(" ", text)) if piece]
    # Blanks between all parts cut a number from its road; what belongs to the part before is put back.
    joined: list[str] = []
    for piece in pieces:
        if (
            joined
            and (piece[0].isdigit() or re.match(r"[A-Z]\d*(?:栋|座|幢|-)", piece))
            and not joined[-1][-1].isdigit()
        ):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _tokens(piece: str, lexicon: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """Cut a piece into (level, key) of known names and ("", text) of what lies between."""
    tokens: list[tuple[str, str]] = []
    start = at = 0
    size = len(piece)
    while at < size:
        hit = _longest(piece, at, lexicon)
        if hit is None:
            at += 1
            continue
        if at > start:
            tokens.append(("", piece[start:at]))
        tokens.append(lexicon[hit])
        at += len(hit)
        start = at
    if start < size:
        tokens.append(("", piece[start:]))
    return tokens


def _longest(piece: str, at: int, lexicon: dict[str, tuple[str, str]]) -> str | None:
    if piece[at].isdigit() and at and piece[at - 1].isdigit():
        return None
    for length in range(min(_LONGEST, len(piece) - at), 1, -1):
        if piece[at : at + length] in lexicon:
            return piece[at : at + length]
    return None


def _names(tokens: list[tuple[str, str]], names: NameIndex, roads: set[str], reading: _Reading) -> None:
    before = ""
    for index, (level, value) in enumerate(tokens):
        after = tokens[index + 1][1] if index + 1 < len(tokens) and tokens[index + 1][0] == "" else ""
        if level == "":
            previous = tokens[index - 1] if index else ("", "")
            _unknown(
                _loose(value, previous[0] == "name" and previous[1] in roads, reading), names, roads, reading
            )
        elif level in ("street", "community"):
            reading.take(level, value)
        elif level == "name":
            glued = bool(_LOOSE_END.search(before)) and not _DIVISION_END.search(before)
            whole = value if not glued else before + value
            if _PART_OF_NAME.search(after):
                whole += after[:2]
            reading.take("road" if value in roads else "estate", whole)
        before = value if level == "" else ""


def _loose(text: str, after_road: bool, reading: _Reading) -> list[str]:
    """Read the details that lie between names; return what is left, which may be unknown names."""
    if after_road and (bare := re.match(r"(\d{1,4}(?:-\d{1,3})?)(?=[^\d栋幢座号层楼单室房-]|$)", text)):
        reading.take("number", bare[1])
        text = text[bare.end() :]
    for level, pattern in _DETAILS:
        found = pattern.search(text)
        if found is None:
            continue
        if level == "dash":
            reading.take("building", found[1])
            if found[2]:
                reading.take("unit", found[2])
            reading.take("room", found[3])
        else:
            reading.take(level, found[1])
        text = text[: found.start()] + " " + text[found.end() :]
    return text.split()


def _unknown(words: list[str], names: NameIndex, roads: set[str], reading: _Reading) -> None:
    for rest in words:
        if rest.endswith(("街道", "社区")):
            reading.take("street" if rest.endswith("街道") else "community", rest)
        elif len(rest) > 2 and (found := names.find(rest)):
            reading.take("road" if names.names[found[0][0]] in roads else "estate", rest)
        elif _ROAD.search(rest):
            reading.take("road", rest)
        elif name_core(rest) != rest:
            reading.take("estate", rest)
        elif _FOREIGN.search(rest):
            reading.foreign = True
        elif len(rest) > 1 and not rest.isascii():
            reading.take("place", rest)
