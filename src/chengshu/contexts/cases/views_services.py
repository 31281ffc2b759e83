"""Applying for a service: what there is, the form section by section as a draft, check answers, the receipt."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms.utils import ErrorDict
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.cases import drafts, files, packs, services
from chengshu.contexts.cases.access import access_as_applicant
from chengshu.contexts.cases.asking import subject_of
from chengshu.contexts.cases.command_forms import FieldsForm
from chengshu.contexts.cases.drafts import Draft
from chengshu.contexts.cases.field_views import has_personal
from chengshu.contexts.cases.form_fields import said
from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.presenting import case_view
from chengshu.contexts.cases.refusals import in_words
from chengshu.contexts.cases.services import Opening
from chengshu.contexts.cases.shown_values import shown_value
from chengshu.contexts.cases.what_if import what_if
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import ALL_ROLES, role_required
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack


@role_required(*ALL_ROLES)
@require_GET
def service_list(request: HttpRequest) -> HttpResponse:
    """Show what this account may apply for, and its drafts."""
    now, acting = timezone.now(), identity.acting(request)
    context = {
        "services": services.services_to_begin(acting, now),
        "drafts": _lines(request),
        "by_post": not acting.for_other and request.user.role != "resident",
        "clerk": not acting.for_other and request.user.role == "clerk",
    }
    return render(request, "cases/services.html", context)


@role_required(*ALL_ROLES)
@require_GET
def start_page(request: HttpRequest, pack: str) -> HttpResponse:
    """Show what a service is, what one needs for it, and by when it is decided."""
    now = timezone.now()
    found = _offered(request, pack)
    opening = Opening(found, request.user, {}, {}, now)
    context = {
        "service": services.service(found),
        "sections": opening.sections(),
        "foresight": what_if(found, now),
        "drafts": [line for line in _lines(request) if line["draft"].pack == pack],
        "breadcrumbs": [(_("办事"), "/services/"), (found.title(_language()), "")],
    }
    return render(request, "cases/service.html", context)


@role_required(*ALL_ROLES)
@require_POST
def start(request: HttpRequest, pack: str) -> HttpResponse:
    """Begin a draft."""
    _offered(request, pack)
    return redirect("services:draft", drafts.start(request.user, pack, timezone.now(), _whose(request)))


@role_required(*ALL_ROLES)
@require_GET
def draft_list(request: HttpRequest) -> HttpResponse:
    """Show the account's drafts; what was deleted lately can be brought back."""
    return render(
        request, "cases/drafts.html", {"drafts": _lines(request), "deleted": _lines(request, deleted=True)}
    )


