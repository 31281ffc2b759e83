"""The national element set of a service item, read from the format that government portals publish. Pure.

One row of the format is a JSON object with ``TASK_CODE``, ``TASK_NAME``, ``DEPT_NAME`` and the elements. ``无`` stands
for "none"; what else stands for "nothing said" is listed in ``NOTHING``. A row becomes a *body*: the same elements under
our names, sorted lists, numbers as numbers. Keys of the format that are not elements are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from chengshu.kernel.problems import Where

Body = dict[str, Any]
NOTHING = {"", "无", "无。", "null", "none", "-", "/"}
# The kinds of matters of the national catalogue.
KINDS = {
    "01": ("行政许可", "Administrative licence"),
    "02": ("行政处罚", "Administrative penalty"),
    "03": ("行政强制", "Administrative enforcement"),
    "04": ("行政征收", "Administrative levy"),
    "05": ("行政给付", "Administrative payment"),
    "06": ("行政检查", "Administrative inspection"),
    "07": ("行政确认", "Administrative confirmation"),
    "08": ("行政奖励", "Administrative award"),
    "09": ("行政裁决", "Administrative ruling"),
    "10": ("其他行政权力", "Other administrative power"),
    "20": ("其他行政权力", "Other administrative power"),
    "21": ("公共服务", "Public service"),
}
AUDIENCES = ("自然人", "企业法人", "事业法人", "社会组织法人", "非法人企业", "行政机关", "其他组织")
_DAYS = re.compile(r"^(\d{1,4})\s*[(（](工作日|自然日)[)）]$")
_CITED = re.compile(
    r"《([^《》]{3,80})》(?:[（(][^（）()]{0,40}[）)])?(第[一二三四五六七八九十百零〇\d]+条)?"
)
_PHONE = re.compile(r"[、，,;；/]|\s{2,}")
_PERSONAL = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
MOST_TEXT = 40_000
CODE = re.compile(r"^[0-9A-Za-z][0-9A-Za-z_-]{5,59}$")


class Mistake(Exception):
    """What is wrong with one field of a row."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field, self.text = field, text


def said(value: Any) -> str:
    """Return a text without the words that stand for nothing."""
    text = " ".join(str(value).split()) if isinstance(value, str | int) else ""
    return "" if text.lower() in NOTHING else text


def text_of(row: Mapping[str, Any], field: str, most: int = MOST_TEXT, needed: bool = False) -> str:
    """Return a text element; raises ``Mistake`` when it is no text, too long, or missing where it is needed."""
    value = row.get(field)
    if value is not None and not isinstance(value, str | int):
        raise Mistake(field, "not a text")
    # A name may be the very word for nothing; keep the line breaks of long texts.
    text = "" if value is None else str(value).replace("\u3000", " ").strip()
    text = "" if text.lower() in NOTHING else text
    if needed and not text:
        raise Mistake(field, "missing")
    if len(text) > most:
        raise Mistake(field, f"longer than {most} characters")
    return text


def list_of(row: Mapping[str, Any], field: str) -> list[str]:
    """Return a list of texts, in its order and without repetition."""
    value = row.get(field)
    if value is None:
        return []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Mistake(field, "not a list of texts")
    return list(dict.fromkeys(text for each in value if (text := said(each))))


def days_of(row: Mapping[str, Any], field: str) -> tuple[int | None, str]:
    """Return a time as its number and its unit (``工作日`` or ``自然日``)."""
    text = text_of(row, field, 40)
    if not text:
        return None, ""
    found = _DAYS.match(text)
    if not found:
        raise Mistake(field, f"{text!r} is no time such as 20(工作日)")
    return int(found[1]), found[2]


def number_of(row: Mapping[str, Any], field: str) -> int | None:
    """Return a small whole number."""
    text = text_of(row, field, 10)
    if not text:
        return None
    if not text.isdigit() or int(text) > 99:
        raise Mistake(field, f"{text!r} is no number from 0 to 99")
    return int(text)


def cited(text: str) -> list[dict[str, str]]:
    """Return the laws and documents that a text names, with the article where it names one."""
    found: dict[str, dict[str, str]] = {}
    for title, article in _CITED.findall(text):
        if title.endswith(
            ("书", "证", "表", "证明", "执照", "申请", "合同", "报告", "通知书", "决定书", "协议")
        ):
            continue  # a paper, not a ground
        known = found.setdefault(title, {"title": title, "article": ""})
        if article and article not in known["article"]:
            known["article"] = "、".join(part for part in (known["article"], article) if part)
    return list(found.values())[:20]


def phones_of(row: Mapping[str, Any], field: str) -> list[str]:
    """Return telephone numbers as they are written."""
    return [part.strip() for part in _PHONE.split(text_of(row, field, 400)) if part.strip()]


