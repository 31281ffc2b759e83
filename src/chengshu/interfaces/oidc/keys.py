"""The keys that sign identity tokens: RSA files in ``var/keys``, made when first needed, so a backup has them.

The name of a file holds when it was made. A new key is published at once and signs an hour later, when every system has
fetched it; an old one stays published for a month after it stopped signing, so that what it signed still verifies.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from jwcrypto import jwk

from chengshu.kernel.kept_files import make_once
from chengshu.kernel.problems import Problem, Where

PREFIX = "oidc-"
BITS = 2048
# As long as systems may keep our list of keys without asking again.
PUBLISHED_BEFORE = timedelta(hours=1)
PUBLISHED_AFTER = timedelta(days=30)
STAMP = "%Y%m%dT%H%M%SZ"


def signing_key(now: datetime | None = None) -> jwk.JWK:
    """Return the key that signs now: the newest that has been published long enough, else the oldest there is."""
    moment = now or datetime.now(UTC)
    found = _files() or [make_key(moment)]
    ready = [path for path in found if _made_at(path) + PUBLISHED_BEFORE <= moment]
    return _load(ready[-1] if ready else found[0])


def published_keys(now: datetime | None = None) -> list[dict[str, Any]]:
    """Return the public sides that verify what we signed or are about to sign, as JWKs."""
    return [
        {**json.loads(key.export_public()), "use": "sig", "alg": "RS256", "kid": key.thumbprint()}
        for key in _in_force(now)
    ]


def key_named(kid: str, now: datetime | None = None) -> jwk.JWK | None:
    """Return the published key of that name."""
    return next((key for key in _in_force(now) if key.thumbprint() == kid), None)


def make_key(now: datetime) -> Path:
    """Make a key and return its file; of two processes that make the first at once, one wins."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = _folder() / f"{PREFIX}{now.astimezone(UTC).strftime(STAMP)}.pem"
    make_once(path, pem)
    return path


def drop_old(now: datetime) -> int:
    """Delete the keys that no longer verify anything; returns how many."""
    found = _files()
    gone = [path for path, heir in pairwise(found) if not _still_published(heir, now)]
    for path in gone:
        path.unlink()
    return len(gone)


def _in_force(now: datetime | None) -> list[jwk.JWK]:
    moment = now or datetime.now(UTC)
    found = _files() or [make_key(moment)]
    heirs: list[Path | None] = [*found[1:], None]
    return [
        _load(path)
        for path, heir in zip(found, heirs, strict=True)
        if heir is None or _still_published(heir, moment)
    ]


def _still_published(heir: Path, now: datetime) -> bool:
    return _made_at(heir) + PUBLISHED_BEFORE + PUBLISHED_AFTER > now


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "keys"


def _files() -> list[Path]:
    return sorted(_folder().glob(f"{PREFIX}*.pem"))


def _made_at(path: Path) -> datetime:
    return datetime.strptime(path.stem.removeprefix(PREFIX), STAMP).replace(tzinfo=UTC)


def _load(path: Path) -> jwk.JWK:
    status = path.stat()
    if status.st_mode & 0o077 and os.name == "posix":
        raise Problem(
            "oidc-key-open",
            "登录签名密钥可以被他人读取",
            where=Where(file=str(path)),
            remedy="chmod 600；如有他人读过，运行 chengshu oidc keys --rotate 并删除这个文件",
            status=503,
        )
    return _parse(path, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _parse(path: Path, changed: int) -> jwk.JWK:
    """Read a key once: parsing RSA is slow."""
    return jwk.JWK.from_pem(path.read_bytes())
