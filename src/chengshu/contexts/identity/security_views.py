"""Pages of account security: second factors, passkeys, recovery codes, where one is signed in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.identity import authenticators, passkeys, sessions, signing_in, store
from chengshu.contexts.identity.access import ALL_ROLES, may_act, public_page, role_required
from chengshu.contexts.identity.forms import (
    AgainForm,
    CodeForm,
    FirstCodeForm,
    NewPasskeyForm,
    PasskeyForm,
)
from chengshu.contexts.identity.models import Account
from chengshu.contexts.identity.rates import client_address
from chengshu.contexts.identity.signing_in import proof_needed, safe_next
from chengshu.kernel.problems import Problem


@public_page
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor of whoever gave the first."""
    now = timezone.now()
    waits = signing_in.pending(request, now)
    if waits is None:
        messages.info(request, _("登录已过时，请重新输入密码。"))
        return redirect("identity:sign_in")
    form, means = _factor(request, waits["who"], now)
    if means:
        return HttpResponseRedirect(signing_in.finish_second(request, waits, means))
    return _ask_factor(request, waits["who"], form, now, again=False)


def _factor(request: HttpRequest, account: Account, now: datetime) -> tuple[Form, tuple[str, ...]]:
    """Return the form, and the means by which the post proves the account (none on a GET or when it is wrong)."""
    form = CodeForm(request.POST if "code" in request.POST else None)
    if request.method != "POST":
        return form, ()
    wait = signing_in.second_locked_for(account, now)
    if wait is not None:
        messages.error(request, signing_in.wait_words(wait))
        return form, ()
    if "answer" in request.POST:
        return form, _by_passkey(request, account, now)
    if form.is_valid():
        means = signing_in.try_code(account, form.cleaned_data["code"], now)
        if means:
            return form, means
        form.add_error("code", _("验证码不对，或者已经用过。请等下一个数字。"))
    return form, ()


def _by_passkey(request: HttpRequest, account: Account, now: datetime) -> tuple[str, ...]:
    try:
        return passkeys.verify(request, account, request.POST["answer"], now).amr
    except Problem as problem:
        signing_in.note_second_failure(account, now)
        messages.error(request, str(problem.title))
        return ()


def _ask_factor(
    request: HttpRequest, account: Account, form: Form, now: datetime, *, again: bool
) -> HttpResponse:
    with_passkey = account.passkeys.exists()
    context = {
        "form": form,
        "again": again,
        "by_code": authenticators.confirmed(account) or authenticators.recovery_codes_left(account) > 0,
        "passkey": PasskeyForm() if with_passkey else None,
        "options": passkeys.request_options(request, account, now) if with_passkey else "",
        "next": safe_next(request),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "identity/second_step.html", context, status=status)


@public_page
@require_http_methods(["GET", "POST"])
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by passkey alone: the device has verified its user, so these are two factors in one."""
    now, status = timezone.now(), 200
    if request.method == "POST":
        refusal = _try_passkey(request, now)
        if isinstance(refusal, HttpResponse):
            return refusal
        messages.error(request, refusal)
        status = 422
    options = passkeys.request_options(request, None, now)
    context = {"form": PasskeyForm(), "options": options, "next": safe_next(request)}
    return render(request, "identity/passkey_sign_in.html", context, status=status)


def _try_passkey(request: HttpRequest, now: datetime) -> str | HttpResponse:
    address = client_address(request)
    wait = store.locked([f"address:{address}"], now)
    if wait is not None:
        return signing_in.wait_words(wait)
    try:
        proof = passkeys.verify(request, None, request.POST.get("answer", ""), now)
    except Problem as problem:
        store.count_failure([f"address:{address}"], now)
        return str(problem.title)
    if not may_act(proof.account):
        return _("这个账户已经停用。")
    onward = signing_in.complete_sign_in(request, proof.account, proof.amr)
    return onward or HttpResponseRedirect(safe_next(request))


@role_required(*ALL_ROLES)
@sensitive_post_parameters("code", "password")
@require_http_methods(["GET", "POST"])
def prove(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor again before a sensitive act; for the password where there is none."""
    now, account = timezone.now(), request.user
    if signing_in.has_second_factor(account):
        form, means = _factor(request, account, now)
        if means:
            signing_in.note_proved(request, now, second=True)
            return HttpResponseRedirect(safe_next(request))
        return _ask_factor(request, account, form, now, again=True)
    again = AgainForm(request.POST or None)
    if request.method == "POST" and again.is_valid():
        refusal = signing_in.password_refusal(
            account, again.cleaned_data["password"], client_address(request), now
        )
        if not refusal:
            signing_in.note_proved(request, now, second=False)
            return HttpResponseRedirect(safe_next(request))
        again.add_error("password", refusal)
    context = {"form": again, "next": safe_next(request)}
    return render(request, "identity/prove.html", context, status=422 if again.is_bound else 200)


