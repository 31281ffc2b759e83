"""Claims and fields as kept: lists of ``{name, label, raw, value}`` in the words of the pack that gave them."""

from __future__ import annotations

import json
from typing import Any

from chengshu.contexts.cases import api as cases

Shown = dict[str, Any]


def merged(old: list[Shown], new: list[Shown]) -> list[Shown]:
    """Return the old list with the new values in their places; new names follow."""
    fresh = {item["name"]: item for item in new}
    kept = [fresh.pop(item["name"], item) for item in old]
    return [*kept, *fresh.values()]


def raw(shown: list[Shown]) -> dict[str, Any]:
    """Return the plain values by name."""
    return {item["name"]: item["raw"] for item in shown}


def dump(shown: list[Shown]) -> str:
    """Return a list as kept."""
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def title(case_id: str, group: str, code: str) -> dict[str, str]:
    """Return what a certificate's type or a register is called by the pack; the pack's own title where it says nothing."""
    words = cases.pack_words(case_id, [f"{group}.{code}", "title"])
    return cases.first_said(words[f"{group}.{code}"], words["title"], code)
