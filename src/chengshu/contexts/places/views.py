"""Pages of places: the map, a zone, a cell, a building, and the operator's grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chengshu.contexts.identity.api import STAFF_ROLES, role_required
from chengshu.contexts.places import cells, charges, counts, drawing, library, matching
from chengshu.contexts.places.forms import ChargeForm, ConfirmForm, MergeForm, RefuseForm, SplitForm
from chengshu.contexts.places.models import Cell, Division, SpecialGrid, Zone

BASE_COUNTS = (
    ("load_residents", "登记居住人员", "Registered residents"),
    ("rented_homes", "出租屋", "Rented homes"),
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One count that the map can be coloured by."""

    name: str
    label: str


def layers() -> list[Layer]:
    """Return the counts to choose from: those that other contexts registered, then the load."""
    english = (get_language() or "").startswith("en")
    registered = [(kind.name, kind.zh, kind.en) for kind in counts.count_kinds()]
    return [Layer(name, en if english else zh) for name, zh, en in (*registered, *BASE_COUNTS)]


@role_required(*STAFF_ROLES)
def district_map(request: HttpRequest) -> HttpResponse:
    """Show all zones, coloured by a chosen count, with the same figures as a list."""
    choices = layers()
    names = [layer.name for layer in choices]
    shown = request.GET.get("show", "")
    shown = shown if shown in names else names[0]
    rows = [feature["properties"] for feature in drawing.zones_geojson()["features"]]
    rows.sort(key=lambda row: (-row[shown], row["code"]))
    listed = [{**row, "shown": row[shown]} for row in rows]
    context = {
        "layers": choices,
        "shown": next(layer for layer in choices if layer.name == shown),
        "rows": listed,
        "total": sum(row["shown"] for row in listed),
        "most": next((kind.most for kind in counts.count_kinds() if kind.name == shown), None),
    }
    return render(request, "places/map.html", context)


@role_required(*STAFF_ROLES)
def zone(request: HttpRequest, code: str) -> HttpResponse:
    """Show the cells of one zone."""
    row = Zone.objects.filter(pk=code).first()
    if row is None:
        raise Http404
    choices = layers()
    kinds = counts.count_kinds()
    found = [
        {**row, **{kind.name: kind.said(row[kind.name]) for kind in kinds}}
        for row in (feature["properties"] for feature in drawing.cells_geojson(code)["features"])
    ]
    street = Division.objects.filter(pk=row.street).first()
    context = {
        "zone": row,
        "street": street,
        "layers": choices,
        "rows": found,
        "breadcrumbs": [(_("地图"), reverse("places:map")), (row.code, "")],
    }
    return render(request, "places/zone.html", context)


@role_required(*STAFF_ROLES)
def cell(request: HttpRequest, cell_code: str) -> HttpResponse:
    """Show one cell: load, people in charge, addresses, what other contexts know of it, its history."""
    found = cells.cell(cell_code)
    if found is None:
        raise Http404
    on = timezone.localdate()
    tallies = counts.counts_by_cell([cell_code])
    kinds = {kind.name: kind for kind in counts.count_kinds()}
    buildings = Paginator(library.buildings_of_cell(cell_code), 25).get_page(request.GET.get("page"))
    names = dict(SpecialGrid.objects.filter(code__in=found.special.values()).values_list("code", "name"))
    context = {
        "cell": found,
        "load_percent": round(found.load() * 100),
        "special": [names[code] for code in found.special.values()],
        "figures": [
            (layer.label, kinds[layer.name].said(tallies[layer.name].get(cell_code, 0)))
            for layer in layers()
            if layer.name in kinds
        ],
        "charges": charges.charges_of_cell(cell_code, on),
        "panels": counts.cell_panels(cell_code, request.user) if found.in_force else [],
        "page": buildings,
        "buildings": [library.place_view(row) for row in buildings],
        "history": cells.cell_history(cell_code),
        "successors": [] if found.in_force else cells.current_cells(cell_code),
        "proposals": library.proposals(state="open", cell_codes=[cell_code]),
        "operator": request.user.role == "operator",  # type: ignore[union-attr]
        "breadcrumbs": [
            (_("地图"), reverse("places:map")), (found.zone, reverse("places:zone", args=[found.zone])), (cell_code, ""),
        ],
    }  # fmt: skip
    return render(request, "places/cell.html", context)


@role_required(*STAFF_ROLES)
def building(request: HttpRequest, place_code: str) -> HttpResponse:
    """Show a building (or a room) of the address library with its rooms and history."""
    found = library.place(place_code)
    if found is None:
        raise Http404
    context = {
        "place": found,
        "rooms": library.rooms_of_building(place_code) if len(place_code) == library.BUILDING else [],
        "current": [library.place(code) for code in library.current_places(place_code)]
        if found.state != "active"
        else [],
        "history": library.place_history(place_code),
        "steward": request.user.role in ("steward", "operator"),  # type: ignore[union-attr]
        "breadcrumbs": [(found.cell_code or _("地址库"), _cell_url(found.cell_code)), (found.short_text, "")],
    }
    return render(request, "places/building.html", context)


def _cell_url(code: str | None) -> str:
    return reverse("places:cell", args=[code]) if code else reverse("places:map")


