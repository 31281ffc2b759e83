"""The statistics: for everyone, and for a department what people said of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.ratings import giving, rates, statistics
from chengshu.contexts.hall.ratings.domain import GRADES
from chengshu.contexts.hall.ratings.models import Channel, Rating
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import public_page, role_required
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import LEGAL_ZONE, legal_day

PERIODS = {"all": None, "year": 365, "month": 30}
PAGE = 30


@public_page
@require_GET
def ratings(request: HttpRequest) -> HttpResponse:
    """Show how services are rated, by department, item or channel; every ended service is in the denominator."""
    by = request.GET.get("by", "department")
    by = by if by in statistics.BY else "department"
    period, since = _period(request)
    lines = statistics.counted(by, since=since)
    context = {
        "by": by,
        "period": period,
        "lines": _named(by, lines),
        "whole": statistics.whole(lines),
        "grades": GRADES,
        "set_aside": _grounds(statistics.set_aside()),
        "again": statistics.second_ratings(),
        "follow_ups": statistics.follow_ups(),
        "periods": {"all": _("全部"), "year": _("近一年"), "month": _("近三十天")},
        "ways": {"department": _("按部门"), "pack": _("按事项"), "channel": _("按渠道")},
        "breadcrumbs": [(_("服务评价"), "")],
    }
    return render(request, "ratings/statistics.html", context)


def _period(request: HttpRequest) -> tuple[str, dt.datetime | None]:
    name = request.GET.get("period", "all")
    days = PERIODS.get(name)
    name = name if name in PERIODS else "all"
    # From the beginning of a day: an anonymous rating knows its day only.
    first = legal_day(timezone.now()) - dt.timedelta(days=days or 0)
    return name, dt.datetime.combine(first, dt.time(), LEGAL_ZONE) if days else None


def _named(by: str, lines: list[Any]) -> list[tuple[dict[str, str], Any]]:
    """Return the lines with what their code is called."""
    if by == "department":
        names = {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}
        return [
            (names.get(line.code, {"zh": line.code or "—", "en": line.code or "—"}), line) for line in lines
        ]
    if by == "channel":
        labels = dict(Channel.choices)
        return [({"zh": str(labels[line.code]), "en": str(labels[line.code])}, line) for line in lines]
    return [(giving.item_title(line.code), line) for line in lines]


def _grounds(found: dict[str, int]) -> list[tuple[dict[str, str], int]]:
    """Return the grounds in the words of the pack that decides on them."""
    try:
        pack = cases.current_pack("rating-return-visit")
    except Problem:
        return [({"zh": code, "en": code}, number) for code, number in found.items()]
    return [
        ({lang: pack.text(f"choices.contest.{code}", lang) or code for lang in ("zh", "en")}, number)
        for code, number in sorted(found.items())
    ]


@role_required("officer", "operator")
@require_GET
def of_department(request: HttpRequest) -> HttpResponse:
    """Show a department what people said of its services, its times, and what is missing."""
    department = str(request.user.department_id or "")
    if request.user.role == "operator":
        department = request.GET.get("department", "")[:40]
    rows = Rating.objects.order_by("-given_at", "-pk")
    rows = rows.filter(department=department) if department else rows
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    lines = statistics.counted("pack", department=department)
    context = {
        "page": page,
        "said": [
            (
                row,
                giving.item_title(row.pack),
                _(GRADES[row.grade]),
                giving.reasons_in_words(row.grade, row.reasons),
            )
            for row in page
        ],
        "department": identity.department_name(department) if department else None,
        "whole": statistics.whole(lines),
        "lines": _named("pack", lines),
        "times": [
            (giving.item_title(line.code), line) for line in statistics.times("pack", department=department)
        ],
        "grades": GRADES,
        "breadcrumbs": [(_("服务评价"), "/hall/ratings/"), (_("对本部门的评价"), "")],
    }
    return render(request, "ratings/department.html", context)


@public_page
@require_GET
def services(request: HttpRequest) -> HttpResponse:
    """Show the rates of one-thing-once, with their definitions, and promised against actual times by department."""
    period, since = _period(request)
    names = {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}
    times = statistics.times("department", since=since)
    context = {
        "period": period,
        "periods": {"all": _("全部"), "year": _("近一年"), "month": _("近三十天")},
        "possible": rates.possible_rates(),
        "actual": statistics.actual_rates(since=since),
        "times": [
            (names.get(line.code, {"zh": line.code or "—", "en": line.code or "—"}), line) for line in times
        ],
        "breadcrumbs": [(_("服务评价"), "/hall/ratings/"), (_("办事统计"), "")],
    }
    return render(request, "ratings/services.html", context)
