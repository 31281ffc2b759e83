"""The holders' keys that the hall keeps: one an account, sealed under a key in ``var/keys``; they bind what is shown.

A holder who wants the key in their own hands takes the certificate into a wallet (OpenID4VCI): that key never comes here.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from joserfc.jwk import ECKey

from chengshu.contexts.certificates.models import HolderKey
from chengshu.kernel.sealing import seal, unseal


def public_jwk(account: str, now: dt.datetime) -> dict[str, Any]:
    """Return the public key of an account; made when there is none."""
    found: dict[str, Any] = json.loads(_row(account, now).jwk)
    return found


def private_key(account: str, now: dt.datetime) -> ECKey:
    """Return an account's key, to bind a presentation; raises ``Problem`` where the file that seals it is not this one's."""
    found: ECKey = ECKey.import_key(unseal(_path(), _row(account, now).sealed, account))
    return found


def _row(account: str, now: dt.datetime) -> HolderKey:
    found = HolderKey.objects.filter(account=account).first()
    if found is not None:
        return found
    key = ECKey.generate_key("P-256")
    sealed = seal(_path(), key.as_pem(private=True), account)
    public = {
        name: value for name, value in key.as_dict(private=False).items() if name in ("kty", "crv", "x", "y")
    }
    try:
        with transaction.atomic():
            return HolderKey.objects.create(
                account=account, jwk=json.dumps(public), sealed=sealed, made_at=now
            )
    except IntegrityError:
        # Another process was first.
        return HolderKey.objects.get(account=account)


def _path() -> Path:
    return Path(settings.VAR_DIR) / "keys" / "holders.key"
