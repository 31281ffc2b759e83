"""The calls of a wallet. No cookie counts here: codes and bearer tokens do, and each call is counted against its address."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from chengshu.contexts.certificates.api import wallet
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import public_page

CALLS = identity.Rate(capacity=60, per_second=1)
MOST = 200_000
View = Callable[..., HttpResponse]


def wallet_call(view: View) -> View:
    """Answer refusals as the specification words them; nothing of it may be kept by a cache."""

    @wraps(view)
    def called(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            identity.take_from_bucket("oid4vci", identity.client_address(request), CALLS, time.time())
            answer = view(request, *args, **kwargs)
        except wallet.WalletRefusal as refusal:
            said = {"error": refusal.error, "error_description": refusal.description}
            answer = JsonResponse(said, status=refusal.status)
            if refusal.status == 401:
                answer["WWW-Authenticate"] = f'Bearer error="{refusal.error}"'
        answer["Cache-Control"] = "no-store"
        # Wallets in browsers call from anywhere; nothing here depends on who is signed in.
        answer["Access-Control-Allow-Origin"] = "*"
        return answer

    return called


@public_page
@require_GET
def issuer_metadata(request: HttpRequest) -> HttpResponse:
    """Say what is issued, how, and by which calls."""
    return JsonResponse(wallet.issuer_metadata())


@public_page
@require_GET
def server_metadata(request: HttpRequest) -> HttpResponse:
    """Say where a pre-authorised code becomes a token."""
    return JsonResponse(wallet.server_metadata())


@public_page
@require_GET
@wallet_call
def offer(request: HttpRequest, reference: str) -> HttpResponse:
    """Give a credential offer to whoever has its address; it opens nothing without the transaction code."""
    said = wallet.offer_said(reference, timezone.now())
    if said is None:
        raise Http404
    return JsonResponse(said)


@csrf_exempt
@public_page
@require_POST
@wallet_call
def token(request: HttpRequest) -> HttpResponse:
    """Take a pre-authorised code and the transaction code; give an access token."""
    form = request.POST
    said = wallet.take_token(
        form.get("grant_type", ""),
        form.get("pre-authorized_code", ""),
        form.get("tx_code", ""),
        timezone.now(),
    )
    return JsonResponse(said)


@csrf_exempt
@public_page
@require_POST
@wallet_call
def nonce(request: HttpRequest) -> HttpResponse:
    """Give a nonce for proofs."""
    return JsonResponse({"c_nonce": wallet.fresh_nonce(timezone.now())})


@csrf_exempt
@public_page
@require_POST
@wallet_call
def credential(request: HttpRequest) -> HttpResponse:
    """Issue credentials bound to the keys that the proofs show."""
    now, asked = timezone.now(), _body(request)
    grant = wallet.grant_of(_bearer(request), now)
    return JsonResponse(wallet.issue_to_wallet(grant, asked, now))


@csrf_exempt
@public_page
@require_POST
@wallet_call
def notification(request: HttpRequest) -> HttpResponse:
    """Take what a wallet tells: accepted, deleted, failed."""
    asked = _body(request)
    wallet.take_notice(wallet.grant_of(_bearer(request), timezone.now()), asked)
    return HttpResponse(status=204)


def _bearer(request: HttpRequest) -> str:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not value.strip():
        raise wallet.WalletRefusal("invalid_token", "a bearer token is needed", 401)
    return value.strip()


def _body(request: HttpRequest) -> Mapping[str, Any]:
    if len(request.body) > MOST:
        raise wallet.WalletRefusal("invalid_credential_request", "the request is too large")
    try:
        said = json.loads(request.body)
        # Halves of characters, which no database takes, fail here.
        plain = json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise wallet.WalletRefusal("invalid_credential_request", "the body is no JSON") from error
    if not isinstance(said, dict) or b"\\u0000" in plain:
        raise wallet.WalletRefusal("invalid_credential_request", "the body is no JSON object")
    return said
