"""Token Status Lists (draft-ietf-oauth-status-list): two bits a credential, as SD-JWT VC point to them. Pure."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from chengshu.contexts.certificates import suites

TYPE = "statuslist+jwt"
BITS = 2
VALID, INVALID, SUSPENDED = 0, 1, 2
TERM = dt.timedelta(days=1)
TTL = dt.timedelta(minutes=10)
MOST = 4_000_000


def encode(values: Iterable[tuple[int, int]], size: int) -> str:
    """Return the list with ``(index, value)`` set, all others valid: ZLIB, base64url."""
    packed = bytearray(size * BITS // 8)
    for index, value in values:
        packed[index // 4] |= value << index % 4 * BITS
    return suites.b64(zlib.compress(bytes(packed), 9))


def read(said: Mapping[str, Any], index: int) -> int:
    """Return a value of a list with 1, 2, 4 or 8 bits; raises ``ValueError`` when it is broken or too short."""
    bits = said.get("bits")
    if bits not in (1, 2, 4, 8):
        raise ValueError("not a status list")
    try:
        packed = zlib.decompressobj().decompress(suites.unb64(str(said["lst"])), MOST)
    except (zlib.error, KeyError) as error:
        raise ValueError("not a compressed list") from error
    place, within = divmod(index, 8 // bits)
    if not 0 <= place < len(packed):
        raise ValueError("the index lies outside the list")
    return packed[place] >> within * bits & (1 << bits) - 1


def status_token(
    uri: str, values: Iterable[tuple[int, int]], issuer: str, key: suites.Key, now: dt.datetime, size: int
) -> str:
    """Return a signed status list."""
    body = {
        "iss": issuer,
        "sub": uri,
        "iat": int(now.timestamp()),
        "exp": int((now + TERM).timestamp()),
        "ttl": int(TTL.total_seconds()),
        "status_list": {"bits": BITS, "lst": encode(values, size)},
    }
    return suites.compact({"typ": TYPE}, json.dumps(body, separators=(",", ":")).encode(), key)
