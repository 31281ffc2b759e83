"""``{% load cases %}``: a light in words."""

from __future__ import annotations

from django import template
from django.utils.translation import get_language

from chengshu.contexts.cases.domain import Light

register = template.Library()


@register.filter
def in_words(light: Light) -> str:
    """Say a light in the page's language."""
    return light.en if (get_language() or "").startswith("en") else light.zh
