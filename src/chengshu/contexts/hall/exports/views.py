"""Pages of exports: ask, wait, fetch; and find out whose copy has leaked."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.hall.exports import producing, worklists
from chengshu.contexts.hall.exports.forms import ExportForm, TraceForm
from chengshu.contexts.hall.exports.kinds import KINDS, ROLES
from chengshu.contexts.hall.exports.lists import MOST_ROWS
from chengshu.contexts.identity.api import PURPOSES, role_required
from chengshu.kernel.problems import Problem


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
    kind = request.GET.get("list", "")
    if kind not in KINDS or request.user.role not in KINDS[kind].roles:
        raise Http404
    found = KINDS[kind]
    given = {name: request.GET[name][:100] for name in found.filters if request.GET.get(name)}
    form = ExportForm(request.POST or None, kind=kind, role=request.user.role, initial=given)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        asked = given if found.in_words else {name: data.get(name, "") for name in found.filters}
        try:
            row = producing.ask(
                request.user,
                kind,
                asked,
                purpose=data["purpose"],
                reason=data["reason"],
                full=bool(data.get("full")),
                form=data.get("format") or found.formats[0],
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
        "title": _(found.title),
        "narrowed": found.in_words(given) if found.in_words else [],
        "most": worklists.MOST_LISTED if found.in_words else MOST_ROWS,
        "breadcrumbs": [(_("导出"), reverse("exports:home")), (_(found.title), "")],
    }
    return render(request, "exports/new.html", context, status=422 if form.is_bound else 200)


@role_required(*ROLES)
@require_GET
def download(request: HttpRequest, number: str) -> FileResponse:
    """Give the file to whoever asked for it."""
    return producing.answer(number, request.user, timezone.now())


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
