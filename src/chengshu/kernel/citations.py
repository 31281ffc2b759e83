"""Citations: instrument, article, paragraph, item; read and written in Chinese, English and a short key.

《中华人民共和国民法典》第二百零一条第一款第（二）项
Civil Code, Art. 201(1)(ii) is written "Civil Code, Article 201, paragraph 1, item 2"
civil-code:201.1.2        the key used in packs; "12-1" is 第十二条之一
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chengshu.kernel.problems import Problem

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_N = r"[0-9０-９零〇一二两三四五六七八九十百千]+"
_ZH = re.compile(
    rf"^《?(?P<instrument>[^《》]+?)》?\s*第(?P<article>{_N})条(?:之(?P<sub>{_N}))?"
    rf"(?:第(?P<paragraph>{_N})款)?(?:第?[（(]?(?P<item>{_N})[）)]?项)?$"
)
_EN = re.compile(
    r"^(?P<instrument>.+?),?\s+(?:Article|Art\.)\s*(?P<article>\d+)(?:-(?P<sub>\d+))?"
    r"(?:,?\s*(?:paragraph|para\.)\s*(?P<paragraph>\d+))?(?:,?\s*item\s*(?P<item>\d+))?$",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"^(?P<instrument>[A-Za-z0-9][A-Za-z0-9_/-]*):(?P<article>\d+)(?:-(?P<sub>\d+))?"
    r"(?:\.(?P<paragraph>\d+)(?:\.(?P<item>\d+))?)?$"
)


@dataclass(frozen=True, slots=True, order=True)
class Citation:
    """A place in a law or regulation. ``sub`` is the number behind 之 (第十二条之一)."""

    instrument: str
    article: int
    sub: int | None = None
    paragraph: int | None = None
    item: int | None = None

    def __post_init__(self) -> None:
        if not self.instrument.strip():
            raise ValueError("a citation names its instrument")
        for number in (self.article, self.sub, self.paragraph, self.item):
            if number is not None and not 0 < number < 10_000:
                raise ValueError(f"no article, paragraph or item has the number {number}")

    def in_chinese(self, title: str | None = None, unit: str = "条") -> str:
        """Return 《…》第…条第…款第（…）项; ``title`` stands for the instrument where that is a key.

        ``unit`` is how the instrument is numbered, where it has no articles (项, 部分).
        """
        text = f"《{title or self.instrument}》第{chinese_number(self.article)}{unit}"
        if self.sub:
            text += f"之{chinese_number(self.sub)}"
        if self.paragraph:
            text += f"第{chinese_number(self.paragraph)}款"
        return text + (f"第（{chinese_number(self.item)}）项" if self.item else "")

    def in_english(self, title: str | None = None, unit: str = "Article") -> str:
        """Return ``Civil Code, Article 201, paragraph 1, item 2``."""
        text = f"{title or self.instrument}, {unit} {self.article}" + (f"-{self.sub}" if self.sub else "")
        if self.paragraph:
            text += f", paragraph {self.paragraph}"
        return text + (f", item {self.item}" if self.item else "")

    def key(self) -> str:
        """Return ``civil-code:201.1.2``; an item of an article without paragraphs stands in its first."""
        text = f"{self.instrument}:{self.article}" + (f"-{self.sub}" if self.sub else "")
        if self.paragraph or self.item:
            text += f".{self.paragraph or 1}"
        return text + (f".{self.item}" if self.item else "")

    def covers(self, other: Citation) -> bool:
        """Return whether ``other`` is this place or lies within it."""
        if (self.instrument, self.article, self.sub) != (other.instrument, other.article, other.sub):
            return False
        if self.paragraph is not None and self.paragraph != other.paragraph:
            return False
        return self.item is None or self.item == other.item


def parse_citation(text: str) -> Citation:
    """Read a citation in any of the three forms; raises ``Problem`` when it is none of them."""
    plain = text.strip()
    for pattern in (_KEY, _ZH, _EN):
        if match := pattern.match(plain):
            parts = {
                name: _number(value) for name, value in match.groupdict().items() if name != "instrument"
            }
            article = parts.pop("article")
            if article:
                return Citation(match["instrument"].strip(), article, **parts)
    raise Problem(
        "citation-form",
        f"“{text}” is no citation",
        remedy="write 《民法典》第二百零一条第一款, Civil Code, Article 201, or civil-code:201.1",
    )


def chinese_number(number: int) -> str:
    """Return ``number`` (1 to 9999) in Chinese numerals as laws write them: 10 is 十, 201 is 二百零一."""
    if not 0 < number < 10_000:
        raise ValueError(f"{number} is out of range")
    text, pending_zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit == 0:
            pending_zero = bool(text)
            continue
        text += ("零" if pending_zero else "") + "零一二三四五六七八九"[digit] + name
        pending_zero = False
    return text.removeprefix("一") if text.startswith("一十") else text


def parse_chinese_number(text: str) -> int:
    """Read Chinese numerals or digits below ten thousand (二百零一, 十二, 201, ２０１)."""
    if text.isdigit() and all(char not in _DIGITS for char in text):
        return int(text)
    if not any(char in _UNITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total, digit = 0, None
    for char in text:
        if char in _UNITS:
            total += (1 if digit is None else digit) * _UNITS[char]
            digit = None
        else:
            # 零 only marks a gap: after it a unit still needs its own digit.
            digit = _DIGITS[char] if _DIGITS[char] else None
    return total + (digit or 0)


def _number(text: str | None) -> int | None:
    return parse_chinese_number(text) if text else None
