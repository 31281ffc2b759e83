"""The holders' keys that the hall keeps: one an account, sealed under a key in ``var/keys``; they bind what is shown.

A holder who wants the key in their own hands takes the certificate into a wallet (OpenID4VCI): that key never comes here.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction
from joserfc.jwk import ECKey

from chengshu.contexts.certificates.models import HolderKey
from chengshu.kernel.problems import Problem, Where

NONCE = 12
MASTER = 32


def public_jwk(account: str, now: dt.datetime) -> dict[str, Any]:
    """Return the public key of an account; made when there is none."""
    found: dict[str, Any] = json.loads(_row(account, now).jwk)
    return found


def private_key(account: str, now: dt.datetime) -> ECKey:
    """Return an account's key, to bind a presentation; raises ``Problem`` where the file that seals it is not this one's."""
    row = _row(account, now)
    sealed = base64.b64decode(row.sealed)
    try:
        pem = AESGCM(_master()).decrypt(sealed[:NONCE], sealed[NONCE:], account.encode())
    except InvalidTag as error:
        raise Problem(
            "holder-key-sealed",
            "持有人的密钥打不开",
            where=Where(file=str(_path())),
            remedy="从备份恢复 var/keys",
            status=503,
        ) from error
    found: ECKey = ECKey.import_key(pem)
    return found


def _row(account: str, now: dt.datetime) -> HolderKey:
    found = HolderKey.objects.filter(account=account).first()
    if found is not None:
        return found
    key = ECKey.generate_key("P-256")
    nonce = secrets.token_bytes(NONCE)
    sealed = nonce + AESGCM(_master()).encrypt(nonce, key.as_pem(private=True), account.encode())
    public = {
        name: value for name, value in key.as_dict(private=False).items() if name in ("kty", "crv", "x", "y")
    }
    try:
        with transaction.atomic():
            return HolderKey.objects.create(
                account=account, jwk=json.dumps(public), sealed=base64.b64encode(sealed).decode(), made_at=now
            )
    except IntegrityError:
        # Another process was first.
        return HolderKey.objects.get(account=account)


def _master() -> bytes:
    """Return the key that seals the holders' keys: made at first use, readable by its owner only."""
    path = _path()
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_bytes(MASTER))
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


def _path() -> Path:
    return Path(settings.VAR_DIR) / "keys" / "holders.key"
