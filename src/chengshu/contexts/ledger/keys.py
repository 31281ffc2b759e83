"""The log's signing keys: made at first start, readable by their owner only, changed by an entry in the log
itself.

A new key is announced by a leaf of the kind ``ledger.key`` whose reference is the new verifier key. The
checkpoint over that leaf is signed by the old key; every larger one by the new. Old verifier keys stay, so
all is verifiable.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
from pathlib import Path

from django.conf import settings

from chengshu.contexts.ledger.domain import LogKey, write_keys
from chengshu.contexts.ledger.models import KeyRow
from chengshu.contexts.ledger.tiles import write_file
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.signed_note import Signer, Verifier, make_signer, parse_signer, parse_verifier


def key_folder() -> Path:
    """Return the folder of private keys."""
    return Path(settings.VAR_DIR) / "keys"


def ledger_folder() -> Path:
    """Return the folder of tiles, checkpoint and verifier keys."""
    return Path(settings.VAR_DIR) / "ledger"


def make_key(origin: str) -> Verifier:
    """Make and save a new private key; returns its public side."""
    signer = make_signer(origin, secrets.token_bytes(32))
    folder = key_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_file(_path(signer.verifier), signer.export().encode() + b"\n", durable=True, mode=0o600)
    return signer.verifier


def load_signer(verifier: Verifier) -> Signer:
    """Return the private side of ``verifier``; raises ``Problem`` when it is gone or open to others."""
    path = _path(verifier)
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise Problem(
            "ledger-key-missing",
            "The ledger's signing key is not here",
            where=Where(file=str(path)),
            remedy="restore var/keys from the backup; no new key can be announced without the old one",
            status=503,
        ) from error
    if mode & 0o077 and os.name == "posix":
        raise Problem(
            "ledger-key-open",
            "The ledger's signing key can be read by others",
            where=Where(file=str(path)),
            remedy=f"chmod 600 {path.name}; rotate the key if anyone else had access",
            status=503,
        )
    signer = parse_signer(text)
    if signer.verifier != verifier:
        raise Problem(
            "ledger-key-wrong", "This is not the key that the log announced", where=Where(file=str(path))
        )
    return signer


def log_keys() -> list[LogKey]:
    """Return the log's verifier keys, oldest first."""
    query = KeyRow.objects.order_by("since", "id")
    return [LogKey(since, parse_verifier(text)) for since, text in query.values_list("since", "verifier")]


def record_key(verifier: Verifier, since: int, announced_in: int | None, now: dt.datetime) -> None:
    """Record that ``verifier`` signs checkpoints larger than ``since``."""
    KeyRow.objects.create(since=since, verifier=str(verifier), announced_in=announced_in, at=now)


def publish_keys() -> None:
    """Write the verifier keys beside the tiles."""
    write_file(ledger_folder() / "keys.txt", write_keys(log_keys()).encode(), durable=True)


def _path(verifier: Verifier) -> Path:
    return key_folder() / f"ledger-{verifier.key_id.hex()}.key"
