"""Pages: the operator's register of systems, and what one allowed which system."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chengshu.contexts.identity import api as identity
from chengshu.interfaces.oidc import store
from chengshu.interfaces.oidc.forms import SystemForm
from chengshu.interfaces.oidc.models import ClientSystem
from chengshu.interfaces.oidc.words import scope_words
from chengshu.kernel.problems import Problem


@identity.role_required("operator")
@require_GET
def systems(request: HttpRequest) -> HttpResponse:
    """List the systems that sign people in through us."""
    rows = [{"system": each, "scopes": scope_words(each.scopes)} for each in store.systems()]
    return render(request, "oidc/systems.html", {"rows": rows, "issuer": store.issuer()})


@identity.role_required("operator")
@never_cache
@require_http_methods(["GET", "POST"])
def new_system(request: HttpRequest) -> HttpResponse:
    """Register a system; its secret is shown on the answer to this form, once."""
    form = SystemForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = store.add_system(**form.cleaned_data, actor=request.user, now=timezone.now())
        except Problem as problem:
            form.add_error(
                "redirect_uris", f"{problem.title}：{problem.detail}" if problem.detail else problem.title
            )
        else:
            context = {"system": made.system, "secret": made.secret, "issuer": store.issuer()}
            return render(request, "oidc/system_made.html", context, status=201)
    return render(request, "oidc/new_system.html", {"form": form}, status=422 if form.is_bound else 200)


@identity.role_required("operator")
@require_GET
def system(request: HttpRequest, client_id: str) -> HttpResponse:
    """Show one system, to renew its secret or end it."""
    found = asked_for(client_id)
    context = {
        "system": found,
        "scopes": scope_words(found.scopes),
        "issuer": store.issuer(),
        "redirects": found.redirect_uris.split(),
    }
    return render(request, "oidc/system.html", context)


@identity.role_required("operator")
@never_cache
@require_POST
def renew_secret(request: HttpRequest, client_id: str) -> HttpResponse:
    """Give a system a new secret, shown on this answer, once."""
    found = asked_for(client_id)
    secret = store.renew_secret(found, request.user, timezone.now())
    return render(
        request, "oidc/system_made.html", {"system": found, "secret": secret, "issuer": store.issuer()}
    )


@identity.role_required("operator")
@require_POST
def end_system(request: HttpRequest, client_id: str) -> HttpResponse:
    """End a system: its tokens are void at once."""
    store.end_system(asked_for(client_id), request.user, timezone.now())
    messages.success(request, _("已停用，该系统持有的令牌全部作废。"))
    return redirect("oidc:systems")


def asked_for(client_id: str) -> ClientSystem:
    """Return a system, or answer that there is none."""
    found = store.system_named(client_id)
    if found is None:
        raise Http404
    return found


@identity.role_required(*identity.ALL_ROLES)
@require_GET
def apps(request: HttpRequest) -> HttpResponse:
    """Show what one allowed which system, and the last sign-ins."""
    rows = [{"consent": each, "scopes": scope_words(each.scopes)} for each in store.consents_of(request.user)]
    context = {"rows": rows, "sign_ins": store.sign_ins_of(request.user)}
    return render(request, "oidc/apps.html", context)


@identity.role_required(*identity.ALL_ROLES)
@require_POST
def revoke_consent(request: HttpRequest, consent_id: int) -> HttpResponse:
    """Take back what one allowed a system."""
    if not store.revoke_consent(request.user, consent_id, timezone.now()):
        raise Http404
    messages.success(request, _("已撤回，该系统不能再取得您的信息。"))
    return redirect("oidc:apps")
