"""Pages of the hotline: what everyone sees, a request, following it by its code, and the centre's look beside a case."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.hotline import alike, open311, taking
from chengshu.contexts.hall.hotline.forms import FollowForm, KeyForm, LookForm, RequestForm, SayForm
from chengshu.contexts.hall.hotline.models import HotlineContact, HotlineRequest
from chengshu.contexts.hall.ratings.api import open_link
from chengshu.contexts.hall.ratings.channels import channel_of
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import public_page, role_required
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack

OPEN_RATE = identity.Rate(capacity=5, per_second=1 / 60)
FOLLOW_RATE = identity.Rate(capacity=10, per_second=1 / 20)
CENTRE = "data-bureau"
PAGE = 30


@public_page
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show how to reach the hotline and what others asked: kind, topic, department, state and the published answer."""
    rows = HotlineRequest.objects.order_by("-requested_at")
    topic = request.GET.get("topic", "")
    if topic in taking.TOPICS:
        rows = rows.filter(topic=topic)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    names = _names()
    context = {
        "page": page,
        "lines": [_line(row, names) for row in page],
        "topics": RequestForm.base_fields["topic"].choices,  # type: ignore[attr-defined]
        "topic": topic,
    }
    return render(request, "hotline/home.html", context)


def _line(row: HotlineRequest, names: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    pack = _pack()

    def both(key: str) -> dict[str, str]:
        # Without its pack a request still shows by its codes.
        code = key.rpartition(".")[2]
        return {lang: (pack.text(key, lang) if pack else "") or code for lang in ("zh", "en")}

    return {
        "row": row,
        "kind": both(f"choices.kind.{row.kind}"),
        "topic": both(f"choices.topic.{row.topic}"),
        "state": both(f"states.{row.state}"),
        "department": names.get(row.department, {"zh": row.department, "en": row.department}),
    }


def _names() -> dict[str, Mapping[str, str]]:
    return {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}


def _pack() -> Pack | None:
    try:
        return cases.current_pack(taking.PACK)
    except Problem:
        return None


@public_page
@sensitive_post_parameters("name", "phone", "content")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Take a request: from anyone, with or without an account; a clerk types it for whoever calls."""
    account = request.user if isinstance(request.user, identity.Account) else None
    for_caller = account is not None and account.role in ("clerk", "officer", "operator")
    initial = {"key": uuid.uuid4(), "contact": "open"}
    form = RequestForm(request.POST or None, request.FILES or None, initial=initial)
    if form.is_bound and form.is_valid():
        if account is None:
            identity.take_from_bucket("hotline", identity.client_address(request), OPEN_RATE, time.time())
        channel = "phone" if for_caller else channel_of(request)
        try:
            sent = form.asked(channel)
            taken = taking.take(sent, opened_by=account, key=form.request_key(), now=timezone.now())
        except Problem as problem:
            if problem.status >= 500:
                raise
            form.add_error(None, str(problem.title))
        else:
            own = account is not None and not taking.hidden(sent, account)
            context = {"taken": taken, "own": own, "for_caller": for_caller}
            return render(request, "hotline/taken.html", context)
    context = {
        "form": form,
        "for_caller": for_caller,
        "breadcrumbs": [("12345", "/hotline/"), (_("提出诉求"), "")],
    }
    return render(request, "hotline/new.html", context, status=422 if form.is_bound else 200)


@public_page
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def follow(request: HttpRequest) -> HttpResponse:
    """Follow a request by number and code: add to it, have it opened again, confirm or withdraw it."""
    form = FollowForm(request.POST if "number" in request.POST else None)
    crumbs = [("12345", "/hotline/"), (_("查询诉求"), "")]
    if not (form.is_bound and form.is_valid()):
        status = 422 if form.is_bound else 200
        return render(request, "hotline/follow.html", {"form": form, "breadcrumbs": crumbs}, status=status)
    identity.take_from_bucket("hotline-follow", identity.client_address(request), FOLLOW_RATE, time.time())
    row = taking.followed(form.cleaned_data["number"].strip(), form.cleaned_data["code"])
    if row is None:
        form.add_error("code", _("编号和查询码不符，请核对。"))
        return render(request, "hotline/follow.html", {"form": form, "breadcrumbs": crumbs}, status=422)
    say = SayForm(request.POST if request.POST.get("do") in ("supplement", "reopen") else None)
    _act(request, row, say)
    row.refresh_from_db()
    names = _names()
    context = {
        "line": _line(row, names),
        "row": row,
        "number": form.cleaned_data["number"],
        "code": form.cleaned_data["code"],
        "say": say,
        "key": uuid.uuid4(),
        "may_add": row.state in ("received", "assigned", "rushed", "working"),
        "may_reopen": row.state == "settled",
        "rating": open_link(row.pk),
        "breadcrumbs": crumbs,
    }
    return render(request, "hotline/followed.html", context)


def _act(request: HttpRequest, row: HotlineRequest, say: SayForm) -> None:
    """Carry out what the page asked for, where it asked for something."""
    wanted = request.POST.get("do", "")
    if not wanted or (say.is_bound and not say.is_valid()):
        return
    said = say.cleaned_data["text"] if say.is_bound else ""
    data = {"supplement": {"more": said}, "reopen": {"again": said}}.get(wanted, {})
    key = request.POST.get("key", "")[:36]
    try:
        taking.act(row, wanted, data, key=f"{row.case_id}:{key}", now=timezone.now())
        messages.success(request, _("已收到。"))
    except Problem as problem:
        if problem.status >= 500:
            raise
        messages.error(request, str(problem.title))


@role_required("officer", "operator")
@require_http_methods(["GET", "POST"])
def desk(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show the hotline centre what lies beside a request: others like it, guides, a confidential contact on record."""
    if request.user.role == "officer" and request.user.department_id != CENTRE:
        raise Http404
    row = HotlineRequest.objects.filter(pk=case_id[:20]).first()
    if row is None:
        raise Http404
    form = LookForm(request.POST or None)
    contact = None
    if form.is_bound and form.is_valid():
        contact = alike.look_at_contact(row.pk, request.user, form.cleaned_data["reason"], timezone.now())
    facts = cases.case_facts(row.pk)["facts"] if row.kind == "consultation" else {}
    names = _names()
    context = {
        "line": _line(row, names),
        "row": row,
        "alike": [_line(each, names) for each in alike.alike(row)],
        "guides": alike.guides_for(str(facts.get("content") or "")),
        "rating": open_link(row.pk),
        "has_contact": HotlineContact.objects.filter(pk=row.pk, erased_at=None).exists(),
        "contact": contact,
        "form": form,
        "breadcrumbs": [("12345", "/hotline/"), (row.pk, "")],
    }
    return render(request, "hotline/desk.html", context)


@role_required("operator")
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """Give out and revoke the keys of programs that send requests by Open311; a secret is shown once."""
    now, secret = timezone.now(), ""
    if request.POST.get("revoke", "").isdigit() and open311.revoke_key(int(request.POST["revoke"][:15]), now):
        messages.success(request, _("密钥已撤销。"))
    form = KeyForm(request.POST if "name" in request.POST else None)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        _row, secret = open311.make_key(data["name"], data["contact"], actor=request.user, now=now)
        form = KeyForm()
    context = {
        "form": form,
        "secret": secret,
        "keys": open311.keys(),
        "breadcrumbs": [("12345", "/hotline/"), ("Open311", "")],
    }
    return render(request, "hotline/keys.html", context, status=422 if form.is_bound else 200)
