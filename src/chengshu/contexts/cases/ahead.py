"""What an application for a one-thing sets going: its parts in their order, and by when each is decided at the latest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases import packs, rows
from chengshu.contexts.cases.wording import part_title
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.procedure.foresight import Foresight, foresee
from chengshu.procedure.machine import default_clock
from chengshu.procedure.model import Pack
from chengshu.procedure.parts import OPEN, SETTLED, WAITING, Part

NONE: dict[str, str] = {}


@dataclass(slots=True)
class PartAhead:
    """A part that an application opens: what it is called, its office, by when it is decided at the latest.

    ``wanted`` is false where the answers do not call for it, or where nothing more comes of it.
    """

    part: Part
    child: Pack
    title: dict[str, str]
    office: dict[str, str]
    after: list[dict[str, str]]
    found: Foresight | None = None
    wanted: bool = True

    @property
    def id(self) -> str:
        """The part's id in its one-thing."""
        return self.part.id

    @property
    def pack(self) -> str:
        """The pack that its case runs under."""
        return self.part.pack

    @property
    def decided_by(self) -> dt.date | None:
        """The latest day of its decision; None where nothing more comes, or no way leads to one."""
        return self.found.decided_by if self.found is not None else None


def parts_ahead(
    pack: Pack,
    now: dt.datetime,
    scope: Mapping[str, Any] | None = None,
    standing: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[PartAhead]:
    """Return the parts of a one-thing with the latest day of each.

    ``scope``: the answers, by which some parts are not wanted. ``standing``: what became of each part of a case so far.
    """
    if pack.parts is None:
        return []
    offices = {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}
    children = {part.id: child for part, child in part_packs(pack)}
    found: dict[str, PartAhead] = {}
    for part in _in_order(pack):
        child = children[part.id]
        after = [part_title(pack, name) for name in part.after]
        known = (standing or {}).get(part.id, {})
        ahead = PartAhead(part, child, part_title(pack, part.id), offices.get(_office(child), NONE), after)
        ahead.wanted = _wanted(part, scope) and known.get("state", WAITING) not in SETTLED
        found[part.id] = ahead
        before = [day for name in part.after if (day := found[name].decided_by) is not None]
        start = max([now, *(dt.datetime.combine(day, dt.time(1), dt.UTC) for day in before)])
        # What the answers leave out is still told with its day where it is listed; what has ended has none any more.
        if known.get("state") not in SETTLED:
            ahead.found = _foreseen(part, child, start, known)
    return [found[name] for name in pack.parts.parts]


def _wanted(part: Part, scope: Mapping[str, Any] | None) -> bool:
    if scope is None or part.when is None:
        return True
    return part.when.evaluate({**dict.fromkeys(part.when.reads), **scope}) is True


def _foreseen(part: Part, child: Pack, start: dt.datetime, known: Mapping[str, Any]) -> Foresight:
    clock = default_clock()
    if known.get("state") == OPEN and known.get("case"):
        row = rows.lock_free(str(known["case"]))
        running = packs.pinned(row.pack_version_id, row.pack_hash).pack
        return foresee(running, start, clock, case=row.case(running.id), pack_named=named)
    # Its case is confirmed in the applicant's name as it opens: nobody's term for that runs.
    return foresee(child, start, clock, pack_named=named, at_once=[given.command for given in part.then])


def longest(parts: Sequence[PartAhead]) -> list[PartAhead]:
    """Return the chain of parts that ends last, each behind the one that it waits for."""
    known = {each.id: each for each in parts if each.wanted and each.decided_by is not None}
    path: list[PartAhead] = []
    ends = list(known.values())
    while ends:
        path.insert(0, max(ends, key=_last_day))
        ends = [known[name] for name in path[0].part.after if name in known]
    return path


def _last_day(each: PartAhead) -> dt.date:
    return each.decided_by or dt.date.min


def part_packs(pack: Pack) -> list[tuple[Part, Pack]]:
    """Return the parts of a one-thing with the packs that their cases are opened under now; one query."""
    parts = list(pack.parts.parts.values()) if pack.parts is not None else []
    found = packs.current_many({part.pack for part in parts}) if parts else {}
    return [(part, found[part.pack]) for part in parts]


def _in_order(pack: Pack) -> list[Part]:
    """Return the parts, each behind those that it waits for."""
    parts = dict(pack.parts.parts) if pack.parts is not None else {}
    ordered: list[Part] = []
    while parts:
        ready = [part for part in parts.values() if not any(name in parts for name in part.after)]
        if not ready:
            break
        for part in ready:
            ordered.append(parts.pop(part.id))
    return ordered


def _office(child: Pack) -> str:
    return next((role.department for role in child.roles.values() if role.department), "")


def named(pack_id: str) -> Pack | None:
    """Return a pack that is loaded here; None for a child pack that is not: the walk says that this leg has no term."""
    try:
        return packs.current(pack_id).pack
    except Problem:
        return None
