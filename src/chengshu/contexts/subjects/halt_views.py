"""Pages on which a source is halted and resumed: forms then ask what they would have taken from it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chengshu.contexts.identity.api import role_required
from chengshu.contexts.subjects import api
from chengshu.contexts.subjects.forms import HaltForm, ResumeForm
from chengshu.kernel.problems import Problem


@role_required("steward", "operator")
@require_http_methods(["GET", "POST"])
def sources(request: HttpRequest) -> HttpResponse:
    """List the sources with what is halted and what was; halt one with a reason."""
    rows = api.halting(api.source_titles())
    lang = "en" if get_language() == "en" else "zh"
    free = [(source, f"{title[lang]} · {source}") for source, title, halt in rows if halt is None]
    form = HaltForm(request.POST or None, choices=free)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            api.halt_source(
                said["source"], said["kind"], said["reason"], actor=request.user, now=timezone.now()
            )
        except Problem as problem:
            form.add_error(None, str(problem.title))
        else:
            messages.success(request, _("已停用。表单从现在起改为请本人填写。"))
            return redirect("subjects:sources")
    context = {
        "rows": rows,
        "history": api.halts(),
        "titles": {source: title for source, title, _halt in rows},
        "form": form,
        "breadcrumbs": [(_("运行"), reverse("subjects:runs")), (_("数源"), "")],
    }
    return render(request, "subjects/sources.html", context, status=422 if form.is_bound else 200)


@role_required("steward", "operator")
@require_http_methods(["GET", "POST"])
def resume(request: HttpRequest, source: str) -> HttpResponse:
    """Fill forms from a source again, with the reason on record."""
    found = {name: (title, halt) for name, title, halt in api.halting(api.source_titles())}
    title, halt = found.get(source, (None, None))
    if halt is None:
        raise Http404
    form = ResumeForm(request.POST or None)
    if form.is_bound and form.is_valid():
        api.end_halt(source, actor=request.user, now=timezone.now(), reason=form.cleaned_data["reason"])
        messages.success(request, _("已恢复。表单从现在起重新从这里取数。"))
        return redirect("subjects:sources")
    context = {
        "source": source,
        "title": title,
        "halt": halt,
        "form": form,
        "breadcrumbs": [(_("数源"), reverse("subjects:sources")), (_("恢复使用"), "")],
    }
    return render(request, "subjects/resume.html", context, status=422 if form.is_bound else 200)
