"""Masking of personal values by privacy grade.

Grades (分级): 1 may be shown to all, 2 is internal, 3 is sensitive, 4 is shown to nobody without a purpose
on record. A masked value keeps as much as one needs to tell two rows apart, and no more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

STAR = "*"
OPEN, INTERNAL, SENSITIVE, CLOSED = 1, 2, 3, 4
_COMPOUND = frozenset(
    re.findall(
        "..", "欧阳司马上官诸葛东方皇甫尉迟公孙令狐慕容司徒司空夏侯端木长孙宇文轩辕独孤南宫拓跋百里呼延"
    )
)
_STREET = re.compile(r"^.*?(?:街道|镇|乡)")
_DISTRICT = re.compile(r"^.*?[省市](?:[^省市区县]{1,8}[市])?(?:[^省市区县]{1,8}[区县旗])?")
_ROAD = re.compile(r"^.*?[^\d\s]{1,12}?(?:大道|公路|路|街(?!道)|巷|里|(?<!街)道|村|社区)")


def mask(value: str, kind: str, grade: int) -> str:
    """Return ``value`` masked for readers without a purpose; ``kind`` is name, id, phone, address, date or
    text.

    A data element's code works as kind as well (``person.resident_id``); kinds that are not known are text.
    """
    if not OPEN <= grade <= CLOSED:
        raise ValueError(f"a privacy grade is 1 to 4, not {grade}")
    if grade == OPEN or not value:
        return value
    if grade == CLOSED:
        return STAR * 4
    return _MASKS[_kind(kind)](value, grade)


def mask_name(name: str, grade: int = SENSITIVE) -> str:
    """Return a person's name with the family name only; for grade 2 the last character stays as well."""
    first, dot, _ = name.partition("·")
    if dot:
        return first[:1] + STAR * 2 + "·" + STAR * 2
    if name.isascii():
        return " ".join(part[:1] + STAR * 2 for part in name.split())
    family = 2 if len(name) > 2 and name[:2] in _COMPOUND else 1
    if len(name) <= family:
        return name[:1] + STAR
    if grade == INTERNAL and len(name) > family + 1:
        return name[:family] + STAR * (len(name) - family - 1) + name[-1]
    return name[:family] + STAR * (len(name) - family)


def mask_id(number: str, grade: int = SENSITIVE) -> str:
    """Return an identity number with its ends: never the birth date, and for grade 3 not the division
    either.
    """
    head, tail = (6, 4) if grade == INTERNAL else (1, 2)
    return _ends(number, head, tail)


def mask_phone(number: str, grade: int = SENSITIVE) -> str:
    """Return a phone number as 138****5678 (grade 2) or 138******78 (grade 3)."""
    return _ends(number, 3, 4 if grade == INTERNAL else 2)


def mask_address(address: str, grade: int = SENSITIVE) -> str:
    """Return an address down to its road (grade 2) or its street division or district (grade 3)."""
    patterns = (_ROAD, _STREET, _DISTRICT) if grade == INTERNAL else (_STREET, _DISTRICT)
    text = unicodedata.normalize("NFKC", address)
    for pattern in patterns:
        match = pattern.match(text)
        if match and match[0] and len(match[0]) < len(text):
            return match[0] + STAR * 4
    return text[:2] + STAR * 4


def _mask_date(value: str, grade: int) -> str:
    return value[: 7 if grade == INTERNAL else 4] + ("-**" if grade == INTERNAL else "-**-**")


def _mask_text(value: str, grade: int) -> str:
    return value[:1] + STAR * 4


def _ends(value: str, head: int, tail: int) -> str:
    if len(value) <= head + tail + 2:
        return value[:1] + STAR * max(len(value) - 1, 3)
    return value[:head] + STAR * (len(value) - head - tail) + value[-tail:]


_MASKS: dict[str, Callable[[str, int], str]] = {
    "name": mask_name,
    "id": mask_id,
    "phone": mask_phone,
    "address": mask_address,
    "date": _mask_date,
    "text": _mask_text,
}
_ENDINGS = (
    ("name", ("name", "representative", "owner")),
    ("id", ("id", "code", "number", "permit")),
    ("phone", ("phone", "mobile", "tel")),
    ("address", ("address", "place")),
    ("date", ("date", "_on", "day")),
)


def _kind(kind: str) -> str:
    if kind in _MASKS:
        return kind
    tail = kind.rpartition(".")[2]
    for known, endings in _ENDINGS:
        if tail.endswith(endings):
            return known
    return "text"
