"""Puts values of an effect into the words of its case's pack: label and value in both languages, the raw value beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from chengshu.contexts.cases.reading import money_of, pack_words
from chengshu.kernel.money import in_yuan

Shown = dict[str, Any]
FEN = "fen"


def described(case_id: str, values: Mapping[str, Any] | None) -> list[Shown]:
    """Return ``[{name, label: {zh, en}, raw, value: {zh, en}, unit}]`` in the order given; empty values are left out.

    ``unit`` is ``fen`` where the raw value is money, and stands there only then.
    """
    given = plain_values(values)
    keys = [key for name in given for key in (f"claims.{name}", f"fields.{name}.label")]
    keys += [f"choices.{name}.{each}" for name, value in given.items() for each in _choices(value)]
    words, money = pack_words(case_id, keys), money_of(case_id)
    found = []
    for name, value in given.items():
        label = first_said(words.get(f"claims.{name}"), words.get(f"fields.{name}.label"), name)
        said = {language: _said(name, value, words, language, money) for language in ("zh", "en")}
        unit = {"unit": FEN} if type(value) is int and name in money else {}
        found.append({"name": name, "label": label, "raw": value, "value": said, **unit})
    return found


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


def _said(
    name: str, value: Any, words: Mapping[str, Mapping[str, str]], language: str, money: frozenset[str]
) -> str:
    if isinstance(value, bool):
        return {"zh": ("否", "是"), "en": ("no", "yes")}[language][value]
    if isinstance(value, int) and name in money:
        return in_yuan(value)[language]
    if isinstance(value, str):
        return words.get(f"choices.{name}.{value}", {}).get(language) or value
    if isinstance(value, list | tuple):
        said = (_said(name, each, words, language, money) for each in value)
        return ("、" if language == "zh" else ", ").join(said)
    if isinstance(value, Mapping):
        colon, stop = ("：", "；") if language == "zh" else (": ", "; ")
        cells = ((key, _said(str(key), each, words, language, money)) for key, each in value.items())
        return stop.join(f"{key}{colon}{text}" for key, text in cells)
    return str(value)
