"""What the provider answers oauthlib: who may have which token, and what is said about a person.

A person is known to a system by a random name of their own (``sub``), the identity token says nothing else about them;
what they allowed is read from ``userinfo``.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from jwcrypto import jws
from jwcrypto.common import JWException
from oauth2_provider.models import Grant, RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749 import errors

from chengshu.contexts.identity import api as identity
from chengshu.interfaces.oidc import claims, keys, store
from chengshu.interfaces.oidc.authentication import acr_of
from chengshu.interfaces.oidc.models import SignIn


class Validator(OAuth2Validator):
    """Django-oauth-toolkit's validator, with our people and our record."""

    # Which scope a claim needs; also what discovery names.
    oidc_claim_scope = claims.CLAIM_SCOPES

    def validate_silent_login(self, request: Any) -> bool:
        """Leave it to the page, which knows the session."""
        return True

    def validate_silent_authorization(self, request: Any) -> bool:
        """Leave it to the page, which knows what was allowed."""
        return True

    def _create_authorization_code(self, request: Any, code: dict[str, Any], expires: Any = None) -> Any:
        if request.code_challenge_method != "S256":
            # RFC 7636: without a method it would be "plain", which protects from nobody who sees the request.
            raise errors.InvalidRequestError(
                description='code_challenge_method must be "S256"', request=request
            )
        with transaction.atomic():
            grant = super()._create_authorization_code(request, code, expires)
            store.note_sign_in(
                request.user,
                request.client,
                request.scopes,
                request.authentication,
                code["code"],
                timezone.now(),
            )
        return grant

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Accept a code once; one that comes again was stolen, so what it brought is void (RFC 6749, 4.1.2)."""
        if super().validate_code(client_id, code, client, request, *args, **kwargs):
            return bool(identity.may_act(request.user))
        if not Grant.objects.filter(code=code).exists():
            used = SignIn.objects.filter(code_digest=store.code_digest(code), system=client).first()
            if used is not None and used.token_family is not None:
                RefreshToken.revoke_family(used.token_family)
            elif used is not None:
                store.revoke_tokens(system=client, account_id=used.account_id, now=timezone.now())
        return False

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Refuse the token of someone who may no longer act here, too."""
        good = super().validate_refresh_token(refresh_token, client, request, *args, **kwargs)
        return bool(good and identity.may_act(request.user))

    def validate_bearer_token(self, token: str, scopes: Any, request: Any) -> bool:
        """Refuse the token of someone who may no longer act here, too."""
        good = super().validate_bearer_token(token, scopes, request)
        return bool(good and identity.may_act(request.user))

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> Any:
        """Save the tokens; who did not ask to come back later gets no refresh token."""
        if "offline_access" not in token.get("scope", "").split():
            token.pop("refresh_token", None)
        return super().save_bearer_token(token, request, *args, **kwargs)

    def _create_refresh_token(
        self, request: Any, refresh_token_code: str, access_token: Any, previous_refresh_token: Any
    ) -> Any:
        made = super()._create_refresh_token(
            request, refresh_token_code, access_token, previous_refresh_token
        )
        if previous_refresh_token is None and (row := self._sign_in(request)) is not None:
            row.token_family = made.token_family
            row.save(update_fields=["token_family"])
        return made

    def _sign_in(self, request: Any) -> SignIn | None:
        """Return the sign-in on record that a token request goes back to."""
        if request.grant_type == "authorization_code":
            return SignIn.objects.filter(code_digest=store.code_digest(request.code)).first()
        family = getattr(getattr(request, "refresh_token_instance", None), "token_family", None)
        return SignIn.objects.filter(token_family=family).first() if family else None

    def get_claim_dict(self, request: Any) -> dict[str, Any]:
        """Return all that may be said about the person, before the scopes narrow it."""
        return {
            "sub": store.pseudonym(request.user.pk, request.client.pk),
            **claims.claims_of(request.user, request.client, set(request.scopes), timezone.now()),
        }

    def get_id_token_dictionary(
        self, token: Any, token_handler: Any, request: Any
    ) -> tuple[dict[str, Any], datetime]:
        """Return what the identity token says: who (by pseudonym), when and how they signed in; nothing about them."""
        scopes, request.scopes = request.scopes, ["openid"]
        try:
            said, expires = super().get_id_token_dictionary(token, token_handler, request)
        finally:
            request.scopes = scopes
        row = self._sign_in(request)
        if row is not None:
            said["auth_time"] = int(row.authenticated_at.timestamp())
            said["amr"], said["acr"] = list(row.amr), acr_of(row.amr)
        return said, expires

    def get_oidc_issuer_endpoint(self, request: Any) -> str:
        """Return the issuer: this installation's public address."""
        return store.issuer()

    def _get_key_for_token(self, token: str) -> Any:
        """Find the key that a token of ours names, so that an older one still verifies after a rotation."""
        unverified = jws.JWS()
        try:
            unverified.deserialize(token)
            header = json.loads(unverified.objects["protected"])
        except (JWException, ValueError, KeyError):
            return None
        return keys.key_named(str(header.get("kid", "")))
