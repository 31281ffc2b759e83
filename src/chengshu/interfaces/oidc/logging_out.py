"""Signing out, begun by a system (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from jwcrypto import jwt
from jwcrypto.common import JWException

from chengshu.contexts.identity import api as identity
from chengshu.interfaces.oidc import store
from chengshu.interfaces.oidc.leaving import leave_for
from chengshu.interfaces.oidc.models import ClientSystem, Pseudonym
from chengshu.interfaces.oidc.validator import Validator
from chengshu.kernel.problems import Problem

PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a system asks for: from which system, about whom (where it proves that), and where to go on."""

    system: ClientSystem | None
    account_id: int | None
    target: str


@csrf_exempt
@never_cache
@identity.public_page
@require_http_methods(["GET", "POST"])
def end_session(request: HttpRequest) -> HttpResponse:
    """Sign out: at once when the system proves that it is about this person, else after asking."""
    if request.method == "POST":
        # A form of another site brings no session; the same wish as an address does.
        given = {name: request.POST[name] for name in PARAMETERS if name in request.POST}
        return HttpResponseRedirect(f"{request.path}?{urlencode(given)}")
    wish = read_wish(request)
    if not request.user.is_authenticated:
        return gone(request, wish)
    if wish.account_id == request.user.pk:
        return sign_out(request, wish)
    return render(request, "oidc/sign_out.html", {"system": wish.system})


@never_cache
@identity.public_page
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Sign out after the person said so."""
    return sign_out(request, read_wish(request))


def read_wish(request: HttpRequest) -> Wish:
    """Read what the system asks for; an address that is not registered for it is refused."""
    client_id, account_id = request.GET.get("client_id", ""), None
    if hint := request.GET.get("id_token_hint", ""):
        named, account_id = read_hint(hint)
        if client_id and client_id != named:
            raise Problem("logout-mismatch", _("退出请求前后不一致"), status=400)
        client_id = named
    system = store.system_named(client_id) if client_id else None
    target = request.GET.get("post_logout_redirect_uri", "")
    if target and (system is None or not system.post_logout_redirect_uri_allowed(target)):
        raise Problem("logout-address", _("退出后要去的地址没有登记"), status=400)
    if target and (state := request.GET.get("state")):
        target += ("&" if "?" in target else "?") + urlencode({"state": state})
    return Wish(system, account_id, target)


def read_hint(hint: str) -> tuple[str, int | None]:
    """Return for which system an identity token of ours was made and about which account; it may have expired."""
    key = Validator()._get_key_for_token(hint)
    try:
        claims = json.loads(jwt.JWT(key=key, jwt=hint, check_claims={}).claims) if key else {}
    except (JWException, ValueError):
        claims = {}
    if claims.get("iss") != store.issuer():
        raise Problem("logout-hint", _("退出请求里的身份凭据不是本平台签发的"), status=400)
    audience = claims["aud"]
    client_id = audience if isinstance(audience, str) else audience[0]
    row = Pseudonym.objects.filter(sub=claims["sub"], system__client_id=client_id).first()
    return client_id, row.account_id if row else None


def sign_out(request: HttpRequest, wish: Wish) -> HttpResponse:
    """End the session here and the system's tokens for this person."""
    if wish.system is not None and request.user.is_authenticated:
        store.revoke_tokens(system=wish.system, account_id=request.user.pk, now=timezone.now())
    logout(request)
    return gone(request, wish)


def gone(request: HttpRequest, wish: Wish) -> HttpResponse:
    """Go on to where the system wants, or say that one is signed out."""
    if wish.target and wish.system is not None:
        return leave_for(request, wish.target, wish.system.shown_name)
    return render(request, "oidc/signed_out.html", {"system": wish.system})
