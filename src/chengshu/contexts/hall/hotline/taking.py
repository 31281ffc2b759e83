"""Taking in a request, from whatever channel: one form, one pack, one place in the grid."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.hotline.models import HotlineContact, HotlineRequest
from chengshu.contexts.hall.ratings import tickets
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.kernel.problems import Problem
from chengshu.procedure.machine import MACHINE, begin

PACK = "citizen-hotline"
CODE = "hotline-code"
KINDS = ("complaint", "consultation", "suggestion", "help", "praise")
TOPICS = (
    "environment", "roads", "housing", "market", "health", "school", "transport", "utilities", "safety", "welfare",
    "service", "other",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as somebody made it. ``confidential``: name and number stay with the hotline centre."""

    kind: str
    topic: str
    content: str
    channel: str
    urgent: bool = False
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    anonymous: bool = False
    confidential: bool = False
    name: str = ""
    phone: str = ""
    media_url: str = ""
    files: Sequence[cases.FileIn] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that was taken in: its number, and the code by which it is followed without an account."""

    case_id: str
    code: str


def take(
    asked: Asked, *, opened_by: identity.Account | None, key: str, now: dt.datetime, key_id: int | None = None
) -> Taken:
    """Open the case of a request; the same key, which nobody else can know, finds it again with its code.

    Who stays anonymous, or keeps name and number from the department, is no opener: the steps of a case name whoever
    takes them. Raises ``form-invalid`` (422) as the pack does, and ``point-outside`` (422) for a point that is in no cell.
    """
    code = tickets.code_for(CODE, key)
    known = cases.case_of_key(key)
    if known is not None:
        return Taken(known, code if followed(known, code) is not None else "")
    cell = _cell(asked)
    opener = None if hidden(asked, opened_by) else opened_by
    stored = [kept for sent in asked.files for kept in cases.filling.store_files([sent], "photo")]
    with transaction.atomic():
        case_id = cases.open_case(
            PACK,
            _facts(asked, cell),
            opened_by=opener,
            subject_id=_subject(opener),
            cell_code=cell,
            idempotency_key=key,
            now=now,
            stored=stored,
        )
        # The row itself is the listener's (following.py); what only this call knows is added to it.
        HotlineRequest.objects.filter(pk=case_id).update(
            latitude=asked.latitude,
            longitude=asked.longitude,
            media_url=asked.media_url,
            code_digest=tickets.digest_of(CODE, code),
            key_id=key_id,
        )
        if asked.confidential and (asked.name or asked.phone):
            HotlineContact.objects.get_or_create(
                case_id=case_id, defaults={"name": asked.name, "phone": asked.phone}
            )
    return Taken(case_id, code)


def hidden(asked: Asked, account: identity.Account | None) -> bool:
    """Whether a request stays out of the account of whoever makes it: followed by its code alone."""
    return account is not None and account.role == "resident" and (asked.anonymous or asked.confidential)


def rehearse(asked: Asked, now: dt.datetime) -> None:
    """Refuse what opening the case would refuse, before anything is kept that only becomes a case later."""
    begin(cases.current_pack(PACK), "", _facts(asked, _cell(asked)), MACHINE, now)


def _cell(asked: Asked) -> str | None:
    if asked.latitude is None or asked.longitude is None:
        return None
    inside = math.isfinite(asked.latitude) and math.isfinite(asked.longitude)
    found = places.locate(asked.longitude, asked.latitude) if inside else None
    if found is None:
        raise Problem(
            "point-outside", _("这个位置不在本区"), status=422,
            remedy=_("请填写本区内的位置，坐标用 WGS-84。"),
        )  # fmt: skip
    return found.cell


def _facts(asked: Asked, cell: str | None) -> dict[str, Any]:
    open_name = not asked.anonymous and not asked.confidential
    facts = {
        "kind": asked.kind,
        "topic": asked.topic,
        "content": asked.content,
        "urgent": asked.urgent or None,
        "place": asked.place or None,
        "area": cell,
        "confidential": asked.confidential or None,
        "anonymous": asked.anonymous or None,
        "caller_name": asked.name if open_name else None,
        "phone": asked.phone if open_name else None,
        "channel": asked.channel,
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def _subject(account: identity.Account | None) -> str | None:
    return account.subject_id or None if account is not None and account.role == "resident" else None


def followed(case_id: str, code: str) -> HotlineRequest | None:
    """Return the request of a number and its code; None where they do not fit."""
    if not case_id or len(case_id) > 20 or not 10 <= len(code) <= 40:
        return None
    return HotlineRequest.objects.filter(pk=case_id, code_digest=tickets.digest_of(CODE, code)).first()


def act(row: HotlineRequest, command: str, data: Mapping[str, Any], *, key: str, now: dt.datetime) -> None:
    """Take a step for whoever holds the code: add, have it opened again, confirm, withdraw."""
    if command not in ("supplement", "reopen", "confirm", "withdraw"):
        raise Problem("command-not-yours", _("不能进行这个操作"), status=403)
    cases.system_command(row.case_id, command, dict(data), idempotency_key=f"code:{key}", now=now)
