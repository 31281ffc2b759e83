"""Pages of the district operator: reassign, hand over, what failed."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.cases import handover, jobs, queries
from chengshu.contexts.cases.command_forms import HandOverForm, ReassignForm
from chengshu.contexts.cases.presenting import case_view
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import role_required
from chengshu.kernel.problems import Problem


@role_required("operator")
@require_http_methods(["GET", "POST"])
def reassign(request: HttpRequest, case_id: str) -> HttpResponse:
    """Give a case to someone else, with the reason on record."""
    now = timezone.now()
    view = case_view(case_id, request.user, now=now)
    if not view.may_reassign:
        raise Http404
    form = ReassignForm(_staff("grid_worker", "officer"), request.POST or None)
    if request.method == "POST" and form.is_valid():
        to = identity.account(int(form.cleaned_data["account"]))
        try:
            if to is not None:
                handover.reassign(
                    case_id, to, actor=request.user, reason=form.cleaned_data["reason"], now=now
                )
                messages.success(request, _("已改派给%(name)s") % {"name": to.display_name})
                return redirect("cases:case", case_id)
        except Problem as problem:
            form.add_error(None, " ".join(part for part in (problem.title, problem.remedy) if part))
    return render(
        request, "cases/reassign.html", {"case": view, "form": form}, status=422 if form.errors else 200
    )


@role_required("operator")
@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest) -> HttpResponse:
    """Move the open work of someone who leaves."""
    form = HandOverForm(_staff("grid_worker", "officer"), request.POST or None)
    if request.method == "POST" and form.is_valid():
        leaver = identity.account(int(form.cleaned_data["leaver"]))
        chosen = form.cleaned_data["to"]
        to = identity.account(int(chosen)) if chosen else None
        if leaver is not None and (to is None or to.pk != leaver.pk):
            done = handover.hand_over(
                leaver, to, actor=request.user, reason=form.cleaned_data["reason"], now=timezone.now()
            )
            messages.success(
                request,
                _("交接 %(moved)s 件，%(left)s 件暂无人承接") % {"moved": done.moved, "left": done.refused},
            )
            return redirect("cases:tasks")
        form.add_error("to", _("请选择另一位同事"))
    return render(request, "cases/hand_over.html", {"form": form}, status=422 if form.errors else 200)


def _staff(*roles: str) -> list[tuple[str, str]]:
    people = [account for role in roles for account in identity.accounts(role=role)]
    return [
        (
            str(account.pk),
            f"{account.display_name}（{account.department}）" if account.department else account.display_name,
        )
        for account in people
    ]


@role_required("operator")
@require_GET
def failed_jobs(request: HttpRequest) -> HttpResponse:
    """Show what the outbox could not bring out, and why."""
    return render(request, "cases/jobs.html", {"jobs": queries.dead_jobs()})


@role_required("operator")
@require_POST
def retry_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """Let a failed job run again, under its old key."""
    if jobs.retry(job_id, timezone.now()):
        messages.success(request, _("已重新排队"))
    return redirect("cases:jobs")
