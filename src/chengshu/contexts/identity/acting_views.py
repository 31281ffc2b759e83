"""Leaving: one button on every page ends acting for another."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from chengshu.contexts.identity import windows
from chengshu.contexts.identity.access import ALL_ROLES, role_required
from chengshu.contexts.identity.acting import act_for_oneself, acting


@role_required(*ALL_ROLES)
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Go back to one's own matters; at the window this ends the service."""
    was = acting(request)
    if was.by == "window" or request.user.role == "clerk":
        windows.end(request.user, timezone.now())
        messages.success(request, _("服务已结束，这个人的信息已收起。"))
    elif was.for_other:
        messages.success(request, _("已回到本人的事项。"))
    act_for_oneself(request)
    return HttpResponseRedirect("/window/" if request.user.role == "clerk" else "/")
