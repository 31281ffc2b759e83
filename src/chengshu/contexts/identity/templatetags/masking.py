"""``{% load masking %}{{ value|masked:"person.name" }}``: personal values as pages show them by default."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext

from chengshu.contexts.identity.domain import PURPOSES, mask

register = template.Library()


@register.filter
def masked(value: Any, element: str) -> str:
    """Mask a value of a data element."""
    return mask(element, value)


@register.filter
def purpose_text(purpose: str) -> str:
    """Say a purpose in words."""
    return gettext(PURPOSES.get(purpose, purpose))
