"""Citizen codes at the window: what a scanner typed, read by whoever knows codes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chengshu.contexts.identity.api import Account

# Returns subject and name in a code that is in force; raises ``Problem`` for one that is not.
Reader = Callable[[str, Account, datetime], tuple[str, str]]
_readers: list[Reader] = []


def register_code_reader(reader: Reader) -> None:
    """Say who reads citizen codes; ``site`` wires it."""
    _readers[:] = [reader]


def reader() -> Reader | None:
    """Return the reader, where there is one."""
    return _readers[0] if _readers else None
