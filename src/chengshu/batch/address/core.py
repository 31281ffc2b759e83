"""One address from text to fields; the single-row path and the column path both end here."""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from chengshu.batch.address.communities import KIND_NEXT, District, communities_of, plain
from chengshu.batch.address.gazetteer import gazetteer
from chengshu.batch.address.head import CITY, DISTRICT, STREET, HeadReader, State
from chengshu.batch.address.resolve import Divisions, Resolver
from chengshu.batch.address.tail import Tail
from chengshu.batch.address.text import ODD, RARE, D, clean

Row = tuple[str, ...]
"""The fourteen fields of `model.FIELDS`; the inferred fields, the renamed divisions (joined by commas); the error."""

_PREFIX = re.compile(
    "(?:中华人民共和国|中国|(?:(?:收货|详细|注册|经营|联系|家庭|现|办公)?(?:地址|住址|住所)) *[::]? *)+"
)
_LABEL_FIRST = frozenset("中收详注经联家现办地住")
_BRACKET = re.compile(r"\(([^()]*)\)?")
_NOTHING = frozenset(
    (
        "无",
        "暂无",
        "不详",
        "未知",
        "同上",
        "没有",
        "空",
        "电联",
        "null",
        "none",
        "nan",
        "n/a",
        "NULL",
        "None",
        "NaN",
    )
)
_CHINESE = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_NOISE = re.compile(f"电联|对面|旁|附近|节假日|派送|请|勿|电话|[{D}]{{7,}}")
_ZONE = re.compile(f"[^{D}路街号 ]{{2,10}}?(?:开发区|高新区|保税区|示范区|度假区|管理区|经开区|新区)")
# A district that the gazetteer does not list, behind a city: kept as written, without a code of its own.
_DISTRICT = re.compile(
    f"(?:省|市)?((?:高新技术开发|高新|经开|新|保税|[东西南北])区|"
    f"[^{D}A-Za-z 路街村道镇乡区县市小园业社校景厂库宅活发假税商展]{{2,3}}(?:区|县))"
    f"(?!域|间|块|[一二三四五六七八九十{D}])"
)
# A room, a building or a number first: the parts may stand from small to large.
_SMALL_FIRST = re.compile(
    f"[{D}A-Za-z][{D}A-Za-z-]*(?:号(?!楼?线|[路街院])|室|房|单元|栋|幢|号楼|层|楼) ?[^{D}]*[{D}\u4e00-\u9fff]"
)
_PART = re.compile(
    f"[{D}A-Za-z][{D}A-Za-z-]*(?:号?(?:大街|大道|路|街)|国道|省道|县道|号楼|号院|号|栋|幢|座|单元|层|楼|室|房|弄)?|"
    f"[^{D} ]+?(?:社区|街道|镇|乡|路|大街|街(?!道)|大道|巷|小区|花园|公寓|大厦|广场|家园|新村|[^新]村|省|市(?!场)|"
    f"[^小园业社校]区|县)(?![{D}]*[期区]|[路街道])|"
    f"[^{D} ]+"
)
_LARGE_LAST = re.compile(f"[^{D}]*[路街道镇乡村社区市省县巷]$")
_SMALL = re.compile(f"[{D}路街巷号村]")
_GOES_ON = re.compile(
    f"[东南西北中一二三四五六七八九十{D}]{{0,3}}(?:路|街|巷|弄|大道)|小区|花园|公园|工业|新村|广场|村|小学|中学|卫生|医院"
)
_STEM_ENDS = re.compile(
    f"(?![东南西北中大小新老一二三四五六七八九十]{{1,3}}[路街巷弄大])[^{D} 大]{{2,5}}?(?:路|街|大道|巷|弄)(?!口)|"
    f"[{D}一二三四五六七八九十]+组"
)
_DIVISION_END = re.compile("[省市区县旗州]")


DIGIT = re.compile("[0-9]")  # as a skeleton's makers see it: an ASCII digit
CUT = "\x1f"  # cannot occur in a value: `text.clean` turns control characters into blanks
_LONGEST = 2_000
_LINES_KEPT = 200_000
_FIRST_PLACE = 0xE000
_PLACE_MARK = re.compile("[\ue000-\uf8ff]")