@role_required(*ALL_ROLES)
@require_GET
def security(request: HttpRequest) -> HttpResponse:
    """Show second factors, passkeys and where one is signed in."""
    now, account = timezone.now(), request.user
    keys = list(account.passkeys.order_by("made_at"))
    confirmed = authenticators.confirmed(account)
    idle, longest = sessions.limits_of(account.role)
    required = signing_in.must_have_second_factor(account.role)
    context = {
        "authenticator": confirmed,
        "codes_left": authenticators.recovery_codes_left(account),
        "passkeys": keys,
        "places": sessions.places(account, request.session, now),
        "required": required,
        "missing": required and not confirmed and not keys,
        "off_in_demo": settings.DEMO and not settings.SECOND_FACTOR_ROLES,
        "idle_minutes": int(idle / timedelta(minutes=1)),
        "longest_hours": int(longest / timedelta(hours=1)),
    }
    return render(request, "identity/security.html", context)


def _closed_in_demo(request: HttpRequest) -> bool:
    """Everyone signs in to a demo account: a factor of one visitor would lock out all others."""
    if request.user.is_demo:  # type: ignore[union-attr]
        messages.info(request, _("演示账户人人可用，不能设置验证器和通行密钥。"))
    return bool(request.user.is_demo)  # type: ignore[union-attr]


def _crumbs(title: str) -> list[tuple[str, str]]:
    return [
        (_("我的账户"), reverse("identity:account")),
        (_("账户安全"), reverse("identity:security")),
        (title, ""),
    ]


@role_required(*ALL_ROLES)
@proof_needed(back="identity:security")
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def authenticator(request: HttpRequest) -> HttpResponse:
    """Set an authenticator app up: show its secret, take the first code, hand out recovery codes."""
    now, account = timezone.now(), request.user
    if _closed_in_demo(request):
        return redirect("identity:security")
    secret = authenticators.waiting_secret(account)
    if request.method == "POST" and "code" not in request.POST:
        authenticators.begin(account, now)
        return redirect("identity:authenticator")
    if secret is None:
        return redirect("identity:security")
    form = FirstCodeForm(request.POST or None)
    if form.is_bound and form.is_valid():
        wait = signing_in.second_locked_for(account, now)
        if wait is None and authenticators.confirm(account, form.cleaned_data["code"], now):
            return _with_new_codes(request, now)
        if wait is None:
            signing_in.note_second_failure(account, now)
        form.add_error(
            "code", signing_in.wait_words(wait) if wait else _("数字不对。请核对手机时间，再填一次新的数字。")
        )
    uri = authenticators.enrolment_uri(account, secret, settings.DISTRICT["name"]["zh"])
    context = {
        "form": form,
        "picture": authenticators.enrolment_picture(uri),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "breadcrumbs": _crumbs(_("设置验证器")),
    }
    return _unkept(
        render(request, "identity/authenticator.html", context, status=422 if form.errors else 200)
    )


