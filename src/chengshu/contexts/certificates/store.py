"""The files that were issued: by their digest, below ``var/files/issued``; on disk before any row names them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings

from chengshu.kernel import kept_files
from chengshu.kernel.problems import Problem


def keep(content: bytes) -> str:
    """Keep a file and return its SHA-256."""
    return kept_files.keep(_folder(), content)


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
    return kept_files.path_of(_folder(), digest)


def _folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "issued"