def _placed(skeleton: str) -> str:
    """Give each 0 of a skeleton a private character that tells its place; the rules take those for digits."""
    parts = _PLACE_MARK.sub(" ", skeleton[:_LONGEST]).split("0")
    marks = [*map(chr, range(_FIRST_PLACE, _FIRST_PLACE + len(parts) - 1)), ""]
    return "".join([part + mark for part, mark in zip(parts, marks, strict=True)])


def _by_place(row: Row) -> str:
    """Join a row into one line, each private character back as a place: {0}, {1} …."""
    line = CUT.join(row)
    return _PLACE_MARK.sub(lambda mark: f"{{{ord(mark[0]) - _FIRST_PLACE}}}", line)


class Found(NamedTuple):
    """The divisions of an address, and where the rest of its text begins."""

    text: str
    at: int
    street: str | None
    before: str | None
    divisions: Divisions


class Parser:
    """Parses addresses as of one day, for the files of one home district (or none)."""

    def __init__(self, home: str | None, on: date | None) -> None:
        known = gazetteer(on)
        self._heads = HeadReader(known, home)
        self._resolver = Resolver(known, home, dated=on is not None)
        self._read = self._heads.read
        self._home: State = (home,) if home in known.by_key and home is not None else ()
        self._starts = frozenset((*known.heads.lengths, "中国"))
        self._street_at = self._heads.street_at
        self._lines: dict[str, str] = {}

    def row(self, text: str) -> Row:
        """Take one address apart into plain values."""
        skeleton = DIGIT.sub("0", text)
        return tuple(self.line(skeleton).format(*DIGIT.findall(text)).split(CUT))

    def line(self, skeleton: str) -> str:
        """Parse a skeleton: a text whose digits are all 0. The answer's fields name them by place: {2}{3}号.

        How an address is read depends on where digits stand and never on which they are, so that all houses of a
        road and all rooms of a building are read once.
        """
        known = self._lines.get(skeleton)
        if known is None:
            if len(self._lines) > _LINES_KEPT:
                self._lines.clear()
            known = self._lines[skeleton] = _by_place(self._row_of(_placed(skeleton)))
        return known

    def forget(self) -> None:
        """Forget the skeletons read so far, to measure or to free memory."""
        self._lines.clear()

    def _row_of(self, text: str) -> Row:
        if ODD.search(text) is not None or RARE.search(text) is not None:
            text = clean(text)
        note = None
        if "(" in text or ")" in text:
            text, note = _without_brackets(text)
            if not text:
                text, note = note or "", None
        if not text:
            return _refused("empty")
        found = self._divisions(text)
        text, at, street, divisions = found.text, found.at, found.street, found.divisions
        tail = Tail(text, at, street)
        tail.place = found.before
        near = communities_of(divisions.code[:6]) if divisions.code is not None else None
        if near is not None:
            self._community(tail, near)
        tail.read()
        if near is not None and tail.community is not None:
            divisions = self._with_community(divisions, tail.community, near)
        return self._row(text, divisions, tail, note)

    def _divisions(self, text: str) -> Found:
        """Read the divisions wherever they stand."""
        text, start, at, state, written = self._head(text)
        unknown = self._unknown_district(text, at, state, written)
        if unknown is not None:
            at = unknown.end()
            if meant := self._heads.misspelt(unknown[1], state):
                # The mask keeps the district as not written: it is inferred from letters that were not right.
                state, unknown = meant, None
        at, street, codes, state, written = self._street(text, at, state, written)
        if at == start and not state:
            text, at, state, written = self._elsewhere(text, start)
            at, street, codes, state, written = self._street(text, at, state, written)
        before = None
        if street is None and state and written < DISTRICT and unknown is None:
            before, at, state, written = self._later(text, at, state, written)
            if before is not None:
                at, street, codes, state, written = self._street(text, at, state, written)
        elif street is None and len(state) > 1:
            state = self._by_evidence(text, at, state)
        divisions = self._resolver.resolve(state, street, codes, written)
        if unknown is not None and divisions.district is None:
            divisions = divisions._replace(district=unknown[1])
        return Found(text, at, street, before, divisions)

    def _head(self, text: str) -> tuple[str, int, int, State, int]:
        """Read the divisions at the beginning, behind a label; turn the text round if it runs from small to large."""
        start = 0
        if text[0] in _LABEL_FIRST:
            prefix = _PREFIX.match(text)
            start = prefix.end() if prefix and prefix.end() < len(text) else 0
        at, state, written = self._read(text, start)
        if not state and _SMALL_FIRST.match(text, start):
            text, start = _turned(text[start:], self._heads.gazetteer.heads.entries), 0
            at, state, written = self._read(text, 0)
        if state and text[at : at + 2] in self._starts:
            at, state, written = self._again(text, at, state, written)
        return text, start, at, state, written

    def _unknown_district(self, text: str, at: int, state: State, written: int) -> re.Match[str] | None:
        """Read a district that the gazetteer does not list, behind a city and where no street stands."""
        if not CITY <= written < DISTRICT or self._street_at(text, at, state)[0] > at:
            return None
        return _DISTRICT.match(text, at)

    def _later(self, text: str, at: int, state: State, written: int) -> tuple[str | None, int, State, int]:
        """Find the district further on: 北京市和平里医院东城区和平里北街18号; a name before it is the place."""
        begin, end, district = self._heads.districts_later(text, at, state)
        if not district:
            return None, at, state, written
        before = text[at:begin]
        if begin == at or _SMALL.search(before):
            return None, at, district, written | DISTRICT
        _, again, _ = self._read(before, 0)
        if again:
            before = before[: max(0, self._chain_start(before))]
        return before.strip() or None, end, district, written | DISTRICT

    def _chain_start(self, before: str) -> int:
        """Return where the divisions begin that stand right before a district (…医院北京市|东城区)."""
        for at in range(len(before)):
            if self._read(before, at)[0] == len(before):
                return at
        return len(before)

    def _by_evidence(self, text: str, at: int, state: State) -> State:
        """Choose among districts of one name by the communities that the next words name."""
        fits = []
        for key in state:
            near = communities_of(self._heads.division(key).code[:6])
            if near is not None and near.stem_at(text, at) is not None:
                fits.append(key)
        return (fits[0],) if len(fits) == 1 else state

    def _again(self, text: str, at: int, state: State, written: int) -> tuple[int, State, int]:
        """Read a second address that begins where the first one's divisions end: the later one holds."""
        start = at + 2 if text.startswith("中国", at) else at
        end, other, mask = self._read(text, start)
        if other and end > start:
            if self._heads.sister(text[start:end], state, other):
                return end, other, written | mask
            if mask & (mask - 1) and (start > at or mask >= DISTRICT):
                return end, other, mask
        return at, state, written

    def _street(
        self, text: str, at: int, state: State, written: int
    ) -> tuple[int, str | None, tuple[str, ...], State, int]:
        """Read the street at ``at``, and divisions that are repeated behind it."""
        begin, (end, codes) = at, self._street_at(text, at, state or self._home)
        if end == at:
            begin, end, codes = self._heads.unknown_street(text, at, state)
            begin = self._behind_divisions(text, begin, end)
            if end == at and not state:
                end, codes = self._heads.lone_street(text, at)
            if end == at:
                return at, None, (), state, written
        street = text[begin:end].strip()
        if not codes and "区" in street and (zone := _ZONE.match(street)) and zone.end() < len(street):
            street = street[zone.end() :]
        end = self._repeated(text, end, text[begin:end], codes, state)
        after, again, mask = self._read(text, end, state, written)
        if after > end:
            state, written = again, mask
            if not codes:
                codes = self._street_at(street, 0, state)[1]
            end = after
            if text.startswith(street, end):
                end += len(street)
        return end, street, codes, state, written | STREET

    def _behind_divisions(self, text: str, begin: int, end: int) -> int:
        """Return where an unlisted street's own name begins: divisions may stand before it (浙江省|斜桥镇)."""
        if end - begin < 5:
            return begin
        inner = self._read(text, begin)[0]
        return inner if begin < inner < end - 2 else begin

    def _repeated(self, text: str, end: int, written: str, codes: tuple[str, ...], state: State) -> int:
        """Pass over a street that is written again: 燕罗街道燕罗街道, 沙井沙井街道."""
        while True:
            if text.startswith(written, end) and len(written) > 1:
                after = end + len(written)
            elif codes:
                after, again = self._street_at(text, end, state or self._home)
                if again != codes:
                    return end
            else:
                return end
            end = after

    def _elsewhere(self, text: str, start: int) -> tuple[str, int, State, int]:
        """Find divisions that do not stand first: 12号创业一路宝安区深圳, or junk before them."""
        if _DIVISION_END.search(text, start) is None:
            return text, start, (), 0
        lengths = self._heads.gazetteer.heads.lengths
        for at in range(start + 1, min(len(text) - 1, 40)):
            if text[at : at + 2] not in lengths:
                continue
            end, state, written = self._heads.read(text, at)
            if state and written and end > at + 1 and self._heads.certain(text, at, end, state):
                before = text[start:at]
                if end >= len(text):
                    return before, 0, state, written
                if _SMALL.search(before):
                    return (
                        text,
                        start,
                        state,
                        0,
                    )  # part of a name behind: it tells where, and stays in the name
                return text, end, state, written
        return text, start, (), 0

    @staticmethod
    def _community(tail: Tail, near: District) -> None:
        """Read a community that the district has; a bare stem (度山) counts before a road or a group only."""
        text, at = tail.text, tail.at
        stem = near.stem_at(text, at)
        if stem is None:
            return
        end = at + len(stem)
        kind = KIND_NEXT.match(text, end)
        if kind is not None and not _GOES_ON.match(text, kind.end()):
            tail.community, tail.at = plain(text[at : kind.end()]), kind.end()
        elif _STEM_ENDS.match(text, end):
            tail.community, tail.at = near.name_of(stem), end

    def _with_community(self, divisions: Divisions, community: str, near: District) -> Divisions:
        """Add the community's twelve digits, and its street where that was not written."""
        code = divisions.code or ""
        street = code if len(code) == 9 else None
        if street is None and divisions.street is not None:
            return divisions
        found = near.code_of(community, street)
        if found is None:
            return divisions
        if street is None:
            known = self._resolver.gazetteer.current.get(found[:9])
            if known is None:
                return divisions
            return divisions._replace(street=known.name, code=found, inferred=(*divisions.inferred, "street"))
        return divisions._replace(code=found)

    @staticmethod
    def _row(text: str, divisions: Divisions, tail: Tail, note: str | None) -> Row:
        province, city, district, street, code, inferred, renamed = divisions
        place = tail.place or ""
        if note and not _NOISE.search(note):
            place = f"{place}({note})" if place else note
        fields = (
            province or "", city or "", district or "", street or tail.street or "", tail.community or "", tail.road or "",
            tail.number or "", tail.estate or "", tail.building or "", tail.unit or "", tail.floor or "", tail.room or "",
            place, code or "",
        )  # fmt: skip
        if code is None and not any(fields[:11]) and (text in _NOTHING or _CHINESE.search(text) is None):
            return _refused("unrecognised")
        return (*fields, ",".join(inferred) if inferred else "", ",".join(renamed) if renamed else "", "")


def _turned(text: str, names: Container[str]) -> str:
    """Return an address from large to small if it stands from small to large: 12号创业一路 → 创业一路 12号."""
    parts = text.split() if " " in text else _PART.findall(text)
    if len(parts) < 2 or not (_LARGE_LAST.match(parts[-1]) or parts[-1] in names):
        return text
    return " ".join(reversed(parts))


def _without_brackets(text: str) -> tuple[str, str | None]:
    notes = [found.strip() for found in _BRACKET.findall(text) if found.strip()]
    return clean(_BRACKET.sub(" ", text).replace(")", " ")), " ".join(notes) or None


def _refused(reason: str) -> Row:
    return (*("",) * 16, reason)


@lru_cache(maxsize=32)
def parser(home: str | None = None, on: date | None = None) -> Parser:
    """Return the parser for a home district and a day."""
    return Parser(home, on)
