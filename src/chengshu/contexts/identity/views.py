"""Pages of identity: sign in, sign out, one's account, password and API tokens."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.identity import duty, sessions, store
from chengshu.contexts.identity.access import ALL_ROLES, may_act, public_page, role_required
from chengshu.contexts.identity.demo import DEMO_PASSWORD, demo_accounts
from chengshu.contexts.identity.forms import LIVES, SCOPES, PasswordForm, SignInForm, TokenForm
from chengshu.contexts.identity.models import Account
from chengshu.contexts.identity.rates import client_address
from chengshu.contexts.identity.signing_in import complete_sign_in, password_refusal, proof_needed, safe_next


@public_page
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by name and password; in the demo also by one press."""
    demos = demo_accounts()
    pressed = request.POST.get("demo", "")
    # Only what the page offers: this door tries a password that everybody knows.
    demo_name = pressed if pressed in {account.username for account in demos} else ""
    form = SignInForm(request.POST if request.method == "POST" and not demo_name else None)
    status = 200
    if request.method == "POST":
        name, password = demo_name, DEMO_PASSWORD
        if not demo_name and form.is_valid():
            name, password = form.cleaned_data["username"], form.cleaned_data["password"]
        if name:
            outcome = try_sign_in(request, name, password)
            if isinstance(outcome, HttpResponse):
                return outcome
            form.add_error(None, outcome) if form.is_bound else messages.error(request, outcome)
        status = 422
    context = {"form": form, "demos": demos, "next": safe_next(request)}
    return render(request, "identity/sign_in.html", context, status=status)


def try_sign_in(request: HttpRequest, name: str, password: str) -> str | HttpResponse:
    """Sign the session in and lead on, or return why not; the reason never says whether the name exists."""
    now, address = timezone.now(), client_address(request)
    wait = store.locked_for(name, address, now)
    if wait is not None:
        minutes = int(wait / timedelta(minutes=1)) + 1
        return _("登录失败次数过多，请 %(minutes)s 分钟后再试。") % {"minutes": minutes}
    account = authenticate(request, username=name, password=password)
    if not isinstance(account, Account) or not may_act(account):
        store.note_failure(name, address, now)
        return _("用户名或密码不对。")
    store.note_success(name)
    return complete_sign_in(request, account) or HttpResponseRedirect(safe_next(request))


@public_page
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and its data."""
    logout(request)
    return redirect("/")


@role_required(*ALL_ROLES)
@require_GET
def account_page(request: HttpRequest) -> HttpResponse:
    """Show who one is here, and lead to password and tokens."""
    return render(
        request, "identity/account.html", {"absence": duty.absence_on(request.user.pk, timezone.localdate())}
    )


@role_required(*ALL_ROLES)
@sensitive_post_parameters("old", "new")
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's password; other sessions of the account end."""
    if request.user.is_demo:
        messages.info(request, _("演示账户的密码不能修改。"))
        return redirect("identity:account")

    def refusal(old: str) -> str:
        return password_refusal(request.user, old, client_address(request), timezone.now())

    form = PasswordForm(request.user, refusal, request.POST or None)
    if request.method == "POST" and form.is_valid():
        request.user.set_password(form.cleaned_data["new"])
        request.user.save(update_fields=["password"])
        update_session_auth_hash(request, request.user)
        sessions.rekeyed(request)
        sessions.end_others(request.user, request.session, "password", timezone.now())
        messages.success(request, _("密码已修改，其他设备上的登录已退出。"))
        return redirect("identity:account")
    return render(request, "identity/password.html", {"form": form}, status=422 if form.is_bound else 200)


@role_required(*ALL_ROLES)
@proof_needed(back="identity:tokens")
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """List one's API tokens and make one; its secret is shown on this page only, once."""
    made = None
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        made = store.make_token(request.user, data["name"], data["scopes"], data["life"], timezone.now())
        form = TokenForm()
    now = timezone.now()
    rows = [
        {
            "token": row,
            "scopes": [SCOPES.get(scope, scope) for scope in row.scopes],
            "state": "revoked" if row.revoked_at else "expired" if row.expires_at <= now else "in-force",
        }
        for row in request.user.api_tokens.order_by("-made_at")
    ]
    context = {"form": form, "made": made, "rows": rows, "lives": LIVES, "demo": settings.DEMO}
    response = render(request, "identity/tokens.html", context, status=422 if form.is_bound else 200)
    response["Cache-Control"] = "no-store"
    return response


@role_required(*ALL_ROLES)
@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke one of one's own tokens."""
    if store.revoke_token(request.user, token_id, timezone.now()):
        messages.success(request, _("令牌已撤销。"))
    return redirect("identity:tokens")
