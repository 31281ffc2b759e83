"""A guide as a page shows it: plain answers to what one asks, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chengshu.contexts.hall.items.elements import KINDS, is_personal

_STEP = re.compile(r"\n+|(?<=[。；;])\s*(?=(?:[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．])\s*)")


@dataclass(frozen=True, slots=True)
class Guide:
    """What the guide page shows of one item."""

    code: str
    name: str
    kind: str
    department: str
    facts: list[tuple[str, str]]
    conditions: list[str]
    materials: list[str]
    basis: list[dict[str, str]]
    windows: list[str]
    phones: list[str]
    complaint_phones: list[str]
    online_url: str
    pack: str
    themes: list[str]
    audiences: list[str]


def guide(body: Mapping[str, Any]) -> Guide:
    """Return a body as a guide. Mobile numbers are somebody's own: they are not shown."""
    english = (get_language() or "").startswith("en")
    kind = KINDS[body["kind"]][1 if english else 0]
    return Guide(
        code=body["code"],
        name=(body.get("name_en") if english else "") or body["name"],
        kind=kind,
        department=body["department_name"].strip(),
        facts=facts_of(body),
        conditions=paragraphs(body["conditions"]),
        materials=body["materials"],
        basis=body["legal_basis"],
        windows=body["windows"],
        phones=[phone for phone in body["consult_phones"] if not is_personal(phone)],
        complaint_phones=[phone for phone in body["complaint_phones"] if not is_personal(phone)],
        online_url=body["online_url"] if body["online_url"].startswith(("https://", "http://")) else "",
        pack=body["pack"],
        themes=body["themes"],
        audiences=body["audiences"],
    )


def facts_of(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what one wants to know first: how long, what it costs, how often one must come."""
    found = [
        (_("多久办好"), days(body["promised_days"], body["promised_unit"]) or _("没有写明")),
        (_("法定时限"), days(body["statutory_days"], body["statutory_unit"])),
        (_("费用"), body["fee"] or _("没有写明，按规定收费")),
        (_("要跑几次"), visits(body["visits"])),
        (_("办理结果"), body["result"]),
        (_("联办部门"), body["co_departments"]),
        (_("结果寄送"), _("可以寄送") if body["courier"] else ""),
    ]
    return [(label, value) for label, value in found if value]


def days(number: int | None, unit: str) -> str:
    """Return a time in words; nothing when there is none."""
    if number is None:
        return ""
    if unit == "自然日":
        return _("%(n)s 个自然日") % {"n": number}
    return _("%(n)s 个工作日") % {"n": number}


def visits(number: int | None) -> str:
    """Return how often one must come, in words."""
    if number is None:
        return ""
    return _("不用跑") if number == 0 else _("%(n)s 次") % {"n": number}


def paragraphs(text: str) -> list[str]:
    """Return a long text cut where its numbered points begin."""
    return [part.strip() for part in _STEP.split(text) if part and part.strip()]
