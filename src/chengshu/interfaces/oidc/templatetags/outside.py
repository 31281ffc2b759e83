"""The buttons of outside providers on the sign-in page."""

from __future__ import annotations

from typing import Any

from django import template

from chengshu.interfaces.oidc.providers import providers

register = template.Library()


@register.inclusion_tag("oidc/_outside.html", takes_context=True)
def outside_sign_in(context: dict[str, Any], onward: str = "/") -> dict[str, Any]:
    """Draw one button for each outside provider; nothing where there is none."""
    return {"providers": providers(), "next": onward, "csrf_token": context.get("csrf_token")}
