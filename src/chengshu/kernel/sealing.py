"""Secrets in the database: sealed under a key in a file that its owner alone reads (AES-256-GCM)."""

from __future__ import annotations

import base64
import binascii
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chengshu.kernel.kept_files import make_once
from chengshu.kernel.problems import Problem, Where

NONCE, KEY = 12, 32


def seal(path: Path, secret: bytes, context: str) -> str:
    """Return a secret sealed for a context; the key's file is made at first use."""
    nonce = secrets.token_bytes(NONCE)
    return base64.b64encode(nonce + AESGCM(_key(path)).encrypt(nonce, secret, context.encode())).decode()


def unseal(path: Path, sealed: str, context: str) -> bytes:
    """Return a sealed secret; raises ``Problem`` where it was sealed under another key or for another context."""
    try:
        content = base64.b64decode(sealed, validate=True)
        return AESGCM(_key(path)).decrypt(content[:NONCE], content[NONCE:], context.encode())
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise Problem(
            "secret-sealed",
            "封存的密钥打不开",
            where=Where(file=str(path)),
            remedy="从备份恢复 var/keys",
            status=503,
        ) from error


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        make_once(path, secrets.token_bytes(KEY))
    return path.read_bytes()
