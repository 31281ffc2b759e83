"""Puts the values of an effect into the words of its pack: label and value in both languages, the raw value beside them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates.domain import plain

Shown = dict[str, Any]


def described(case_id: str, values: Mapping[str, Any] | None) -> list[Shown]:
    """Return ``[{name, label: {zh, en}, raw, value: {zh, en}}]`` in the order given; empty values are left out."""
    given = plain(values)
    keys = [key for name in given for key in (f"claims.{name}", f"fields.{name}.label")]
    keys += [f"choices.{name}.{each}" for name, value in given.items() for each in _choices(value)]
    words = cases.pack_words(case_id, keys)
    return [
        {
            "name": name,
            "label": _first(words.get(f"claims.{name}"), words.get(f"fields.{name}.label"), name),
            "raw": value,
            "value": {language: _said(name, value, words, language) for language in ("zh", "en")},
        }
        for name, value in given.items()
    ]


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
    return _first(words[f"{group}.{code}"], words["title"], code)


def _first(*given: Mapping[str, str] | str | None) -> dict[str, str]:
    """Return the first that has words; a plain text stands for both languages."""
    for each in given:
        if isinstance(each, str):
            return {"zh": each, "en": each}
        if each and each.get("zh"):
            return {"zh": each["zh"], "en": each.get("en") or each["zh"]}
    return {"zh": "", "en": ""}


def _choices(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []


def _said(name: str, value: Any, words: Mapping[str, Mapping[str, str]], language: str) -> str:
    yes, no = ("是", "否") if language == "zh" else ("yes", "no")
    if isinstance(value, bool):
        return yes if value else no
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return words.get(f"choices.{name}.{value}", {}).get(language) or value
    if isinstance(value, list | tuple):
        return ("、" if language == "zh" else ", ").join(_said(name, each, words, language) for each in value)
    if isinstance(value, Mapping):
        return "；".join(f"{key}：{_said(str(key), each, words, language)}" for key, each in value.items())
    return str(value)
