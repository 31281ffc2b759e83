"""Pages of the window clerk: find, state the ground, serve, end."""

from __future__ import annotations

import time
from datetime import datetime

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.mandates.lines import Line, lines_of, matters_for
from chengshu.contexts.hall.mandates.papers import keep_paper, shown_paper
from chengshu.contexts.hall.window import codes, serving
from chengshu.contexts.hall.window.forms import (
    CodeForm,
    EndMandateForm,
    FindForm,
    GroundForm,
    PaperMandateForm,
)
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Mandate, acting, mandates, role_required, windows
from chengshu.kernel.problems import Problem

CASES = 5


@role_required("clerk")
@sensitive_post_parameters("resident_id", "name")
@require_http_methods(["GET", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Find whoever stands at the window; while one is served, lead to what they may do."""
    now, served = timezone.now(), acting(request)
    form = FindForm(request.POST if "resident_id" in request.POST else None)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        subject_id = serving.find(request.user, data["resident_id"], data["name"], now)
        if subject_id is not None:
            serving.note_found(request, subject_id, data["name"], now)
            return redirect("window:ground")
        form.add_error(None, _("没有找到：证件号码和姓名要与登记完全一致。"))
    context = {
        "form": form,
        "code_form": CodeForm() if codes.reader() else None,
        "served": served if served.by == "window" else None,
        # What this clerk took in for whom they serve now; other matters about the person are none of the window's.
        "cases": cases.my_cases(request.user, now, limit=CASES) if served.by == "window" else [],
        "mandates": _mandates(request.user, now) if served.by == "window" else [],
        "lately": windows.of_clerk(request.user),
    }
    return render(request, "window/home.html", context, status=422 if form.is_bound else 200)


def _mandates(clerk: identity.Account, now: datetime) -> list[Line]:
    """Return the mandates of whoever is served, from either side, that may be ended here."""
    return lines_of(mandates.of_served(clerk, now), dict(matters_for(clerk, now)), now)


@role_required("clerk")
@sensitive_post_parameters("code")
@require_POST
def scan(request: HttpRequest) -> HttpResponse:
    """Find a person by their citizen code."""
    now, form, read = timezone.now(), CodeForm(request.POST), codes.reader()
    if read is None:
        raise Http404
    if form.is_valid():
        identity.take_from_bucket("window", str(request.user.pk), serving.LOOKS, time.time())
        try:
            subject_id, name = read(form.cleaned_data["code"], request.user, now)
        except Problem as problem:
            if problem.status >= 500:
                raise
            messages.error(request, str(problem.title))
            return redirect("window:home")
        identity.record_read(request.user, subject_id, "window-search", serving.ELEMENTS, now)
        serving.note_found(request, subject_id, name, now)
        return redirect("window:ground")
    messages.error(request, _("没有读到市民码。"))
    return redirect("window:home")


@role_required("clerk")
@require_http_methods(["GET", "POST"])
def ground(request: HttpRequest) -> HttpResponse:
    """State on what ground the person found is served, then begin."""
    now = timezone.now()
    found = serving.found_person(request, now)
    if found is None:
        messages.info(request, _("请先核对身份。"))
        return redirect("window:home")
    form = GroundForm(request.POST or None, request.FILES or None)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            # What is not needed is not kept: a letter sent along by whoever came themselves.
            needed = data["ground"] == "proxy" and data["paper"]
            paper = keep_paper(data["paper"]) if needed else identity.Paper("", "")
            stated = windows.Ground(data["ground"], data["proxy_name"].strip(), paper.digest, paper.name)
            serving.begin(request, found, stated, now)
        except Problem as problem:
            if problem.status >= 500:
                raise
            form.add_error("paper", str(problem.title))
        else:
            messages.success(request, _("服务开始，最长 30 分钟。办完请点“结束服务”。"))
            return redirect("window:home")
    context = {
        "form": form,
        "found": found,
        "breadcrumbs": [(_("窗口"), reverse("window:home")), (_("说明依据"), "")],
    }
    return render(request, "window/ground.html", context, status=422 if form.is_bound else 200)


@role_required("clerk")
@sensitive_post_parameters("child_id", "child_name")
@require_http_methods(["GET", "POST"])
def paper_mandate(request: HttpRequest) -> HttpResponse:
    """Take in a mandate on paper from the person who is being served."""
    now, served = timezone.now(), acting(request)
    if served.by != "window":
        messages.info(request, _("请先核对身份。"))
        return redirect("window:home")
    today = timezone.localdate(now)
    form = PaperMandateForm(
        request.POST or None, request.FILES or None, matters=matters_for(request.user, now), today=today
    )
    if form.is_bound and form.is_valid():
        guardian = form.cleaned_data["basis"] == Mandate.Basis.GUARDIAN
        try:
            paper = keep_paper(form.cleaned_data["paper"])
            terms = None if guardian else form.terms()
            serving.take_in(request.user, served, form.cleaned_data, terms, paper, now)
        except Problem as problem:
            if problem.status >= 500:
                raise
            form.add_error(None, str(problem.title))
        else:
            messages.success(request, _("授权已登记，立即生效。"))
            return redirect("window:home")
    context = {
        "form": form,
        "served": served,
        "breadcrumbs": [(_("窗口"), reverse("window:home")), (_("登记书面授权"), "")],
    }
    return render(request, "window/paper_mandate.html", context, status=422 if form.is_bound else 200)


@role_required("clerk")
@require_http_methods(["GET", "POST"])
def end_mandate(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """End a mandate or a guardianship of whoever is being served, on a ground that the clerk was shown."""
    now = timezone.now()
    line = next((each for each in _mandates(request.user, now) if each.id == mandate_id), None)
    if line is None:
        raise Http404
    form = EndMandateForm(request.POST or None, guardian=line.guardian)
    if form.is_bound and form.is_valid():
        mandates.end_at_window(mandate_id, request.user, form.reason(), now)
        messages.success(request, _("已终止，立即失效，双方都能看到。"))
        return redirect("window:home")
    crumbs = [(_("窗口"), reverse("window:home")), (_("终止授权或监护登记"), "")]
    context = {"form": form, "line": line, "guardian": line.guardian, "breadcrumbs": crumbs}
    return render(request, "window/end_mandate.html", context, status=422 if form.is_bound else 200)


@role_required("resident")
@require_GET
def proxy_paper(request: HttpRequest, session_id: int) -> HttpResponse | FileResponse:
    """Show the person who was served the letter that somebody brought for them."""
    row = windows.window_session(session_id)
    if row is None or not row.evidence or row.subject_id != request.user.subject_id:
        raise Http404
    return shown_paper(row.evidence)
