"""The address library: look-up, proposals, and retire, split and merge with history. Codes are never used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _

from chengshu.batch.address.parse import parse
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.places import cells
from chengshu.contexts.places.domain import (
    LIBRARY_COLUMNS,
    SLOTS,
    Change,
    PlaceView,
    Proposal,
    address_text,
)
from chengshu.contexts.places.models import AddressProposal, Division, Place, PlaceChange, PlaceTouched
from chengshu.kernel.problems import Problem

BUILDING, ROOM = 17, 21


def place_view(row: Place) -> PlaceView:
    """Return a library row as a plain value."""
    return PlaceView(
        row.place_code,
        row.building_code,
        {name: getattr(row, name) for name in SLOTS},
        row.community_code,
        row.cell_code,
        row.lon,
        row.lat,
        row.state,
        tuple((row.replaced_by or "").split(",")) if row.replaced_by else (),
        row.valid_from,
        row.valid_to,
    )


def place(code: str) -> PlaceView | None:
    """Return one address by its code."""
    row = Place.objects.filter(pk=code).first()
    return place_view(row) if row else None


def places(codes: Sequence[str]) -> dict[str, PlaceView]:
    """Return many addresses by code; unknown ones are left out."""
    found = {}
    for start in range(0, len(codes), 500):
        for row in Place.objects.filter(pk__in=codes[start : start + 500]):
            found[row.place_code] = place_view(row)
    return found


def buildings_of_cell(cell_code: str) -> QuerySet[Place]:
    """Return the buildings of a cell, by code, for paging."""
    # A building's row is its own building; a room's is not.
    return Place.objects.filter(cell_code=cell_code, room=None, unit=None).order_by("place_code")


def rooms_of_building(building_code: str) -> list[PlaceView]:
    """Return the rooms of a building."""
    rows = Place.objects.filter(building_code=building_code).exclude(pk=building_code).order_by("place_code")
    return [place_view(row) for row in rows]


def current_places(code: str) -> list[str]:
    """Return what an address became: itself while active, else its successors that are."""
    open_codes, found, seen = [code], [], set()
    while open_codes:
        name = open_codes.pop()
        row = Place.objects.filter(pk=name).only("state", "replaced_by").first()
        if row is None or name in seen:
            continue
        seen.add(name)
        if row.state == Place.State.ACTIVE:
            found.append(name)
        elif row.replaced_by:
            open_codes.extend(row.replaced_by.split(","))
    return sorted(found)


def place_history(code: str) -> list[Change]:
    """Return the changes that touched an address, newest first."""
    rows = (
        PlaceChange.objects.filter(touched__place_code=code)
        .select_related("actor")
        .order_by("-id")
        .distinct()
    )
    return [
        Change(
            row.kind, tuple(row.before), tuple(row.after), row.on, row.at,
            row.actor.display_name if row.actor else "", row.reason,
        )
        for row in rows
    ]  # fmt: skip


# --- proposals ---


def propose_address(
    text: str,
    *,
    reason: str = "",
    case_id: str = "",
    cell_code: str = "",
    point: tuple[float, float] | None = None,
    actor: Account | None,
    now: datetime,
    idempotency_key: str,
) -> int:
    """Propose an address that the library lacks; in the caller's transaction. Returns the proposal's number.

    The same key gives the same proposal. A point (WGS-84) names the cell unless one is given.
    """
    known = AddressProposal.objects.filter(idempotency_key=idempotency_key).only("id").first()
    if known:
        return known.pk
    if not text.strip():
        raise Problem("address-empty", _("请写明地址"))
    if point and not cell_code:
        located = cells.locate(*point)
        cell_code = located.cell if located else ""
    row = AddressProposal.objects.create(
        text=text.strip()[:300], reason=reason[:400], case_id=case_id, cell_code=cell_code,
        lon=point[0] if point else None, lat=point[1] if point else None,
        proposed_by=actor, proposed_at=now, idempotency_key=idempotency_key,
    )  # fmt: skip
    ledger.deposit(
        "address-proposed", f"address-proposal:{row.pk}",
        {"proposal": str(row.pk), "text": row.text, "case": case_id, "actor": str(actor.pk) if actor else ""}, now=now,
    )  # fmt: skip
    return row.pk


def proposals(*, state: str | None = None, cell_codes: Sequence[str] | None = None) -> list[Proposal]:
    """Return proposals, newest first."""
    rows = AddressProposal.objects.select_related("proposed_by").order_by("-id")
    if state:
        rows = rows.filter(state=state)
    if cell_codes is not None:
        rows = rows.filter(cell_code__in=list(cell_codes))
    return [_proposal(row) for row in rows[:500]]


def proposal(number: int) -> Proposal | None:
    """Return one proposal."""
    row = AddressProposal.objects.select_related("proposed_by").filter(pk=number).first()
    return _proposal(row) if row else None


def _proposal(row: AddressProposal) -> Proposal:
    return Proposal(
        row.pk, row.text, row.reason, row.case_id, row.cell_code, row.state,
        row.proposed_by.display_name if row.proposed_by else "", row.proposed_at, row.decision_note, row.place_code,
    )  # fmt: skip


def suggested_slots(number: int, home: str) -> dict[str, str | None]:
    """Return the proposal's text taken apart, to fill the form of the one who decides."""
    row = _open_proposal(number)
    parsed = parse(row.text, home=home)
    return {name: getattr(parsed, name) for name in SLOTS}


