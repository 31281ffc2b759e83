"""Puts values of an effect into the words of its case's pack: label and value in both languages, the raw value beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases.reading import account_columns, hundredths_of, money_of, pack_words
from chengshu.kernel.money import hundredths, in_yuan

Shown = dict[str, Any]
FEN = "fen"


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which names are money, and which are kept in hundredths."""

    money: frozenset[str]
    hundredths: frozenset[str]


def described(case_id: str, values: Mapping[str, Any] | None) -> list[Shown]:
    """Return ``[{name, label: {zh, en}, raw, value: {zh, en}, unit}]`` in the order given; empty values are left out.

    ``unit`` is ``fen`` where the raw value is money, and stands there only then. Of rows, whose account a row is stays inside.
    """
    hidden = account_columns(case_id)
    given = {name: _without(value, hidden) for name, value in plain_values(values).items()}
    cells = [
        (str(key), cell) for value in given.values() for row in _rows(value) for key, cell in row.items()
    ]
    keys = [
        key
        for name in (*given, *(name for name, _ in cells))
        for key in (f"claims.{name}", f"fields.{name}.label")
    ]
    keys += [f"choices.{name}.{each}" for name, value in (*given.items(), *cells) for each in _choices(value)]
    words, money = pack_words(case_id, keys), money_of(case_id)
    numbers = Numbers(money, hundredths_of(case_id))
    found = []
    for name, value in given.items():
        label = first_said(words.get(f"claims.{name}"), words.get(f"fields.{name}.label"), name)
        said = {language: _said(name, value, words, language, numbers) for language in ("zh", "en")}
        unit = {"unit": FEN} if type(value) is int and name in money else {}
        found.append({"name": name, "label": label, "raw": value, "value": said, **unit})
    return found


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _without(value: Any, hidden: frozenset[str]) -> Any:
    if not hidden or not _rows(value):
        return value
    return [{key: cell for key, cell in row.items() if key not in hidden} for row in _rows(value)]


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
    name: str, value: Any, words: Mapping[str, Mapping[str, str]], language: str, numbers: Numbers
) -> str:
    if isinstance(value, bool):
        return {"zh": ("否", "是"), "en": ("no", "yes")}[language][value]
    if isinstance(value, int) and name in numbers.money:
        return in_yuan(value)[language]
    if isinstance(value, int) and name in numbers.hundredths:
        return hundredths(value)
    if isinstance(value, str):
        return words.get(f"choices.{name}.{value}", {}).get(language) or value
    if rows := _rows(value):
        lines = (_said(name, row, words, language, numbers) for row in rows)
        return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))
    if isinstance(value, list | tuple):
        said = (_said(name, each, words, language, numbers) for each in value)
        return ("、" if language == "zh" else ", ").join(said)
    if isinstance(value, Mapping):
        colon, stop = ("：", "；") if language == "zh" else (": ", "; ")
        cells = ((key, _said(str(key), each, words, language, numbers)) for key, each in value.items())
        labels = {key: words.get(f"fields.{key}.label", {}).get(language) or key for key in value}
        return stop.join(f"{labels[key]}{colon}{text}" for key, text in cells)
    return str(value)
