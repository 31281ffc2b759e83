"""Wires the two seams: which context answers which effect and which field source."""

from __future__ import annotations


def wire() -> None:
    """Register every handler once; called when Django has loaded all apps."""
