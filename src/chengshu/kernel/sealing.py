"""Secrets in the database: sealed under a key in a file that its owner alone reads (AES-256-GCM)."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

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
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_bytes(KEY))
        out.flush()
        os.fsync(out.fileno())
    try:
        # A link fails where another process was first: both then read the same key.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_bytes()
