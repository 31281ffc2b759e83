"""The regulations that run here as packs, for everyone: articles and where they take effect, states, terms, versions."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chengshu.contexts.cases import packs
from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.pack_pages import coverage_of, pack_page, samples_of
from chengshu.contexts.cases.state_diagram import draw
from chengshu.contexts.cases.wording import both
from chengshu.contexts.identity.api import public_page


@public_page
@require_GET
def pack_list(request: HttpRequest) -> HttpResponse:
    """Show the regulations that run here, with how many of their articles take effect."""
    lines = []
    for row in PackVersion.objects.filter(current=True).order_by("pack"):
        pack = packs.pinned(row.pk, row.hash).pack
        lines.append({"pack": pack, "title": both(pack, "title"), "coverage": coverage_of(row)})
    return render(request, "cases/packs.html", {"packs": lines})


@public_page
@require_GET
def pack_detail(request: HttpRequest, pack: str) -> HttpResponse:
    """Show one pack: its drawing, steps, forms, terms, and where each article takes effect or why not."""
    row = _version(request, pack)
    found = packs.pinned(row.pk, row.hash).pack
    versions = list(PackVersion.objects.filter(pack=pack).order_by("-loaded_at", "-pk"))
    context: dict[str, Any] = {
        "pack": pack_page(found, row),
        "drawing": draw(found, _language()),
        "coverage": coverage_of(row),
        "samples": samples_of(row),
        "versions": versions,
        "shown": row,
        "breadcrumbs": [(_("规程与依据"), "/cases/packs"), (found.title(_language()), "")],
    }
    return render(request, "cases/pack.html", context)


def _version(request: HttpRequest, pack: str) -> PackVersion:
    wanted = request.GET.get("version", "")
    found = PackVersion.objects.filter(pack=pack)
    row = found.filter(version=wanted[:30]).first() if wanted else found.filter(current=True).first()
    if row is None:
        raise Http404
    return row


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
