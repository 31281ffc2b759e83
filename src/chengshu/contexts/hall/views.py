"""The resident's pages: what is held about me, from whom, who read it; and "this is wrong"."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.cases import api as cases
from chengshu.contexts.catalogue import api as catalogue
from chengshu.contexts.hall.domain import MyField, my_fields
from chengshu.contexts.hall.forms import DisputeForm
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import ALL_ROLES, role_required
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.problems import Problem

LATEST = 5
READS_A_PAGE = 25


@role_required("resident")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show what is held about me. The look is itself on record, once a day."""
    now = timezone.now()
    fields = fields_of(request, now)
    if fields is None:
        return render(request, "hall/nobody.html")
    subject_id = request.user.subject_id  # after fields_of: it follows a merge
    reads, total = identity.reads_of(subject_id, limit=LATEST)
    context = {
        "fields": fields,
        "departments": sorted({each.department for each in fields if each.department}),
        "reads": reads,
        "reads_total": total,
        "cases": cases.cases_about(subject_id),
        "disputes": subjects.Dispute.objects.filter(subject_id=subject_id).order_by("-raised_at"),
        "labels": {each.element: each.label for each in fields},
    }
    return render(request, "hall/home.html", context)


def fields_of(request: HttpRequest, now: Any) -> list[MyField] | None:
    """Return the fields of one's own record, through the gatekeeper; None when there is no record of this person."""
    if not request.user.subject_id:
        return None
    try:
        full = subjects.record_of(request.user.subject_id)
    except Problem as problem:
        if problem.code != "subject-unknown":
            raise
        return None
    if full.record.subject_id != request.user.subject_id:
        identity.relink(request.user, full.record.subject_id)
    personal = [fact.element for fact in full.facts if identity.is_personal(fact.element)]
    identity.record_read(request.user, request.user.subject_id, "own-data", personal or ["person"], now)
    return my_fields(full, table_titles(), department_names())


def table_titles() -> dict[str, Mapping[str, str]]:
    """Return what the departments' tables are called, by source."""
    run = subjects.current_run()
    return {row.source: row.title for row in run.sources.all()} if run else {}


def department_names() -> dict[str, Mapping[str, str]]:
    """Return the departments' names by code."""
    return {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}


@role_required(*ALL_ROLES)
@require_GET
def my_cases(request: HttpRequest) -> HttpResponse:
    """Show the cases that one opened or takes part in, and those about oneself."""
    now, subject_id = timezone.now(), request.user.subject_id
    mine = cases.my_cases(request.user, now)
    known = {case.case_id for case in mine}
    about = (
        [case for case in cases.cases_about(subject_id) if case.case_id not in known] if subject_id else []
    )
    return render(request, "hall/cases.html", {"cases": mine, "about": about})


@role_required("resident")
@require_GET
def reads(request: HttpRequest) -> HttpResponse:
    """List every read of my data."""
    number = int(request.GET.get("page", "1")) if request.GET.get("page", "1").isdigit() else 1
    _rows, total = identity.reads_of(request.user.subject_id, limit=0)
    page = Paginator(range(total), READS_A_PAGE).get_page(number)
    rows, _total = identity.reads_of(
        request.user.subject_id, offset=READS_A_PAGE * (page.number - 1), limit=READS_A_PAGE
    )
    labels = catalogue.element_titles()
    crumbs = [(_("我的数据"), reverse("hall:home")), (_("谁看过我的数据"), "")]
    context = {"reads": rows, "page": page, "labels": labels, "breadcrumbs": crumbs}
    return render(request, "hall/reads.html", context)


@role_required("resident")
@require_GET
def read_proof(request: HttpRequest, read_id: int) -> HttpResponse:
    """Hand out the proof of one read: what was read, the salt, and the ledger's receipt."""
    proof = identity.read_proof(request.user.subject_id, read_id) if request.user.subject_id else None
    if proof is None:
        raise Http404
    answer = JsonResponse(proof, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="read-{read_id}.json"'
    return answer


@role_required("resident")
@require_http_methods(["GET", "POST"])
def dispute(request: HttpRequest, element: str) -> HttpResponse:
    """Say that one value is wrong: it goes to the department it came from."""
    now = timezone.now()
    field = next((each for each in fields_of(request, now) or [] if each.element == element), None)
    if field is None or field.disputed:
        raise Http404
    form = DisputeForm(request.POST or None, initial={"key": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        subjects.dispute_value(
            request.user.subject_id,
            element,
            claimed=data["claimed"],
            reason=data["reason"],
            actor=request.user,
            now=now,
            idempotency_key=f"my:{data['key']}",
        )
        messages.success(request, _("异议已提交。在决定之前，看到这项数据的人都会看到它有异议。"))
        return redirect("hall:home")
    crumbs = [(_("我的数据"), reverse("hall:home")), (_("这项有误"), "")]
    context = {"form": form, "field": field, "breadcrumbs": crumbs}
    return render(request, "hall/dispute.html", context, status=422 if form.is_bound else 200)