@role_required("operator")
def grid(request: HttpRequest) -> HttpResponse:
    """Show the operator what to split and merge, and which cells nobody works."""
    on = timezone.localdate()
    bare = charges.cells_without_staff(on)
    fullest = sorted(cells.cells(), key=lambda one: (-one.load(), one.code))[:20]
    context = {
        "proposals": Paginator(cells.balance_proposals(), 20).get_page(request.GET.get("page")),
        "fullest": [(one, round(one.load() * 100)) for one in fullest],
        "bare": bare,
        "merge_form": MergeForm(initial={"cells": request.GET.get("cells", "")}),
        "cells": Cell.objects.filter(valid_to=None).count(),
    }
    return render(request, "places/grid.html", context)


@role_required("operator")
def split(request: HttpRequest, cell_code: str) -> HttpResponse:
    """Ask into how many cells to split one, and do it."""
    found = cells.cell(cell_code)
    if found is None or not found.in_force:
        raise Http404
    form = SplitForm(request.POST or None, initial={"parts": request.GET.get("parts", 2)})
    if request.method == "POST" and form.is_valid():
        made = cells.split_cell(
            cell_code, form.cleaned_data["parts"], actor=request.user, on=timezone.localdate(),  # type: ignore[arg-type]
            now=timezone.now(), reason=form.cleaned_data["reason"],
        )  # fmt: skip
        messages.success(request, _("已拆分为：") + "、".join(made))
        return redirect("places:cell", made[0])
    return render(request, "places/split.html", {"form": form, "cell": found})


@role_required("operator")
def merge(request: HttpRequest) -> HttpResponse:
    """Merge neighbouring cells."""
    form = MergeForm(request.POST or None, initial={"cells": request.GET.get("cells", "")})
    if request.method == "POST" and form.is_valid():
        made = cells.merge_cells(
            form.cleaned_data["cells"], actor=request.user, on=timezone.localdate(),  # type: ignore[arg-type]
            now=timezone.now(), reason=form.cleaned_data["reason"],
        )  # fmt: skip
        messages.success(request, _("已合并为：") + made)
        return redirect("places:cell", made)
    return render(request, "places/merge.html", {"form": form})


@role_required("operator")
def charge(request: HttpRequest, cell_code: str) -> HttpResponse:
    """Put someone in charge of a cell."""
    found = cells.cell(cell_code)
    if found is None or not found.in_force:
        raise Http404
    today = timezone.localdate()
    form = ChargeForm(request.POST or None, initial={"first_day": today, "post": "main"})
    if request.method == "POST" and form.is_valid():
        charges.post(
            form.cleaned_data["account"], cell_code, form.cleaned_data["post"], on=form.cleaned_data["first_day"],
            actor=request.user, now=timezone.now(),  # type: ignore[arg-type]
        )  # fmt: skip
        messages.success(request, _("已安排负责人"))
        return redirect("places:cell", cell_code)
    context = {"form": form, "cell": found, "charges": charges.charges_of_cell(cell_code, today)}
    return render(request, "places/charge.html", context)


@role_required("operator", "steward")
def proposals(request: HttpRequest) -> HttpResponse:
    """List the proposed addresses, those that wait first."""
    state = request.GET.get("state", "open")
    state = state if state in ("open", "confirmed", "refused") else "open"
    page = Paginator(library.proposals(state=state), 25).get_page(request.GET.get("page"))
    return render(request, "places/proposals.html", {"page": page, "state": state})


@role_required("operator", "steward")
def proposal(request: HttpRequest, number: int) -> HttpResponse:
    """Show one proposed address and take it in, or refuse it with a reason."""
    found = library.proposal(number)
    if found is None:
        raise Http404
    refuse = RefuseForm(request.POST if "refuse" in request.POST else None, prefix="refuse")
    confirm = ConfirmForm(request.POST if "confirm" in request.POST else None, initial=_suggested(found))
    if request.method == "POST" and "refuse" in request.POST and refuse.is_valid():
        library.refuse_address(
            number, note=refuse.cleaned_data["note"], actor=request.user, now=timezone.now()
        )  # type: ignore[arg-type]
        messages.success(request, _("已记录：不予入库"))
        return redirect("places:proposals")
    if request.method == "POST" and "confirm" in request.POST and confirm.is_valid():
        code = _take_in(request, number, dict(confirm.cleaned_data))
        messages.success(request, _("已入库，编码：") + code)
        return redirect("places:building", code)
    return render(request, "places/proposal.html", {"proposal": found, "confirm": confirm, "refuse": refuse})


def _take_in(request: HttpRequest, number: int, data: dict[str, Any]) -> str:
    community = Division.objects.get(pk=data.pop("community_code"))
    street = Division.objects.filter(pk=community.parent).first()
    above = {row.level: row.name for row in _ancestors(street)}
    slots = {**data, **{level: above.get(level) for level in ("province", "city", "district", "street")}}
    building_code = slots.pop("building_code") or None
    return library.confirm_address(
        number, {**slots, "community": community.name}, community_code=community.code, building_code=building_code,
        actor=request.user, on=timezone.localdate(), now=timezone.now(),  # type: ignore[arg-type]
    )  # fmt: skip


def _ancestors(row: Division | None) -> list[Division]:
    found = []
    while row is not None:
        found.append(row)
        row = Division.objects.filter(pk=row.parent).first() if row.parent else None
    return found


def _suggested(found: library.Proposal) -> dict[str, Any]:
    if found.state != "open":
        return {}
    slots = library.suggested_slots(found.id, home=matching.home_code() or "")
    community = Division.objects.filter(level="community", name=slots.get("community") or "").first()
    return {**slots, "community_code": community.code if community else None}
