"""The QR code on a certificate: the address of the verification page with a short signed text, enough to verify offline."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chengshu.contexts.certificates.credentials import sign
from chengshu.contexts.certificates.suites import Key

TYPE = "cs-qr+jwt"
PATH = "/verify/"


def qr_text(base: str, said: dict[str, Any], key: Key, now: dt.datetime) -> str:
    """Return the text of the code. ``said``: number, type, holder masked, validity, status place; no other personal value."""
    return f"{base}{PATH}?q={sign(said, key, TYPE, now)}"


def signed_part(text: str) -> str:
    """Return the signed text out of what a scanner read: the whole address, or the text alone."""
    text = text.strip()
    if "://" in text:
        return parse_qs(urlsplit(text).query).get("q", [""])[0]
    return text
