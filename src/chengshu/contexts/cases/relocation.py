"""When the grid changes, open cases and their work follow: by the address, by the point, else to the operator's list.

Called inside the transaction of a split or merge (``places.api.register_cells_changed``): the grid and the work in it
change together, or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from chengshu.contexts.cases import administration, packs, routing, sealing
from chengshu.contexts.cases.administration import Held
from chengshu.contexts.cases.domain import NOBODY
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import Task
from chengshu.contexts.places import api as places
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day

# An address in words is matched for so many cases of one change; the matcher is no work for a long transaction.
MOST_MATCHED = 50
_BUILDING = 17


def cells_changed(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Move the open cases of cells that are no more to the cells that came of them."""
    history = places.cell_history(before[0])
    change = history[0] if history else None
    now = change.at if change else timezone.now()
    reason = "，".join(part for part in ((change.actor, change.reason) if change else ()) if part)
    matched = 0
    waiting = CaseModel.objects.filter(cell_code__in=before, closed_at=None).order_by("pk")
    for case_id in list(waiting.values_list("pk", flat=True)):
        held = administration.hold(case_id, None, now)
        cell = after[0] if len(after) == 1 else _cell_by_place(held, after)
        if not cell and len(after) > 1 and matched < MOST_MATCHED:
            matched += 1
            cell = _cell_by_address(held, after)
        _move(held, cell, reason, now)


def _known(held: Held) -> Mapping[str, Any]:
    try:
        return {**held.case.facts, **sealing.unseal(held.row.id, 1)}
    except Problem:
        # Erased: what is left decides, else the operator does.
        return held.case.facts


def _cell_by_place(held: Held, after: tuple[str, ...]) -> str:
    """Return the new cell by the place code, else by the point, that the case was opened with."""
    known = _known(held)
    code = str(known.get("place_code") or "")
    for part in (code, code[:_BUILDING]):
        found = places.place(part) if part else None
        if found is not None and found.cell_code in after:
            return str(found.cell_code)
    longitude, latitude = known.get("longitude"), known.get("latitude")
    try:
        located = places.locate(float(longitude), float(latitude)) if longitude and latitude else None
    except ValueError:
        located = None
    return located.cell if located is not None and located.cell in after else ""


def _cell_by_address(held: Held, after: tuple[str, ...]) -> str:
    address = str(_known(held).get("address") or "")
    code = places.match_address(address) if address else None
    found = places.place(code) if code else None
    return str(found.cell_code) if found is not None and found.cell_code in after else ""


def _move(held: Held, cell: str, reason: str, now: dt.datetime) -> None:
    row, pack = held.row, packs.pinned(held.row.pack_version_id, held.row.pack_hash).pack
    data = {"before": row.cell_code, "after": cell or "（待定）", "reason": reason or "网格调整"}
    administration.write(held, "relocated", now, data=data)
    CaseModel.objects.filter(pk=row.id).update(cell_code=cell)
    row.cell_code = cell
    owner = routing.cell_owner(cell, legal_day(now)) if cell else NOBODY
    for task_id, role, _owner in held.tasks:
        if role in pack.roles and pack.roles[role].holder == "cell":
            Task.objects.filter(pk=task_id, open=True).update(owner=owner)
