"""The written form of addresses: widths, blanks, look-alikes, Chinese numerals."""

from __future__ import annotations

import re

# Full-width ASCII, odd dashes and brackets; what cannot be part of an address becomes a blank.
_MAP: dict[int, str] = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_MAP.update(dict.fromkeys(map(ord, "‐‑‒–—―−－─━﹣~～_＿"), "-"))
_MAP.update({ord(a): b for a, b in zip("（【［〔｛〈《「『", "(" * 9, strict=True)})
_MAP.update({ord(a): b for a, b in zip("）】］〕｝〉》」』", ")" * 9, strict=True)})
_MAP.update(dict.fromkeys(map(ord, "[{<"), "("))
_MAP.update(dict.fromkeys(map(ord, "]}>"), ")"))
_MAP.update(
    dict.fromkeys(
        map(ord, " \t\r\n\f\v\u3000\xa0\u200b\u200c\u200d\ufeff\u2028\u2029,，。;；!！?？\"'“”‘’|^`·•"), " "
    )
)
_MAP.update(dict.fromkeys(map(ord, "⼀"), "一"))
_MAP.update({ord(a): b for a, b in zip("①②③④⑤⑥⑦⑧⑨", "123456789", strict=True)})
_MAP.update(
    {
        ord(a): b
        for a, b in zip(
            "零壹贰叁肆伍陆柒捌玖拾佰號棟樓層單區縣鎮鄉國東廣灣龍華街",
            "〇一二三四五六七八九十百号栋楼层单区县镇乡国东广湾龙华街",
            strict=True,
        )
    }
)
# The dot of minority names (·) parts words in addresses as a blank does, but not between letters of a name.
_DIRTY = re.compile("[^\u4e00-\u9fff0-9A-Za-z#()-]")
_JOIN = re.compile(r"(?<=[0-9A-Za-z]) +(?=[0-9A-Za-z])| *(-) *(?:- *)*")
_JUNK = re.compile(
    "省直辖县级行政区划|自治区直辖县级行政区划|市辖[区县]|(?<=[\u4e00-\u9fff])/|/(?=[\u4e00-\u9fff])|(?:null|NULL|undefined|None|NaN|\\\\[nrt])+|<[^>]*>"
)
_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "○": 0}
_UNITS = {"十": 10, "百": 100, "千": 1000}
NUMERAL = re.compile("[〇零一二三四五六七八九十百千两]+")


def clean(text: str) -> str:
    """Return the text in half width, with one blank where blanks or punctuation parted it."""
    if _DIRTY.search(text) is None and "--" not in text and _JUNK.search(text) is None:
        return text
    text = _JUNK.sub(" ", text.translate(_MAP))
    text = _JOIN.sub(lambda found: "-" if found[1] else " ", text)
    return " ".join(text.split()).strip(" -")


def arabic(numeral: str) -> str:
    """Turn a Chinese numeral into digits: 三 → 3, 十二 → 12, 一百零三 → 103, 二〇三 → 203."""
    if not any(c in _UNITS for c in numeral):
        return "".join(str(_DIGITS.get(c, c)) for c in numeral)
    total = digit = 0
    for char in numeral:
        if char in _UNITS:
            total += (digit or (1 if total == 0 else 0)) * _UNITS[char]
            digit = 0
        else:
            digit = _DIGITS[char]
    return str(total + digit)


def with_digits(text: str) -> str:
    """Return the text with each Chinese numeral in it written in digits."""
    return NUMERAL.sub(lambda found: arabic(found[0]), text)
