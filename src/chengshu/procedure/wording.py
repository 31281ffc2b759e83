"""Texts of a pack: read flat, checked for the names they mention, and filled in for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from chengshu.kernel.strict_yaml import Mapped

_SLOT = re.compile(r"\{([a-z_]+(?:\.[a-z0-9_-]+)?)\}")
BLANK = "▇▇"


def plain_texts(data: Mapped) -> dict[str, Any]:
    """Return the texts as plain nested mappings."""
    return {key: plain_texts(value) if isinstance(value, Mapped) else value for key, value in data.items()}


def slots(template: str) -> list[str]:
    """Return the names between braces."""
    return _SLOT.findall(template)


def fill(template: str, value_of: Callable[[str], Any]) -> str:
    """Put values into a text; what is unknown, erased or withheld shows as a bar."""

    def replace(match: re.Match[str]) -> str:
        value = value_of(match.group(1))
        return BLANK if value is None else str(value)

    return _SLOT.sub(replace, template)


def flatten(texts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return dotted key → text."""
    found: dict[str, Any] = {}
    for key, value in texts.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found.update(flatten(value, f"{name}."))
        else:
            found[name] = value
    return found
