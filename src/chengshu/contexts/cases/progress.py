"""How far a one-thing is: one line a part with its state, its office, its day and its ground; read in a few queries."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chengshu.contexts.cases import packs
from chengshu.contexts.cases.access import FULL, access_case
from chengshu.contexts.cases.domain import Ground, Light, account_owner
from chengshu.contexts.cases.lights import light
from chengshu.contexts.cases.models import Case, CaseEvent, Task
from chengshu.contexts.cases.wording import PART_STATES, both, grounds, part_title
from chengshu.contexts.identity import api as identity
from chengshu.kernel.terms import legal_day
from chengshu.procedure.model import Pack
from chengshu.procedure.parts import OPEN, WAITING, Join, Part

NONE = {"zh": "", "en": ""}


# A term ends at 24:00: the instant belongs to the next day.
_A_MOMENT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PartLine:
    """One part (or join) of a one-thing."""

    id: str
    title: dict[str, str]
    about: dict[str, str]
    # waiting, open, done, refused, skipped, blocked; and in words.
    state: str
    state_words: dict[str, str]
    case_id: str
    # Where its own case stands, or how it ended.
    stands: dict[str, str]
    office: dict[str, str]
    # Whether its own file is open to the applicant: a shared visit that the system opened is not.
    readable: bool
    due_on: dt.date | None
    light: Light | None
    # Whether it waits for the applicant, and what its office asked in the step before.
    asks: bool
    grounds: list[Ground]
    # Of the part's own last step: what was decided rests on these.
    own_grounds: list[Ground]
    waits_for: list[dict[str, str]] = field(default_factory=list)
    is_join: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """A one-thing with its parts; ``asks`` counts the parts that wait for the applicant."""

    case_id: str
    title: dict[str, str]
    state: dict[str, str]
    outcome: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    lines: list[PartLine]
    done: int
    total: int
    asks: int


def progress_of(case_id: str, viewer: identity.Account, *, now: dt.datetime) -> Progress | None:
    """Return how far a one-thing is; ``None`` for a case without parts. Raises as ``access_case`` does."""
    access = access_case(case_id, viewer, now)
    pack = access.pack
    if pack.parts is None or access.level != FULL:
        return None
    model = Case.objects.get(pk=case_id)
    body = json.loads(model.body)
    states: Mapping[str, Any] = body.get("parts") or {}
    lines = _lines(pack, case_id, states, access.row.opened_by, now)
    parts = [line for line in lines if not line.is_join]
    wanted = [line for line in parts if line.state != "skipped"]
    return Progress(
        case_id, both(pack, "title"), both(pack, f"states.{model.state}"), model.outcome, model.opened_at, model.closed_at,
        lines, sum(1 for line in wanted if line.state == "done"), len(wanted), sum(1 for line in parts if line.asks),
    )  # fmt: skip


def _lines(
    pack: Pack, case_id: str, states: Mapping[str, Any], opener: str, now: dt.datetime
) -> list[PartLine]:
    found = Case.objects.filter(parent=case_id).select_related("pack_version").defer("pack_version__files")
    children = {row.pk: row for row in found}
    last = _last_events(children)
    asked = set(
        Task.objects.filter(case_id__in=list(children), open=True, owner=account_owner(opener)).values_list(
            "case_id", flat=True
        )
    )
    offices = {row.code: row for row in identity.departments()}
    return [
        _line(pack, item, states, children, last, asked, offices, now)
        for item in (pack.parts or ())
        if not isinstance(item, Join) or states.get(item.id, {}).get("case")
    ]


def _last_events(children: Mapping[str, Case]) -> dict[str, Mapping[str, Any]]:
    """Return the last step of each child case."""
    wanted = {(row.pk, row.version) for row in children.values()}
    found = CaseEvent.objects.filter(
        case_id__in=list(children), seq__in=[version for _, version in wanted] or [0]
    )
    return {row.case_id: json.loads(row.body) for row in found if (row.case_id, row.seq) in wanted}


def _line(
    pack: Pack,
    item: Part | Join,
    states: Mapping[str, Any],
    children: Mapping[str, Case],
    last: Mapping[str, Mapping[str, Any]],
    asked: set[str],
    offices: Mapping[str, Any],
    now: dt.datetime,
) -> PartLine:
    known = states.get(item.id, {})
    state, row = known.get("state", WAITING), children.get(known.get("case", ""))
    child = packs.pinned(row.pack_version_id, row.pack_version.hash).pack if row is not None else None
    department = _office(child, row) if child is not None and row is not None else ""
    stands, own, due = NONE, [], None
    if child is not None and row is not None:
        stands = both(child, f"outcomes.{row.outcome}") if row.outcome else both(child, f"states.{row.state}")
        own = grounds(child, last.get(row.pk, {}).get("grounds", []))
        due = row.due_at if state == OPEN else None
    office = offices.get(department)
    before = item.after if isinstance(item, Part) and state == WAITING else ()
    return PartLine(
        id=item.id,
        title=part_title(pack, item.id),
        about=both(pack, f"{'joins' if isinstance(item, Join) else 'parts'}.{item.id}.about"),
        state=state,
        state_words=PART_STATES[state],
        case_id=row.pk if row is not None else "",
        stands=stands,
        office={"zh": office.name_zh, "en": office.name_en} if office is not None else NONE,
        readable=row is not None and row.opened_by != "system",
        due_on=legal_day(due - _A_MOMENT) if due is not None else None,
        light=light(due, row.amber_at, now) if due is not None and row is not None else None,
        asks=row is not None and row.closed_at is None and row.pk in asked,
        grounds=grounds(pack, item.cite),
        own_grounds=own,
        waits_for=[part_title(pack, name) for name in before],
        is_join=isinstance(item, Join),
    )


def _office(child: Pack, row: Case) -> str:
    """Return the department that works a part now, or the first of its pack that does."""
    roles = [child.roles[name] for name in child.states[row.state].tasks if name in child.roles]
    for role in (*roles, *child.roles.values()):
        if role.holder == "department" and (found := role.department or row.department):
            return found
    return row.department
