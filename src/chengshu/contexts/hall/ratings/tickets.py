"""Keyed digests: the ticket that lets a service be rated once, the link in an invitation, the receipt of who stays anonymous."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from django.conf import settings

_FORM = re.compile(r"^(\d{1,15})-([A-Z2-7]{20})$")
RECEIPT_BYTES = 10


def _keyed(kind: str, text: str) -> bytes:
    key = hashlib.sha256(f"chengshu:{kind}:{settings.SECRET_KEY}".encode()).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def ticket(reference: str, number: int) -> str:
    """Return the ticket of a service's round: unique, and without the installation's key it leads to no case."""
    return _keyed("rating-ticket", f"{reference}#{number}").hex()


def link_code(service_id: int) -> str:
    """Return what stands in the address of an invitation or a QR code: it can be checked and not guessed (100 bits)."""
    mac = base64.b32encode(_keyed("rating-link", str(service_id))).decode()[:20]
    return f"{service_id}-{mac}"


def service_of_link(code: str) -> int | None:
    """Return the service that a link is for; None where it was not made here."""
    match = _FORM.match(code)
    if match is None or not hmac.compare_digest(link_code(int(match[1])), code):
        return None
    return int(match[1])


def new_code() -> str:
    """Return a code to be read out or written down: 16 characters in groups of four."""
    text = base64.b32encode(secrets.token_bytes(RECEIPT_BYTES)).decode()
    return _in_groups(text)


def code_for(kind: str, key: str) -> str:
    """Return the code that belongs to a key which nobody can guess: whoever sends it again reads the same code."""
    text = base64.b32encode(_keyed(f"{kind}-for", key)[:RECEIPT_BYTES]).decode()
    return _in_groups(text)


def _in_groups(text: str) -> str:
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def digest_of(kind: str, code: str) -> str:
    """Return the keyed digest of a code as it was typed: spaces, dashes and case do not matter."""
    plain = re.sub(r"[^A-Z2-7]", "", code.upper())
    return _keyed(kind, plain).hex()