def _with_new_codes(request: HttpRequest, now: datetime) -> HttpResponse:
    """Show new recovery codes, once; whoever else is signed in must do so again, with the second factor."""
    signing_in.note_proved(request, now, second=True)
    sessions.end_others(request.user, request.session, "second-factor", now)
    context: dict[str, Any] = {
        "codes": authenticators.new_recovery_codes(request.user, now),
        "breadcrumbs": _crumbs(_("恢复码")),
    }
    return _unkept(render(request, "identity/recovery_codes.html", context))


def _unkept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


@role_required(*ALL_ROLES)
@proof_needed(back="identity:security")
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes; the old ones hold no longer."""
    if _closed_in_demo(request) or not signing_in.has_second_factor(request.user):
        return redirect("identity:security")
    codes = authenticators.new_recovery_codes(request.user, timezone.now())
    return _unkept(
        render(request, "identity/recovery_codes.html", {"codes": codes, "breadcrumbs": _crumbs(_("恢复码"))})
    )


def _last_needed(request: HttpRequest, *, keys: int) -> bool:
    """Keep the last second factor of a role that must have one."""
    needed = not keys and signing_in.must_have_second_factor(request.user.role)  # type: ignore[union-attr]
    if needed:
        messages.error(request, _("您的角色必须有第二重验证，请先设置另一种再移除。"))
    return needed


@role_required(*ALL_ROLES)
@proof_needed(back="identity:security")
@require_POST
def remove_authenticator(request: HttpRequest) -> HttpResponse:
    """Forget the authenticator."""
    if _last_needed(request, keys=request.user.passkeys.count()):
        return redirect("identity:security")
    if authenticators.remove(request.user):
        messages.success(request, _("验证器已移除。"))
    return redirect("identity:security")


@role_required(*ALL_ROLES)
@proof_needed(back="identity:security")
@require_http_methods(["GET", "POST"])
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Register a passkey of this device or of a security key."""
    now, account = timezone.now(), request.user
    if _closed_in_demo(request):
        return redirect("identity:security")
    form = NewPasskeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        first = not signing_in.has_second_factor(account)
        try:
            passkeys.register(request, account, form.cleaned_data["answer"], form.cleaned_data["name"], now)
        except Problem as problem:
            form.add_error(None, str(problem.title))
        else:
            messages.success(request, _("通行密钥已登记。"))
            return _with_new_codes(request, now) if first else redirect("identity:security")
    context = {
        "form": form,
        "options": passkeys.creation_options(request, account, now),
        "breadcrumbs": _crumbs(_("登记通行密钥")),
    }
    return render(request, "identity/add_passkey.html", context, status=422 if form.is_bound else 200)


@role_required(*ALL_ROLES)
@proof_needed(back="identity:security")
@require_POST
def remove_passkey(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Forget one of one's own passkeys."""
    others = request.user.passkeys.exclude(pk=passkey_id).count()
    if _last_needed(request, keys=others + authenticators.confirmed(request.user)):
        return redirect("identity:security")
    if passkeys.remove(request.user, passkey_id):
        messages.success(request, _("通行密钥已移除。"))
    return redirect("identity:security")


@role_required(*ALL_ROLES)
@require_POST
def end_session(request: HttpRequest, sign_in_id: int) -> HttpResponse:
    """End one of one's own sessions."""
    here = sign_in_id == request.session.get(sessions.ROW_KEY)
    if not here and sessions.end(request.user, sign_in_id, timezone.now()):
        messages.success(request, _("那里的登录已退出。"))
    return redirect("identity:security")


@role_required(*ALL_ROLES)
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all one's sessions but this one."""
    count = sessions.end_others(request.user, request.session, "by-owner", timezone.now())
    messages.success(request, _("已退出其他 %(count)s 处登录。") % {"count": count})
    return redirect("identity:security")
