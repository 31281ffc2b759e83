"""The hall's front page, the search and its suggestions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.items import queries
from chengshu.contexts.hall.items.views import start_url
from chengshu.contexts.hall.offers import store as offers
from chengshu.contexts.hall.search import front, service, sources
from chengshu.contexts.hall.search.engine import Hit
from chengshu.contexts.identity.api import acting, may_act, public_page

A_PAGE = 10
SUGGESTIONS = 8
# How far down a one-thing is still what was meant.
NEAR = 6
# What `as` says when nothing is to be put right.
AS_TYPED = "typed"
SCOPES = ("", "item", "pack", "policy")


def _to_begin(request: HttpRequest, now: Any) -> list[cases.Service]:
    """Return what may be begun: a clerk and whoever acts for another see here what the list of services shows them."""
    if may_act(request.user):
        whose = acting(request)
        if whose.for_other or request.user.role == "clerk":
            return cases.services_to_begin(whose, now)
    return sources.offered(now)


@public_page
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the hall: search first, then life events, one-things, what many ask for, and one's own matters."""
    now = timezone.now()
    mine: list[Any] = []
    resident = may_act(request.user) and request.user.role == "resident"
    if resident:
        mine = [case for case in cases.my_cases(request.user, now, 20) if case.closed_at is None][:5]
    services = _to_begin(request, now)
    context = {
        "events": front.life_events(),
        "groups": [
            (title, [_tile(each.id, each.title, each.about) for each in group])
            for title, group in front.grouped(services)
        ],
        "offered": [each for each in offers.offers_of(request.user.subject_id or "") if each.open]
        if resident
        else [],
        "drafts": _drafts(request, {each.id: each.title for each in services})
        if may_act(request.user)
        else [],
        "popular": front.popular_items(),
        "mine": mine,
        "total": queries.items({}).count(),
    }
    return render(request, "hall/search/home.html", context)


def _together(hits: Sequence[Hit], now: dt.datetime) -> list[dict[str, Any]]:
    """Return the one-things among the first hits that do not stand first already: one may want all their services at once."""
    first, others = _packs(hits[:1]), _packs(hits)
    return [
        _tile(each.id, each.title, each.about)
        for each in (sources.offered(now) if others - first else ())
        if each.one_thing and each.id in others - first
    ]


def _packs(hits: Sequence[Hit]) -> set[str]:
    return {hit.doc.id for hit in hits if hit.doc.kind == "pack"} | queries.packs_of(
        [hit.doc.id for hit in hits if hit.doc.kind == "item"]
    )


def _drafts(request: HttpRequest, titles: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """Return what was begun and not sent, of the person whose matters are worked now."""
    whose = acting(request)
    found = cases.drafts.drafts_of(request.user, subject_id=whose.subject_id if whose.for_other else "")
    return [
        {"title": titles[each.pack], "url": start_url(each.pack), "saved_at": each.saved_at}
        for each in found[:5]
        if each.pack in titles
    ]


def _tile(pack: str, title: dict[str, str], about: dict[str, str]) -> dict[str, Any]:
    return {"id": pack, "title": title, "about": about, "url": start_url(pack)}


@public_page
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Search everything one may see; one's own cases and certificates come first."""
    query = request.GET.get("q", "").strip()[:200]
    scope = request.GET.get("kind", "")
    if not query:
        return redirect("search:home")
    now = timezone.now()
    kinds = (scope,) if scope in SCOPES and scope else service.PUBLIC
    literal = request.GET.get("as") == AS_TYPED
    answer = service.find(query, now, kinds=kinds, top=A_PAGE * 2, literal=literal)
    own = (
        service.find_own(query, request.user, now, literal=literal)
        if may_act(request.user) and not scope
        else []
    )
    context = {
        "query": query,
        "literal": literal,
        "scope": scope,
        "scopes": [("", _("全部")), ("item", _("事项")), ("pack", _("在线办理")), ("policy", _("政策依据"))],
        "answer": answer,
        "hits": [_line(hit, now) for hit in answer.hits],
        "own": [_line(hit, now) for hit in own],
        "together": _together(answer.hits[:NEAR], now) if scope != "policy" else [],
        "breadcrumbs": [(_("办事大厅"), reverse("search:home")), (_("搜索"), "")],
    }
    return render(request, "hall/search/results.html", context)


@public_page
@require_GET
def suggest(request: HttpRequest) -> HttpResponse:
    """Return how what was typed may go on, as a list of links."""
    typed = request.GET.get("q", "").strip()
    found = service.suggest(typed, timezone.now(), top=SUGGESTIONS) if typed else []
    return render(request, "hall/search/_suggestions.html", {"suggestions": found})


KINDS = {
    "item": gettext_noop("事项"),
    "pack": gettext_noop("在线办理"),
    "policy": gettext_noop("政策依据"),
    "case": gettext_noop("我的办件"),
    "certificate": gettext_noop("我的证照"),
}


def _line(hit: Hit, now: dt.datetime) -> dict[str, Any]:
    doc = hit.doc
    return {
        "title": doc.meta.get("title") or doc.title,
        "about": doc.meta.get("about") or doc.meta.get("department") or doc.meta.get("issuer") or "",
        "kind": _(KINDS[doc.kind]),
        "url": _url(doc.kind, doc.id, doc.meta),
    }


def _url(kind: str, number: str, meta: Any) -> str:
    if kind == "item":
        return reverse("items:item", args=[number])
    if kind == "pack":
        return start_url(number)
    if kind == "policy":
        return reverse("cases:pack", args=[meta["pack"]])
    if kind == "certificate":
        return reverse("certificates:certificate", args=[number])
    return reverse("cases:case", args=[number])
