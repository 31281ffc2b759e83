"""The supervisor's pages: what is late, what ends soon, what was withdrawn or reversed and why."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.api import Asked
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import role_required
from chengshu.contexts.operations.figures import at_least
from chengshu.kernel.one_look import one_look

FIGURES = ("open", "overdue", "soon", "ended", "withdrawn", "reversed")


@role_required("operator")
@require_GET
def supervision(request: HttpRequest) -> HttpResponse:
    """Show how the cases of the district stand, and why cases were withdrawn or reversed."""
    now = timezone.now()
    with one_look():
        packs, ends = cases.standing(now), cases.ending_causes(now)
        late, more_late = cases.late_by_department(now)
    nobody = dict.fromkeys(("zh", "en"), _("（没有部门）"))
    names = {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}
    departments = [
        (
            code,
            names.get(code, dict.fromkeys(("zh", "en"), code)) if code else nobody,
            at_least(number, more_late),
        )
        for code, number in late
    ]
    totals = {
        name: at_least(sum(getattr(line, name) for line in packs), any(name in line.more for line in packs))
        for name in FIGURES
    }
    context = {
        "packs": [
            (line, {name: at_least(getattr(line, name), name in line.more) for name in FIGURES})
            for line in packs
        ],
        "cut": any(line.more for line in packs),
        "newest": cases.CAUSES_LOOKED_UP,
        "totals": totals,
        "departments": departments,
        "causes": ends[:30],
        "articles": cases.causes_by_article(ends)[:30],
    }
    return render(request, "operations/supervision.html", context)


@role_required("operator")
@require_GET
def supervised(request: HttpRequest) -> HttpResponse:
    """List the cases behind a figure, each with the last thing that happened and its ground."""
    now, asked = timezone.now(), _asked(request)
    number = request.GET.get("page", "1")
    page = int(number) if number.isdecimal() and len(number) < 7 else 1
    rows, total, more = cases.supervised(asked, now, max(page, 1))
    departments = list(identity.departments())
    context = {
        "rows": rows,
        "asked": asked,
        "kinds": _kinds(),
        "packs": cases.pack_titles(),
        "departments": departments,
        "names": {row.code: {"zh": row.name_zh, "en": row.name_en} for row in departments},
        "total": at_least(total, more),
        "more": more,
        "paged": _paged(total, page),
        "breadcrumbs": [(_("督办"), "/supervision/"), (dict(_kinds())[asked.kind], "")],
    }
    return render(request, "operations/supervised.html", context)


def _asked(request: HttpRequest) -> Asked:
    given = request.GET
    kind = given.get("kind", "")
    return Asked(
        kind if kind in dict(_kinds()) else "overdue",
        given.get("pack", "")[:60],
        given.get("department", "")[:40],
        given.get("article", "")[:60],
    )


def _kinds() -> list[tuple[str, str]]:
    return [
        ("overdue", _("已超期")),
        ("soon", _("临近期限")),
        ("open", _("在办")),
        ("withdrawn", _("撤回或视为撤回")),
        ("reversed", _("被撤销或改变")),
        ("ended", _("办结")),
    ]


def _paged(total: int, page: int) -> Page[Any]:
    return Paginator(range(total), cases.SUPERVISED_A_PAGE).get_page(page)