def is_personal(phone: str) -> bool:
    """Tell whether a number is somebody's mobile: kept, and not shown to the public."""
    return bool(_PERSONAL.search(phone))


def body_of(row: Mapping[str, Any]) -> Body:
    """Return the elements of one row; raises ``Mistake`` naming the first field that is wrong."""
    code = text_of(row, "TASK_CODE", 60, needed=True)
    if not CODE.match(code):
        raise Mistake("TASK_CODE", f"{code!r} is no item code")
    kind = text_of(row, "TASK_TYPE", 4) or _kind_named(text_of(row, "TASK_TYPE_TEXT", 20))
    if kind not in KINDS:
        raise Mistake("TASK_TYPE", f"{kind!r} is none of {', '.join(KINDS)}")
    conditions = text_of(row, "accept_standard")
    statutory, statutory_unit = days_of(row, "handle_time")
    promised, promised_unit = days_of(row, "handle_time_limit")
    window = text_of(row, "handle_location", 2_000)
    return {
        "code": code,
        "name": text_of(row, "TASK_NAME", 400, needed=True),
        "name_en": text_of(row, "name_en", 400),
        "scenario": text_of(row, "subTaskName", 200),
        "aliases": _aliases(row),
        "kind": kind,
        "department": text_of(row, "department", 40),
        "department_name": text_of(row, "DEPT_NAME", 200, needed=True),
        "org_code": text_of(row, "ORGCODE", 40),
        "area_code": text_of(row, "AREACODE", 12),
        "level": text_of(row, "matter_level", 20),
        "catalogue_code": text_of(row, "CATAID", 40),
        "catalogue_name": text_of(row, "CATANAME", 400),
        "matter_name": text_of(row, "matter_name", 400),
        "audiences": list_of(row, "service_object_name"),
        "themes": list_of(row, "theme_category"),
        "legal_basis": _basis(row, conditions),
        "conditions": conditions,
        "materials": list_of(row, "material_intro"),
        "statutory_days": statutory,
        "statutory_unit": statutory_unit,
        "promised_days": promised,
        "promised_unit": promised_unit,
        "fee": text_of(row, "fee", 2_000),
        "windows": [window.removeprefix("办理地点：")] if window and window != "无线下办理窗口" else [],
        "consult_phones": phones_of(row, "consult_phone"),
        "complaint_phones": phones_of(row, "complain_phone"),
        "visits": number_of(row, "visit_number"),
        "online": text_of(row, "ONLINECHECK", 4) == "1",
        "online_url": text_of(row, "URL", 1_000),
        "platform": text_of(row, "bear_paltform", 400),
        "booking": text_of(row, "online_book", 4) == "是",
        "booking_url": text_of(row, "online_book_addr", 1_000),
        "courier": text_of(row, "courier_service", 10) == "是",
        "co_departments": text_of(row, "co_department", 2_000),
        "result": text_of(row, "result", 400),
        "pack": text_of(row, "pack", 60),
    }


def _kind_named(name: str) -> str:
    return next((code for code, names in KINDS.items() if names[0] == name), name)


def _aliases(row: Mapping[str, Any]) -> list[str]:
    """Return what people call the item: the department's own short and everyday names."""
    parts: list[str] = []
    for field in ("matter_short", "matter_daily"):
        parts += re.split(r"[,，;；、]|\s{1,}", text_of(row, field, 1_000))
    parts += list_of(row, "aliases")
    name = text_of(row, "TASK_NAME", 400)
    return list(dict.fromkeys(part for each in parts if (part := each.strip()) and part != name))


def _basis(row: Mapping[str, Any], conditions: str) -> list[dict[str, str]]:
    """Return the legal basis: as it is given, or else what the conditions cite."""
    given = row.get("legal_basis")
    if given is None:
        return cited(conditions)
    if not isinstance(given, list) or not all(
        isinstance(each, Mapping) and each.get("title") for each in given
    ):
        raise Mistake("legal_basis", "not a list of {title, article}")
    return [{str(key): str(value) for key, value in each.items()} for each in given]


def read_lines(path: Path, wrong: Callable[[Where, str], None]) -> Iterator[tuple[int, Body]]:
    """Yield line number and body of each sound line; tell ``wrong`` where and what is wrong with the others."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                wrong(Where(file=path.name, line=number), f"no JSON: {error}")
                continue
            if not isinstance(row, dict):
                wrong(Where(file=path.name, line=number), "no JSON object")
                continue
            try:
                yield number, body_of(row)
            except Mistake as mistake:
                wrong(Where(file=path.name, line=number, field=mistake.field), mistake.text)
