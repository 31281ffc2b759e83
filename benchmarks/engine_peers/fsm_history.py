"""django-fsm-2 with a row of history for each step: nearer to what an engine must keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine_peers import fsm


def prepare(folder: Path) -> Callable[[int], None]:
    """Return the work: so many cases of five steps."""
    return fsm.prepare(folder, history=True)
