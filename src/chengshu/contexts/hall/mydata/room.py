"""Whose room it is: one's own, or that of whoever one may act for in every matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_noop as _n

from chengshu.contexts.hall.domain import MyField, my_fields
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Acting
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.problems import Problem

Said = Mapping[str, str]
# The parts of the room, in the order in which they stand.
DOORS = (
    ("hall:data", _n("数据")),
    ("hall:reads", _n("谁看过")),
    ("hall:consents", _n("我的授权")),
    ("hall:disputes", _n("我的异议")),
    ("hall:offers", _n("可享服务")),
    ("hall:cases", _n("我的办件")),
    ("certificates:mine", _n("我的证照")),
    ("citizen_code:code", _n("市民码")),
    ("mandates:overview", _n("代办与授权")),
    ("hall:export", _n("带走数据")),
)


@dataclass(frozen=True, slots=True)
class Room:
    """Whose data a page shows; ``closed`` where the one who acts may see to some matters only."""

    acting: Acting
    subject_id: str
    closed: bool = False

    @property
    def purpose(self) -> str:
        """The purpose under which a look at full values goes on record."""
        return "acting" if self.acting.for_other else "own-data"


def room_of(request: HttpRequest) -> Room:
    """Return whose room this request is in. A mandate for some matters does not open everything that is held."""
    acting = identity.acting(request)
    if acting.for_other and (acting.scope is not None or acting.by == "window"):
        return Room(acting, acting.subject_id, closed=True)
    return Room(acting, acting.subject_id)


def doors(here: str) -> list[dict[str, Any]]:
    """Return the ways to the other parts of the room."""
    return [{"text": text, "url": reverse(name), "current": name == here} for name, text in DOORS]


def record_in(room: Room) -> subjects.FullRecord | None:
    """Return what is held about whose room it is; none where nobody of that number is known.

    An account whose person turned out to have another number follows to that number.
    """
    if not room.subject_id or room.closed:
        return None
    try:
        full = subjects.record_of(room.subject_id)
    except Problem as problem:
        if problem.code != "subject-unknown":
            raise
        return None
    account = room.acting.account
    if room.subject_id == account.subject_id != full.record.subject_id:
        identity.relink(account, full.record.subject_id)
    return full


def note_look(room: Room, full: subjects.FullRecord, elements: list[str], now: Any) -> None:
    """Put a look at full values on record."""
    personal = [name for name in elements if identity.is_personal(name)]
    if personal:
        identity.record_read(room.acting.account, full.record.subject_id, room.purpose, personal, now)


def fields_in(full: subjects.FullRecord) -> list[MyField]:
    """Return the fields of a record with everyone who holds a value of each."""
    return my_fields(full, table_titles(), department_names())


def table_titles() -> dict[str, Said]:
    """Return what the departments' tables are called, by source."""
    return dict(subjects.source_titles())


def department_names() -> dict[str, Said]:
    """Return the departments' names by code."""
    return {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}