@role_required(*ALL_ROLES)
@require_GET
def draft(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Show the sections of a draft as a list of tasks."""
    kept, opening = _opening(request, draft_id)
    sections = opening.sections()
    if len(sections) == 1 and not kept.values and not opening.files:
        return redirect("services:section", draft_id, sections[0].id)
    done = sum(section.status == services.DONE for section in sections)
    asked = [section for section in sections if section.status != services.LATER]
    context = {
        **_common(kept, opening, ""),
        "sections": sections,
        "done": done,
        "asked": len(asked),
        "ready": done == len(asked),
    }
    return render(request, "cases/draft.html", context)


@role_required(*ALL_ROLES)
@require_http_methods(["GET", "POST"])
def section(request: HttpRequest, draft_id: int, part: str) -> HttpResponse:
    """Ask one section. Every way out of the page saves what was typed, sound or not."""
    kept, opening = _opening(request, draft_id)
    fields = opening.fields(part)
    if not fields:
        raise Http404
    have = {name for name, sent in opening.files.items() if sent}
    if request.method == "GET":
        views = opening.views(fields, prefill=True)
        _note_prefill(request, opening, views)
        form = FieldsForm(
            views, initial={view.name: view.value for view in views}, seen=opening.seen, have=have
        )
        return _section_page(request, kept, opening, part, form)
    views = opening.views(fields)
    form = FieldsForm(views, request.POST, request.FILES, seen=opening.seen, have=have)
    form.is_valid()
    answers = _saved(request, kept, form)
    if request.htmx and not request.POST.get("rows"):
        return _autosaved(request, opening, answers)
    _with_files(request, kept, opening, form)
    if request.POST.get("rows") or request.POST.get("drop_file"):
        if request.POST.get("rows"):
            # A button that adds or drops a row: nothing is judged yet.
            form._errors = ErrorDict()
            return _section_page(request, kept, opening, part, form)
        return redirect("services:section", draft_id, part)
    if request.POST.get("later"):
        messages.success(request, _("已保存，随时可以接着填。"))
        return redirect("services:draft", draft_id)
    if form.errors:
        return _section_page(request, kept, opening, part, form, status=422)
    _kept, opening = _opening(request, draft_id)
    onward = None if request.GET.get("back") == "check" else opening.after(part)
    if onward:
        return redirect("services:section", draft_id, onward)
    return redirect("services:check" if opening.complete() else "services:draft", draft_id)


def _saved(request: HttpRequest, kept: Draft, form: FieldsForm) -> dict[str, Any]:
    """Keep what was typed in this section beside what the others hold; an emptied field is forgotten."""
    typed = form.answers()
    answers = {name: value for name, value in kept.values.items() if name not in form.views} | typed
    drafts.save(kept.id, request.user, answers, timezone.now())
    return answers


def _autosaved(request: HttpRequest, opening: Opening, answers: dict[str, Any]) -> HttpResponse:
    """Answer a save that happened by itself: when it was, and which fields are asked now."""
    opening.answers = answers
    response = render(request, "cases/_saved.html", {"at": timezone.now()})
    response["X-Asked"] = " ".join(sorted(opening.seen(answers)))
    return response


def _with_files(request: HttpRequest, kept: Draft, opening: Opening, form: FieldsForm) -> None:
    """Add and drop files of the draft; what is wrong with a file stands at its field."""
    if dropped := request.POST.get("drop_file", ""):
        drafts.drop_file(kept.id, request.user, dropped[:64])
        return
    for item in form.files_for_engine():
        view = form.views[item.field]
        try:
            if len(opening.files.get(item.field, ())) >= view.most:
                form.add_error(item.field, _("最多 %(most)s 个文件") % {"most": view.most})
                return
            for stored in files.store_files([item], view.accept):
                drafts.add_file(kept.id, request.user, item.field, stored, timezone.now())
        except Problem as problem:
            form.take_problem(problem, in_words(problem))


@role_required(*ALL_ROLES)
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Show every answer with a way to change it; submit."""
    kept, opening = _opening(request, draft_id)
    form = opening.judged(opening.asked(opening.all_fields()))
    if request.method == "POST" and not form.errors:
        try:
            ready = drafts.ready_draft(
                kept.id,
                request.user,
                now=timezone.now(),
                idempotency_key=str(kept.id),
                values=form.data_for_engine(),
                subject_id=subject_of(identity.acting(request)),
                on_behalf=identity.acting(request).on_behalf(),
            )
            return redirect("services:received", drafts.open_ready(ready))
        except Problem as problem:
            if problem.status >= 500:
                raise
            form.take_problem(problem, in_words(problem))
    context = {
        **_common(kept, opening, _("核对填写的内容")),
        "form": form,
        "parts": _parts(opening, form),
        "foresight": what_if(opening.pack, timezone.now(), facts=opening.facts(form)),
        "grounds": services.service(opening.pack).grounds,
    }
    return render(request, "cases/check.html", context, status=422 if request.method == "POST" else 200)


def _parts(opening: Opening, form: FieldsForm) -> list[dict[str, Any]]:
    """Return the answers by section, with what is wrong with each."""
    parts = []
    for each in opening.sections():
        asked = {item.name for item in opening.asked(opening.fields(each.id))}
        lines = [
            {
                "view": view,
                "value": shown_value(view, opening.answers.get(view.name)),
                "files": opening.files.get(view.name, []),
                "wrong": " ".join(form.errors.get(view.name, [])),
            }
            for view in each.fields
            if view.name in asked
        ]
        if lines:
            parts.append({"section": each, "lines": lines})
    return parts


@role_required(*ALL_ROLES)
@require_GET
def received(request: HttpRequest, case_id: str) -> HttpResponse:
    """Confirm the receipt: its number, what is due from whom by when."""
    access_as_applicant(case_id, request.user, timezone.now())
    view = case_view(case_id, request.user, now=timezone.now())
    return render(request, "cases/received.html", {"case": view})


@role_required(*ALL_ROLES)
@require_POST
def delete(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Put a draft away; it can be brought back from the list."""
    drafts.delete(draft_id, request.user, timezone.now())
    messages.success(request, _("草稿已删除，可以在下面恢复。"))
    return redirect("services:drafts")


@role_required(*ALL_ROLES)
@require_POST
def restore(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Bring a deleted draft back."""
    drafts.restore(draft_id, request.user)
    messages.success(request, _("草稿已恢复。"))
    return redirect("services:drafts")


def _offered(request: HttpRequest, pack: str) -> Pack:
    row = PackVersion.objects.filter(pack=pack, current=True).first()
    found = packs.pinned(row.pk, row.hash).pack if row else None
    if found is None or not services.offered(found, request.user, timezone.now()):
        raise Http404
    _check_scope(request, pack)
    return found


def _check_scope(request: HttpRequest, pack: str) -> None:
    if not identity.acting(request).may(pack):
        raise Problem(
            "acting-scope", _("授权不包括这个事项"), detail=pack, status=403,
            remedy=_("请回到本人，或请授权人增加这个事项"),
        )  # fmt: skip


def _whose(request: HttpRequest) -> str:
    """Return whose matter it is where the account acts for another; empty in its own."""
    acting = identity.acting(request)
    return acting.subject_id if acting.for_other else ""


def _opening(request: HttpRequest, draft_id: int) -> tuple[Draft, Opening]:
    kept = drafts.load(draft_id, request.user)
    # What was typed for one is not shown when serving the next.
    if kept.deleted_at is not None or kept.subject_id != _whose(request):
        raise Http404
    # The mandate it was begun under may have ended since, and another one for the same person covers other matters.
    _check_scope(request, kept.pack)
    # It is submitted under the version in force then, so that is what is asked.
    pack = packs.current(kept.pack).pack
    sent: dict[str, list[Any]] = {}
    for item in kept.files:
        sent.setdefault(item.field, []).append(item)
    return kept, Opening(pack, request.user, kept.values, sent, timezone.now(), kept.subject_id)


def _note_prefill(request: HttpRequest, opening: Opening, views: list[Any]) -> None:
    """A look at one's own data is a look as well: it goes on record; at another's, the source has put it there."""
    elements = [view.element for view in views if view.source and has_personal(view)]
    if elements and not _whose(request) and request.user.role == "resident" and request.user.subject_id:
        identity.record_read(request.user, request.user.subject_id, "own-data", elements, opening.now)


def _section_page(
    request: HttpRequest, kept: Draft, opening: Opening, part: str, form: FieldsForm, status: int = 200
) -> HttpResponse:
    titles = {each.id: each.title for each in opening.sections()}
    names = [name for name, _ in opening.parts()]
    context = {
        **_common(kept, opening, said(titles[part])),
        "form": form,
        "title": titles[part],
        "files": opening.files,
        "number": names.index(part) + 1,
        "total": len(names),
    }
    return render(request, "cases/section.html", context, status=status)


def _common(kept: Draft, opening: Opening, title: str) -> dict[str, Any]:
    name = opening.pack.title(_language())
    trail = [(_("办事"), "/services/"), (name, f"/services/drafts/{kept.id}" if title else "")]
    return {
        "draft": kept,
        "pack": opening.pack,
        "service": services.service(opening.pack),
        "breadcrumbs": [*trail, (title, "")] if title else trail,
    }


def _lines(request: HttpRequest, deleted: bool = False) -> list[dict[str, Any]]:
    found = []
    for line in drafts.drafts_of(request.user, deleted=deleted, subject_id=_whose(request)):
        pack = packs.pinned(line.pack_version_id).pack
        found.append({"draft": line, "title": {"zh": pack.title(), "en": pack.title("en")}})
    return found


def _language() -> str:
    return said({"zh": "zh", "en": "en"})
