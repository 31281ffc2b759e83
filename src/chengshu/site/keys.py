"""The session secret of this installation: made at first start, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret_key(folder: Path) -> str:
    """Return the secret from ``CHENGSHU_SECRET`` or from ``folder/session-secret``, making it if need be."""
    if given := os.environ.get("CHENGSHU_SECRET"):
        return given
    path = folder / "session-secret"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = folder / f".session-secret.{os.getpid()}"
    temporary.write_text(secrets.token_urlsafe(48), encoding="ascii")
    temporary.chmod(0o600)
    try:
        # A link fails where another process was first: both then read the same secret.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_text(encoding="ascii")
