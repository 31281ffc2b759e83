"""Pages on which one takes one's data along: ask for a copy, fetch it, print it."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.hall.mydata import export
from chengshu.contexts.hall.mydata.room import doors
from chengshu.contexts.hall.mydata.views import open_room
from chengshu.contexts.identity.api import role_required


@role_required("resident")
@require_http_methods(["GET", "POST"])
def copies(request: HttpRequest) -> HttpResponse:
    """Ask for a copy of one's data, and show those asked for before."""
    room = open_room(request)
    if request.method == "POST":
        export.ask(room, timezone.now())
        messages.success(request, _("已登记。副本生成后在本页领取，七天后删除。"))
        return redirect("hall:export")
    context = {"room": room, "doors": doors("hall:export"), "copies": export.copies_of(room)}
    return render(request, "hall/export.html", context)


@role_required("resident")
@require_GET
def fetch(request: HttpRequest, copy_id: int) -> HttpResponse:
    """Hand out a copy as JSON."""
    body = export.take(open_room(request), copy_id, timezone.now())
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="my-data-{copy_id}.json"'
    response["Cache-Control"] = "no-store"
    return response


@role_required("resident")
@require_GET
def printed(request: HttpRequest, copy_id: int) -> HttpResponse:
    """Show a copy as a page to print, or to keep as PDF."""
    body = json.loads(export.take(open_room(request), copy_id, timezone.now()))
    crumbs = [(_("我的数据"), reverse("hall:data")), (_("带走数据"), reverse("hall:export")), (_("打印"), "")]
    response = render(
        request, "hall/export_print.html", {"copy": body, "number": copy_id, "breadcrumbs": crumbs}
    )
    response["Cache-Control"] = "no-store"
    return response
