"""The session secret of this installation: made at first start, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from chengshu.kernel.kept_files import make_once


def secret_key(folder: Path) -> str:
    """Return the secret from ``CHENGSHU_SECRET`` or from ``folder/session-secret``, making it if need be."""
    if given := os.environ.get("CHENGSHU_SECRET"):
        return given
    path = folder / "session-secret"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        make_once(path, secrets.token_urlsafe(48).encode("ascii"))
    return path.read_text(encoding="ascii")
