"""The regulations that run here as packs, for everyone: articles and where they take effect, states, terms, versions."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.cases import migration, packs
from chengshu.contexts.cases.command_forms import ReasonForm
from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.pack_pages import coverage_of, pack_page, samples_of
from chengshu.contexts.cases.refusals import in_words
from chengshu.contexts.cases.wording import both
from chengshu.contexts.identity.api import public_page, role_required
from chengshu.kernel.problems import Problem
from chengshu.procedure.diff import PARTS, Difference, differences
from chengshu.procedure.drawing import draw


@public_page
@require_GET
def pack_list(request: HttpRequest) -> HttpResponse:
    """Show the regulations that run here, with how many of their articles take effect."""
    lines = []
    for row in PackVersion.objects.filter(current=True).defer("files").order_by("pack"):
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
        "comparable": len(versions) > 1,
        "migratable": getattr(request.user, "role", "") == "operator",
        "breadcrumbs": [(_("规程与依据"), "/cases/packs"), (found.title(_language()), "")],
    }
    return render(request, "cases/pack.html", context)


@role_required("operator")
@require_http_methods(["GET", "POST"])
def migrate(request: HttpRequest, pack: str) -> HttpResponse:
    """Move live cases to another version: what would happen first, then for real with the reason on record."""
    versions = list(PackVersion.objects.filter(pack=pack).order_by("-loaded_at", "-pk"))
    if not versions:
        raise Http404
    now = timezone.now()
    to = next((row for row in versions if str(row.pk) == request.GET.get("to")), None)
    to = to or next((row for row in versions if row.current), versions[0])
    form, done = ReasonForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            done = migration.migrate(pack, to.pk, request.user, form.cleaned_data["reason"], now)
        except Problem as problem:
            if problem.status >= 500:
                raise
            form.add_error(None, in_words(problem))
    shown = packs.pinned(to.pk, to.hash).pack
    context = {
        "pack": pack,
        "title": both(shown, "title"),
        "versions": versions,
        "to": to,
        "report": done or migration.dry_run(pack, to.pk, now),
        "done": done,
        "form": form,
        "runs": migration.migrations_of(pack),
        "breadcrumbs": [
            (_("规程与依据"), "/cases/packs"),
            (shown.title(_language()), f"/cases/packs/{pack}"),
            (_("转换版本"), ""),
        ],
    }
    return render(request, "cases/migrate.html", context, status=422 if form.errors else 200)


@public_page
@require_GET
def pack_differences(request: HttpRequest, pack: str) -> HttpResponse:
    """Show what two versions of a pack do differently, in words."""
    versions = list(PackVersion.objects.filter(pack=pack).order_by("-loaded_at", "-pk"))
    if not versions:
        raise Http404
    by_id = {str(row.pk): row for row in versions}
    new = by_id.get(request.GET.get("new", ""), versions[0])
    old = by_id.get(request.GET.get("old", ""), versions[1] if len(versions) > 1 else versions[0])
    before, after = (packs.pinned(row.pk, row.hash).pack for row in (old, new))
    context = {
        "title": both(after, "title"),
        "versions": versions,
        "old": old,
        "new": new,
        "parts": by_part(differences(before, after)),
        "breadcrumbs": [
            (_("规程与依据"), "/cases/packs"),
            (after.title(_language()), f"/cases/packs/{pack}"),
            (_("版本比较"), ""),
        ],
    }
    return render(request, "cases/pack_differences.html", context)


def by_part(found: list[Difference]) -> list[tuple[dict[str, str], list[Difference]]]:
    """Return differences by the part of the pack, as the parts are called."""
    parts: dict[str, list[Difference]] = {}
    for each in found:
        parts.setdefault(each.part, []).append(each)
    return [(dict(zip(("zh", "en"), PARTS[part], strict=True)), lines) for part, lines in parts.items()]


def _version(request: HttpRequest, pack: str) -> PackVersion:
    wanted = request.GET.get("version", "")
    found = PackVersion.objects.filter(pack=pack)
    row = found.filter(version=wanted[:30]).first() if wanted else found.filter(current=True).first()
    if row is None:
        raise Http404
    return row


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"
