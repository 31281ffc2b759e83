"""``{% load cases %}``: lights in words, and what kind of thing a shown value is."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.utils.translation import get_language

from chengshu.contexts.cases.domain import Light
from chengshu.kernel.terms import legal_day

register = template.Library()


@register.filter
def in_words(light: Light) -> str:
    """Say a light in the page's language."""
    return light.en if (get_language() or "").startswith("en") else light.zh


@register.filter
def last_day(due_at: dt.datetime) -> dt.date:
    """Return the last day of a term: it ends at 24:00, which is not yet the next day."""
    return legal_day(due_at - dt.timedelta(microseconds=1))


@register.filter
def arithmetic(line: Any) -> str:
    """Say how a leg of the way to a decision was counted, in the page's language."""
    return str(line.en if (get_language() or "").startswith("en") else line.zh)


@register.filter
def is_table(value: Any) -> bool:
    """Say whether a shown value is a table of rows."""
    return isinstance(value, dict) and "head" in value


@register.filter
def is_list(value: Any) -> bool:
    """Say whether a shown value is a list."""
    return isinstance(value, list)
