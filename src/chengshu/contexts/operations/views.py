"""Pages of operations: the front page of each role, display settings, about, reports of errors."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.identity.api import (
    Rate,
    client_address,
    may_act,
    public_page,
    role_required,
    take_from_bucket,
)
from chengshu.contexts.operations.forms import ReportForm, SettleForm
from chengshu.contexts.operations.fronts import FRONTS
from chengshu.contexts.operations.models import PageReport
from chengshu.contexts.operations.staff import workers_on
from chengshu.contexts.places import api as places
from chengshu.kernel.one_look import one_look
from chengshu.kernel.problems import Problem

CELLS_A_PAGE = 60
YEAR = 365 * 24 * 3600
# Ten reports at once from one address, then one every ten minutes.
REPORTS = Rate(capacity=10, per_second=1 / 600)
DISPLAY = {"theme": ("auto", "light", "dark"), "size": ("normal", "large")}


@public_page
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the front page of the role: what needs doing today, and the figures behind it."""
    if not may_act(request.user):
        return render(request, "operations/visitor.html")
    front = FRONTS[request.user.role]
    now = timezone.now()
    with one_look():
        gathered = front.gather(request.user, now)
    return render(request, front.template, gathered)


@public_page
@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keep how the reader wants pages shown, in a cookie, and go back to the page."""
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    response = HttpResponseRedirect(target if safe else "/")
    for name, allowed in DISPLAY.items():
        if (value := request.POST.get(name)) in allowed:
            response.set_cookie(name, value, max_age=YEAR, samesite="Lax", httponly=True)
    return response


@public_page
@require_GET
def about(request: HttpRequest) -> HttpResponse:
    """Say what this site is, how far it is accessible, and what data it shows."""
    return render(request, "operations/about.html")


@public_page
@require_http_methods(["GET", "POST"])
def report_error(request: HttpRequest) -> HttpResponse:
    """Take a report of an error on a page; an operator sees it at once."""
    form = ReportForm(request.POST or None, initial={"page": request.GET.get("page", "")})
    if request.method == "POST" and form.is_valid():
        take_from_bucket("report", client_address(request), REPORTS, timezone.now().timestamp())
        PageReport.objects.create(
            **form.cleaned_data,
            account=request.user if request.user.is_authenticated else None,
            at=timezone.now(),
        )
        messages.success(request, _("已收到，谢谢。运行员会处理。"))
        return redirect("operations:home")
    page = form["page"].value()
    context = {"form": form, "page": page}
    return render(request, "operations/report_error.html", context, status=422 if form.is_bound else 200)


@role_required("operator")
@require_GET
def staffing(request: HttpRequest) -> HttpResponse:
    """Show where the grid lacks people: cells without anyone, load by worker, who is away."""
    on = timezone.localdate()
    with one_look():
        figures, workers = places.load_figures(on), workers_on(on)
    page = Paginator(figures.bare, CELLS_A_PAGE).get_page(request.GET.get("page"))
    context = {"bare": figures.bare, "page": page, "workers": workers, "figures": figures}
    return render(request, "operations/staffing.html", context)


@role_required("operator")
@require_GET
def reports(request: HttpRequest) -> HttpResponse:
    """List reported errors: open ones first."""
    rows = PageReport.objects.select_related("account", "settled_by").order_by(
        F("settled_at").desc(nulls_first=True), "-at"
    )
    page = Paginator(rows, 25).get_page(request.GET.get("page"))
    return render(request, "operations/reports.html", {"page": page, "form": SettleForm()})


@role_required("operator")
@require_POST
def settle_report(request: HttpRequest, report_id: int) -> HttpResponse:
    """Close a report with what was done."""
    report = get_object_or_404(PageReport, pk=report_id, settled_at=None)
    form = SettleForm(request.POST)
    if not form.is_valid():
        raise Problem("report-answer-missing", _("请写明处理结果"), remedy=_("返回上一页填写"), status=422)
    report.settled_at, report.settled_by, report.answer = (
        timezone.now(),
        request.user,
        form.cleaned_data["answer"],
    )
    report.save()
    messages.success(request, _("已标记为处理完毕。"))
    return redirect("operations:reports")
