"""Why two records are one, in words: what was compared and how near it came."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _n

COMPARED = {
    "address": _n("地址"), "birth_date": _n("出生日期"), "building": _n("楼栋"), "code": _n("证件号码或信用代码"),
    "contact": _n("电话和住处"), "legal": _n("法定代表人"), "name": _n("姓名或名称"), "phone": _n("电话"),
    "place": _n("位置"), "reading": _n("读音"), "room": _n("房间"), "sex": _n("性别"),
}  # fmt: skip
LEVELS = {
    "alike": _n("相近"), "day-month-swapped": _n("日月颠倒"), "one-character": _n("差一个字"),
    "one-character-long": _n("差一个字"), "one-digit": _n("差一位"), "one-digit-and-building": _n("电话差一位，同一楼栋"),
    "otherwise": _n("不同"), "part": _n("一个包含另一个"), "same": _n("相同"), "same-building": _n("同一楼栋"),
    "same-community": _n("同一社区"), "same-phone": _n("电话相同"), "same-phone-and-building": _n("电话相同，同一楼栋"),
    "same-phone-and-room": _n("电话相同，同一房间"), "same-reading": _n("同音"), "same-room": _n("同一房间"),
    "same-surname": _n("同姓"), "same-year": _n("同年"), "two-digits": _n("差两位"), "within-1-km": _n("相距 1 公里内"),
    "within-250-m": _n("相距 250 米内"), "within-60-m": _n("相距 60 米内"),
}  # fmt: skip


def in_words(comparison: str, level: str) -> tuple[str, str]:
    """Return what was compared and how near it came, in the reader's language; an unknown code shows itself."""
    return gettext(COMPARED.get(comparison, comparison)), gettext(LEVELS.get(level, level)) if level else ""
