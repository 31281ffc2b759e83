"""The provider's endpoints: discovery, keys, sign-in with consent, tokens, userinfo, logout (OpenID Connect Core, RFC 6749)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauthlib.oauth2.rfc6749 import errors

from chengshu.contexts.identity import api as identity
from chengshu.interfaces.oidc import keys, store
from chengshu.interfaces.oidc.authentication import ACRS, authentication_of
from chengshu.interfaces.oidc.claims import CLAIM_SCOPES
from chengshu.interfaces.oidc.configuration import SCOPES
from chengshu.interfaces.oidc.leaving import leave_for
from chengshu.interfaces.oidc.models import ClientSystem
from chengshu.interfaces.oidc.words import SCOPE_WORDS
from chengshu.kernel.problems import Problem

PER_ADDRESS = identity.Rate(capacity=60, per_second=1)
PER_SYSTEM = identity.Rate(capacity=300, per_second=20)
SALT = "chengshu.oidc.again"
AGAIN = "again"
AGAIN_SECONDS = 900


@lru_cache(maxsize=1)
def core() -> OAuthLibCore:
    """Return oauthlib's server with our validator."""
    return OAuthLibCore()


@identity.public_page
@require_GET
def discovery(request: HttpRequest) -> HttpResponse:
    """Describe the provider (OpenID Connect Discovery, RFC 8414)."""
    base = store.issuer()
    response = JsonResponse(
        {
            "issuer": base,
            "authorization_endpoint": base + reverse("oidc:authorize"),
            "token_endpoint": base + reverse("oidc:token"),
            "userinfo_endpoint": base + reverse("oidc:userinfo"),
            "revocation_endpoint": base + reverse("oidc:revoke"),
            "end_session_endpoint": base + reverse("oidc:logout"),
            "jwks_uri": base + reverse("oidc:jwks"),
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": [
                *CLAIM_SCOPES,
                "iss",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "amr",
                "acr",
                "nonce",
            ],
            "acr_values_supported": list(ACRS),
            "prompt_values_supported": ["none", "login", "consent"],
            "ui_locales_supported": ["zh-CN", "en"],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": True,
            "service_documentation": base + reverse("api-v1:openapi-view"),
        }
    )
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "public, max-age=3600"
    return response


@identity.public_page
@require_GET
def jwks(request: HttpRequest) -> HttpResponse:
    """Publish the keys that verify identity tokens."""
    response = JsonResponse({"keys": keys.published_keys()})
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = f"public, max-age={int(keys.PUBLISHED_BEFORE.total_seconds())}"
    return response


# Open, for a system that errs is answered before anyone signs in; who is not signed in is then led to the sign-in page.
@never_cache
@identity.public_page
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Let a system sign this person in: at once when they allowed it before, else after they were asked."""
    identity.take_from_bucket("oidc-authorize", identity.client_address(request), PER_ADDRESS, time.time())
    try:
        scopes, credentials = core().validate_authorization_request(request)
        check_request(scopes, credentials)
    except OAuthToolkitError as error:
        return refused(request, error)
    asked = {**credentials, "scopes": scopes}
    silent = "none" in credentials["prompt"]
    if must_sign_in(request, asked):
        if silent:
            return refused(request, failure(errors_named("login_required"), asked))
        return to_sign_in(request)
    system = ClientSystem.objects.get(client_id=credentials["client_id"])
    if request.method == "POST":
        return decided(request, system, asked)
    known = store.consented(request.user, system, scopes) and sure_of(system, asked["redirect_uri"])
    if known and "consent" not in credentials["prompt"]:
        return grant(request, system, asked)
    if silent:
        return refused(request, failure(errors_named("consent_required"), asked))
    return consent_page(request, system, scopes)


def sure_of(system: ClientSystem, redirect_uri: str) -> bool:
    """Say whether only this system can take what is sent there: it has a secret, or the address is its own.

    Any program on a person's machine can listen on 127.0.0.1 and give itself out for one without a secret, so there the
    person is asked each time (RFC 8252, 8.6).
    """
    confidential = system.client_type == ClientSystem.CLIENT_CONFIDENTIAL
    return confidential or redirect_uri.startswith("https://")


def check_request(scopes: list[str], credentials: dict[str, Any]) -> None:
    """Refuse what oauthlib lets pass and we do not: no ``openid``, a challenge that is not S256."""
    if "openid" not in scopes:
        raise failure(errors.InvalidScopeError(description="openid is required"), credentials)
    if credentials.get("code_challenge_method") != "S256":
        raise failure(
            errors.InvalidRequestError(description='code_challenge_method must be "S256"'), credentials
        )


def errors_named(code: str) -> errors.CustomOAuth2Error:
    """Return an error of OpenID Connect by its code."""
    return errors.CustomOAuth2Error(error=code)


def failure(error: errors.OAuth2Error, asked: dict[str, Any]) -> OAuthToolkitError:
    """Return an error that goes back to the system, with its state."""
    error.state = asked.get("state")
    return OAuthToolkitError(error=error, redirect_uri=asked["redirect_uri"])


def refused(request: HttpRequest, error: OAuthToolkitError) -> HttpResponse:
    """Answer an error: to the system where its address is known to be right, else on a page."""
    said = error.oauthlib_error
    if isinstance(error, FatalClientError) or not said.redirect_uri:
        context = {"code": said.error, "detail": said.description or ""}
        return render(request, "oidc/refused.html", context, status=400)
    joint = "&" if "?" in said.redirect_uri else "?"
    issuer = urlencode({"iss": store.issuer()})
    return leave_for(request, f"{said.redirect_uri}{joint}{said.urlencoded}&{issuer}", _("该系统"))


def must_sign_in(request: HttpRequest, asked: dict[str, Any]) -> bool:
    """Say whether the person must (again) sign in: nobody is, the system wants it fresh, or it was too long ago."""
    if not identity.may_act(request.user):
        return True
    at = authentication_of(request).at
    if signed_in_for_this(request, at):
        # Whatever age it asked for: nobody is sent round in circles.
        return False
    oldest = request.GET.get("max_age", "")
    too_old = oldest.isascii() and oldest.isdigit() and (datetime.now(UTC) - at).total_seconds() > int(oldest)
    return too_old or "login" in asked["prompt"]


def signed_in_for_this(request: HttpRequest, at: datetime) -> bool:
    """Say whether the sign-in is younger than this request, which led to the sign-in page and came back."""
    try:
        since = signing.loads(request.GET.get(AGAIN, ""), salt=SALT, max_age=AGAIN_SECONDS)
    except signing.BadSignature:
        return False
    return int(at.timestamp()) >= int(since)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in page, and from there back to this request; what comes back proves that it was fresh."""
    query = request.GET.copy()
    query[AGAIN] = signing.dumps(int(time.time()), salt=SALT)
    target = urlencode({"next": f"{request.path}?{query.urlencode()}"})
    return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{target}")


