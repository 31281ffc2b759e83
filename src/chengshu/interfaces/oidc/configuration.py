"""How django-oauth-toolkit is set up here: the code flow with S256 only, tokens kept as digests, refresh tokens used once.

Follows RFC 9700 (OAuth 2.0 Security Best Current Practice): each of its gates is closed.
"""

from __future__ import annotations

from typing import Any

SCOPES = ("openid", "profile", "phone", "department", "role", "openid4vci", "offline_access")
ACCESS_SECONDS = 600
REFRESH_SECONDS = 14 * 24 * 3600


def provider_settings(issuer: str) -> dict[str, Any]:
    """Return ``OAUTH2_PROVIDER`` for an installation at ``issuer``."""
    return {
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": issuer,
        "OAUTH2_VALIDATOR_CLASS": "chengshu.interfaces.oidc.validator.Validator",
        "SCOPES_BACKEND_CLASS": "chengshu.interfaces.oidc.scopes.SystemScopes",
        "SCOPES": dict.fromkeys(SCOPES, ""),
        "DEFAULT_SCOPES": ["openid"],
        "PKCE_REQUIRED": True,
        "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
        "ACCESS_TOKEN_EXPIRE_SECONDS": ACCESS_SECONDS,
        "ID_TOKEN_EXPIRE_SECONDS": ACCESS_SECONDS,
        "REFRESH_TOKEN_EXPIRE_SECONDS": REFRESH_SECONDS,
        "ROTATE_REFRESH_TOKEN": True,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"],
        "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
        "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
        "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
        "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
        "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
        "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
        "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
        "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    }
