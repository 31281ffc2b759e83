"""Money in cases, for the finance department: what is asked for and ordered, what was noted as paid or sent back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from chengshu.contexts.cases import payments
from chengshu.contexts.cases.payments import PaymentPage
from chengshu.contexts.cases.refusals import in_words
from chengshu.contexts.identity.api import role_required
from chengshu.kernel.money import yuan
from chengshu.kernel.problems import Problem

STATES = ("ordered", "paid", "failed", "cancelled")
DIRECTIONS = ("in", "out")


class SettleForm(forms.Form):
    """The bank's reference, or why an order was sent back."""

    reference = forms.CharField(max_length=120, required=False)
    reason = forms.CharField(max_length=300, required=False)


@role_required("officer", "operator")
@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    """List payment orders, the oldest open ones first."""
    _finance_only(request)
    state, direction = _chosen(request, "state", STATES), _chosen(request, "direction", DIRECTIONS)
    number = request.GET.get("page", "1")
    page = payments.payment_orders(
        request.user,
        state=state,
        direction=direction,
        page=int(number) if number.isdecimal() and len(number) < 7 else 1,
    )
    context = {
        "page": page,
        "paged": _paged(page),
        "state": state,
        "direction": direction,
        "sums": [(name, *page.sums.get(name, (0, 0))) for name in STATES],
        "totals": {name: yuan(page.sums.get(name, (0, 0))[1]) for name in STATES},
        "may_settle": payments.may_settle(request.user),
    }
    return render(request, "cases/payments.html", context)


@role_required("officer", "operator")
@require_GET
def orders_csv(request: HttpRequest) -> HttpResponse:
    """Lead to the export of the list: payees and accounts leave the pages by job only, with a purpose on record."""
    _finance_only(request)
    asked = {"list": "payments", "state": _chosen(request, "state", STATES)}
    asked["direction"] = _chosen(request, "direction", DIRECTIONS)
    return redirect(f"{reverse('exports:new')}?{urlencode(asked)}")


@role_required("officer")
@require_POST
def settle(request: HttpRequest, order_id: int) -> HttpResponse:
    """Note that an order was paid, or sent back with the reason."""
    _finance_only(request)
    form, now = SettleForm(request.POST), timezone.now()
    try:
        if not form.is_valid():
            messages.warning(request, _("没有登记：凭证号或原因过长。"))
        elif request.POST.get("how") == "failed":
            payments.mark_failed(order_id, request.user, form.cleaned_data["reason"], now)
            messages.success(request, _("已登记退回。"))
        else:
            payments.mark_paid(order_id, request.user, form.cleaned_data["reference"], now)
            messages.success(request, _("已登记支付。"))
    except Problem as problem:
        if problem.status >= 500:
            raise
        words = [str(each["text"]) for each in (problem.extra.get("errors") or {}).values()]
        messages.warning(request, "；".join(words) or in_words(problem))
    return redirect("cases:payments")


def _finance_only(request: HttpRequest) -> None:
    if not payments.may_list(request.user):
        # For an officer of another department there is no such page.
        raise Http404


def _chosen(request: HttpRequest, name: str, allowed: tuple[str, ...]) -> str:
    value = request.GET.get(name, "")
    return value if value in allowed else ""


def _paged(page: PaymentPage) -> Page[Any]:
    return Paginator(range(page.total), payments.PAGE).get_page(page.page)
