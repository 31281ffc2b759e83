"""Pages of messages: one's own, and the deliveries that a person must look at."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as flash
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from chengshu.contexts.identity.api import ALL_ROLES, role_required
from chengshu.contexts.messages import api

PAGE = 30
STATES = {
    "pending": {"zh": "待发送", "en": "waiting"},
    "uncertain": {"zh": "不能确定是否送达", "en": "uncertain"},
    "failed": {"zh": "未送达", "en": "not delivered"},
}


@role_required(*ALL_ROLES)
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """List one's messages, newest first."""
    now = timezone.now()
    page = Paginator(api.messages_of(request.user, now), PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "lines": [(row, {"zh": row.subject_zh, "en": row.subject_en}) for row in page],
        "unread": api.unread_count(request.user, now),
        "breadcrumbs": [(_("消息"), "")],
    }
    return render(request, "messaging/mine.html", context)


@role_required(*ALL_ROLES)
@require_GET
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """Show one message; it counts as read from now on."""
    found = api.read_message(message_id, request.user, timezone.now())
    if found is None:
        raise Http404
    subject = {"zh": found.subject_zh, "en": found.subject_en}
    context = {
        "message": found,
        "subject": subject,
        "body": {"zh": found.body_zh, "en": found.body_en},
        "breadcrumbs": [(_("消息"), reverse("messages:mine")), (str(message_id), "")],
    }
    return render(request, "messaging/message.html", context)


@role_required("operator")
@require_GET
def deliveries(request: HttpRequest) -> HttpResponse:
    """List the e-mails that failed, wait, or may have arrived."""
    page = Paginator(api.doubts(), PAGE).get_page(request.GET.get("page"))
    lines = [
        (row, {"zh": row.message.subject_zh, "en": row.message.subject_en}, STATES[row.state]) for row in page
    ]
    context = {"page": page, "lines": lines, "breadcrumbs": [(_("邮件投递"), "")]}
    return render(request, "messaging/deliveries.html", context)


@role_required("operator")
@require_POST
def settle(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Settle a doubt: it arrived, or it is sent again."""
    arrived = request.POST.get("arrived") == "yes"
    api.settle(delivery_id, arrived=arrived, actor=request.user, now=timezone.now())
    flash.success(request, _("已记为送达。") if arrived else _("已重新发送。"))
    return redirect("messages:deliveries")
