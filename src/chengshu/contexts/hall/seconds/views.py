"""Pages about decisions of seconds: ask that a person looks; the figures of the lots and their proofs, for everybody."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from chengshu.contexts.hall.seconds import lots
from chengshu.contexts.hall.seconds.models import AutomaticDecision
from chengshu.contexts.identity.api import public_page, role_required

A_PAGE = 50


@role_required("resident")
@require_POST
def ask_person(request: HttpRequest, case_id: str) -> HttpResponse:
    """Ask that a person of the department looks at what the system decided."""
    seq = request.POST.get("seq", "")
    number = int(seq) if seq.isdigit() else 0
    lots.ask_person(case_id, number, request.user, request.POST.get("reason", "").strip(), timezone.now())
    messages.success(request, _("已转人工复核，十个工作日内有结果。复核有误的会纠正并告知您。"))
    return redirect("cases:case", case_id)


@public_page
@require_GET
def drawn(request: HttpRequest) -> HttpResponse:
    """Show how many decisions rules took, how many were drawn, what was found, and every lot to draw again."""
    found = AutomaticDecision.objects.exclude(lot="").order_by("-pk")
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page", "1"))
    rows = [{"row": row, "mille": int(row.lot, 16) * 1000 // lots.WHOLE} for row in page]
    context = {"figures": lots.figures(), "page": page, "rows": rows}
    return render(request, "hall/lots.html", context)
