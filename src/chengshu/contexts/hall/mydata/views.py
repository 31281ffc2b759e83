"""The pages of one's own data: what is held, who read it, what one allowed, what one disputes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.catalogue import api as catalogue
from chengshu.contexts.hall.domain import MyField
from chengshu.contexts.hall.forms import DisputeForm
from chengshu.contexts.hall.mydata.room import (
    Room,
    department_names,
    doors,
    fields_in,
    note_look,
    record_in,
    room_of,
)
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import role_required
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.problems import Problem

READS_A_PAGE = 25
ALL = "all"


@role_required("resident")
@require_http_methods(["GET", "POST"])
def data(request: HttpRequest) -> HttpResponse:
    """Show what is held, masked; what one uncovers is a look that goes on record."""
    room, now = room_of(request), timezone.now()
    full = record_in(room)
    if full is None:
        return render(request, "hall/nobody.html", {"room": room, "doors": doors("hall:data")})
    room = Room(room.acting, full.record.subject_id)
    fields = fields_in(full)
    shown = _uncovered(request, fields)
    if shown:
        note_look(room, full, sorted(shown), now)
    context = {
        "room": room,
        "doors": doors("hall:data"),
        "fields": fields,
        "shown": shown,
        "rows": [{"field": each, "whole": each.element in shown or not each.masked} for each in fields],
        "departments": _departments(fields),
        "counts": _counts(room, full, now),
    }
    response = render(request, "hall/data.html", context)
    if shown:
        response["Cache-Control"] = "no-store"
    return response


def _uncovered(request: HttpRequest, fields: list[MyField]) -> set[str]:
    """Return the elements whose full values the page shows: those asked for by a press of a button."""
    asked = request.POST.get("show", "") if request.method == "POST" else ""
    return {each.element for each in fields if asked in (ALL, each.element)}


def _departments(fields: list[MyField]) -> list[dict[str, Any]]:
    """Return every department that holds something, with what and in which tables."""
    found: dict[str, dict[str, Any]] = {}
    for each in fields:
        for holder in each.holders:
            entry = found.setdefault(
                holder.department["zh"], {"name": holder.department, "tables": {}, "fields": {}}
            )
            entry["tables"][holder.table["zh"]] = holder.table
            entry["fields"][each.element] = each.label
    return [
        {
            "name": entry["name"],
            "tables": list(entry["tables"].values()),
            "fields": list(entry["fields"].values()),
        }
        for _name, entry in sorted(found.items())
    ]


def _counts(room: Room, full: subjects.FullRecord, now: Any) -> dict[str, int]:
    return {
        "reads": identity.reads_of(room.subject_id, limit=0)[1],
        "consents": subjects.consents_in_force(room.subject_id, now),
        "disputes": len(full.record.disputed),
    }


@role_required("resident")
@require_GET
def reads(request: HttpRequest) -> HttpResponse:
    """List every read of my data."""
    room = open_room(request)
    _rows, total = identity.reads_of(room.subject_id, limit=0)
    page = Paginator(range(total), READS_A_PAGE).get_page(request.GET.get("page", "1"))
    rows, _total = identity.reads_of(
        room.subject_id, offset=READS_A_PAGE * (page.number - 1), limit=READS_A_PAGE
    )
    context = {
        "reads": rows,
        "page": page,
        "labels": catalogue.element_titles(),
        "doors": doors("hall:reads"),
        "room": room,
        "window": identity.windows.of_subject(room.subject_id) if page.number == 1 else [],
    }
    return render(request, "hall/reads.html", context)


@role_required("resident")
@require_GET
def read_proof(request: HttpRequest, read_id: int) -> HttpResponse:
    """Hand out the proof of one read: what was read, the salt, and the ledger's receipt."""
    room = open_room(request)
    proof = identity.read_proof(room.subject_id, read_id) if room.subject_id else None
    if proof is None:
        raise Http404
    answer = JsonResponse(proof, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="read-{read_id}.json"'
    return answer


@role_required("resident")
@require_GET
def consents(request: HttpRequest) -> HttpResponse:
    """List what one allowed, to which service, from which tables, until when; each can be taken back."""
    room = open_room(request)
    found = subjects.consents_of(room.subject_id, timezone.now()) if room.subject_id else []
    context = {
        "room": room,
        "doors": doors("hall:consents"),
        "in_force": [each for each in found if each.in_force],
        "used": [each for each in found if each.case_id and each.revoked_at is None],
        "over": [each for each in found if not each.in_force and (each.revoked_at or not each.case_id)],
        "titles": subjects.source_titles(),
    }
    return render(request, "hall/consents.html", context)


@role_required("resident")
@require_POST
def revoke(request: HttpRequest, consent_id: int) -> HttpResponse:
    """Take a consent back."""
    room = open_room(request)
    if subjects.revoke_consent(consent_id, by=room.acting, now=timezone.now()):
        messages.success(request, _("授权已撤回，从现在起不再使用这些数据。"))
    return redirect("hall:consents")


@role_required("resident")
@require_GET
def disputes(request: HttpRequest) -> HttpResponse:
    """List what one holds to be wrong, and how each dispute stands."""
    room = open_room(request)
    rows = list(subjects.disputes_raised(room.subject_id, room.acting.account.pk))
    places = subjects.place_addresses(row.subject_id for row in rows if row.subject_id != room.subject_id)
    labels = {row.pk: _label(row, places.get(row.subject_id, "")) for row in rows}
    context = {
        "room": room, "doors": doors("hall:disputes"), "disputes": rows, "labels": labels,
        "deciders": department_names(),
    }  # fmt: skip
    return render(request, "hall/disputes.html", context)


def _label(row: subjects.Dispute, address: str) -> dict[str, str]:
    said = subjects.dispute_label(row.element)
    return {language: f"{text} · {address}" for language, text in said.items()} if address else said


@role_required("resident")
@require_http_methods(["GET", "POST"])
def dispute(request: HttpRequest, element: str) -> HttpResponse:
    """Say that one value is wrong: it goes to the department it came from."""
    room, now = open_room(request), timezone.now()
    full = record_in(room)
    field = next((each for each in fields_in(full) if each.element == element), None) if full else None
    if full is None or field is None or field.disputed:
        raise Http404
    note_look(room, full, [element], now)
    return _dispute_page(
        request, room, {"field": field}, _raised(request, full.record.subject_id, element, "my", now)
    )


@role_required("resident")
@require_http_methods(["GET", "POST"])
def dispute_place(request: HttpRequest, subject_id: str, element: str) -> HttpResponse:
    """Say that what a register holds of premises is wrong: it goes to the department that keeps it.

    Whoever fills a form about a place is shown these values and knows the place; the owner's name is not among them.
    """
    room, now = open_room(request), timezone.now()
    full = subjects.place_record(subject_id)
    field = next((each for each in fields_in(full) if each.element == element), None) if full else None
    if full is None or field is None or field.disputed or not subjects.may_dispute_place(element):
        raise Http404
    dispute_it = partial(subjects.dispute_place, raised_for=room.subject_id)
    raise_it = _raised(request, full.record.subject_id, element, "place", now, dispute_it)
    return _dispute_page(request, room, {"field": field}, raise_it)


def _raised(
    request: HttpRequest,
    subject_id: str,
    element: str,
    key: str,
    now: dt.datetime,
    dispute_it: Callable[..., int] = subjects.dispute_value,
) -> Callable[[dict[str, Any]], None]:
    """Return what raises the dispute of a value with the answers of the page."""

    def raise_it(answer: dict[str, Any]) -> None:
        dispute_it(
            subject_id, element, claimed=answer["claimed"], reason=answer["reason"], actor=request.user,
            now=now, idempotency_key=f"{key}:{answer['key']}",
        )  # fmt: skip

    return raise_it


@role_required("resident")
@require_http_methods(["GET", "POST"])
def dispute_certificate(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """Say that a certificate says something wrong: it goes to the department that issued it."""
    room, now = open_room(request), timezone.now()
    claim = subjects.claim_of(room.acting, number, name, now)
    if claim is None or subjects.disputed(claim):
        raise Http404

    def raise_it(answer: dict[str, Any]) -> None:
        subjects.dispute_certificate(
            claim, claimed=answer["claimed"], reason=answer["reason"], actor=request.user, now=now,
            idempotency_key=f"my:{answer['key']}",
        )  # fmt: skip

    return _dispute_page(request, room, {"claim": claim}, raise_it)


def _dispute_page(request: HttpRequest, room: Room, shown: dict[str, Any], raise_it: Any) -> HttpResponse:
    form = DisputeForm(request.POST or None, initial={"key": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            raise_it(form.cleaned_data)
            messages.success(request, _("异议已提交。在决定之前，看到这项数据的人都会看到它有异议。"))
            return redirect("hall:disputes")
        except Problem as problem:
            if problem.code != "too-often":
                raise
            form.add_error(None, str(problem.title))
    crumbs = [(_("我的数据"), reverse("hall:data")), (_("这项有误"), "")]
    context = {"form": form, "breadcrumbs": crumbs, "room": room, **shown}
    response = render(request, "hall/dispute.html", context, status=422 if form.is_bound else 200)
    response["Cache-Control"] = "no-store"
    return response


def open_room(request: HttpRequest) -> Room:
    """Return whose room it is; one that a mandate for some matters does not open is no page."""
    room = room_of(request)
    if room.closed:
        raise Http404
    return room
