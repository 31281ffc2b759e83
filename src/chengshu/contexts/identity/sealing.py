"""Secrets that identity must be able to read again (sealed), and those that it must not (digested), under the site's key.

A copy of the database alone gives neither authenticator secrets nor anything to guess recovery codes against. Whoever
changes the site's key must let everybody enrol anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE_BYTES = 12


def _key(use: str) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"chengshu identity {use}".encode())
    return derive.derive(settings.SECRET_KEY.encode())


def seal(text: str, owner: str) -> str:
    """Encrypt ``text`` so that it opens only for the same ``owner``."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(_key("seal")).encrypt(nonce, text.encode(), owner.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, owner: str) -> str | None:
    """Decrypt; None where it was sealed under another key or for somebody else."""
    raw = base64.b64decode(sealed)
    try:
        return AESGCM(_key("seal")).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], owner.encode()).decode()
    except InvalidTag:
        return None


def keyed_digest(use: str, text: str) -> str:
    """Digest ``text`` under the site's key: without it nobody can try guesses against the database."""
    return hmac.new(_key(use), text.encode(), hashlib.sha256).hexdigest()
