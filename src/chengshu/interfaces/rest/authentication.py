"""Who calls the API: a signed-in browser session or a personal token, in which role, within which rate.

``@router.get("/x", auth=guard("steward", "officer", scope="subjects:read"))`` or ``auth=OPEN`` for open data.
The account is ``request.auth`` (also ``request.user``); an open call has none unless it sends one.
"""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import APIKeyCookie, HttpBearer

from chengshu.contexts.identity.api import (
    ALL_ROLES,
    Account,
    Rate,
    client_address,
    may_act,
    take_from_bucket,
    token_holder,
)
from chengshu.kernel.problems import Problem

OF_ACCOUNT = Rate(capacity=300, per_second=10)
OF_ADDRESS = Rate(capacity=60, per_second=2)
OPEN: list[Any] = []


def admit(request: HttpRequest, account: Account, roles: frozenset[str]) -> Account:
    """Let an account in if its role may make this call and its bucket is not empty."""
    take_from_bucket("api-account", str(account.pk), OF_ACCOUNT, time.time())
    if account.role not in roles:
        raise Problem("role-not-allowed", "您的角色不能调用此接口", detail=str(account.role), status=403)
    request.user = account
    return account


class TokenGuard(HttpBearer):
    """``Authorization: Bearer cs_…``: a personal token with the scope that the call names."""

    def __init__(self, roles: frozenset[str], scope: str) -> None:
        super().__init__()
        self.roles, self.scope = roles, scope

    def authenticate(self, request: HttpRequest, token: str) -> Account | None:
        """Return the token's account; None leads to 401."""
        found = token_holder(token, timezone.now())
        if found is None or not may_act(found[0]):
            return None
        if self.scope and self.scope not in found[1]:
            raise Problem("scope-missing", "令牌没有这项权限", detail=self.scope, status=403)
        return admit(request, found[0], self.roles)


class SessionGuard(APIKeyCookie):
    """The browser's session; calls that change something also need its CSRF token."""

    param_name = "sessionid"

    def __init__(self, roles: frozenset[str]) -> None:
        super().__init__(csrf=True)
        self.roles = roles

    def _get_key(self, request: HttpRequest) -> str | None:
        # Without a session there is nothing that a forged request could use: 401, not 403.
        return super()._get_key(request) if self.param_name in request.COOKIES else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Account | None:
        """Return the signed-in account; None leads to 401."""
        if not isinstance(request.user, Account) or not may_act(request.user):
            return None
        return admit(request, request.user, self.roles)


def guard(*roles: str, scope: str) -> list[Any]:
    """Guard a call: these roles (all when none is named) by session, or by a token with ``scope``."""
    unknown = set(roles) - set(ALL_ROLES)
    if unknown:
        raise ValueError(f"unknown roles: {sorted(unknown)}")
    allowed = frozenset(roles or ALL_ROLES)
    return [TokenGuard(allowed, scope), SessionGuard(allowed)]


def open_call(request: HttpRequest) -> bool:
    """Admit anyone within the rate of their network address."""
    take_from_bucket("api-address", client_address(request), OF_ADDRESS, time.time())
    return True


OPEN.append(open_call)
