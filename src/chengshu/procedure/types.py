"""The types of pack values: what a fact, a field, a kept value, a parameter or an expression can be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 10_000
MAX_ITEMS = 1_000
MAX_NESTED = 6
MAX_INTEGER = 2**53 - 1
MAX_NAME = 150

# Dates outside are slips of the pen, and could not be reckoned with.
FIRST_YEAR, LAST_YEAR = 1000, 3000

# What a pack may write after `type:`. `money` is integer fen; `texts` a list of texts, from `choices` where it has some;
# `map` plain JSON; `rows` a list of mappings with declared columns; `accounts` a list of user names.
KINDS = ("text", "integer", "money", "boolean", "date", "choice", "texts", "map", "files", "rows", "accounts")
# What a column of `rows` can be.
COLUMN_KINDS = ("text", "integer", "money", "boolean", "date", "choice")


@dataclass(frozen=True, slots=True)
class Type:
    """A kind, its allowed choices, whether it may be empty, whether it is personal data, the columns of rows."""

    kind: str
    choices: tuple[str, ...] = ()
    optional: bool = False
    personal: bool = False
    columns: tuple[tuple[str, Type], ...] = ()

    def column(self, name: str) -> Type | None:
        """Return the type of a column of rows."""
        return dict(self.columns).get(name)

    def __str__(self) -> str:
        return f"{self.kind}{' or empty' if self.optional else ''}"


_PLAIN_TEXT = Type("text")


class BadValue(Exception):
    """A value that does not fit its type; the text says why and is safe to show to a person."""


def check_value(value: Any, type_: Type) -> Any:
    """Return ``value`` in the plain form the engine keeps (dates as ISO text) or raise ``BadValue``."""
    if value is None or (value == "" and type_.kind != "text"):
        if not type_.optional:
            raise BadValue("a value is required")
        return None
    return _CHECKS[type_.kind](value, type_)


def _text(value: Any, type_: Type) -> str:
    if not isinstance(value, str):
        raise BadValue("text is expected")
    if len(value) > MAX_TEXT:
        raise BadValue(f"at most {MAX_TEXT} characters are allowed")
    if "\x00" in value:
        raise BadValue("the text holds a null character")
    return value


def _integer(value: Any, type_: Type) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue("a whole number is expected")
    if abs(value) > MAX_INTEGER:
        raise BadValue("the number is too large")
    return value


def _boolean(value: Any, type_: Type) -> bool:
    if not isinstance(value, bool):
        raise BadValue("yes or no is expected")
    return value


def _date(value: Any, type_: Type) -> str:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    try:
        day = dt.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadValue("a date like 2026-11-21 is expected") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadValue(f"a date between the years {FIRST_YEAR} and {LAST_YEAR} is expected")
    return day.isoformat()


def _choice(value: Any, type_: Type) -> str:
    if value not in type_.choices:
        raise BadValue(f"one of {', '.join(type_.choices)} is expected")
    return str(value)


def _texts(value: Any, type_: Type) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        raise BadValue(f"a list of at most {MAX_ITEMS} texts is expected")
    found = [_text(item, type_) for item in value]
    if type_.choices:
        if any(item not in type_.choices for item in found):
            raise BadValue(f"only {', '.join(type_.choices)} may be chosen")
        if len(set(found)) != len(found):
            raise BadValue("one value is chosen twice")
    return found


def _accounts(value: Any, type_: Type) -> list[str]:
    found = _texts(value, type_)
    if any(not item or len(item) > MAX_NAME or item != item.strip() for item in found):
        raise BadValue("a list of user names is expected")
    if len(set(found)) != len(found):
        raise BadValue("one account is named twice")
    return found


class BadRows(BadValue):
    """Cells of rows that do not fit; ``cells`` maps ``<row>.<column>`` to what is wrong."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        super().__init__(
            "; ".join(f"row {int(key.split('.')[0]) + 1}: {text}" for key, text in cells.items())
        )
        self.cells = cells


def _rows(value: Any, type_: Type) -> list[dict[str, Any]]:
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        raise BadValue(f"a list of at most {MAX_ITEMS} rows is expected")
    found: list[dict[str, Any]] = []
    wrong: dict[str, str] = {}
    for number, row in enumerate(value):
        if not isinstance(row, Mapping):
            raise BadValue("each row is a mapping of column to value")
        for name in row:
            if type_.column(str(name)) is None:
                wrong[f"{number}.{name}"] = "there is no such column"
        clean: dict[str, Any] = {}
        for name, column in type_.columns:
            try:
                clean[name] = check_value(_stripped(row.get(name)), column)
            except BadValue as bad:
                wrong[f"{number}.{name}"] = str(bad)
        found.append(clean)
    if wrong:
        raise BadRows(wrong)
    return found


def _stripped(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value


def _map(value: Any, type_: Type) -> Any:
    _measure(value, 0)
    return value


def _measure(value: Any, depth: int) -> None:
    # Facts are checked for every case of a bulk opening: exact classes are asked first, they are nearly all there is.
    kind = value.__class__
    if kind is str:
        _text(value, _PLAIN_TEXT)
        return
    if kind is int or kind is bool or value is None:
        return
    if depth > MAX_NESTED:
        raise BadValue("the value is nested too deep")
    if isinstance(value, Mapping):
        items: Any = value.values()
    elif isinstance(value, list | tuple):
        items = value
    else:
        raise BadValue(f"{kind.__name__} is not allowed here")
    if len(items) > MAX_ITEMS:
        raise BadValue(f"at most {MAX_ITEMS} items are allowed")
    for item in items:
        _measure(item, depth + 1)


_CHECKS = {
    "text": _text,
    "integer": _integer,
    "money": _integer,
    "boolean": _boolean,
    "date": _date,
    "choice": _choice,
    "texts": _texts,
    "files": _texts,
    "map": _map,
    "rows": _rows,
    "accounts": _accounts,
}
