"""Pages of those who work cases: work list, case, answer, files, notices."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.forms.utils import ErrorDict
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.cases import packs, queries, store
from chengshu.contexts.cases.access import FULL, access_case, note_read
from chengshu.contexts.cases.case_page import asked_in, page_of
from chengshu.contexts.cases.command_forms import CommandForm
from chengshu.contexts.cases.domain import CaseView, CommandView, TaskPage, TaskRow
from chengshu.contexts.cases.files import path_of
from chengshu.contexts.cases.models import EvidenceFile, PackVersion
from chengshu.contexts.cases.presenting import case_view
from chengshu.contexts.cases.queries import LIGHTS, VIEWS, Filters
from chengshu.contexts.cases.refusals import in_words
from chengshu.contexts.identity.api import ALL_ROLES, STAFF_ROLES, role_required
from chengshu.kernel.problems import Problem
from chengshu.kernel.spreadsheet import csv_lines


@role_required(*STAFF_ROLES)
@require_GET
def tasks(request: HttpRequest) -> HttpResponse:
    """Show my work, what is due first standing first."""
    now, filters = timezone.now(), _filters(request)
    page = queries.tasks_for(request.user, now=now, filters=filters, page=_page_number(request))
    context = {
        "page": page,
        "paged": _paged(page),
        "filters": filters,
        "lights": _lights(page),
        "packs": _packs(),
        "kinds": _kinds(),
        "views": _views(request),
        "notices": queries.unread_notices(request.user, now=now),
        "filtered": any((filters.light, filters.pack, filters.kind, filters.text)),
    }
    return render(request, "cases/tasks.html", context)


@role_required(*STAFF_ROLES)
@require_GET
def tasks_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Give the list as a file, with the filters of the page."""
    rows = queries.all_tasks(request.user, now=timezone.now(), filters=_filters(request))
    head = [_("办件"), _("事项"), _("状态"), _("期限"), _("灯色"), _("区域"), _("网格"), _("部门")]
    response = StreamingHttpResponse(csv_lines(_lines(head, rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="tasks.csv"'
    return response


@role_required(*ALL_ROLES)
@require_GET
def case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show one case: where it stands, what is due from whom by when, on what ground, what can be done, what was done."""
    now = timezone.now()
    view = case_view(case_id, request.user, now=now)
    context = {"case": view, "breadcrumbs": trail(request, view), **page_of(view, request.user, now)}
    return render(request, "cases/case.html", context)


@role_required(*ALL_ROLES)
@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, case_id: str, command: str) -> HttpResponse:
    """Take one command: one question a page, so that it is easy on a phone."""
    now = timezone.now()
    view = case_view(case_id, request.user, now=now)
    wanted = next((item for item in view.commands if item.name == command), None)
    if wanted is None:
        messages.warning(request, _("这一步现在不能办理，请看清办件的现状。"))
        return redirect("cases:case", case_id)
    asked = asked_in(case_id, command, request.user, now)
    form = CommandForm(
        wanted,
        request.POST or None,
        request.FILES or None,
        initial={"version": view.version, "key": uuid.uuid4().hex},
        seen=asked,
    )
    if request.method == "POST" and request.htmx:
        response = HttpResponse(status=204)
        response["X-Asked"] = " ".join(sorted(asked(form.answers())))
        return response
    if request.method == "POST" and request.POST.get("rows"):
        # A button that adds or drops a row: nothing is judged yet.
        form._errors = ErrorDict()
    elif request.method == "POST" and form.is_valid() and _taken(request, view, wanted, form):
        messages.success(request, _("已记录：%(command)s") % {"command": _said(wanted.title)})
        return redirect("cases:case", case_id)
    crumbs = [*trail(request, view)[:-1], (_said(view.title), f"/cases/{case_id}"), (_said(wanted.title), "")]
    context = {"case": view, "command": wanted, "form": form, "breadcrumbs": crumbs}
    return render(request, "cases/answer.html", context, status=422 if form.errors else 200)


def _taken(request: HttpRequest, view: CaseView, wanted: CommandView, form: CommandForm) -> bool:
    try:
        store.command(
            view.case_id,
            wanted.name,
            form.data_for_engine(),
            actor=request.user,
            now=timezone.now(),
            expected_version=form.cleaned_data["version"],
            idempotency_key=form.cleaned_data["key"],
            files_in=form.files_for_engine(),
        )
    except Problem as problem:
        if problem.status >= 500 and not problem.extra.get("errors"):
            raise
        form.take_problem(problem, in_words(problem))
        return False
    return True


@role_required(*ALL_ROLES)
@require_GET
def file(request: HttpRequest, case_id: str, file_id: int) -> FileResponse:
    """Give a file of a case to those who work on it, or who sent it."""
    now = timezone.now()
    access = access_case(case_id, request.user, now)
    found = EvidenceFile.objects.filter(pk=file_id, case_id=case_id, erased_at=None).first()
    if access.level != FULL or found is None or not path_of(found.digest).exists():
        raise Http404
    note_read(access, request.user, ["person.address"], now)
    response = FileResponse(path_of(found.digest).open("rb"), content_type=found.media_type)
    response["Content-Disposition"] = "inline" if found.media_type == "image/jpeg" else "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


@role_required(*STAFF_ROLES)
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """Show what others did that concerns me."""
    lines = queries.notices_for(request.user, now=timezone.now())
    return render(request, "cases/notices.html", {"notices": lines})


@role_required(*STAFF_ROLES)
@require_POST
def notice_read(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Mark a notice as read."""
    queries.read_notice(request.user, notice_id, timezone.now())
    return redirect("cases:notices")


def _filters(request: HttpRequest) -> Filters:
    given = request.GET
    view, light = given.get("view", ""), given.get("light", "")
    return Filters(
        view=view if view in VIEWS else "mine",
        light=light if light in LIGHTS else "",
        pack=given.get("pack", "")[:60],
        kind=given.get("kind", "")[:50],
        text=given.get("q", "")[:100],
    )


def _page_number(request: HttpRequest) -> int:
    given = request.GET.get("page", "1")
    return int(given) if given.isdigit() and len(given) < 7 else 1


def _paged(page: TaskPage) -> Page[Any]:
    """Return what the pagination component reads; the rows were fetched already."""
    return Paginator(range(page.total), queries.PAGE).get_page(page.page)


def _lights(page: TaskPage) -> list[dict[str, Any]]:
    texts = {"red": _("已超期"), "amber": _("临期"), "green": _("正常")}
    return [{"colour": colour, "text": texts[colour], "count": page.counts[colour]} for colour in LIGHTS]


def _views(request: HttpRequest) -> list[tuple[str, str]]:
    if request.user.role != "operator":
        return []
    return [("mine", _("我的任务")), ("nobody", _("无人网格")), ("all", _("全区"))]


def _packs() -> list[tuple[str, dict[str, str]]]:
    return [
        (row.pack, _texts(row, "title")) for row in PackVersion.objects.filter(current=True).order_by("pack")
    ]


def _kinds() -> list[tuple[str, dict[str, str]]]:
    found: dict[str, dict[str, str]] = {}
    for row in PackVersion.objects.filter(current=True).order_by("-pack"):
        pack = packs.pinned(row.pk, row.hash).pack
        first = next((fact for fact in pack.facts.values() if fact.type.kind == "choice"), None)
        for choice in first.type.choices if first else ():
            found[choice] = _texts(row, f"choices.{first.name}.{choice}" if first else "")
    return list(found.items())


def _texts(row: PackVersion, key: str) -> dict[str, str]:
    pack = packs.pinned(row.pk, row.hash).pack
    return {"zh": pack.text(key), "en": pack.text(key, "en")}


def _said(value: dict[str, str]) -> str:
    return value["en" if (get_language() or "").startswith("en") else "zh"]


def trail(request: HttpRequest, view: CaseView) -> list[tuple[str, str]]:
    """Return the way to a case: from the work list, or from one's own cases."""
    if request.user.role == "resident":
        return [(_("我的办件"), "/my/cases"), (_said(view.title), "")]
    return [(_("我的任务"), "/cases/"), (_said(view.title), "")]


def _lines(head: list[str], rows: Iterable[TaskRow]) -> Iterator[list[str]]:
    yield head
    for row in rows:
        due = row.due_at.isoformat() if row.due_at else ""
        yield [
            row.case_id, _said(row.title), _said(row.state), due, row.light.colour, row.area, row.cell_code,
            row.department,
        ]  # fmt: skip
