"""Pages of exports: ask, wait, fetch; and find out whose copy has leaked."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.hall.exports import producing
from chengshu.contexts.hall.exports.forms import ExportForm, TraceForm
from chengshu.contexts.hall.exports.lists import KINDS
from chengshu.contexts.identity.api import PURPOSES, role_required
from chengshu.kernel.problems import Problem

ROLES = ("officer", "steward", "operator")
ROWS_TEXT = "export-{number}.csv"


@role_required(*ROLES)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """List one's exports, and the lists that one may ask for."""
    lines = [
        (row, _(KINDS[row.kind].title), _(PURPOSES[row.purpose]))
        for row in producing.exports_of(request.user)
    ]
    kinds = [(code, _(kind.title)) for code, kind in KINDS.items() if request.user.role in kind.roles]
    context = {"lines": lines, "kinds": kinds}
    return render(request, "exports/home.html", context)


@role_required(*ROLES)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Ask for an export: which list, for what purpose."""
    kind = request.GET.get("kind", "")
    if kind not in KINDS or request.user.role not in KINDS[kind].roles:
        raise Http404
    given = {name: request.GET[name][:100] for name in KINDS[kind].filters if name in request.GET}
    form = ExportForm(request.POST or None, kind=kind, role=request.user.role, initial=given)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            row = producing.ask(
                request.user,
                kind,
                {name: data.get(name, "") for name in KINDS[kind].filters},
                purpose=data["purpose"],
                reason=data["reason"],
                full=bool(data.get("full")),
                now=timezone.now(),
            )
            messages.success(request, _("已登记，准备好以后在这里下载。") + f" {row.number}")
            return redirect("exports:home")
        except Problem as problem:
            if problem.status >= 500:
                raise
            form.add_error(None, str(problem.title))
    context = {
        "form": form,
        "title": _(KINDS[kind].title),
        "breadcrumbs": [(_("导出"), reverse("exports:home")), (_(KINDS[kind].title), "")],
    }
    return render(request, "exports/new.html", context, status=422 if form.is_bound else 200)


@role_required(*ROLES)
@require_GET
def download(request: HttpRequest, number: str) -> HttpResponse:
    """Give the file to whoever asked for it."""
    row, content = producing.file_of(number, request.user, timezone.now())
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{ROWS_TEXT.format(number=row.number)}"'
    response["Cache-Control"] = "no-store"
    return response


@role_required("operator")
@require_http_methods(["GET", "POST"])
def trace(request: HttpRequest) -> HttpResponse:
    """Find the export that a check code belongs to."""
    form = TraceForm(request.POST or None)
    found = producing.trace(form.cleaned_data["code"]) if form.is_bound and form.is_valid() else None
    context = {
        "form": form,
        "found": found,
        "asked": form.is_bound and form.is_valid(),
        "breadcrumbs": [(_("导出"), reverse("exports:home")), (_("追查"), "")],
    }
    return render(request, "exports/trace.html", context)
