"""What an address says about where it is, in the form in which two addresses are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chengshu.batch.address.model import ParsedAddress
from chengshu.batch.address.normalise import building_key, floor_key, fold, number_key, room_key, unit_key
from chengshu.batch.address.parse import parse

WRITTEN = ("province", "city", "district")
_AREAS = ("district", "street", "community")
_ROAD = re.compile(
    r"[\u4e00-\u9fffA-Z0-9]{1,8}?(?:大道|公路|马路|大街|[路街巷弄])(?:[东西南北中]段|\d+段|[东西南北](?=\d))?"
)
_NUMBER_BEHIND = re.compile(r"^(?:自编)?(\d+(?:-\d+)?)(?:号院?|弄|$)(?![楼栋])")
_RELATIVE = re.compile(
    r"(?:向?[东西南北]{1,2}(?:侧|边|面|方向)?)?约?\d+米(?:路[东西南北])?|交叉(?:路?口)?|交[汇界接]处?|十字(?:路?口)?|[东西南北]{1,2}[侧角]|附近|旁边?|斜?对面|"
    r"隔壁|[后前]面|内侧?|靠近|路口|拐角处?|沿线|路[东西南北]侧?|(?<=[路街道])[东西南北]侧?$|中国"
)
_DETAIL = re.compile(
    r"第?(?:\d+|[A-Z]\d*|[东西南北])(?:号楼|号院|[栋幢座]|单元|层|楼|室|号房|号铺|号)|[A-Z]?\d*(?:-[A-Z]?\d+){1,3}|F\d+|B\d+层?"
)
_BRACKET = re.compile(r"\(([^()]*)\)?")
_GATE = re.compile(r"[东西南北]{0,2}\d?门$|门口$")
_TOWN_BEFORE = re.compile(
    r"^(?:[\u4e00-\u9fff]{2,3}省)?(?:[\u4e00-\u9fff]{2,3}市)?(?:[\u4e00-\u9fff]{2,3}[县区])?(?=..{2,})"
)
_GROUP = re.compile(r"\d+[组队社]")

Roads = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What an address says about where it is."""

    divisions: dict[str, str]
    areas: dict[str, str]
    roads: Roads
    names: tuple[str, ...]
    notes: tuple[str, ...]
    building: str | None
    unit: str | None
    floor: str | None
    room: str | None
    gate: bool


def facts(text: str) -> Facts:
    """Take an address apart into what a comparison needs."""
    read = parse(re.sub(r"[·•・]", "", text))
    written = {
        name: value for name in WRITTEN if (value := getattr(read, name)) and name not in read.inferred
    }
    # A district that is written tells its province and city; a street or a village is called alike in many.
    above = ("province", "city") if "district" in written else ()
    implied = {name: value for name in above if (value := getattr(read, name))}
    areas = {level: area_key(value) for level in _AREAS if (value := getattr(read, level))}
    roads, names, notes = _roads_and_names(read)
    group = next((name for name, _ in roads if _GROUP.fullmatch(name)), None)
    roads = tuple(road for road in roads if not _GROUP.fullmatch(road[0]))
    return Facts(
        divisions={level: area_key(name) for level, name in (implied | written).items()},
        areas=areas,
        roads=roads,
        names=names,
        notes=notes,
        building=_block(read.building) or group,
        unit=unit_key(read.unit) if read.unit else None,
        floor=floor_key(read.floor) if read.floor else None,
        room=room_key(read.room) if read.room else None,
        gate=bool(read.place and _GATE.search(read.place.rstrip(")） "))),
    )


def _block(building: str | None) -> str | None:
    """The building's number; where a text repeats it in other words (8栋8号楼), the last one written."""
    found = re.findall(r"[A-Z]?\d+|[A-Z]", building_key(building) or "") if building else []
    return found[-1] if found else None


def area_key(name: str) -> str:
    """Key of a district, street or community: without its general word."""
    key = fold(name)
    core = re.sub(r"(?:街道|社区|开发区|新区|[区县市镇乡村])$", "", key)
    return core if len(core) >= 2 else key


def _roads_and_names(
    read: ParsedAddress,
) -> tuple[Roads, tuple[str, ...], tuple[str, ...]]:
    """Every road with its number, the names in the order written, and the names that stand in brackets."""
    roads: list[tuple[str, str | None]] = []
    number = number_key(read.number) if read.number else None
    if read.road:
        roads.append((fold(read.road), number))
    names: list[str] = []
    notes: list[str] = []
    zone = read.street if read.street and not read.street.endswith(("街道", "镇", "乡")) else None
    for part in (zone, read.community, read.estate, read.place):
        main, *bracketed = _BRACKET.split(part or "")
        for token in _tokens(main):
            _sort_out(token, roads, names)
        for token in _tokens(" ".join(bracketed)):
            _sort_out(token, roads, notes)
    if number and not read.road and names:
        # 东大影壁12号: without a road the number counts in what is named.
        roads.append((names[0], number))
    return tuple(roads), tuple(dict.fromkeys(names)), tuple(dict.fromkeys(notes))


def _tokens(text: str) -> list[str]:
    """Words of a name or note, relative directions and building details gone."""
    words = [fold(word) for word in re.split(r"[\s,，、;·.。/]+", _RELATIVE.sub(" ", text)) if word]
    return [part for word in words for part in _DETAIL.sub(" ", word).split() if part]


def _sort_out(token: str, roads: list[tuple[str, str | None]], names: list[str]) -> None:
    """Put a word among the roads or the names; a road may stand before a name without a break."""
    token = re.sub(r"^[与和近](?=.{3,})", "", token)
    while (found := _ROAD.match(token)) and len(found[0]) > 2:
        rest = token[found.end() :]
        number = _NUMBER_BEHIND.match(rest)
        roads.append((found[0], number[1] if number else None))
        token = re.sub(r"^[与和近、]", "", rest[number.end() :] if number else rest)
    if len(token) > 1 and not token.isdigit():
        names.append(_TOWN_BEFORE.sub("", token))
