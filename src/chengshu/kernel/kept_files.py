"""Files kept by their digest: on disk, whole and flushed, before any row names them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path


def keep(folder: Path, content: bytes) -> str:
    """Keep ``content`` below ``folder`` and return its SHA-256; the same content is kept once."""
    digest = hashlib.sha256(content).hexdigest()
    path = path_of(folder, digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.{os.urandom(4).hex()}.part")
        with part.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    return digest


def path_of(folder: Path, digest: str) -> Path:
    """Return where the bytes of a digest lie; raises ``ValueError`` for what is none (a way out of the folder)."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError("not a digest")
    return folder / digest[:2] / digest
