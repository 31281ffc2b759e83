"""What the site and the interfaces may use of the hotline."""

from __future__ import annotations

import datetime as dt

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.hotline import open311
from chengshu.contexts.hall.hotline.alike import Guide, register_answers
from chengshu.contexts.hall.hotline.following import follow
from chengshu.contexts.hall.hotline.models import HotlineContact, HotlineRequest
from chengshu.contexts.hall.hotline.taking import KINDS, PACK, TOPICS, Asked, Taken, take
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem

__all__ = [
    "KINDS",
    "PACK",
    "TOPICS",
    "Asked",
    "Guide",
    "Taken",
    "case_panel",
    "open311",
    "register_answers",
    "take",
    "wire",
]


def wire() -> None:
    """Listen to the steps of the hotline's cases, and stand on their pages."""
    cases.register_on_step(PACK, "hotline", follow)
    cases.register_panel("hotline", case_panel)
    cases.register_on_erase("hotline", erase)


def erase(case_id: str, now: dt.datetime) -> int:
    """Erase a confidential contact and the link that came with a request."""
    HotlineRequest.objects.filter(pk=case_id).update(media_url="", latitude=None, longitude=None)
    return HotlineContact.objects.filter(pk=case_id, erased_at=None).update(name="", phone="", erased_at=now)


def state_words() -> dict[str, str]:
    """Return what the states of a request are called, in Chinese."""
    try:
        pack = cases.current_pack(PACK)
    except Problem:
        return {}
    return {name: pack.text(f"states.{name}") for name in pack.states}


def case_panel(case_id: str, viewer: identity.Account, now: dt.datetime) -> list[cases.CasePanelLine]:
    """Lead the hotline centre from a case to what lies beside it."""
    centre = viewer.role == "operator" or (viewer.role == "officer" and viewer.department_id == "data-bureau")
    if not centre or not HotlineRequest.objects.filter(pk=case_id).exists():
        return []
    title = {
        "zh": "热线中心：同类诉求、指南、联系方式",
        "en": "Hotline centre: requests alike, guides, contact",
    }
    return [cases.CasePanelLine(title, url=f"/hotline/desk/{case_id}")]