def consent_page(request: HttpRequest, system: ClientSystem, scopes: list[str]) -> HttpResponse:
    """Ask the person: which system, what it will learn."""
    account = request.user
    values = {
        "profile": account.display_name,
        "department": account.department.name_zh if account.department_id else "",
        "role": _(account.get_role_display()),
    }
    lines = [
        {"text": _(text), "value": values.get(scope, "")}
        for scope, text in SCOPE_WORDS.items()
        if scope in scopes
    ]
    host = request.GET.get("redirect_uri", "").split("/")[2:3]
    context = {"system": system, "lines": lines, "host": host[0] if host else ""}
    return render(request, "oidc/consent.html", context)


def decided(request: HttpRequest, system: ClientSystem, asked: dict[str, Any]) -> HttpResponse:
    """Carry out what the person decided."""
    if request.POST.get("decision") != "allow":
        return refused(request, failure(errors.AccessDeniedError(), asked))
    store.give_consent(request.user, system, asked["scopes"], timezone.now())
    return grant(request, system, asked)


def grant(request: HttpRequest, system: ClientSystem, asked: dict[str, Any]) -> HttpResponse:
    """Make the code and send the browser back to the system with it."""
    kept = (
        "client_id",
        "redirect_uri",
        "response_type",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    )
    credentials = {name: asked.get(name) for name in kept if asked.get(name)}
    credentials["authentication"] = authentication_of(request)
    try:
        uri, *_rest = core().create_authorization_response(request, asked["scopes"], credentials, True)
    except OAuthToolkitError as error:
        return refused(request, error)
    return leave_for(request, uri, system.shown_name)


@csrf_exempt
@identity.public_page
@sensitive_post_parameters("client_secret", "code", "refresh_token")
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Change a code or a refresh token into tokens; the system says who it is."""
    return spoken(request, core().create_token_response)


@csrf_exempt
@identity.public_page
@require_http_methods(["GET", "POST"])
def userinfo(request: HttpRequest) -> HttpResponse:
    """Tell a system what the person allowed it to know."""
    return spoken(request, core().create_userinfo_response)


@csrf_exempt
@identity.public_page
@sensitive_post_parameters("client_secret", "token")
@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """Void a token that a system no longer needs (RFC 7009)."""
    return spoken(request, core().create_revocation_response)


def spoken(request: HttpRequest, answer: Any) -> HttpResponse:
    """Let oauthlib answer a system's own call, within the rate of its address."""
    try:
        identity.take_from_bucket("oidc-call", identity.client_address(request), PER_SYSTEM, time.time())
    except Problem as problem:
        response = JsonResponse(
            {"error": "temporarily_unavailable", "error_description": problem.title}, status=429
        )
        response["Retry-After"] = str(problem.extra["retry_after"])
        return response
    _uri, headers, body, status = answer(request)
    response = HttpResponse(body or "", status=status)
    for name, value in headers.items():
        response[name] = value
    response["Cache-Control"] = "no-store"
    return response
