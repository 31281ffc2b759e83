"""The relying party: asks an outside provider who somebody is, and believes only what is signed for us and for this request."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from chengshu.interfaces.oidc.providers import Provider
from chengshu.kernel.problems import Problem

SECONDS = 10.0
LEEWAY = 60
KEPT_SECONDS = 600.0
MOST_BYTES = 1_000_000
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]
_kept: dict[str, tuple[float, Any]] = {}


@dataclass(frozen=True, slots=True)
class Question:
    """One request to a provider: what the session keeps until the answer, and the address to go to."""

    state: str
    nonce: str
    verifier: str
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Who somebody is at the provider, and what it says of them."""

    subject: str
    claims: dict[str, Any]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: a provider's endpoint does not send us elsewhere with a secret in hand."""


_opener = urllib.request.build_opener(_NoRedirect)


def ask(provider: Provider, back: str) -> Question:
    """Return a new question for a provider; the answer comes to ``back``."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": back,
        "scope": " ".join(provider.scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    endpoint = str(describe(provider)["authorization_endpoint"])
    joint = "&" if "?" in endpoint else "?"
    return Question(state, nonce, verifier, f"{endpoint}{joint}{urllib.parse.urlencode(query)}")


def believe(provider: Provider, code: str, verifier: str, nonce: str, back: str) -> Answer:
    """Change a code into what the provider says; raises ``Problem`` when anything about it is not right."""
    described = describe(provider)
    tokens = exchange(provider, described, code, verifier, back)
    claims = read_id_token(provider, described, str(tokens.get("id_token", "")), nonce)
    wanted = {match.claim for match in provider.match} - set(claims)
    if wanted and tokens.get("access_token") and described.get("userinfo_endpoint"):
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        said = call(provider, str(described["userinfo_endpoint"]), headers=headers)
        if said.get("sub") != claims["sub"]:
            raise refused(provider, "userinfo speaks of somebody else")
        claims = {**said, **claims}
    return Answer(str(claims["sub"]), claims)


def exchange(
    provider: Provider, described: dict[str, Any], code: str, verifier: str, back: str
) -> dict[str, Any]:
    """Change the code into tokens, with PKCE and the client's secret."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "client_id": provider.client_id,
        "code_verifier": verifier,
    }
    headers = {}
    if provider.secret:
        pair = ":".join(urllib.parse.quote(each, safe="") for each in (provider.client_id, provider.secret))
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return call(provider, str(described["token_endpoint"]), fields=fields, headers=headers)


def read_id_token(
    provider: Provider, described: dict[str, Any], token: str, nonce: str, now: float | None = None
) -> dict[str, Any]:
    """Verify an identity token: signature, issuer, audience, time, nonce (OpenID Connect Core 3.1.3.7)."""
    moment = time.time() if now is None else now
    claims = None
    for fresh in (False, True):
        keys = KeySet.import_key_set(fetched(provider, str(described["jwks_uri"]), fresh=fresh))
        try:
            claims = dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            break
        except (JoseError, ValueError) as error:
            # Perhaps a key that is newer than what we keep: asked once more.
            if fresh:
                raise refused(provider, f"identity token: {type(error).__name__}") from error
    assert claims is not None
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else list(audience or [])
    checks = {
        "iss": claims.get("iss") == provider.issuer,
        "aud": provider.client_id in audiences,
        "azp": len(audiences) == 1 or claims.get("azp") == provider.client_id,
        "exp": isinstance(claims.get("exp"), int | float) and claims["exp"] > moment - LEEWAY,
        "iat": isinstance(claims.get("iat"), int | float) and claims["iat"] < moment + LEEWAY,
        "nonce": secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()),
        "sub": bool(claims.get("sub")),
    }
    if wrong := [name for name, good in checks.items() if not good]:
        raise refused(provider, f"identity token: {', '.join(wrong)}")
    return claims


def describe(provider: Provider) -> dict[str, Any]:
    """Return the provider's description; one that names another issuer is refused."""
    address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
    said: dict[str, Any] = fetched(provider, address)
    if said.get("issuer") != provider.issuer:
        raise refused(provider, "the description names another issuer")
    return said


def fetched(provider: Provider, address: str, *, fresh: bool = False) -> Any:
    """Fetch a public document, keeping it for ten minutes."""
    kept = _kept.get(address)
    if kept is not None and not fresh and kept[0] > time.monotonic():
        return kept[1]
    said = call(provider, address)
    _kept[address] = (time.monotonic() + KEPT_SECONDS, said)
    return said


def call(
    provider: Provider,
    address: str,
    *,
    fields: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Call one of the provider's endpoints and return its JSON."""
    if not address.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise refused(provider, "an endpoint without https")
    body = urllib.parse.urlencode(fields).encode() if fields is not None else None
    asked = urllib.request.Request(
        address, data=body, headers={"Accept": "application/json", **(headers or {})}
    )
    try:
        with _opener.open(asked, timeout=SECONDS) as response:
            said = json.loads(response.read(MOST_BYTES))
    except (urllib.error.URLError, TimeoutError, ValueError, OSError) as error:
        status = getattr(error, "code", None)
        raise refused(provider, f"{type(error).__name__}{f' {status}' if status else ''}") from error
    if not isinstance(said, dict):
        raise refused(provider, "the answer is no JSON object")
    return said


def refused(provider: Provider, detail: str) -> Problem:
    """Return the problem of a provider whose answer we do not believe; the detail holds nothing of a person."""
    return Problem(
        "outside-sign-in", _("「%(name)s」的答复无法确认") % {"name": provider.shown_title}, detail=detail,
        remedy=_("请重新登录；一再失败请联系管理员"), status=502,
    )  # fmt: skip
