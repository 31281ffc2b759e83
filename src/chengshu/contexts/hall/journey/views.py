"""The pages of applying: start, data used, one question a page, the list of tasks, answers checked, confirmation.

Every page works without a script; each "continue" saves. The window clerk who serves a person sees the same pages.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.forms.utils import ErrorDict
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.api import filling
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall.journey.checking import answer_parts, hidden
from chengshu.contexts.hall.journey.state import PASSED, Journey, pack_titles
from chengshu.contexts.hall.seconds.origins import keep_first_origins
from chengshu.contexts.identity.api import ALL_ROLES, role_required
from chengshu.kernel.one_look import one_look
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.model import Field


@role_required(*ALL_ROLES)
@require_GET
def start(request: HttpRequest, pack: str) -> HttpResponse:
    """Say what the service is, what it comprises, how long it takes and on what ground."""
    journey = Journey(request, pack)
    parts = filling.parts_ahead(journey.pack, journey.now)
    context = {
        **_common(journey),
        "about": {"zh": journey.pack.text("about"), "en": journey.pack.text("about", "en")},
        "parts": parts,
        "foresight": cases.what_if(journey.pack, journey.now, parts),
        "fields": len([item for item in journey.pack.facts.values() if item.type.kind != "map"]),
        "papers": [
            filling.field_view(journey.pack, item, {})
            for item in journey.pack.facts.values()
            if item.type.kind == "files"
        ],
    }
    return render(request, "journey/start.html", context)


@role_required(*ALL_ROLES)
@require_POST
def begin(request: HttpRequest, pack: str) -> HttpResponse:
    """Begin, or go on where one was; beginning anew puts the draft away."""
    journey = Journey(request, pack)
    if journey.draft is not None and request.POST.get("anew"):
        cases.drafts.delete(journey.draft.id, journey.account, journey.now)
        journey.draft = None
    if journey.draft is None:
        cases.drafts.start(journey.account, pack, journey.now, journey.subject)
        journey = Journey(request, pack)
    journey.look()
    return redirect(journey.next_url())


class DataForm(forms.Form):
    """Yes or no to the use of what others hold."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("yes", _("同意，由系统调取，不用我填")), ("no", _("不同意，我自己填写"))]
        self.fields["allow"] = forms.ChoiceField(
            label=_("是否同意使用上面标明“需要同意”的数据？"), choices=choices, widget=forms.RadioSelect,
            error_messages={"required": _("请选择同意或者不同意")},
        )  # fmt: skip


@role_required(*ALL_ROLES)
@require_http_methods(["GET", "POST"])
def data(request: HttpRequest, pack: str) -> HttpResponse:
    """List the data that is used, from whom, for what and on what ground; ask for consent where it is needed."""
    journey = _begun(request, pack)
    asks = any(use.needs_consent for _, use in journey.uses)
    form = DataForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and (not asks or form.is_valid()):
        journey.decide(not asks or form.cleaned_data["allow"] == "yes")
        return redirect(journey.next_url())
    context = {
        **_common(journey),
        "uses": _grouped(journey),
        "asks": asks,
        "form": form,
        "back": reverse("apply:start", args=[pack]),
    }
    return render(request, "journey/data.html", context, status=422 if request.method == "POST" else 200)


