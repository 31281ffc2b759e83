"""Address texts as people and departments write them: seeded errors put on known addresses.

The demo generator and the matching benchmark share this module, so both know the truth behind every text. It
knows nothing of the matcher and uses none of its tables.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl
from pypinyin import Style, lazy_pinyin

LEVELS = (
    "province", "city", "district", "street", "community",
    "road", "number", "estate", "building", "unit", "room",
)  # fmt: skip
_DIVISIONS = ("province", "city", "district", "street")
_NAMED = ("road", "estate", "community", "street")
# Characters that tell neighbours apart: a slip there is another place, not a typo with a known truth.
TELLING = frozenset("零一二三四五六七八九十百东西南北中上下前后左右内外新老旧大小")
_SUFFIX = frozenset("省市区县街道镇乡社村路巷街号花园苑城栋座幢单元室房楼小厦")
_TOWNS = ("西乡", "福永", "沙井", "松岗", "石岩", "新安")
# Until 2016 these streets were part of another one.
_STREET_BEFORE_2016 = {
    "航城街道": "西乡街道",
    "福海街道": "福永街道",
    "新桥街道": "沙井街道",
    "燕罗街道": "松岗街道",
}
_POI_BEHIND = (
    "(麦当劳旁)", "（农商行楼上）", "沃尔玛后面", "对面", "(近地铁口)", "菜市场旁边", "（美宜佳便利店）",
    "顺丰快递收", "附近", "(华润万家对面)", "天虹商场旁", "（保安亭代收）", "(进门左转)", "百果园隔壁",
)  # fmt: skip
_LOOKALIKE = dict(
    pair
    for a, b in (
        "塘溏", "岗冈", "圳训", "桥侨", "园圆", "井并", "未末", "己已", "宝室", "鹤鹳", "洲州",
        "黄黃", "围圍", "沙抄", "浪狼", "料科", "坑炕", "固因", "戍戌", "永水", "福幅", "兴共",
        "和知", "安按", "乐东", "裕袼", "海悔", "滨缤", "石右", "龙尤", "田由", "松枀", "茭交",
        "头买", "步涉", "涌捅", "桃挑", "源原", "径经", "贝见", "劳荣", "蚝毫",
    )
    for pair in ((a, b), (b, a))
)  # fmt: skip
_DIGITS = "零一二三四五六七八九"
_FULL = str.maketrans(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-()",
    "０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ－（）",
)
_EVERYDAY_SUFFIXES = (
    "花园",
    "小区",
    "家园",
    "公寓",
    "新村",
    "花苑",
    "雅苑",
    "大厦",
    "广场",
    "工业区",
    "工业园",
    "科技园",
)

Pieces = dict[str, str]


@dataclass(slots=True)
class _Draft:
    """A text in the making: its parts by level, in reading order, and how the end result is spelt."""

    pieces: Pieces
    reverse: str = ""
    separator: str = ""
    tail: str = ""
    full_width: bool = False


def full_text(parts: Mapping[str, str | None]) -> str:
    """Write the address out in its official form, from the province to the room."""
    return "".join(_pieces(parts).values())


@dataclass(frozen=True, slots=True)
class Written:
    """An address as someone wrote it: the text, the kinds of error in it, the levels that are still in it."""

    text: str
    kinds: tuple[str, ...]
    levels: tuple[str, ...]


def messy(parts: Mapping[str, str | None], kinds: Iterable[str], rng: random.Random) -> Written:
    """Write the address with errors of ``kinds``.

    A kind that finds nothing to act on (no estate to shorten) is left out of the answer's kinds.
    """
    draft = _Draft(_pieces(parts))
    wanted = set(kinds)
    applied = tuple(kind for kind, act in _ACTS.items() if kind in wanted and act(draft, rng))
    levels = tuple(level for level in LEVELS if level in draft.pieces)
    if "dash_forms" in applied:
        levels += tuple(level for level in ("unit", "room") if parts.get(level))
    return Written(_render(draft), applied, levels)


def draw_kinds(rates: Mapping[str, float], rng: random.Random) -> list[str]:
    """Draw each kind by its own rate, independently of the others."""
    return [kind for kind, rate in rates.items() if rng.random() < rate]


def messy_column(frame: pl.DataFrame, *, seed: int, rates: Mapping[str, float]) -> pl.DataFrame:
    """Return ``frame``'s addresses as texts: columns ``text``, ``kinds``, ``levels`` (comma-separated), in order.

    ``frame`` has some of the columns of LEVELS. The same seed and the same frame give the same texts.
    """
    unknown = set(rates) - set(_ACTS)
    if unknown:
        raise ValueError(f"unknown kinds of error: {sorted(unknown)}")
    rng = random.Random(seed)
    columns = [name for name in LEVELS if name in frame.columns]
    written: list[tuple[str, str, str]] = []
    for row in frame.select(columns).iter_rows():
        result = messy(dict(zip(columns, row, strict=True)), draw_kinds(rates, rng), rng)
        written.append((result.text, ",".join(result.kinds), ",".join(result.levels)))
    return pl.DataFrame(written, schema=dict.fromkeys(("text", "kinds", "levels"), pl.String), orient="row")


def _pieces(parts: Mapping[str, Any]) -> Pieces:
    return {level: parts[level] for level in LEVELS if parts.get(level)}


def _render(draft: _Draft) -> str:
    texts = list(draft.pieces.values())
    if draft.reverse == "all":
        texts.reverse()
    elif draft.reverse == "divisions":
        texts = _details_first(draft.pieces)
    text = draft.separator.join(texts) + draft.tail
    return text.translate(_FULL) if draft.full_width else text


def _details_first(pieces: Pieces) -> list[str]:
    """From the road down in reading order, then the divisions from the smallest to the largest."""
    divisions = [text for level, text in pieces.items() if level in (*_DIVISIONS, "community")]
    details = [text for level, text in pieces.items() if level not in (*_DIVISIONS, "community")]
    return details + divisions[::-1]


def _drop_divisions(draft: _Draft, rng: random.Random) -> bool:
    present = [level for level in _DIVISIONS if level in draft.pieces]
    if not present:
        return False
    # Mostly from the top, as people do who know where they are.
    gone = present[: rng.randint(1, len(present))] if rng.random() < 0.8 else [rng.choice(present)]
    for level in gone:
        del draft.pieces[level]
    return True


def _drop_community(draft: _Draft, rng: random.Random) -> bool:
    return draft.pieces.pop("community", None) is not None


def _drop_levels(draft: _Draft, rng: random.Random) -> bool:
    pieces = draft.pieces
    by_estate = "estate" in pieces and "building" in pieces
    by_number = "road" in pieces and "number" in pieces
    if not (by_estate and by_number):
        return False
    gone = ("road", "number") if rng.random() < 0.6 else ("estate",)
    for level in gone:
        del pieces[level]
    return True


def _alias(draft: _Draft, rng: random.Random) -> bool:
    estate = draft.pieces.get("estate", "")
    for suffix in _EVERYDAY_SUFFIXES:
        core = estate.removesuffix(suffix)
        if core != estate and len(core) >= 2:
            other = "" if suffix in ("工业区", "工业园", "科技园", "新村") else rng.choice(("", "小区"))
            if suffix == "工业区":
                other = "工业园"
            if suffix == "新村":
                other = "村"
            if core + other == estate:
                other = ""
            draft.pieces["estate"] = core + other
            return True
    return False


def _widen(draft: _Draft, rng: random.Random) -> bool:
    draft.full_width = any(ch.isascii() and ch.isalnum() for text in draft.pieces.values() for ch in text)
    return draft.full_width


def _numerals(draft: _Draft, rng: random.Random) -> bool:
    pieces = draft.pieces
    able: list[str] = [
        level for level in ("number", "building", "unit") if re.match(r"\d{1,2}[^-\d]", pieces.get(level, ""))
    ]
    if re.search(r"[一二三四五六七八九](?=[路街巷道])", pieces.get("road", "")):
        able.append("road")
    if not able:
        return False
    for level in rng.sample(able, rng.randint(1, len(able))):
        if level == "road":
            pieces[level] = re.sub(
                r"[一二三四五六七八九](?=[路街巷道])", lambda hit: str(_DIGITS.index(hit[0])), pieces[level]
            )
        else:
            pieces[level] = re.sub(r"^\d+", lambda hit: _in_chinese(int(hit[0])), pieces[level])
    return True


def _in_chinese(value: int) -> str:
    tens, ones = divmod(value, 10)
    if value < 10:
        return _DIGITS[value]
    head = "十" if tens == 1 else _DIGITS[tens] + "十"
    return head + (_DIGITS[ones] if ones else "")


def _dashes(draft: _Draft, rng: random.Random) -> bool:
    pieces = draft.pieces
    building = re.match(r"[0-9A-Z]+", pieces.get("building", ""))
    room = pieces.get("room")
    if not building or not room:
        return False
    unit = re.match(r"[0-9A-Z]+", pieces.get("unit", ""))
    middle = f"-{unit[0]}" if unit else ""
    pieces["building"] = f"{building[0]}{middle}-{room}"
    pieces.pop("unit", None)
    del pieces["room"]
    return True


def _typo(draft: _Draft, rng: random.Random) -> bool:
    spots = [
        (level, at)
        for level in _NAMED
        for at, ch in enumerate(draft.pieces.get(level, ""))
        if ch not in TELLING and ch not in _SUFFIX and not ch.isascii()
    ]
    rng.shuffle(spots)
    for level, at in spots:
        name = draft.pieces[level]
        other = wrong_character(name[at], rng)
        if other:
            draft.pieces[level] = name[:at] + other + name[at + 1 :]
            return True
    return False


def wrong_character(character: str, rng: random.Random) -> str | None:
    """Return a character that is written for ``character`` by mistake: one of the same sound or look."""
    if character in _LOOKALIKE and rng.random() < 0.3:
        return _LOOKALIKE[character]
    same_sound = [ch for ch in _by_sound().get(sound(character), "") if ch != character and ch not in TELLING]
    if same_sound:
        return rng.choice(same_sound)
    return _LOOKALIKE.get(character)


@lru_cache(maxsize=8192)
def sound(character: str) -> str:
    """Return the commonest sound of a character, without tone."""
    return lazy_pinyin(character, style=Style.NORMAL)[0]


@lru_cache(maxsize=1)
def _by_sound() -> dict[str, str]:
    """The 3,755 common characters of GB 2312 by their sound without tone."""
    table: dict[str, str] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            character = bytes((high, low)).decode("gb2312", errors="ignore")
            if character:
                reading = sound(character)
                table[reading] = table.get(reading, "") + character
    return table


def _lose_suffixes(draft: _Draft, rng: random.Random) -> bool:
    pieces = draft.pieces
    suffixes = {"province": "省", "city": "市", "district": "区", "street": "街道", "community": "社区"}
    able = [
        level for level, suffix in suffixes.items() if len(pieces.get(level, "").removesuffix(suffix)) >= 2
    ]
    able = [level for level in able if pieces[level].endswith(suffixes[level])]
    # 12 for 12号 reads only when no digit follows.
    if pieces.get("number", "").endswith("号") and not re.match(r"\d", _after(pieces, "number")):
        able.append("number")
    if not able:
        return False
    for level in rng.sample(able, rng.randint(1, len(able))):
        pieces[level] = pieces[level].removesuffix("号" if level == "number" else suffixes[level])
    return True


def _after(pieces: Pieces, level: str) -> str:
    rest = list(pieces)[list(pieces).index(level) + 1 :]
    return pieces[rest[0]] if rest else ""


def _poi(draft: _Draft, rng: random.Random) -> bool:
    draft.tail = rng.choice(_POI_BEHIND)
    return True


def _reverse(draft: _Draft, rng: random.Random) -> bool:
    pieces = draft.pieces
    if not any(level in pieces for level in (*_DIVISIONS, "community")) or len(pieces) < 3:
        return False
    draft.reverse = rng.choice(("all", "divisions"))
    last = "room" if "room" in pieces else "building"
    if pieces.get(last, "")[-1:].isdigit():
        pieces[last] += "室"  # without it the room's digits would run into the next part
    draft.separator = draft.separator or rng.choice(("", " ", "，"))
    return True


def _repeat(draft: _Draft, rng: random.Random) -> bool:
    pieces = draft.pieces
    whole = "".join(pieces[level] for level in ("city", "district", "street") if level in pieces)
    options = [
        (level, pieces[level] * 2) for level in ("district", "street", "road", "estate") if level in pieces
    ]
    if whole and "street" in pieces:
        options.append(("street", pieces["street"] + whole))
    if not options:
        return False
    level, text = rng.choice(options)
    pieces[level] = text
    return True


def _old_street(draft: _Draft, rng: random.Random) -> bool:
    street = draft.pieces.get("street", "")
    if street in _STREET_BEFORE_2016:
        draft.pieces["street"] = _STREET_BEFORE_2016[street]
        return True
    town = street.removesuffix("街道")
    if town in _TOWNS and town != street:
        draft.pieces["street"] = town + "镇"
        return True
    return False


def _words(draft: _Draft, rng: random.Random) -> bool:
    pieces = draft.pieces
    done = False
    if pieces.get("building", "").endswith("栋"):
        core = pieces["building"].removesuffix("栋")
        pieces["building"] = core + rng.choice(("幢", "座", "号楼") if core.isdigit() else ("座", "幢"))
        done = True
    if re.fullmatch(r"[0-9A-Z]+", pieces.get("room", "")):
        pieces["room"] += rng.choice(("室", "房", "号房"))
        done = True
    return done


def _separate(draft: _Draft, rng: random.Random) -> bool:
    draft.separator = rng.choice((" ", "，", ",", "　", "/"))
    return len(draft.pieces) > 1


_ACTS: dict[str, Callable[[_Draft, random.Random], bool]] = {
    # In the order in which they act: what is left out cannot be misspelt.
    "dropped_divisions": _drop_divisions,
    "dropped_community": _drop_community,
    "dropped_levels": _drop_levels,
    "old_streets": _old_street,
    "aliases": _alias,
    "typos": _typo,
    "dash_forms": _dashes,
    "other_words": _words,
    "chinese_numerals": _numerals,
    "missing_suffixes": _lose_suffixes,
    "repeated": _repeat,
    "separators": _separate,
    "reversed": _reverse,
    "extra_poi": _poi,
    "full_width": _widen,
}
KINDS: tuple[str, ...] = tuple(_ACTS)
"""The kinds of error, in the order in which they act; their meaning stands in benchmarks/error_kinds.yaml."""


def without(parts: Mapping[str, str | None], levels: Sequence[str]) -> dict[str, str | None]:
    """Return ``parts`` with ``levels`` left out."""
    return {level: None if level in levels else value for level, value in parts.items()}
