"""Plain statements on the open connection, and JSON text: what the hot path of a case step runs.

``sql()`` and ``Unit`` are the ledger's (see its ``statements.py``): a step and its leaf share one short transaction.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import orjson

from chengshu.contexts.ledger.api import Sql, Unit, sql

__all__ = ["Sql", "Unit", "dump", "kept", "load", "numbered", "sql"]

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def dump(value: Any) -> str:
    """Return canonical JSON text (keys sorted; no floats reach here, so it equals RFC 8785 for our values)."""
    try:
        return orjson.dumps(value, option=_OPTIONS).decode()
    except TypeError:
        # Integers beyond 64 bits, lone surrogates, kinds of str: the library's own encoder says what it thinks.
        return _encode(value)


def load(text: str) -> Any:
    """Read JSON text."""
    return orjson.loads(text)


def kept(value: Any) -> Any:
    """Return an instant as the database keeps it: SQLite's driver may have read its text."""
    if sql().sqlite and isinstance(value, dt.datetime):
        return value.isoformat(" ")
    return value


def numbered(statement: str, values: dict[str, Any]) -> tuple[str, list[Any]]:
    """Turn ``%(name)s`` into ``%s`` with the values in order: parts of a union each bring their own."""
    given: list[Any] = []
    parts = statement.split("%(")
    text = parts[0]
    for part in parts[1:]:
        name, rest = part.split(")s", 1)
        given.append(values[name])
        text += f"%s{rest}"
    return text, given
