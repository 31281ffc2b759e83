"""Pages of the archive: the list, a package, its use."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.hall.archive import making, using
from chengshu.contexts.hall.archive.forms import ActForm, SearchForm
from chengshu.contexts.hall.archive.models import ArchivePackage
from chengshu.contexts.identity.api import role_required
from chengshu.kernel.problems import Problem

PAGE = 30
ROLES = ("officer", "operator")
State = ArchivePackage.State
TONES = {State.KEPT: "good", State.PROPOSED: "warn", State.DISPOSED: "plain", State.FAILED: "bad"}
ACTS = {
    "used": {"zh": "利用", "en": "used"},
    "handed-over": {"zh": "移交", "en": "handed over"},
    "proposed": {"zh": "提出销毁", "en": "proposed for disposal"},
    "kept": {"zh": "继续保管", "en": "kept after all"},
    "disposed": {"zh": "销毁", "en": "disposed of"},
    "tried-again": {"zh": "再做一次", "en": "to be made again"},
}
WHY = {
    making.BEGUN: {
        "zh": "正在制作，或制作时中断了；会再做。",
        "en": "It is being made, or the making broke off; it is tried again.",
    },
    making.WAITING: {
        "zh": "办件的文书、证照或存证回执还没有做好；做好以后会再做。",
        "en": "Papers or receipts of the case are still being made; it is tried again.",
    },
    making.OPENED_AGAIN: {
        "zh": "归档以前办件又打开了；下次办结时连同以前的经过一起归档。",
        "en": "The case was opened again before it was filed; its next end is filed with all that was.",
    },
}
STEPS = {"propose": using.propose, "keep": using.keep, "dispose": using.dispose, "again": using.try_again}


@role_required(*ROLES)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """List the packages that one may find."""
    now = timezone.now()
    mine = using.packages_for(request.user, {}, now)
    packs = {
        code: {"zh": zh, "en": en}
        for code, zh, en in mine.exclude(state=State.FAILED)
        .order_by()
        .values_list("pack", "title_zh", "title_en")
        .distinct()
    }
    form = SearchForm(
        request.GET or None, packs=[(code, _said(title)) for code, title in sorted(packs.items())]
    )
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    rows = using.packages_for(request.user, asked, now)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form, "page": page, "lines": [(row, TONES[row.state]) for row in page],
        "due": using.due(mine, now).count(), "breadcrumbs": [(_("电子档案"), "")],
    }  # fmt: skip
    return render(request, "archive/home.html", context)


def _said(title: dict[str, str]) -> str:
    from django.utils.translation import get_language

    return title["en"] if (get_language() or "").startswith("en") else title["zh"]


@role_required(*ROLES)
@require_http_methods(["GET", "POST"])
def package(request: HttpRequest, number: str) -> HttpResponse:
    """Show a package; use it, or decide on its end."""
    now = timezone.now()
    row = using.package_for(number, request.user, now)
    acts = _acts(row, request, now)
    form = ActForm(request.POST or None, acts=acts)
    if form.is_bound and form.is_valid():
        act, reason = form.cleaned_data["act"], form.cleaned_data["reason"]
        try:
            if act == "use":
                return _file(row, using.use(row, request.user, reason, now))
            STEPS[act](row, request.user, reason, now)
        except Problem as problem:
            form.add_error(None, str(problem.title))
        else:
            messages.success(request, _("已保存，并已存证。"))
            return redirect("archive:package", row.number)
    context = {
        "row": row, "tone": TONES[row.state],
        "why": WHY.get(row.error, {"zh": row.error, "en": row.error}),
        "form": form if acts else None,
        "title": {"zh": row.title_zh, "en": row.title_en}, "outcome": {"zh": row.outcome_zh, "en": row.outcome_en},
        "acts": [(act, ACTS[act.kind]) for act in row.acts.order_by("-at", "-pk")],
        "versions": ArchivePackage.objects.filter(case_id=row.case_id).exclude(pk=row.pk).order_by("version"),
        "breadcrumbs": [(_("电子档案"), reverse("archive:home")), (row.number, "")],
    }  # fmt: skip
    return render(request, "archive/package.html", context, status=422 if form.errors else 200)


def _acts(row: ArchivePackage, request: HttpRequest, now: Any) -> list[tuple[str, str]]:
    found = [("use", _("下载利用"))] if using.may_use(row, request.user, now) else []
    if row.state == State.KEPT and row.due_on is not None and row.due_on <= timezone.localdate(now):
        found.append(("propose", _("提出销毁")))
    if row.state == State.PROPOSED:
        found += [("keep", _("继续保管")), ("dispose", _("销毁"))]
    if row.state == State.FAILED:
        found.append(("again", _("再做一次")))
    return found


def _file(row: ArchivePackage, content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{row.number}.zip"'
    response["Cache-Control"] = "no-store"
    return response
