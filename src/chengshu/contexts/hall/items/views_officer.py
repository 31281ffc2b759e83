"""Pages of a department's own guides: the list, the form with preview, publish, withdraw, the history."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.hall.items import guides, queries
from chengshu.contexts.hall.items.forms import GuideForm, initial_of, new_code
from chengshu.contexts.hall.items.models import Item
from chengshu.contexts.hall.items.views import item_context
from chengshu.contexts.identity.api import role_required
from chengshu.kernel.problems import Problem


@role_required("officer")
@require_GET
def own_guides(request: HttpRequest) -> HttpResponse:
    """List the guides of the officer's department, those withdrawn and those with unpublished changes marked."""
    found = (
        Item.objects.filter(department=request.user.department_id or "-")
        .select_related("draft")
        .order_by("name")
    )
    context = {"items": found[:500], "breadcrumbs": [(_("办事指南"), "")]}
    return render(request, "hall/items/own.html", context)


@role_required("officer")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Write a new guide; it is not public before it is published."""
    form = GuideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        area = str(settings.DISTRICT.get("code") or "000000")
        number = Item.objects.filter(department=request.user.department_id).count() + 1
        code = new_code(area, str(request.user.department_id), number)
        while Item.objects.filter(pk=code).exists():
            number += 1
            code = new_code(area, str(request.user.department_id), number)
        item = guides.make(form.cleaned_data, request.user, timezone.now(), code=code, area=area)
        messages.success(request, _("已建立，发布之后大家才看得到。"))
        return redirect("items:edit", item.code)
    context = {"form": form, "breadcrumbs": _crumbs(_("新的指南"))}
    return render(request, "hall/items/edit.html", context, status=422 if form.is_bound else 200)


@role_required("officer")
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, code: str) -> HttpResponse:
    """Change a guide: what is saved is a draft, shown as a preview, until it is published."""
    item = guides.item_of_officer(code, request.user)
    draft, (body, newer) = guides.draft_of(item), guides.to_edit(item)
    form = GuideForm(request.POST or None, initial=initial_of(body))
    seen = draft.saved_at.isoformat() if draft else ""
    if request.method == "POST" and form.is_valid():
        if request.POST.get("draft", seen) != seen:
            form.add_error(None, _("同事刚刚保存了另一份修改。您填的还在这一页；再保存一次会换掉同事的。"))
        else:
            based_on = _expected(request) if "version" in request.POST else None
            guides.save_draft(item, form.cleaned_data, request.user, timezone.now(), based_on=based_on)
            return redirect("items:preview", code)
    context = {
        "form": form,
        "item": item,
        "draft": draft,
        # What is typed was typed over the version that stood in the form.
        "version": request.POST.get("version", item.version),
        "seen": seen,
        "newer": [_newer(each) for each in newer] if request.method == "GET" else [],
        "breadcrumbs": _crumbs(item.name),
    }
    return render(request, "hall/items/edit.html", context, status=422 if form.is_bound else 200)


def _newer(each: guides.Newer) -> dict[str, Any]:
    """Return a newer element in words."""
    text = "、".join(str(part) for part in each.now) if isinstance(each.now, list) else each.now
    if each.element == "legal_basis":
        text = "、".join(f"《{ground['title']}》{ground.get('article', '')}" for ground in each.now)
    return {"label": _labels().get(each.element, each.element), "now": text, "both": each.both}


@role_required("officer")
@require_GET
def preview(request: HttpRequest, code: str) -> HttpResponse:
    """Show the draft as the public would see it, with the buttons that publish or discard it."""
    item = guides.item_of_officer(code, request.user)
    draft = guides.draft_of(item)
    context = item_context(item, request, draft.body if draft else None)
    outdated = draft is not None and draft.based_on != item.version
    context |= {"draft": draft, "outdated": outdated, "preview": True, "editable": False}
    context["breadcrumbs"] = _crumbs(item.name)
    return render(request, "hall/items/item.html", context)


@role_required("officer")
@require_POST
def publish(request: HttpRequest, code: str) -> HttpResponse:
    """Publish the draft, or bring a withdrawn guide back, as the next version."""
    now, expected = timezone.now(), _expected(request)
    item = guides.item_of_officer(code, request.user)
    if guides.draft_of(item) is None and item.state == Item.State.WITHDRAWN:
        guides.bring_back(code, request.user, now, expected=expected)
    else:
        guides.publish(code, request.user, now, expected=expected, reason=request.POST.get("reason", ""))
    messages.success(request, _("已发布。旧版本留在历史里。"))
    return redirect("items:history", code)


@role_required("officer")
@require_POST
def discard(request: HttpRequest, code: str) -> HttpResponse:
    """Forget the unpublished change."""
    guides.discard_draft(guides.item_of_officer(code, request.user))
    messages.success(request, _("修改已放弃。"))
    return redirect("items:history", code)


@role_required("officer")
@require_POST
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    """Take the guide back from the public, with a reason."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise Problem("reason-missing", "请写明为什么撤下", status=422)
    guides.withdraw(code, request.user, timezone.now(), expected=_expected(request), reason=reason)
    messages.success(request, _("已撤下，大家不再看到这份指南。"))
    return redirect("items:history", code)


@role_required("officer")
@require_GET
def history(request: HttpRequest, code: str) -> HttpResponse:
    """Show the versions of a guide: what changed, by whom, when, and the ledger's entry."""
    item = guides.item_of_officer(code, request.user)
    context = {
        "item": item,
        "draft": guides.draft_of(item),
        "versions": queries.versions_of(item),
        "labels": _labels(),
        "breadcrumbs": _crumbs(item.name),
    }
    return render(request, "hall/items/history.html", context)


def _expected(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    # Digits that no version has.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _labels() -> dict[str, Any]:
    fields = {name: field.label for name, field in GuideForm.base_fields.items()}
    return {**fields, "state": _("状态"), "department_name": _("部门"), "pack": _("规程")}


def _crumbs(last: str) -> list[tuple[str, str]]:
    return [(_("办事指南"), reverse("items:own")), (last, "")]
