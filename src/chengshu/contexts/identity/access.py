"""Guards of pages: who is signed in, in which role."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import timezone

from chengshu.contexts.identity.models import Account

View = Callable[..., HttpResponse]
ALL_ROLES: tuple[str, ...] = tuple(str(role) for role in Account.Role.values)
EMPLOYED_ROLES: tuple[str, ...] = tuple(role for role in ALL_ROLES if role != "resident")
# Who works cases and places. A window clerk is employed and is none of these: they serve, and see what forms need.
STAFF_ROLES: tuple[str, ...] = tuple(role for role in EMPLOYED_ROLES if role != "clerk")


def may_act(account: Any) -> bool:
    """Say whether this account may still act: active, not left, and no demo account outside the demo."""
    if not getattr(account, "is_authenticated", False) or not account.is_active:
        return False
    if account.is_demo and not settings.DEMO:
        return False
    return account.left_on is None or account.left_on > timezone.localdate()


def role_required(*roles: str) -> Callable[[View], View]:
    """Guard a view: the roles named may enter; others are refused, visitors are led to the sign-in page."""
    unknown = set(roles) - set(ALL_ROLES)
    if unknown or not roles:
        raise ValueError(f"role_required needs roles out of {ALL_ROLES}, not {roles}")

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may_act(request.user):
                target = urlencode({"next": request.get_full_path()})
                return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{target}")
            if request.user.role not in roles:  # type: ignore[union-attr]
                raise PermissionDenied
            return view(request, *args, **kwargs)

        # The authorisation matrix is tested against this.
        guarded.allowed_roles = frozenset(roles)  # type: ignore[attr-defined]
        return guarded

    return decorate


def public_page(view: View) -> View:
    """Mark a view as open to everyone; a view that is neither guarded nor marked fails the matrix test."""

    @wraps(view)
    def open_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    open_view.allowed_roles = None  # type: ignore[attr-defined]
    return open_view
