"""Pages of those who work cases: work list, case, answer, files, notices."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.forms.utils import ErrorDict
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.cases import queries, store
from chengshu.contexts.cases.access import FULL, access_case, hidden_steps, note_read
from chengshu.contexts.cases.case_page import asked_in, page_of
from chengshu.contexts.cases.command_forms import CommandForm
from chengshu.contexts.cases.domain import CaseView, CommandView
from chengshu.contexts.cases.files import path_of
from chengshu.contexts.cases.models import EvidenceFile
from chengshu.contexts.cases.presenting import case_view
from chengshu.contexts.cases.refusals import in_words
from chengshu.contexts.identity.api import ALL_ROLES, STAFF_ROLES, role_required
from chengshu.kernel.one_look import one_look
from chengshu.kernel.problems import Problem


@role_required(*ALL_ROLES)
@require_GET
def case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show one case: where it stands, what is due from whom by when, on what ground, what can be done, what was done."""
    now = timezone.now()
    with one_look():
        view = case_view(case_id, request.user, now=now)
        context = {"case": view, "breadcrumbs": trail(request, view), **page_of(view, request.user, now)}
    return render(request, "cases/case.html", context)


@role_required(*ALL_ROLES)
@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, case_id: str, command: str) -> HttpResponse:
    """Take one command: one question a page, so that it is easy on a phone."""
    now = timezone.now()
    view = case_view(case_id, request.user, now=now)
    wanted = next((item for item in view.commands if item.name == command), None)
    if wanted is None:
        messages.warning(request, _("这一步现在不能办理，请看清办件的现状。"))
        return redirect("cases:case", case_id)
    asked = asked_in(case_id, command, request.user, now)
    form = CommandForm(
        wanted,
        request.POST or None,
        request.FILES or None,
        initial={"version": view.version, "key": uuid.uuid4().hex},
        seen=asked,
    )
    if request.method == "POST" and request.htmx and not request.POST.get("rows"):
        response = HttpResponse(status=204)
        response["X-Asked"] = " ".join(sorted(asked(form.answers())))
        return response
    if request.method == "POST" and request.POST.get("rows"):
        # A button that adds or drops a row: nothing is judged yet.
        form._errors = ErrorDict()
    elif request.method == "POST" and form.is_valid() and _taken(request, view, wanted, form):
        messages.success(request, _("已记录：%(command)s") % {"command": _said(wanted.title)})
        return redirect("cases:case", case_id)
    crumbs = [*trail(request, view)[:-1], (_said(view.title), f"/cases/{case_id}"), (_said(wanted.title), "")]
    context = {"case": view, "command": wanted, "form": form, "breadcrumbs": crumbs}
    return render(request, "cases/answer.html", context, status=422 if form.errors else 200)


def _taken(request: HttpRequest, view: CaseView, wanted: CommandView, form: CommandForm) -> bool:
    try:
        store.command(
            view.case_id,
            wanted.name,
            form.data_for_engine(),
            actor=request.user,
            now=timezone.now(),
            expected_version=form.cleaned_data["version"],
            idempotency_key=form.cleaned_data["key"],
            files_in=form.files_for_engine(),
        )
    except Problem as problem:
        if problem.status >= 500 and not problem.extra.get("errors"):
            raise
        form.take_problem(problem, in_words(problem))
        return False
    return True


@role_required(*ALL_ROLES)
@require_GET
def file(request: HttpRequest, case_id: str, file_id: int) -> FileResponse:
    """Give a file of a case to those who work on it, or who sent it."""
    now = timezone.now()
    access = access_case(case_id, request.user, now)
    found = EvidenceFile.objects.filter(pk=file_id, case_id=case_id, erased_at=None).first()
    if access.level != FULL or found is None or not path_of(found.digest).exists():
        raise Http404
    if found.seq in hidden_steps(access, request.user):
        raise Http404
    note_read(access, request.user, ["person.address"], now)
    response = FileResponse(path_of(found.digest).open("rb"), content_type=found.media_type)
    response["Content-Disposition"] = "inline" if found.media_type == "image/jpeg" else "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


@role_required(*STAFF_ROLES)
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """Show what others did that concerns me."""
    lines = queries.notices_for(request.user, now=timezone.now())
    return render(request, "cases/notices.html", {"notices": lines})


@role_required(*STAFF_ROLES)
@require_POST
def notice_read(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Mark a notice as read."""
    queries.read_notice(request.user, notice_id, timezone.now())
    return redirect("cases:notices")


def _said(value: dict[str, str]) -> str:
    return value["en" if (get_language() or "").startswith("en") else "zh"]


def trail(request: HttpRequest, view: CaseView) -> list[tuple[str, str]]:
    """Return the way to a case: from the work list, from the window, or from one's own cases."""
    if request.user.role == "resident":
        return [(_("我的办件"), "/my/cases"), (_said(view.title), "")]
    if request.user.role == "clerk":
        return [(_("窗口"), "/window/"), (_said(view.title), "")]
    return [(_("我的任务"), "/cases/"), (_said(view.title), "")]
