"""What every page knows: the district, whether it is a demo, the menu, how the reader wants it shown."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from chengshu import __version__
from chengshu.contexts.identity.api import Account, acting
from chengshu.site.navigation import menu

THEMES = ("auto", "light", "dark")
SIZES = ("normal", "large")


def page(request: HttpRequest) -> dict[str, Any]:
    """Template variables of the base page."""
    account = getattr(request, "user", None)
    role = str(getattr(account, "role", "") or "")
    return {
        "acting": acting(request) if isinstance(account, Account) else None,
        "acting_ended": getattr(request, "acting_ended", False),
        "demo": settings.DEMO,
        "district": settings.DISTRICT,
        "menu": menu(request, role),
        "theme": chosen(request, "theme", THEMES),
        "size": chosen(request, "size", SIZES),
        "version": __version__,
    }


def chosen(request: HttpRequest, cookie: str, allowed: tuple[str, ...]) -> str:
    """Return the reader's choice from a cookie; the first of ``allowed`` when it is none of them."""
    value = request.COOKIES.get(cookie, "")
    return value if value in allowed else allowed[0]
