"""What machines verify by: trust list, status lists, issuers' keys, the metadata of types. Open to everyone, nobody in it."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from chengshu.contexts.certificates import credential_types, keys, making, status
from chengshu.contexts.certificates.models import Certificate, IssuerKey
from chengshu.contexts.identity.api import public_page

TYPES = {status.TOKEN: "application/statuslist+jwt"}


@public_page
@require_GET
def trust_list(request: HttpRequest) -> HttpResponse:
    """Give the trust list, for offline verification."""
    answer = JsonResponse(
        status.trust_json(timezone.now()), json_dumps_params={"ensure_ascii": False, "indent": 1}
    )
    answer["Content-Disposition"] = 'attachment; filename="chengshu-trust.json"'
    return answer


@public_page
@require_GET
def signed_trust_list(request: HttpRequest) -> HttpResponse:
    """Give the trust list signed by the district's authority: what another region imports."""
    answer = HttpResponse(status.signed_trust(timezone.now()), content_type="application/trust-list+jwt")
    answer["Content-Disposition"] = 'attachment; filename="chengshu-trust.jwt"'
    return answer


@public_page
@require_GET
def status_list(request: HttpRequest, list_id: int, purpose: str) -> HttpResponse:
    """Give a status list: ``revocation``, ``suspension`` (W3C bitstrings) or ``token`` (IETF)."""
    text = status.status_credential(list_id, purpose, timezone.now())
    answer = HttpResponse(text, content_type=TYPES.get(purpose, "application/vc+jwt"))
    answer["Cache-Control"] = "public, max-age=60"
    return answer


@public_page
@require_GET
def issuer(request: HttpRequest, code: str) -> HttpResponse:
    """Give an issuer's name and public keys, as a JWK set."""
    named = {"id": keys.issuer_id(code), "name": keys.issuer_name(code)}
    return JsonResponse({**named, "keys": _jwks(code)})


@public_page
@require_GET
def issuer_metadata(request: HttpRequest, code: str) -> HttpResponse:
    """Give an issuer's keys where verifiers of SD-JWT VC look for them."""
    return JsonResponse({"issuer": keys.issuer_id(code), "jwks": {"keys": _jwks(code)}})


def _jwks(code: str) -> list[dict[str, Any]]:
    rows = list(IssuerKey.objects.filter(issuer=code, use=keys.CREDENTIAL).order_by("since"))
    if not rows:
        raise Http404
    return [{**json.loads(row.jwk), "alg": "ES256", "use": "sig"} for row in rows]


@public_page
@require_GET
def credential_type(request: HttpRequest, code: str) -> HttpResponse:
    """Give the metadata of a type of SD-JWT VC."""
    known = credential_types.known_types().get(code)
    # A pack's own type: its words stand with each certificate.
    row = None if known else Certificate.objects.filter(type=code).order_by("-pk").first()
    if known is None and row is None:
        raise Http404
    title = {"zh": row.title_zh, "en": row.title_en} if row else {}
    labels = {item["name"]: item["label"] for item in json.loads(row.claims)} if row else {}
    answer = JsonResponse(credential_types.metadata(code, making.vct_of(code), title, labels))
    answer["Cache-Control"] = "public, max-age=3600"
    return answer
