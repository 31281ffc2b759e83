"""Pages on which people rate: by the link of an invitation, from a case, at the window by QR code, or by receipt."""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.hall.ratings import following, giving, tickets
from chengshu.contexts.hall.ratings.channels import channel_of
from chengshu.contexts.hall.ratings.domain import FAIR, GRADES
from chengshu.contexts.hall.ratings.forms import ReasonsForm, ReceiptForm
from chengshu.contexts.hall.ratings.models import Channel, Service
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import public_page, role_required, windows
from chengshu.kernel.problems import Problem
from chengshu.kernel.qr import qr_svg

OPEN_RATE = identity.Rate(capacity=30, per_second=0.5)
RECEIPTS = identity.Rate(capacity=10, per_second=1 / 30)
MINE = 50


@public_page
@require_http_methods(["GET", "POST"])
def give(request: HttpRequest, code: str) -> HttpResponse:
    """Rate the service of a link: the grade first, then reasons, a comment, and whether to stay anonymous."""
    identity.take_from_bucket("rating", identity.client_address(request), OPEN_RATE, time.time())
    service = _service(code)
    account = request.user if request.user.is_authenticated else None
    known = isinstance(account, identity.Account) and giving.may_rate(account, service)
    title = giving.item_title(service.pack)
    if isinstance(account, identity.Account) and not giving.may_press(account, service):
        raise Problem(
            "rating-not-yours", _("工作人员不代为评价"), status=403,
            remedy=_("请对方用自己的手机扫码，或者在没有登录的评价器上打开。"),
        )  # fmt: skip
    if giving.is_rated(service):
        return render(request, "ratings/rated.html", {"title": title})
    grade = _grade(request)
    if grade is None:
        return render(request, "ratings/grade.html", {"title": title, "grades": GRADES, "service": service})
    form = ReasonsForm(request.POST or None, grade=grade, account=known)
    if request.method == "POST" and form.is_valid():
        said = giving.Said(
            grade,
            tuple(form.cleaned_data["reasons"]),
            form.cleaned_data["comment"].strip(),
            form.cleaned_data["anonymous"],
            form.cleaned_data.get("contact", ""),
        )
        owner = service.account_id if service.account_id is not None else None
        # Who has the link has the service: it went to its person alone, or was handed to them at the window.
        given = giving.rate(
            service, said, via=_via(request), account_id=None if said.anonymous else owner, now=timezone.now()
        )
        context = {"title": title, "given": given, "bad": grade < FAIR, "anonymous": said.anonymous}
        return render(request, "ratings/thanks.html", context)
    context = {
        "title": title,
        "grade": grade,
        "grade_text": _(GRADES[grade]),
        "form": form,
        "bad": grade < FAIR,
    }
    return render(request, "ratings/reasons.html", context, status=422 if form.is_bound else 200)


def _service(code: str) -> Service:
    number = tickets.service_of_link(code)
    found = Service.objects.filter(pk=number).first() if number is not None else None
    if found is None or found.ended_at is None:
        raise Http404
    return found


def _grade(request: HttpRequest) -> int | None:
    text = request.GET.get("grade", "")
    return int(text) if text in {str(grade) for grade in GRADES} else None


def _via(request: HttpRequest) -> str:
    """Where it is given: the window's code and the hotline say so, else the device tells."""
    said = request.GET.get("at", "")
    return said if said in (Channel.HALL.value, Channel.HOTLINE.value) else channel_of(request)


@role_required("resident")
@require_GET
def new(request: HttpRequest) -> HttpResponse:
    """Lead from a case to its rating."""
    service = giving.service_for(request.user, request.GET.get("case", "")[:20])
    if service is None or service.ended_at is None:
        raise Http404
    return redirect("ratings:give", tickets.link_code(service.pk))


@role_required("resident")
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """List the services one had: what can be rated, and what one rated."""
    rows = Service.objects.filter(account_id=request.user.pk, ended_at__isnull=False).order_by("-ended_at")
    lines = [(row, giving.item_title(row.pack), tickets.link_code(row.pk)) for row in rows[:MINE]]
    return render(request, "ratings/mine.html", {"lines": lines})


@public_page
@require_http_methods(["GET", "POST"])
def receipt(request: HttpRequest) -> HttpResponse:
    """Show by its receipt what came of an anonymous rating, and take the one rating of that."""
    form = ReceiptForm(request.POST if "code" in request.POST else None)
    context: dict[str, object] = {"form": form}
    if not (form.is_bound and form.is_valid()):
        return render(request, "ratings/receipt.html", context, status=422 if form.is_bound else 200)
    identity.take_from_bucket("receipt", identity.client_address(request), RECEIPTS, time.time())
    code = form.cleaned_data["code"]
    row = giving.by_receipt(code)
    if row is None:
        form.add_error("code", _("没有这个回执号，请核对。"))
        return render(request, "ratings/receipt.html", context, status=422)
    chosen = request.POST.get("grade", "")
    if chosen in {str(grade) for grade in GRADES}:
        try:
            giving.rate_again(row, giving.Said(int(chosen), anonymous=True), timezone.now())
            messages.success(request, _("谢谢，您对整改结果的评价已收到。"))
        except Problem as problem:
            messages.error(request, str(problem.title))
        return redirect("ratings:receipt")
    context |= {
        "rating": row,
        "code": code,
        "grade_text": _(GRADES[row.grade]),
        "title": giving.item_title(row.pack),
        "reasons": giving.reasons_in_words(row.grade, row.reasons),
        "answer": giving.answer_to(row),
        "grades": GRADES,
    }
    return render(request, "ratings/receipt.html", context)


@role_required("clerk")
@require_GET
def at_window(request: HttpRequest, session_id: int) -> HttpResponse:
    """Hand the rating to whoever was served: a QR code that turns away from the clerk."""
    row = windows.window_session(session_id)
    if row is None or row.clerk_id != request.user.pk:
        raise Http404
    now = timezone.now()
    ended_at = row.ended_at or (row.ends_at if row.ends_at <= now else None)
    if ended_at is None:
        messages.info(request, _("请先结束服务，再请对方评价。"))
        return redirect("window:home")
    service = following.window_service(
        row.pk,
        clerk_id=request.user.pk,
        subject_id=row.subject_id,
        department=request.user.department_id or "data-bureau",
        began_at=row.started_at,
        ended_at=ended_at,
    )
    address = f"{settings.PUBLIC_URL}{reverse('ratings:give', args=[tickets.link_code(service.pk)])}?at=hall"
    context = {
        # Made by segno out of our own address: no text of anybody's is in it.
        "code": mark_safe(qr_svg(address, boost=True)),
        "address": address,
        "rated": giving.is_rated(service),
        "breadcrumbs": [(_("窗口"), reverse("window:home")), (_("请对方评价"), "")],
    }
    return render(request, "ratings/window.html", context)
