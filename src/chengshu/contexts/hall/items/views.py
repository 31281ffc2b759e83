"""Pages of items for everyone: the list with filters, its export, the guide."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chengshu.contexts.hall.items import panels, queries, rated  # noqa: F401  (rated offers its panel)
from chengshu.contexts.hall.items.showing import days, guide
from chengshu.contexts.identity.api import public_page
from chengshu.kernel.spreadsheet import csv_lines

A_PAGE = 30


@public_page
@require_GET
def item_list(request: HttpRequest) -> HttpResponse:
    """List the items, filtered by department, theme, audience, kind, and how they can be done."""
    filters = filters_of(request)
    page = Paginator(queries.items(filters), A_PAGE).get_page(request.GET.get("page"))
    lines = [
        {"item": item, "promised": days(item.promised_days, item.body["promised_unit"])}
        for item in page.object_list
    ]
    context = {
        "lines": lines,
        "page": page,
        "total": page.paginator.count,
        "choices": queries.choices(),
        "hows": hows(),
        "chosen": filters,
        "query": request.GET.urlencode(),
        "breadcrumbs": [(_("办事大厅"), reverse("search:home")), (_("事项清单"), "")],
    }
    return render(request, "hall/items/list.html", context)


def hows() -> list[tuple[str, str]]:
    """Return the ways to get an item done that one can filter by."""
    return [("online", _("可以网上办")), ("zero-visit", _("不用跑")), ("here", _("在本厅直接办"))]


def filters_of(request: HttpRequest) -> dict[str, str]:
    """Return the filters of the address that hold something."""
    return {name: value[:200] for name in queries.FILTERS if (value := request.GET.get(name, "").strip())}


@public_page
@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Stream the filtered items as CSV, without phones."""
    answer = StreamingHttpResponse(
        csv_lines(queries.export_rows(filters_of(request))), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = 'attachment; filename="items.csv"'
    return answer


@public_page
@require_GET
def item_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show the guide of an item: what it is, who can, what one needs, how long, what it costs, where, on what ground."""
    item = queries.item_of(code)
    if item is None:
        raise Http404
    return render(request, "hall/items/item.html", item_context(item, request))


def item_context(item: Any, request: HttpRequest, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what the guide page shows of an item; ``body`` shows it as a draft would."""
    shown = guide(body or item.body)
    editable = (
        getattr(request.user, "role", "") == "officer" and request.user.department_id == item.department
    )
    return {
        "item": item,
        "guide": shown,
        "start": start_url(shown.pack),
        "panels": panels.panels_of(item, timezone.now()),
        "editable": editable and bool(item.department),
        "breadcrumbs": [
            (_("办事大厅"), reverse("search:home")),
            (_("事项清单"), reverse("items:list")),
            (shown.name, ""),
        ],
    }


def start_url(pack: str) -> str:
    """Return where an item that runs here is begun: the journey where there is one, else the plain form."""
    if not pack:
        return ""
    try:
        return reverse("apply:start", args=[pack])
    except NoReverseMatch:
        return reverse("services:service", args=[pack])
