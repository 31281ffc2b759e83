"""What identity decides without a database: how values are masked and what purposes a read may have."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

# Why staff may look at a person's full values. The text is what the person reads on their own page.
PURPOSES = {
    "verification": "上门核查",
    "correction-review": "审核更正",
    "stewardship": "数据治理",
    "case-work": "办理事项",
    "dispute": "处理异议",
    "interface": "接口调用",
    "own-data": "本人查看",
}
# Who may have which purpose. A resident has one: their own data.
PURPOSES_OF_ROLE = {
    "resident": {"own-data"},
    "grid_worker": {"verification", "case-work"},
    "steward": {"stewardship", "correction-review", "dispute", "case-work", "interface"},
    "officer": {"correction-review", "dispute", "case-work", "interface"},
    "operator": {"case-work"},
}
STAR = "＊"


@dataclass(frozen=True, slots=True)
class Read:
    """One read of a subject's personal data, as the person it concerns sees it."""

    id: int
    subject_id: str
    actor_name: str
    department: str
    purpose: str
    elements: tuple[str, ...]
    case_id: str
    at: datetime
    leaf_id: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """A personal API token just made; ``secret`` is shown once and kept nowhere."""

    id: int
    secret: str
    expires_at: datetime


def mask_name(value: str) -> str:
    """Keep the family name (the first character, or the first letter of a foreign name)."""
    if re.match(r"[A-Za-z]", value):
        return value[0] + "***"
    hidden = len(value.replace("·", "")) - 1
    return value[:1] + STAR * max(hidden, 1)


def mask_number(value: str) -> str:
    """Keep three characters at the start and two at the end."""
    if len(value) < 8:
        return "*" * len(value)
    return f"{value[:3]}{'*' * (len(value) - 5)}{value[-2:]}"


def mask_phone(value: str) -> str:
    """Keep the operator's prefix and the last four digits."""
    return f"{value[:3]}****{value[-4:]}" if len(value) >= 11 else "*" * len(value)


def mask_address(value: str) -> str:
    """Keep what comes before the first digit: district, street, community, road; not the home."""
    kept = re.split(r"[0-9０-９一二三四五六七八九十]+(?=[号栋幢座单层楼室房])|[0-9０-９]", value, maxsplit=1)[
        0
    ]
    return f"{kept[:24]}{STAR * 3}"


def mask_date(value: str) -> str:
    """Keep the year."""
    return f"{value[:4]}-**-**"


MASKS: dict[str, Callable[[str], str]] = {
    "person.name": mask_name,
    "person.resident_id": mask_number,
    "person.birth_date": mask_date,
    "person.death_date": mask_date,
    "person.phone": mask_phone,
    "person.address": mask_address,
    "person.place_code": lambda value: value[:12] + "*" * max(len(value) - 12, 0),
    "firm.legal_representative": mask_name,
    "firm.phone": mask_phone,
    "premises.owner_name": mask_name,
    "premises.owner_id": mask_number,
}


def is_personal(element: str) -> bool:
    """Say whether the full value of ``element`` is seen only through the gatekeeper."""
    return element in MASKS


def mask(element: str, value: object) -> str:
    """Return ``value`` as a page may show it by default; elements that are not personal stay whole."""
    text = "" if value is None else str(value)
    hide = MASKS.get(element)
    return hide(text) if hide and text else text
