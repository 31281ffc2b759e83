"""Pages of mandates: who acts for me, for whom I act; give, accept, decline, revoke; begin to act for another."""

from __future__ import annotations

import time

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.hall.mandates.forms import GiveForm, ReasonForm
from chengshu.contexts.hall.mandates.lines import lines_of, matters_for
from chengshu.contexts.hall.mandates.papers import shown_paper
from chengshu.contexts.hall.mydata.room import doors
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import mandates, proof_needed, role_required
from chengshu.kernel.problems import Problem

# Digits that no number of ours has.
LONG = 16
# Enough for someone who mistypes, too few to try out names.
TRIES = identity.Rate(capacity=10, per_second=1 / 60)


@role_required("resident")
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show mandates in both directions, and the firms that the record says I represent."""
    now, account = timezone.now(), request.user
    titles = dict(matters_for(account, now))
    firms = identity.represented(account)
    to_me = mandates.to_me(account)
    given = mandates.from_subjects([account.subject_id, *(firm.subject_id for firm in firms)])
    lines = lines_of([*to_me, *given], titles, now)
    received = lines[: len(to_me)]
    context = {
        "firms": firms,
        "offered": [line for line in received if line.standing == "offered"],
        "held": [line for line in received if line.standing in ("accepted", "later")],
        "past": [line for line in received if line.standing in ("ended", "lapsed", "refused", "revoked")],
        "given": lines[len(to_me) :],
        "may_give": bool(account.subject_id or firms),
        "breadcrumbs": [(_("我的数据"), reverse("hall:home")), (_("代办与授权"), "")],
        "doors": doors("mandates:overview"),
    }
    return render(request, "mandates/overview.html", context)


@role_required("resident")
@proof_needed(back="mandates:overview")
@require_http_methods(["GET", "POST"])
def give(request: HttpRequest) -> HttpResponse:
    """Offer a mandate to somebody."""
    now, account = timezone.now(), request.user
    principals = _principals(account)
    if not principals:
        messages.info(request, _("您的账户还没有对应到本人的记录，不能授权"))
        return redirect("mandates:overview")
    choices = [(key, each.name) for key, each in principals.items()]
    form = GiveForm(
        request.POST or None,
        principals=choices,
        matters=matters_for(account, now),
        today=timezone.localdate(now),
    )
    if form.is_bound and form.is_valid():
        identity.take_from_bucket("mandate", str(account.pk), TRIES, time.time())
        data = form.cleaned_data
        try:
            agent = mandates.agent_named(data["username"], data["name"], now)
            mandates.offer(principals[data["principal"]], agent, form.terms(), by=account, now=now)
        except Problem as problem:
            if problem.status >= 500:
                raise
            form.add_error(_field_of(problem), str(problem.title))
        else:
            messages.success(request, _("授权已发出，对方接受后生效。"))
            return redirect("mandates:overview")
    crumbs = [(_("代办与授权"), reverse("mandates:overview")), (_("授权他人代办"), "")]
    context = {"form": form, "breadcrumbs": crumbs}
    return render(request, "mandates/give.html", context, status=422 if form.is_bound else 200)


FIELDS = {
    "agent-unknown": "username",
    "mandate-to-oneself": "username",
    "mandate-without-scope": "matters",
    "mandate-days": "valid_to",
    "mandate-too-long": "valid_to",
}


def _field_of(problem: Problem) -> str | None:
    return FIELDS.get(problem.code)


def _principals(account: identity.Account) -> dict[str, identity.Principal]:
    """Return for whom this account may give a mandate: itself, and the firms that it legally represents."""
    found = {}
    if account.subject_id:
        found["self"] = identity.Principal(account.subject_id, account.display_name)
    for firm in identity.represented(account):
        found[firm.subject_id] = identity.Principal(firm.subject_id, firm.name)
    return found


@role_required("resident")
@require_GET
def mandate(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """Show one mandate with its history, and what one may do about it."""
    now, account = timezone.now(), request.user
    row = _mine(account, mandate_id)
    agent_side = row.agent_id == account.pk
    context = {
        "line": lines_of([row], dict(matters_for(account, now)), now)[0],
        "row": row,
        "agent_side": agent_side,
        "events": [
            {"text": mandates.SENTENCES[event.act], "event": event} for event in row.events.order_by("pk")
        ],
        "form": ReasonForm(),
        "breadcrumbs": [(_("代办与授权"), reverse("mandates:overview")), (_("授权书"), "")],
    }
    return render(request, "mandates/mandate.html", context)


def _mine(account: identity.Account, mandate_id: int) -> identity.Mandate:
    """Return a mandate that this account is a side of; anything else is not there."""
    row = identity.Mandate.objects.select_related("agent", "given_by").filter(pk=mandate_id).first()
    if row is None or not (row.agent_id == account.pk or mandates.speaks_for(account, row)):
        raise Http404
    return row


@role_required("resident")
@proof_needed(back="mandates:overview")
@require_POST
def accept(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """Accept what somebody offered me."""
    mandates.accept(mandate_id, request.user, timezone.now())
    messages.success(request, _("已接受，可以代办了。"))
    return redirect("mandates:overview")


@role_required("resident")
@require_POST
def refuse(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """Decline what somebody offered me."""
    mandates.refuse(mandate_id, request.user, request.POST.get("reason", "").strip(), timezone.now())
    messages.success(request, _("已谢绝。"))
    return redirect("mandates:overview")


@role_required("resident")
@require_POST
def revoke(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """End a mandate, from either side."""
    mandates.revoke(mandate_id, request.user, request.POST.get("reason", "").strip(), timezone.now())
    messages.success(request, _("授权已撤销，立即失效。"))
    return redirect("mandates:overview")


@role_required("resident")
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Begin to act for another, by a mandate or as the legal representative of record."""
    kind, _sep, value = request.POST.get("for", "").partition(":")
    chosen = (
        {"by": "mandate", "id": int(value)}
        if kind == "mandate" and value.isascii() and value.isdigit() and len(value) < LONG
        else {}
    )
    if kind == "firm":
        chosen = {"by": "record", "id": value}
    found = identity.act_as(request, chosen)
    if found is None:
        messages.error(request, _("这个授权现在无效：没有接受、已撤销或不在有效期内。"))
        return redirect("mandates:overview")
    messages.success(
        request, _("现在代 %(name)s 办理。办完请点页面上方的“回到本人”。") % {"name": found.name}
    )
    return redirect("search:home")


@role_required("resident")
@require_GET
def proof(request: HttpRequest, mandate_id: int) -> HttpResponse:
    """Hand out what proves each act on a mandate."""
    _mine(request.user, mandate_id)
    found = mandates.proof(mandate_id, request.user)
    answer = JsonResponse(found, safe=False, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="mandate-{mandate_id}.json"'
    return answer


@role_required("resident")
@require_GET
def paper(request: HttpRequest, mandate_id: int) -> HttpResponse | FileResponse:
    """Show the paper that a mandate rests on to its two sides."""
    return shown_paper(_mine(request.user, mandate_id).evidence)