def _grouped(journey: Journey) -> list[dict[str, Any]]:
    """Return the uses of data, those together that come from one place for one purpose on one ground."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for pack, use in journey.uses:
        grounds = tuple(each["zh"] for each in use.grounds)
        key = (pack.id, use.basis, use.source_title["zh"], use.purpose["zh"], grounds)
        group = found.setdefault(key, {"pack": pack_titles(pack), "use": use, "labels": []})
        group["labels"].append(use.label)
    return sorted(found.values(), key=lambda each: not each["use"].needs_consent)


@role_required(*ALL_ROLES)
@require_GET
def tasks(request: HttpRequest, pack: str) -> HttpResponse:
    """List the parts of the form with how far each is, so that one may go on anywhere."""
    journey = _begun(request, pack)
    asked = {item.name: item for item in journey.asked}
    lines = []
    for section in journey.form.sections():
        own = [asked[view.name] for view in section.fields if view.name in asked]
        open_ones = [item for item in own if journey.held(item.name) is None and not journey.answered(item)]
        lines.append(
            {
                "title": section.title,
                "total": len(own),
                "known": sum(1 for item in own if journey.held(item.name) is not None),
                "open": len(open_ones),
                "first": open_ones[0].name if open_ones else own[0].name if own else "",
            }
        )
    context = {
        **_common(journey),
        "lines": lines,
        "ready": journey.pending() is None,
        "next": journey.next_url(),
    }
    return render(request, "journey/tasks.html", context)


@role_required(*ALL_ROLES)
@require_http_methods(["GET", "POST"])
def question(request: HttpRequest, pack: str, field: str) -> HttpResponse:
    """Ask one question; "continue" saves the answer and leads to the next one that the hall cannot answer itself."""
    journey = _begun(request, pack)
    item = next((each for each in journey.asked if each.name == field), None)
    if item is None:
        # An earlier answer has made the question superfluous.
        return redirect(journey.next_url())
    if request.method == "GET":
        return _question_page(request, journey, item, _form(journey, item))
    form = _form(journey, item, request)
    form.is_valid()
    if request.POST.get("drop_file"):
        if journey.draft is not None:
            cases.drafts.drop_file(journey.draft.id, journey.account, request.POST["drop_file"][:64])
        return redirect(request.get_full_path())
    if request.POST.get("rows"):
        form._errors = ErrorDict()
        return _question_page(request, journey, item, form)
    if not form.errors:
        _answer(journey, item, form)
    if form.errors:
        return _question_page(request, journey, item, form, status=422)
    journey = _begun(request, pack)
    journey.look_again(item.name)
    checked = request.GET.get("back") == "check"
    return redirect(
        reverse("apply:check", args=[pack]) if checked and journey.pending() is None else journey.next_url()
    )


def _form(journey: Journey, item: Field, request: HttpRequest | None = None) -> Any:
    views = journey.form.views([item])
    have = {item.name} if journey.files.get(item.name) else set()
    if request is not None:
        return filling.FieldsForm(views, request.POST, request.FILES, have=have)
    shown = None if hidden(journey, item) else journey.known.get(item.name)
    return filling.FieldsForm(views, initial={item.name: shown}, have=have)


def _answer(journey: Journey, item: Field, form: Any) -> None:
    """Take an answer: files are stored, a value is judged as the engine will judge it, nothing said passes the question."""
    if item.type.kind == "files":
        _take_files(journey, item, form)
        return
    value = form.data_for_engine().get(item.name)
    if value is None:
        journey.keep(**{item.name: None, PASSED: sorted(journey.passed | {item.name})})
        return
    problem = filling.judge(journey.pack, item, value, journey.scope(), journey.known)
    if problem is not None:
        form.take_problem(problem, filling.in_words(problem))
        return
    journey.keep(**{item.name: value, PASSED: sorted(journey.passed - {item.name})})


def _take_files(journey: Journey, item: Field, form: Any) -> None:
    sent = form.files_for_engine()
    if journey.draft is None or (not sent and not journey.files.get(item.name)):
        journey.keep(**{PASSED: sorted(journey.passed | {item.name})})
        return
    for each in sent:
        try:
            for stored in filling.store_files([each], item.accept):
                cases.drafts.add_file(journey.draft.id, journey.account, item.name, stored, journey.now)
        except Problem as problem:
            form.take_problem(problem, filling.in_words(problem))
            return


def _decides(journey: Journey, item: Field) -> bool:
    """Say whether other questions are asked or not by the answer to this one."""
    name = f"facts.{item.name}"
    return any(each.when is not None and name in each.when.reads for each in journey.pack.facts.values())


def _question_page(
    request: HttpRequest, journey: Journey, item: Field, form: Any, status: int = 200
) -> HttpResponse:
    names = [each.name for each in journey.questions]
    checked = request.GET.get("back") == "check"
    back = reverse("apply:check", args=[journey.pack.id]) if checked else journey.back_url(item.name)
    context = {
        **_common(journey),
        "form": form,
        "field": form[item.name],
        "view": form.views[item.name],
        "files": journey.files,
        "why": _("已有的内容不向代办人显示；要改，请填写新的内容")
        if hidden(journey, item)
        else journey.why_asked(item),
        "number": names.index(item.name) + 1 if item.name in names else 0,
        # How many there are is not known before the answer that decides on others.
        "total": 0 if _decides(journey, item) and not journey.answered(item) else len(names),
        "back": back,
        "single": not form.fields[item.name].widget.use_fieldset and item.type.kind not in ("rows",),
    }
    return render(request, "journey/question.html", context, status=status)


@role_required(*ALL_ROLES)
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest, pack: str) -> HttpResponse:
    """Show every answer with where it comes from, a way to change or dispute it; declare; submit."""
    with one_look():
        return _checked(request, pack)


def _checked(request: HttpRequest, pack: str) -> HttpResponse:
    sent = request.POST.get("draft", "")
    if sent.isascii() and sent.isdigit() and (case_id := cases.drafts.became(int(sent), request.user, sent)):
        # Pressed twice, and the first press was through: its receipt.
        return redirect("apply:done", case_id)
    journey = _begun(request, pack)
    if request.GET.get("fresh"):
        # Back from a dispute: what is disputed is asked.
        journey.look()
        return redirect(journey.next_url())
    if request.method == "POST":
        journey.look()
    if journey.pending() is not None and request.method == "GET" and not request.GET.get("stay"):
        return redirect(journey.next_url())
    form = journey.form.judged(journey.asked)
    declare = DeclareForm(journey, request.POST if request.method == "POST" else None)
    if request.method == "POST" and declare.is_valid() and not form.errors:
        try:
            return redirect("apply:done", _submitted(journey, form))
        except Problem as problem:
            if problem.status >= 500:
                raise
            form.take_problem(problem, filling.in_words(problem))
    step = filling.confirmation(journey.pack)
    parts = [each for each in filling.parts_ahead(journey.pack, journey.now, journey.scope()) if each.wanted]
    context = {
        **_common(journey),
        "form": form,
        "declare": declare,
        "draft_id": journey.draft.id if journey.draft is not None else "",
        "sections": answer_parts(journey, form),
        "spared": sum(1 for item in journey.asked if journey.held(item.name) is not None),
        "all": len(journey.asked),
        "parts": parts,
        "foresight": cases.what_if(journey.pack, journey.now, parts, _facts(journey, form)),
        "at_once": step is not None or any(part.then for part in _parts(journey)),
        "back": _last_page(journey),
    }
    return render(request, "journey/check.html", context, status=422 if request.method == "POST" else 200)


def _facts(journey: Journey, form: Any) -> dict[str, Any] | None:
    """Return what the case would be opened with, by these answers; ``None`` while something is wrong."""
    facts: dict[str, Any] | None = journey.form.facts(form)
    return None if facts is None else facts | {item.name: True for item in journey.declared}


def _parts(journey: Journey) -> list[Any]:
    return list(journey.pack.parts.parts.values()) if journey.pack.parts is not None else []


def _last_page(journey: Journey) -> str:
    last = journey.questions[-1].name if journey.questions else ""
    if last:
        return reverse("apply:question", args=[journey.pack.id, last])
    return reverse("apply:data" if journey.uses_data else "apply:start", args=[journey.pack.id])


class DeclareForm(forms.Form):
    """What is declared: each must be ticked."""

    def __init__(self, journey: Journey, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        step = filling.confirmation(journey.pack)
        named = [("", item) for item in journey.declared]
        named += [
            ("confirm-", item)
            for item in (step.form.fields.values() if step is not None and step.form else ())
        ]
        for prefix, item in named:
            self.fields[f"{prefix}{item.name}"] = _tick(filling.said(_label(journey, item.name)))
        if not named:
            self.fields["declared"] = _tick(_("以上内容属实，我对其真实性负责"))

    def facts(self, journey: Journey) -> dict[str, bool]:
        """Return the facts that were declared."""
        return {item.name: True for item in journey.declared}


def _tick(label: str) -> forms.BooleanField:
    return forms.BooleanField(
        label=label, error_messages={"required": _("请确认：%(text)s") % {"text": label}}
    )


def _label(journey: Journey, name: str) -> dict[str, str]:
    return {language: journey.pack.text(f"fields.{name}.label", language) for language in ("zh", "en")}


def _submitted(journey: Journey, form: Any) -> str:
    """Open the case and confirm it, keep where the answers came from; all or nothing."""
    values = {**form.data_for_engine(), **{item.name: True for item in journey.declared}}
    origins, asked = journey.origins([item.name for item in journey.asked]), len(journey.asked)
    ready = journey.ready(values)
    with transaction.atomic():
        case_id = journey.submit(ready)
        keep_first_origins(case_id, origins, asked, journey.now)
    return case_id


@role_required(*ALL_ROLES)
@require_GET
def done(request: HttpRequest, case_id: str) -> HttpResponse:
    """Confirm: the receipt, what was decided at once and why, what happens next and by when."""
    now = timezone.now()
    receipt = cases.receipt_of(case_id, request.user, now=now, with_decisions=True)
    progress = cases.progress_of(case_id, request.user, now=now) if receipt.has_parts else None
    context = {
        "case": receipt,
        "progress": progress,
        "foresight": None if receipt.decided or receipt.has_parts else cases.what_if_case(case_id, now),
        "results": certificates.results_of([case_id], legal_day(now)) if receipt.decided else [],
        "decisions": receipt.decisions,
    }
    return render(request, "journey/done.html", context)


def _begun(request: HttpRequest, pack: str) -> Journey:
    """Return a journey that has begun; whoever comes without a draft is told so by the start page."""
    journey = Journey(request, pack)
    if journey.draft is None:
        raise Http404
    return journey


def _common(journey: Journey) -> dict[str, Any]:
    return {
        "pack": journey.pack,
        "service": filling.service(journey.pack),
        "draft": journey.draft,
        "journey": journey,
    }
