"""Canonical JSON and digests: the same value always gives the same bytes.

Follows RFC 8785 (JSON Canonicalization Scheme) for the values we allow: objects with string keys, arrays,
strings, booleans, null and integers within ±(2**53 - 1). Floats are refused: money is integer fen,
coordinates are decimal strings, so no digest depends on how a float prints.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

MAX_SAFE_INTEGER = 2**53 - 1


def canonical_json(value: Any) -> bytes:
    """Return the canonical UTF-8 bytes of ``value``; raises ``TypeError`` or ``ValueError`` for what has
    none.
    """
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        "utf-8"
    )


def digest(value: Any) -> str:
    """Return the hexadecimal SHA-256 of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def salted_digest(value: Any, salt: bytes) -> str:
    """Return SHA-256 over ``salt`` and the canonical JSON: nobody can guess a small value back without the
    salt.
    """
    if len(salt) < 16:
        raise ValueError("a salt has at least 16 bytes")
    return hashlib.sha256(salt + canonical_json(value)).hexdigest()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_SAFE_INTEGER:
            raise ValueError(f"integer {value} is beyond ±(2**53 - 1): write long numbers as strings")
        return value
    if isinstance(value, dt.datetime):
        return _instant(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(_keys(value), key=_utf16)}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


def _instant(value: dt.datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a time without a zone has no canonical form")
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _keys(value: Mapping[Any, Any]) -> list[str]:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"object keys are strings, not {type(key).__name__}")
    return list(value)


def _utf16(key: str) -> bytes:
    # RFC 8785, 3.2.3: keys are ordered by their UTF-16 code units.
    return key.encode("utf-16-be")