def confirm_address(
    number: int,
    slots: Mapping[str, str | None],
    *,
    community_code: str,
    building_code: str | None = None,
    actor: Account,
    on: date,
    now: datetime,
) -> str:
    """Take a proposed address into the library as a building, or as a room of ``building_code``; returns its code."""
    with transaction.atomic():
        row = _open_proposal(number)
        clean = {name: (slots.get(name) or "").strip() or None for name in SLOTS}
        if not any(clean[name] for name in ("road", "estate", "building", "place")):
            raise Problem("address-too-short", _("地址至少要有道路、小区、楼栋或地名之一"), detail=row.text)
        _refuse_double(clean, community_code)
        code = _next_room(building_code) if building_code else _next_building(community_code)
        cell_code = row.cell_code or None
        Place.objects.create(
            place_code=code, building_code=code[:BUILDING], community_code=community_code, cell_code=cell_code,
            lon=row.lon, lat=row.lat, state=Place.State.ACTIVE, valid_from=on.isoformat(), **clean,
        )  # fmt: skip
        _decide(row, AddressProposal.State.CONFIRMED, actor, now, place_code=code)
        _note("confirmed", [], [code], actor, on, now, case_id=row.case_id)
    return code


def refuse_address(number: int, *, note: str, actor: Account, now: datetime) -> None:
    """Refuse a proposal, saying why."""
    if not note.strip():
        raise Problem("refusal-without-reason", _("请写明不予入库的理由"))
    with transaction.atomic():
        row = _open_proposal(number)
        _decide(row, AddressProposal.State.REFUSED, actor, now, note=note)


def _open_proposal(number: int) -> AddressProposal:
    row = AddressProposal.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise Problem("proposal-unknown", _("没有这条地址建议"), status=404)
    if row.state != AddressProposal.State.OPEN:
        raise Problem("proposal-decided", _("这条地址建议已经办结"), status=409)
    return row


def _decide(
    row: AddressProposal, state: str, actor: Account, now: datetime, *, note: str = "", place_code: str = ""
) -> None:
    if row.proposed_by_id == actor.pk:
        raise Problem("own-proposal", _("不能审定自己提出的地址"), remedy=_("请由其他人员审定"), status=403)
    row.state, row.decided_by, row.decided_at = state, actor, now
    row.decision_note, row.place_code = note[:400], place_code
    row.save()
    ledger.deposit(
        "address-decided", f"address-proposal:{row.pk}",
        {"proposal": str(row.pk), "state": str(state), "place": place_code, "actor": str(actor.pk)}, now=now,
    )  # fmt: skip


def _refuse_double(slots: Mapping[str, str | None], community_code: str) -> None:
    same = Place.objects.filter(community_code=community_code, state=Place.State.ACTIVE)
    known = same.filter(
        **{name: slots[name] for name in SLOTS if name not in ("province", "city", "floor")}
    ).first()
    if known:
        raise Problem(
            "address-known",
            _("地址库中已有此地址"),
            detail=f"{known.place_code} {address_text(slots)}",
            status=409,
        )


def _next_building(community_code: str) -> str:
    if not Division.objects.filter(pk=community_code, level="community").exists():
        raise Problem("community-unknown", _("没有这个社区"), detail=community_code)
    last = Place.objects.filter(building_code__startswith=community_code).aggregate(
        last=Max("building_code")
    )["last"]
    return f"{community_code}{int(last[12:]) + 1 if last else 1:05d}"


def _next_room(building_code: str) -> str:
    if not Place.objects.filter(pk=building_code).exists():
        raise Problem("building-unknown", _("没有这栋楼"), detail=building_code, status=404)
    rooms = Place.objects.filter(building_code=building_code).exclude(pk=building_code)
    last = rooms.aggregate(last=Max("place_code"))["last"]
    return f"{building_code}{int(last[17:]) + 1 if last else 1:04d}"


# --- retire, split, merge ---


def retire_address(
    code: str, *, replaced_by: Sequence[str] = (), actor: Account, on: date, now: datetime, reason: str = ""
) -> None:
    """Take an address (a building with its rooms) out of use; ``replaced_by`` names what stands for it now."""
    with transaction.atomic():
        rows = _active([code])
        _check_codes(replaced_by)
        _retire(rows, replaced_by, on)
        _note("retired", [code], list(replaced_by), actor, on, now, reason)


