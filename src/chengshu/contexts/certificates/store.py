"""The files that were issued: by their digest, below ``var/files/issued``; on disk before any row names them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from django.conf import settings

from chengshu.kernel.problems import Problem


def keep(content: bytes) -> str:
    """Keep a file and return its SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    path = path_of(digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.{os.urandom(4).hex()}.part")
        with part.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    return digest


def read(digest: str) -> bytes:
    """Return a kept file; raises ``Problem`` when its bytes are gone or are not those that were kept."""
    try:
        content = path_of(digest).read_bytes()
    except FileNotFoundError as error:
        raise Problem(
            "file-gone", "文件不在这里", detail=digest, remedy="从备份恢复 var/files", status=503
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise Problem("file-changed", "文件与登记的摘要不符", detail=digest, status=503)
    return content


def path_of(digest: str) -> Path:
    """Return where the bytes of a digest lie."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError("not a digest")
    return Path(settings.MEDIA_ROOT) / "issued" / digest[:2] / digest
