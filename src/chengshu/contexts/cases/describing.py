"""Puts values of an effect into the words of its case's pack: label and value in both languages, the raw value beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from chengshu.contexts.cases.reading import pack_words

Shown = dict[str, Any]


def described(case_id: str, values: Mapping[str, Any] | None) -> list[Shown]:
    """Return ``[{name, label: {zh, en}, raw, value: {zh, en}}]`` in the order given; empty values are left out."""
    given = plain_values(values)
    keys = [key for name in given for key in (f"claims.{name}", f"fields.{name}.label")]
    keys += [f"choices.{name}.{each}" for name, value in given.items() for each in _choices(value)]
    words = pack_words(case_id, keys)
    return [
        {
            "name": name,
            "label": first_said(words.get(f"claims.{name}"), words.get(f"fields.{name}.label"), name),
            "raw": value,
            "value": {language: _said(name, value, words, language) for language in ("zh", "en")},
        }
        for name, value in given.items()
    ]


def plain_values(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a map as JSON and the ledger keep it: dates as ISO text, no floats, empty values left out."""
    return {str(name): _plain(value) for name, value in (values or {}).items() if value is not None}


def first_said(*given: Mapping[str, str] | str | None) -> dict[str, str]:
    """Return the first that has words, in both languages; a plain text stands for both."""
    for each in given:
        if isinstance(each, str):
            return {"zh": each, "en": each}
        if each and each.get("zh"):
            return {"zh": each["zh"], "en": each.get("en") or each["zh"]}
    return {"zh": "", "en": ""}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, float):
        return int(value) if value.is_integer() else str(value)
    if isinstance(value, Mapping):
        return plain_values(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _choices(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []


def _said(name: str, value: Any, words: Mapping[str, Mapping[str, str]], language: str) -> str:
    if isinstance(value, bool):
        return {"zh": ("否", "是"), "en": ("no", "yes")}[language][value]
    if isinstance(value, str):
        return words.get(f"choices.{name}.{value}", {}).get(language) or value
    if isinstance(value, list | tuple):
        return ("、" if language == "zh" else ", ").join(_said(name, each, words, language) for each in value)
    if isinstance(value, Mapping):
        return "；".join(f"{key}：{_said(str(key), each, words, language)}" for key, each in value.items())
    return str(value)
