"""Files that must be whole: kept by their digest before any row names them, or made once and private."""

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


def keep_file(folder: Path, whole: Path) -> str:
    """Take over a file that lies whole on the same disk; returns its SHA-256. It is read piece by piece."""
    with whole.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    path = path_of(folder, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.replace(path)
    return digest


def path_of(folder: Path, digest: str) -> Path:
    """Return where the bytes of a digest lie; raises ``ValueError`` for what is none (a way out of the folder)."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError("not a digest")
    return folder / digest[:2] / digest


def make_once(path: Path, content: bytes) -> None:
    """Write a private file, whole and readable by its owner only; of two processes at once, the first one's stands."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        # A link fails where another process was first: both then read the same file.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
