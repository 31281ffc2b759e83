"""Keys under which the parts of two addresses are compared: 十二号, 12号 and １２ are the same number.

Everything here works on one value; columns are normalised over their distinct values (``keyed``), because a
district has millions of rows and only thousands of different numbers, buildings and names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import polars as pl

_DIGIT = {ch: value for value, ch in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_NUMERAL = re.compile(r"[零〇一二三四五六七八九十]+(?:百[零〇一二三四五六七八九十]*)?")
_NOISE = re.compile(r"[^\w-]|_")
_ESTATE_SUFFIX = re.compile(
    r"(?:(?:居住|住宅|生活)?小区|花园|花苑|家园|雅苑|名苑|公寓|新村|大厦|大楼|广场|商厦|工业(?:园区|园|区)|"
    r"(?:科技|产业|创新|工业)园区?|园区|社区|苑|村|城|楼)$"
)
_BUILDING_SUFFIX = re.compile(r"(?:号楼|号栋|栋|幢|座|楼|号|#|棟|厂房|宿舍)$")
_UNIT_SUFFIX = re.compile(r"(?:单元|门栋|门|梯|座|栋)$")
_ROOM_SUFFIX = re.compile(r"(?:号房间|房间|号房|号铺|商铺|室|房|号|铺|档)$")
_FLOOR = re.compile(r"(负|地下|B|-)?(\d+)")


def numerals(text: str) -> str:
    """Write Chinese numerals as digits: 十二 → 12, 二十 → 20, 一二 → 12; 百 alone stays a name (百花)."""
    return _NUMERAL.sub(lambda hit: _value(hit[0]), text)


def _value(word: str) -> str:
    if "十" not in word and "百" not in word:
        return "".join(str(_DIGIT[ch]) for ch in word)
    total, rest = 0, word
    if "百" in rest:
        head, rest = rest.split("百", 1)
        if len(head) > 1:  # 一二百: no number
            return numerals(head) + "百" + (numerals(rest) if rest else "")
        total += 100 * _DIGIT.get(head, 1)
    if "十" in rest:
        head, tail = rest.split("十", 1)
        if len(head.lstrip("零〇")) > 1 or len(tail) > 1:
            return "".join(str(_DIGIT.get(ch, 10)) for ch in word)
        head = head.lstrip("零〇")
        return str(total + 10 * (_DIGIT[head] if head else 1) + (_DIGIT[tail] if tail else 0))
    digits = rest.lstrip("零〇")
    if len(digits) > 1:
        return str(total) + "".join(str(_DIGIT[ch]) for ch in digits)
    return str(total + (_DIGIT[digits] if digits else 0))


def fold(text: str) -> str:
    """Bring a text to one width, case and kind of numeral, without blanks and punctuation (dashes stay)."""
    text = unicodedata.normalize("NFKC", text).upper()
    return numerals(_NOISE.sub("", re.sub(r"[—–－~～]", "-", text)))


def name_key(text: str) -> str | None:
    """Key of a road's, estate's or place's name; a name written twice in a row counts once."""
    key = fold(text).replace("-", "")
    half = len(key) // 2
    if half > 1 and key[:half] == key[half:]:
        key = key[:half]
    return key or None


def name_core(key: str) -> str:
    """Return what is left of an estate's key without its general word: 海华花园, 海华小区 → 海华."""
    core = _ESTATE_SUFFIX.sub("", key)
    return core if len(core) >= 2 else key


def number_key(text: str) -> str | None:
    """Key of a house number: 12号, 十二号, 12 → 12; 12号之3, 12之3号, 12-3号 → 12-3."""
    key = fold(text).replace("之", "-").replace("号院", "号").replace("门牌", "").removeprefix("第")
    key = re.sub(r"号(?=-?[\dA-Z])", "-", key).replace("--", "-")
    return _plain(re.sub(r"号+(?:大院|楼)?$", "", key).strip("-"))


def building_key(text: str) -> str | None:
    """Key of a building: 3栋, 三幢, 3号楼, 第3座 → 3; A座 → A."""
    key = fold(text).removeprefix("第")
    return _plain(_BUILDING_SUFFIX.sub("", key).strip("-") or key)


def unit_key(text: str) -> str | None:
    """Key of a unit: 2单元, 二门 → 2."""
    key = fold(text).removeprefix("第")
    return _plain(_UNIT_SUFFIX.sub("", key).strip("-") or key)


def room_key(text: str) -> str | None:
    """Key of a room: 503室, 503房, 0503 → 503."""
    key = fold(text)
    return _plain(_ROOM_SUFFIX.sub("", key).strip("-") or key)


def floor_key(text: str) -> str | None:
    """Key of a floor: 5层, 五楼 → 5; 负1层, B1, 地下一层 → -1."""
    found = _FLOOR.search(fold(text))
    if not found:
        return None
    return ("-" if found[1] else "") + str(int(found[2]))


def division_key(text: str) -> str | None:
    """Key of a street or community: without 街道, 镇, 乡, 社区, 居委会, 村."""
    key = fold(text)
    core = re.sub(
        r"(?:街道办事处|街道办|街道|办事处|镇|乡|社区居委会|社区居委|居委会|社区|村委会|村)$", "", key
    )
    return (core if len(core) >= 2 else key) or None


def _plain(key: str) -> str | None:
    """Leading zeros say nothing: 03 and 3 are the same building."""
    return re.sub(r"(?<![\dA-Z])0+(?=\d)", "", key) or None


KEYS: dict[str, Callable[[str], str | None]] = {
    "street": division_key,
    "community": division_key,
    "road": name_key,
    "number": number_key,
    "estate": name_key,
    "building": building_key,
    "unit": unit_key,
    "floor": floor_key,
    "room": room_key,
    "place": name_key,
}
_CACHED = {name: lru_cache(maxsize=200_000)(function) for name, function in KEYS.items()}


def key_of(field: str, value: str | None) -> str | None:
    """Return the key of one value of ``field``."""
    return _CACHED[field](value) if value else None


def keyed(frame: pl.DataFrame, fields: tuple[str, ...] = tuple(KEYS)) -> pl.DataFrame:
    """Return ``frame`` with a column ``<field>_k`` for each field; a missing field gives nulls."""
    columns = []
    for field in fields:
        if field not in frame.columns or frame[field].dtype == pl.Null:
            columns.append(pl.lit(None, dtype=pl.String).alias(field + "_k"))
            continue
        values = frame[field].unique().drop_nulls().to_list()
        table = {value: key_of(field, value) for value in values}
        columns.append(
            pl.col(field)
            .replace_strict(list(table), list(table.values()), default=None, return_dtype=pl.String)
            .alias(field + "_k")
            if table
            else pl.lit(None, dtype=pl.String).alias(field + "_k")
        )
    return frame.with_columns(columns)
