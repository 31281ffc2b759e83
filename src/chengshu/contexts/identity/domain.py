"""What identity decides without a database: how values are masked and what purposes a read may have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_noop as _n

from chengshu.kernel import masking

# Why staff may look at a person's full values. The text is what the person reads on their own page.
PURPOSES = {
    "verification": _n("上门核查"),
    "correction-review": _n("审核更正"),
    "stewardship": _n("数据治理"),
    "case-work": _n("办理事项"),
    "dispute": _n("处理异议"),
    "interface": _n("接口调用"),
    "own-data": _n("本人查看"),
    "shared-case": _n("共同办理同一事项"),
    "acting": _n("代为办理"),
    "consented-system": _n("经您同意提供给您登录的系统"),
    "window-search": _n("窗口核对身份"),
    "presented": _n("本人出示证照"),
    "archive-use": _n("利用档案"),
}
# Who may have which purpose. A resident has their own data, and what stands in a case they take part in.
PURPOSES_OF_ROLE = {
    "resident": {"own-data", "shared-case", "acting", "presented"},
    "grid_worker": {"verification", "case-work"},
    "steward": {"stewardship", "correction-review", "dispute", "case-work", "interface"},
    "officer": {"correction-review", "dispute", "case-work", "interface", "archive-use"},
    "operator": {"case-work", "archive-use"},
    "clerk": {"window-search", "acting"},
}


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
    leaf_id: int | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A personal API token just made; ``secret`` is shown once and kept nowhere."""

    id: int
    secret: str
    expires_at: datetime


# Personal elements: (kind of mask, privacy grade). Their full values are seen only through the gatekeeper.
PERSONAL = {
    "person.name": ("name", masking.SENSITIVE),
    "person.resident_id": ("id", masking.SENSITIVE),
    "person.birth_date": ("date", masking.SENSITIVE),
    "person.death_date": ("date", masking.SENSITIVE),
    "person.ethnicity": ("text", masking.CLOSED),
    "person.permit_revoked_on": ("date", masking.INTERNAL),
    "person.phone": ("phone", masking.INTERNAL),
    "person.address": ("address", masking.INTERNAL),
    "person.place_code": ("place", masking.INTERNAL),
    "firm.legal_representative": ("name", masking.SENSITIVE),
    "firm.phone": ("phone", masking.INTERNAL),
    "premises.owner_name": ("name", masking.SENSITIVE),
    "premises.owner_id": ("id", masking.SENSITIVE),
}
COMMUNITY_CODE_LENGTH = 12


def is_personal(element: str) -> bool:
    """Say whether the full value of ``element`` is seen only through the gatekeeper."""
    return element in PERSONAL


def mask(element: str, value: object) -> str:
    """Return ``value`` as a page may show it by default; elements that are not personal stay whole."""
    text = "" if value is None else str(value)
    if not text or element not in PERSONAL:
        return text
    kind, grade = PERSONAL[element]
    if kind == "place":
        # The community is public knowledge; the building and the room are somebody's home.
        return text[:COMMUNITY_CODE_LENGTH] + masking.STAR * max(len(text) - COMMUNITY_CODE_LENGTH, 0)
    return masking.mask(text, kind, grade)
