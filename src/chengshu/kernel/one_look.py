"""What one act asks several times is read once: a memory that lasts as long as the ``with`` that opened it.

Submitting a form asks for the same record, consents and halts at each of its stages. They are asked as of the instant of the
press, so one answer serves them all; outside of such a ``with`` everything is read anew. Whoever changes what may have been
looked at, or takes back what was written since (a look's own record among it), says ``forget``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Found = TypeVar("Found")
_seen: ContextVar[dict[Hashable, Any] | None] = ContextVar("one_look", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Let what is looked up inside be looked up once; one inside another is the same look."""
    if _seen.get() is not None:
        yield
        return
    with new_look():
        yield


@contextmanager
def new_look() -> Iterator[None]:
    """Look anew, once for what happens inside, whatever the look around it has seen: something was issued meanwhile."""
    token = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(token)


def seen(key: Hashable, find: Callable[[], Found]) -> Found:
    """Return what ``find`` finds, or found before under this key in the same look. Nobody may change what is returned."""
    memory = _seen.get()
    if memory is None:
        return find()
    if key not in memory:
        memory[key] = find()
    found: Found = memory[key]
    return found


def forget(*, but: Collection[str] = ()) -> None:
    """Let everything be looked up again: what was found may no longer be so; ``but``: kinds (first of a key) that still hold."""
    memory = _seen.get()
    for key in list(memory or ()):
        if memory is not None and not (isinstance(key, tuple) and key[0] in but):
            del memory[key]
