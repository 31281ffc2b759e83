"""The work list: what is due first stands first; filters, search, one command for many."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from chengshu.contexts.cases import bulk_review, lists, packs, queries
from chengshu.contexts.cases.command_forms import CommandForm
from chengshu.contexts.cases.domain import TaskPage
from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.queries import LIGHTS, VIEWS, Filters
from chengshu.contexts.cases.wording import both
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import STAFF_ROLES, role_required


@role_required(*STAFF_ROLES)
@require_GET
def tasks(request: HttpRequest) -> HttpResponse:
    """Show my work, what is due first standing first."""
    now, filters = timezone.now(), _filters(request)
    # Without the packs' files: they are many times as long as everything else on the page.
    versions = list(PackVersion.objects.filter(current=True).defer("files").order_by("pack"))
    page = queries.tasks_for(
        request.user,
        now=now,
        filters=filters,
        page=_page_number(request),
        after=request.GET.get("after", "")[:80],
    )
    context = {
        "page": page,
        "total": _at_least(page.total, page.more),
        "departments": identity.departments() if filters.view == "all" else [],
        "size": queries.PAGE,
        "states": _states(versions, filters.pack),
        "filters": filters,
        "lights": _lights(page),
        "packs": [(row.pack, _texts(row, "title")) for row in versions],
        "kinds": _kinds(versions, filters.pack, request.user.role == "grid_worker"),
        "views": _views(request),
        "notices": queries.unread_notices(request.user, now=now),
        "filtered": any(
            (filters.light, filters.pack, filters.kind, filters.text, filters.state, filters.department)
        ),
    }
    return render(request, "cases/tasks.html", context)


@role_required(*STAFF_ROLES)
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Choose one command for the chosen cases, then carry it out in each and say what came of it."""
    now = timezone.now()
    cases = bulk_review.chosen(request.POST.getlist("case"), request.user, now)
    if not cases:
        return redirect("cases:tasks")
    commands = bulk_review.common_commands(cases)
    wanted = next((each for each in commands if each.name == request.POST.get("command")), None)
    context: dict[str, Any] = {"cases": cases, "commands": commands, "wanted": wanted}
    if wanted is None:
        return render(request, "cases/bulk.html", context)
    sent = request.POST if "key" in request.POST and not request.POST.get("rows") else None
    form = CommandForm(wanted, sent, initial={"version": 0, "key": uuid.uuid4().hex})
    if sent is not None and form.is_valid():
        versions = {each.case_id: _number(request, f"version-{each.case_id}", each.version) for each in cases}
        done = bulk_review.carry_out(
            cases,
            versions,
            wanted.name,
            form.data_for_engine(),
            actor=request.user,
            key=form.cleaned_data["key"],
            now=now,
        )
        refused = [each for each in done if each.refused]
        context |= {"done": done, "refused": refused, "succeeded": len(done) - len(refused)}
        return render(request, "cases/bulk_done.html", context)
    return render(request, "cases/bulk.html", context | {"form": form}, status=422 if form.errors else 200)


def _number(request: HttpRequest, name: str, default: int) -> int:
    given = request.POST.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 9 else default


def _filters(request: HttpRequest) -> Filters:
    given = request.GET
    view, light = given.get("view", ""), given.get("light", "")
    return Filters(
        view=view if view in VIEWS else "mine",
        light=light if light in LIGHTS else "",
        pack=given.get("pack", "")[:60],
        kind=given.get("kind", "")[:50],
        text=given.get("q", "")[:100],
        state=given.get("state", "")[:50],
        department=given.get("department", "")[:40],
    )


def _page_number(request: HttpRequest) -> int:
    given = request.GET.get("page", "1")
    return int(given) if given.isdigit() and len(given) < 7 else 1


def _lights(page: TaskPage) -> list[dict[str, Any]]:
    texts = {"red": _("已超期"), "amber": _("临期"), "green": _("正常")}
    return [
        {
            "colour": colour,
            "text": texts[colour],
            "count": _at_least(page.counts[colour], colour in page.cut),
        }
        for colour in LIGHTS
    ]


def _at_least(number: int, cut: bool) -> str:
    """Write how many there are; past the ten thousandth nobody counts."""
    if number > lists.MOST or (cut and number == lists.MOST):
        return f"{lists.MOST}+"
    return f"{number}+" if cut else f"{number:,}"


def _views(request: HttpRequest) -> list[tuple[str, str]]:
    if request.user.role == "operator":
        return [("mine", _("我的任务")), ("nobody", _("无人网格")), ("all", _("全区"))]
    if request.user.role == "officer":
        return [("mine", _("我和本部门")), ("claimed", _("我领取的")), ("unclaimed", _("待领取"))]
    return []


def _states(versions: list[PackVersion], pack_id: str) -> list[tuple[str, dict[str, str]]]:
    """Return the open states of the pack that is asked for; without one they would mean too many things."""
    row = next((version for version in versions if version.pack == pack_id), None)
    if row is None:
        return []
    pack = packs.pinned(row.pk, row.hash).pack
    return [(name, both(pack, f"states.{name}")) for name, state in pack.states.items() if not state.final]


def _kinds(
    versions: list[PackVersion], pack_id: str, on_the_ground: bool
) -> list[tuple[str, dict[str, str]]]:
    """Return what tells the cases of the chosen pack apart; those of all packs together would say nothing.

    A grid worker has the cases of few packs, those that a cell works: theirs stand there without choosing.
    """
    found: dict[str, dict[str, str]] = {}
    for row in reversed(versions):
        pack = packs.pinned(row.pk, row.hash).pack
        theirs = on_the_ground and any(role.holder == "cell" for role in pack.roles.values())
        if row.pack != pack_id and not (theirs and not pack_id):
            continue
        first = next((fact for fact in pack.facts.values() if fact.type.kind == "choice"), None)
        for choice in first.type.choices if first else ():
            found[choice] = _texts(row, f"choices.{first.name}.{choice}" if first else "")
    return list(found.items())


def _texts(row: PackVersion, key: str) -> dict[str, str]:
    pack = packs.pinned(row.pk, row.hash).pack
    return {"zh": pack.text(key), "en": pack.text(key, "en")}
