"""The tail of an address: from the community down to the room and the place's name.

One scanner cuts the text at numbers with their units and at the words that end a name (路, 村 …); a handler for
each kind of cut decides from what was read before and what follows. A cut that means nothing is passed over
and stays part of the name around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chengshu.batch.address.communities import plain
from chengshu.batch.address.text import D, with_digits
from chengshu.batch.address.units import CN, KINDS, TOKEN

_NOTES = re.compile(
    "(?:(?:斜|正)?对面|旁边?|附近|门口|隔壁|楼下|楼上|边上|里面|后面|前面|路口|交叉口?|交汇处?|交界处?|岔口|[东南西北]侧|[以往向][东南西北内]|"
    f"[{D}]+米处?|入口处?|出口|电联|口|处|内|侧|边)+$"
)
_NOWHERE = frozenset(("东", "南", "西", "北", "中", "内", "第", "的", "号", "室", "楼", "与", "和"))
_NOTE_LAST = frozenset("面旁边近口壁下上叉汇处界侧东南西北内米联")
_LINK_FIRST = frozenset("与和跟及、近靠至到的-")
_LINKS = re.compile("^[与和跟及、近靠至到的-]+")
_PHASE = (
    f"(?:[一二三四五六七八九十{D}]+期|[东南西北中A-Za-z一二三四五六七八九十{D}]{{1,2}}(?:区|苑|里|组团|村))?$"
)
_ESTATE = re.compile(
    "(?:小区|花园|家园|花苑|名苑|苑|新村|公寓|山庄|别墅|人家|花城|新城|家属院|宿舍|大院|院|府|郡|庭|湾|轩|居|邸|嘉园|佳园|工业园区?|工业区|工业城|科技园区?|"
    "产业园区?|创业园|物流园|软件园|创意园|生态园|高新园|园区|住宅区|生活区)" + _PHASE
)
_ZONE = re.compile(
    f"[^{D}路街]{{2,14}}(?:开发区|高新区|新区|保税区|示范区|度假区|管理区|合作区|试验区|自贸区|经开区)$"
)
_PLACE = re.compile(
    "(?:大厦|广场|中心|医院|大学|学院|中学|小学|学校|幼儿园|银行|酒店|宾馆|饭店|商场|市场|公司|集团|车站|火车站|机场|码头|公园|商城|大楼|超市|派出所|政府|"
    "卫生院|卫生室|加油站|门诊|诊所|店|馆|厂|局|站|厅|所|部|庙|寺|村委)$"
)
_SPLIT = re.compile(
    "(.{2,}?(?:小区|工业园区|工业园(?!区)|工业区|科技园(?!区)|产业园(?!区)|家园|新村|开发区|高新区|住宅区|花园(?!酒店|饭店|宾馆|城|广场)))"
    f"((?![一二三四五六七八九十{D}东南西北中A-Za-z]{{1,2}}(?:期|区|苑|里|村|组团)$).{{2,}})$"
)
_BEFORE_ROAD = re.compile(
    "(.*(?:小区|工业园区|工业园|工业区|开发区|高新区|[^ ]?新区|园区|科技园|科创园|创业园|"
    "市场|广场|大厦|新村|家园|社区|农场|新城|公司|宿舍|公寓|"
    f"[东南西北{D}A-Za-z一二三四五六七八九十]区|景园|农贸城|[镇乡]))"
    "((?![东南西北中一二三四五六七八九十]{1,2}(?:路|街|大道|道|巷|弄)$)[^区城].+(?:路|街|道|巷|弄|线|里|同))$"
)
_ENDS_AREA = re.compile("(?:小区|园区|工业园|工业区|开发区|高新区|新区|科技园|新城|农场|基地)$")
_FLOOR_LETTER = re.compile(f"([{D}]{{1,2}})[Ff]$")
_SECTION = re.compile(f"[东南西北中上下一二三四五六七八九{D}]?段")


class Tail:
    """Reads one tail; after `read` the fields hold what was found."""

    # Defaults on the class: most fields of most addresses stay empty, and an instance need not set them.
    community: str | None = None
    road: str | None = None
    number: str | None = None
    estate: str | None = None
    building: str | None = None
    unit: str | None = None
    floor: str | None = None
    room: str | None = None
    place: str | None = None

    def __init__(self, text: str, at: int, street: str | None) -> None:
        self.text = text
        self.at = at
        self.street = street

    def read(self) -> None:
        """Read to the end of the text."""
        text = self.text
        for token in TOKEN.finditer(text, self.at):
            _HANDLERS[token.lastindex or 0](self, token)
        if self.at < len(text):
            self._name(text[self.at :], False)
        if self.number and self.number[-1] == "号" and self._numbers_a_building():
            self.building, self.number = self.number, None

    def _numbers_a_building(self) -> bool:
        """Tell whether 12号 is a house of an estate (锦绣小区12号302), not of a road."""
        return bool(self.road is None and self.building is None and self.estate and (self.unit or self.room))

    # -- names ---------------------------------------------------------------------------------------------
    def _flush(self, end: int, builds: bool) -> None:
        """File the name before a cut; ``builds`` says that a building or a room follows."""
        if self.at < end:
            self._name(self.text[self.at : end], builds)

    def _name(self, name: str, builds: bool) -> None:
        if name[0] in _LINK_FIRST:
            name = _LINKS.sub("", name)
        if name and name[-1] in _NOTE_LAST:
            name = _NOTES.sub("", name)
        name = name.strip(" -#、/")
        half = len(name) // 2
        if half > 2 and name[:half] == name[half:]:
            name = name[:half]
        if not name or name in _NOWHERE:
            return
        if len(name) > 5:
            parts = _SPLIT.match(name)
            if parts is not None:
                self._name(parts[1], False)
                name = parts[2]
        if self.street is None and _ZONE.match(name):
            self.street = name
        elif self.estate is None and (_ESTATE.search(name) or (builds and not _PLACE.search(name))):
            self.estate = name
        elif self.place is None:
            self.place = name
        else:
            self.place += " " + name

    def _road(self, token: re.Match[str]) -> None:
        """A word that ends a road: 创业一路."""
        start, end = self.at, token.end()
        name = self.text[start:end]
        stem = token.start() - start
        if (
            stem < 1
            or (stem == 1 and name[0] in "的-、与")
            or (name[-1] in "组队" and not self._in_village(stem))
        ):
            return
        if stem > 3:
            parts = _BEFORE_ROAD.match(name)
            if parts is not None:
                self._name(parts[1], False)
                name = parts[2]
        if self.road is None:
            self.road = name.lstrip("-、")
            section = _SECTION.match(self.text, end)
            if section:
                end = section.end()
        elif self.number is None or not self.number.endswith("号"):
            self._extra(_LINKS.sub("", name))
        else:
            return
        self.at = end

    def _in_village(self, stem: int) -> bool:
        return self.community is not None and stem < 5

    def _extra(self, name: str) -> None:
        """Keep a second road: the first one is the road, the second tells the spot."""
        if name != self.road:
            self.place = name if self.place is None else f"{self.place} {name}"

    def _community(self, token: re.Match[str]) -> None:
        """A word that ends a community: 海裕社区, 北胡乔村."""
        name = self.text[self.at : token.end()]
        if len(name) < 2 or token.start() == self.at or self.number is not None:
            return
        if self.community is not None or (name[-1] == "村" and _ESTATE_NEXT.match(self.text, token.end())):
            self._name(name, True)
        else:
            self.community = plain(name)
        self.at = token.end()

    def _blank(self, token: re.Match[str]) -> None:
        self._flush(token.start(), False)
        self.at = token.end()

    # -- numbers -------------------------------------------------------------------------------------------
    def _bare(self, token: re.Match[str]) -> None:
        """A number without a unit: a house number after a road, else building, unit, room by its place."""
        start, end = token.span()
        value = token[1]
        after = self.text[end : end + 1]
        chain = value.replace("#", "-").split("-")
        if self.at == start and self.road is not None and self._none_below():
            if len(chain) < 3:
                self.number = with_digits("-".join(chain)) + "号"
                self.at = end
                return
        elif after not in ("", " ", "(") and len(chain) < 2 and self.at < start:
            return
        floor = _FLOOR_LETTER.match(value)
        self._flush(start, True)
        self.at = end
        if floor:
            self.floor = floor[1] + "层"
        else:
            self._chain(chain)

    def _none_below(self) -> bool:
        return self.number is None and self.building is None and self.place is None and self.estate is None

    def _chain(self, parts: list[str]) -> None:
        """File 3-2-501, 8-1314 or 501 by what is still open."""
        if self.building is None and self.unit is None and self.floor is None:
            if len(parts) == 1:
                self._single(parts[0])
                return
            self.building = _building(parts.pop(0))
        if len(parts) > 1 and self.unit is None:
            self.unit = parts.pop(0) + "单元"
        rest = "-".join(parts)
        if self.room is None:
            self.room = rest
        elif self.unit is None and len(self.room) < 3:
            self.unit, self.room = self.room + "单元", rest

    def _single(self, value: str) -> None:
        if len(value) <= 2 and self.number is None and (self.estate or self.place):
            self.building = _building(value)
        elif self.room is None:
            self.room = value

    def _number(self, token: re.Match[str]) -> None:
        """12号: a house number, or what is smaller when that is known."""
        self._flush(token.start(), False)
        value = with_digits(token[1]) + "号"
        self.at = token.end()
        if self.building or self.unit or self.floor:
            self.room = value if self.room is None else self.room + value
        elif self.number is None:
            self.number = value
        elif self.number.endswith(("组", "队", "社")) or value.startswith("附"):
            self.number += value
        else:
            self.building = value

    def _unit_number(self, token: re.Match[str]) -> None:
        kind = KINDS[token[2]]
        _UNIT_HANDLERS[kind](self, token)

    def _building_number(self, token: re.Match[str]) -> None:
        self._flush(token.start(), True)
        value = with_digits(token[1]).strip("-")
        self.at = token.end()
        if self.building is None:
            self.building = value + token[2]
        elif self.room is None and self.building != value + token[2]:
            self.building += value + token[2]

    def _unit_of(self, token: re.Match[str]) -> None:
        self._flush(token.start(), True)
        value = with_digits(token[1])
        unit = "单元" if token[2].startswith("单元") else token[2]
        if "-" in value and self.building is None:
            first, _, value = value.partition("-")
            self.building = _building(first)
        self.unit = value + unit
        self.at = token.end()

    def _floor_of(self, token: re.Match[str]) -> None:
        following = self.text[token.end() : token.end() + 6]
        value = with_digits(token[1])
        if self.building is None and token[2] == "楼" and _UNIT_NEXT.match(following):
            self._building_number(token)
            return
        self._flush(token.start(), True)
        self.at = token.end()
        if "-" in value and self.building is None and value.count("-") == 1 and value[0] not in "-":
            first, _, value = value.partition("-")
            self.building = _building(first)
        if self.floor is None:
            self.floor = value + "层"

    def _room_of(self, token: re.Match[str]) -> None:
        self._flush(token.start(), True)
        self.at = token.end()
        parts = with_digits(token[1]).split("-")
        unit = "" if token[2] in _PLAIN_ROOMS else token[2].removeprefix("号")
        if len(parts) > 1 and self.building is None and self.unit is None:
            self._chain(parts)
        elif len(parts) == 2 and self.unit is None and self.building is not None and not unit:
            self.unit, self.room = parts[0] + "单元", parts[1]
        else:
            self.room = "-".join(parts)
        if self.room and unit:
            self.room += unit

    def _yard(self, token: re.Match[str]) -> None:
        self._flush(token.start(), False)
        self.at = token.end()
        self.number = with_digits(token[1]) + token[2]

    def _lane(self, token: re.Match[str]) -> None:
        """669弄 after a road is the number; 三巷 without one is the road."""
        value = token[1] + token[2]
        chunk = self.text[self.at : token.start()]
        if self.road is None and (token[2] == "巷" or not chunk or token[1][0] in CN):
            self.road = chunk + value
        else:
            if chunk and self.road is None:
                self.road, chunk = chunk, ""
            self._flush(self.at + len(chunk), False)
            self.number = (self.number or "") + with_digits(value)
        self.at = token.end()

    def _group(self, token: re.Match[str]) -> None:
        """5组 of a village takes the road's place; behind a road it is part of the number."""
        if token[2] == "社" and self.community is None:
            return
        self._flush(token.start(), False)
        self.at = token.end()
        if self.road is None:
            self.road = token[1] + token[2]
        elif self.number is None:
            self.number = with_digits(token[1]) + token[2]

    def _numbered_road(self, token: re.Match[str]) -> None:
        """104国道, 5号大街, and names with a numeral before their kind (三环路)."""
        chunk = self.text[self.at : token.start()]
        if token[2][0] == "号" or _ENDS_AREA.search(chunk):
            self._flush(token.start(), False)
            chunk = ""
        name = chunk + token[1] + token[2]
        if self.road is None:
            self.road = name
        elif self.number is None:
            self._extra(name)
        else:
            return
        self.at = token.end()


_PLAIN_ROOMS = frozenset(("室", "房", "房间", "号房", "号室", "号房间", "房号", "户", "号户"))
_UNIT_NEXT = re.compile(f"-?[{D}一二三四五六七八九十]+(?:单元|门|-)")
_ESTATE_NEXT = re.compile(f"[{D}A-Za-z一二三四五六七八九十]+(?:-[{D}]+)?(?:号楼|幢|栋|座|单元|-)")


def _building(value: str) -> str:
    """Give a bare building number its unit: 3 → 3栋, A → A座."""
    value = with_digits(value)
    return value + ("座" if value.isalpha() else "栋")


_UNIT_HANDLERS: dict[str, Callable[[Tail, re.Match[str]], None]] = {
    "building": Tail._building_number,
    "unit": Tail._unit_of,
    "floor": Tail._floor_of,
    "room": Tail._room_of,
    "yard": Tail._yard,
    "lane": Tail._lane,
    "group": Tail._group,
    "numbered_road": Tail._numbered_road,
    "number": Tail._number,
}
_HANDLERS: tuple[Callable[[Tail, re.Match[str]], None], ...] = (
    Tail._blank,
    Tail._bare,
    Tail._unit_number,
    Tail._road,
    Tail._community,
    Tail._blank,
)
