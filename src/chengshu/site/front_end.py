"""Is the front end's third-party code here? It is copied in when the package is built."""

from __future__ import annotations

from pathlib import Path

from chengshu.kernel.problems import Problem

MARKER = Path(__file__).resolve().parent / "static" / "vendor" / "versions.json"


def require_vendor_files() -> None:
    """Raise a ``Problem`` that names the command to run when ``static/vendor`` was not built."""
    if not MARKER.exists():
        raise Problem(
            "front-end-missing",
            "The pages' scripts (htmx, MapLibre) are not built",
            remedy="run: make setup (or pip install --no-deps --no-build-isolation --editable .)",
        )
