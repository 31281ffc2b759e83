"""Who works on a case: claim it, give it back, pass it on; remarks among the staff."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from chengshu.contexts.cases import claiming, comments
from chengshu.contexts.cases.command_forms import CommentForm, ReasonForm, ReassignForm
from chengshu.contexts.cases.presenting import case_view
from chengshu.contexts.cases.refusals import in_words
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import STAFF_ROLES, role_required
from chengshu.kernel.problems import Problem


@role_required("officer")
@require_POST
def claim(request: HttpRequest, case_id: str) -> HttpResponse:
    """Take a case out of the department's queue."""
    try:
        claiming.claim(case_id, request.user, timezone.now())
        messages.success(request, _("已领取，由你办理。"))
    except Problem as problem:
        _told(request, problem)
    return redirect("cases:case", case_id)


@role_required("officer")
@require_http_methods(["GET", "POST"])
def give_back(request: HttpRequest, case_id: str) -> HttpResponse:
    """Put a case back into the department's queue."""
    now = timezone.now()
    view = case_view(case_id, request.user, now=now)
    form = ReasonForm(request.POST or None)
    form.fields["reason"].required = False
    if request.method == "POST" and form.is_valid():
        try:
            claiming.give_back(case_id, request.user, form.cleaned_data["reason"], now)
            messages.success(request, _("已退回本部门的待领任务。"))
            return redirect("cases:case", case_id)
        except Problem as problem:
            form.add_error(None, in_words(problem))
    context = {"case": view, "form": form, "title": _("退回任务")}
    return render(request, "cases/hand_on.html", context, status=422 if form.errors else 200)


@role_required("officer")
@require_http_methods(["GET", "POST"])
def delegate(request: HttpRequest, case_id: str) -> HttpResponse:
    """Pass a case to a colleague of the department, with the reason on record."""
    now = timezone.now()
    view = case_view(case_id, request.user, now=now)
    people = [(str(each.pk), each.shown_name) for each in claiming.colleagues(case_id, request.user)]
    form = ReassignForm(people, request.POST or None, label=_("转交给"))
    if request.method == "POST" and form.is_valid():
        to = identity.account(int(form.cleaned_data["account"]))
        try:
            if to is not None:
                claiming.delegate(case_id, request.user, to, form.cleaned_data["reason"], now)
                messages.success(request, _("已转交给%(name)s") % {"name": to.display_name})
                return redirect("cases:case", case_id)
        except Problem as problem:
            form.add_error(None, in_words(problem))
    context = {"case": view, "form": form, "title": _("转交")}
    return render(request, "cases/hand_on.html", context, status=422 if form.errors else 200)


@role_required(*STAFF_ROLES)
@require_POST
def comment(request: HttpRequest, case_id: str) -> HttpResponse:
    """Write a remark that stays inside."""
    form = CommentForm(request.POST)
    if form.is_valid():
        comments.add_comment(case_id, request.user, form.cleaned_data["text"], timezone.now())
        messages.success(request, _("备注已保存。"))
    else:
        messages.warning(request, _("备注没有保存：请写 1 到 2000 个字。"))
    return redirect("cases:case", case_id)


def _told(request: HttpRequest, problem: Problem) -> None:
    if problem.status >= 500:
        raise problem
    messages.warning(request, in_words(problem))