def split_address(
    code: str,
    parts: Sequence[Mapping[str, str | None]],
    *,
    actor: Account,
    on: date,
    now: datetime,
    reason: str = "",
) -> list[str]:
    """Split a room into several; each part gives the slots that differ (such as ``{"room": "501A"}``)."""
    if len(parts) < 2:
        raise Problem("split-parts", _("拆分后至少有两个地址"))
    with transaction.atomic():
        old = _active([code])[0]
        if len(code) != ROOM:
            raise Problem("split-building", _("只能拆分房间；楼栋请先停用再新增"), detail=code)
        made = []
        for part in parts:
            slots = {**{name: getattr(old, name) for name in SLOTS}, **part}
            if slots == {name: getattr(old, name) for name in SLOTS}:
                raise Problem("split-same", _("拆分后的地址须与原地址不同"), detail=address_text(slots))
            _refuse_double(slots, old.community_code)
            made.append(_copy(old, slots, _next_room(old.building_code), on))
        _retire([old], made, on)
        _note("split", [code], made, actor, on, now, reason)
    return made


def merge_addresses(
    codes: Sequence[str],
    slots: Mapping[str, str | None],
    *,
    actor: Account,
    on: date,
    now: datetime,
    reason: str = "",
) -> str:
    """Merge rooms of one building into one with ``slots`` (those that differ from the first's); returns its code."""
    with transaction.atomic():
        old = _active(sorted(set(codes)))
        if (
            len(old) < 2
            or len({row.building_code for row in old}) > 1
            or any(len(code) != ROOM for code in codes)
        ):
            raise Problem("merge-rooms", _("只能合并同一栋楼的两个以上房间"))
        whole = {**{name: getattr(old[0], name) for name in SLOTS}, **slots}
        _retire(old, [], on)
        made = _copy(old[0], whole, _next_room(old[0].building_code), on)
        Place.objects.filter(pk__in=[row.place_code for row in old]).update(replaced_by=made)
        _note("merged", [row.place_code for row in old], [made], actor, on, now, reason)
    return made


def _active(codes: Sequence[str]) -> list[Place]:
    rows = list(Place.objects.select_for_update().filter(pk__in=codes, state=Place.State.ACTIVE))
    missing = set(codes) - {row.place_code for row in rows}
    if missing:
        raise Problem(
            "place-not-active", _("地址不存在或已停用"), detail=", ".join(sorted(missing)), status=404
        )
    return rows


def _check_codes(codes: Sequence[str]) -> None:
    known = set(Place.objects.filter(pk__in=codes).values_list("pk", flat=True))
    if unknown := sorted(set(codes) - known):
        raise Problem("place-unknown", _("没有这个地址"), detail=", ".join(unknown), status=404)


def _retire(rows: Sequence[Place], replaced_by: Sequence[str], on: date) -> None:
    codes = [row.place_code for row in rows]
    gone = Place.objects.filter(Q(pk__in=codes) | Q(building_code__in=codes), state=Place.State.ACTIVE)
    gone.update(state=Place.State.RETIRED, valid_to=on.isoformat(), replaced_by=",".join(replaced_by) or None)


def _copy(old: Place, slots: Mapping[str, Any], code: str, on: date) -> str:
    Place.objects.create(
        place_code=code, building_code=old.building_code, community_code=old.community_code, cell_code=old.cell_code,
        lon=old.lon, lat=old.lat, state=Place.State.ACTIVE, valid_from=on.isoformat(), **slots,
    )  # fmt: skip
    return code


def _note(
    kind: str, before: list[str], after: list[str], actor: Account, on: date, now: datetime, reason: str = "",
    case_id: str = "",
) -> None:  # fmt: skip
    change = PlaceChange.objects.create(
        kind=kind,
        before=before,
        after=after,
        at=now,
        on=on,
        actor=actor,
        reason=reason[:400],
        case_id=case_id,
    )
    PlaceTouched.objects.bulk_create(
        [PlaceTouched(change=change, place_code=code) for code in {*before, *after}]
    )
    ledger.deposit(
        f"address-{kind}", f"place:{(after or before)[0]}",
        {"before": before, "after": after, "on": on.isoformat(), "actor": str(actor.pk)}, now=now,
    )  # fmt: skip


# --- for the matcher ---


def library_frame() -> pl.DataFrame:
    """Return the whole library in the columns the matcher reads."""
    rows = Place.objects.order_by("place_code").values_list(*LIBRARY_COLUMNS)
    schema = {name: pl.Float64 if name in ("lon", "lat") else pl.String for name in LIBRARY_COLUMNS}
    return pl.DataFrame(list(rows.iterator(chunk_size=20_000)), schema=schema, orient="row")


def export_library(path: Path) -> int:
    """Write the library as Parquet, whole or not at all; returns the number of rows."""
    frame = library_frame()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    frame.write_parquet(part)
    part.replace(path)
    return frame.height
