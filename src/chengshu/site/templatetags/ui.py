"""What templates share: icons, status tags, lights, numbers and bilingual values. ``{% load ui %}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_noop

register = template.Library()

# One stroke style: 24 × 24, drawn by us, coloured by the text around it.
ICONS = {
    "check": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.5l3.5 2"/>',
    "alert": '<path d="M12 3.5L21.5 20h-19z"/><path d="M12 10v4.5M12 17.3v.2"/>',
    "stop": '<path d="M8 3h8l5 5v8l-5 5H8l-5-5V8z"/><path d="M12 8v5M12 16.3v.2"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 7.8v.2"/>',
    "cross": '<path d="M6 6l12 12M18 6L6 18"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "pen": '<path d="M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19zM13.5 7l3.5 3.5"/>',
    "trash": '<path d="M5 7h14M9.5 7V4h5v3M7 7l1 13h8l1-13M10.5 11v5.5M13.500 11v5.500"/>',
    "list": '<path d="M8.5 6h11M8.5 12h11M8.5 18h11M4.5 6v.2M4.5 12v.2M4.5 18v.2"/>',
    "chat": '<path d="M4 5h16v11h-8l-4.500 4v-4H4z"/>',
    "coins": '<circle cx="9" cy="9" r="5.500"/><path d="M14 4.500a5.500 5.500 0 1 1-3 10"/>',
    "flow": '<path d="M9 3.500h6v5H9zM3.500 15.500h6v5h-6zM14.500 15.500h6v5h-6zM12 8.500v3.500M6.500 15.500V12h11v3.500"/>',
    "dash": '<path d="M6 12h12"/>',
    "arrow": '<path d="M5 12h14M13 6l6 6-6 6"/>',
    "back": '<path d="M19 12H5M11 6l-6 6 6 6"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "search": '<circle cx="11" cy="11" r="6.5"/><path d="M16 16l4.5 4.5"/>',
    "pin": '<path d="M12 21c4-5 6.5-8 6.5-11a6.5 6.5 0 1 0-13 0c0 3 2.5 6 6.5 11z"/>'
    '<circle cx="12" cy="10" r="2.3"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c1-4.5 4-6.5 7.5-6.5s6.5 2 7.5 6.5"/>',
    "firm": '<path d="M5 20.5V4h9v16.5M14 9.5h5v11M3 20.5h18M8 8h3M8 12h3M8 16h3"/>',
    "file": '<path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"/>',
    "download": '<path d="M12 4v11M7 11l5 5 5-5M5 20h14"/>',
    "upload": '<path d="M12 16V5M7 9l5-5 5 5M5 20h14"/>',
    "camera": '<path d="M3.5 8h4l1.5-2.5h6L16.5 8h4v11.5h-17z"/><circle cx="12" cy="13.5" r="3.5"/>',
    "link": '<path d="M10 14l4-4M8.5 11.5L6 14a3.5 3.5 0 0 0 5 5l2.5-2.5M15.5 12.5L18 10a3.5'
    ' 3.5 0 0 0-5-5l-2.5 2.5"/>',
    "shield": '<path d="M12 3l7.5 2.5V11c0 5-3.2 8-7.5 10-4.3-2-7.5-5-7.5-10V5.5z"/>'
    '<path d="M8.5 12l2.5 2.5 4.5-5"/>',
    "eye": '<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/>'
    '<circle cx="12" cy="12" r="2.8"/>',
    "swap": '<path d="M4 8.5h15M15 4.5l4 4-4 4M20 15.5H5M9 11.5l-4 4 4 4"/>',
    "display": '<circle cx="12" cy="12" r="8.5"/>'
    '<path d="M12 3.5v17a8.5 8.5 0 0 0 0-17z" fill="currentColor"/>',
    "globe": '<circle cx="12" cy="12" r="8.5"/>'
    '<path d="M3.5 12h17M12 3.5c5 5.5 5 11.5 0 17M12 3.5c-5 5.5-5 11.5 0 17"/>',
    "layers": '<path d="M12 3.5l9 5-9 5-9-5zM3.5 13l8.5 4.7 8.5-4.700"/>',
    "key": '<circle cx="8" cy="15" r="4"/><path d="M11 12l8.5-8.5M16 7l3 3"/>',
}
TONES = {"good": "check", "warn": "alert", "bad": "stop", "info": "info", "wait": "clock", "plain": "dash"}
LIGHTS = {
    "green": ("check", gettext_noop("正常")),
    "amber": ("clock", gettext_noop("临近期限")),
    "red": ("stop", gettext_noop("已超期")),
    "paused": ("dash", gettext_noop("中止计算")),
}


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Draw an icon; it is decoration, so the text beside it must say the same."""
    # Both parts come from this file and from templates, never from input.
    shape = mark_safe(ICONS[name])
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">{}</svg>',
        css,
        shape,
    )


@register.simple_tag
def tag(text: str, tone: str = "plain") -> SafeString:
    """Show a state as icon and text; ``tone``: good, warn, bad, info, wait or plain."""
    return format_html('<span class="tag tag-{}">{}{}</span>', tone, icon(TONES[tone]), text)


@register.simple_tag
def light(level: str, text: str = "") -> SafeString:
    """Show a term's light: green, amber, red or paused, each with its own shape and words."""
    if level not in LIGHTS:
        return SafeString("")
    shape, usual = LIGHTS[level]
    return format_html('<span class="light light-{}">{}{}</span>', level, icon(shape), text or gettext(usual))


@register.simple_tag
def light_of(value: Any) -> SafeString:
    """Show a light object of the cases: its ``colour`` with its ``zh`` or ``en`` words."""
    return light(value.colour, said({"zh": value.zh, "en": value.en}))


@register.filter
def number(value: Any) -> str:
    """Write an integer with separators: 2,500,000. Anything else is written as it is."""
    if value is None or value == "":
        return "—"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


@register.filter
def said(value: Any) -> str:
    """Take the page's language from a bilingual value ``{"zh": …, "en": …}``; a plain text stays."""
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    wanted = "en" if (get_language() or "").startswith("en") else "zh"
    return str(value.get(wanted) or value.get("zh") or value.get("en") or "")


@register.filter
def said_all(values: Any) -> str:
    """Name several things in the page's language, with its own comma between them."""
    comma = ", " if (get_language() or "").startswith("en") else "、"
    return comma.join(said(each) for each in values)


@register.filter
def share(part: Any, whole: Any) -> str:
    """Write ``part`` of ``whole`` as a percentage with one decimal; a dash when there is nothing."""
    try:
        return f"{100 * float(part) / float(whole):.1f} %"
    except (TypeError, ValueError, ZeroDivisionError):
        return "—"


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """Look ``key`` up in a mapping; nothing when it is not there."""
    return mapping.get(key, "") if isinstance(mapping, Mapping) else ""
