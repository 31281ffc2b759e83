"""Who hears when a case ends: upper contexts free what they hold for it, in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from chengshu.contexts.cases.rows import CaseRow
from chengshu.procedure.case import Case

# (case id, pack, outcome, now), called inside the transaction of the last step.
EndListener = Callable[[str, str, str, dt.datetime], None]
_listeners: dict[str, EndListener] = {}


def register_on_end(name: str, listener: EndListener) -> None:
    """Call ``listener(case id, pack, outcome, now)`` inside the transaction in which a case ends."""
    _listeners[name] = listener


def tell(case: Case, row: CaseRow, now: dt.datetime) -> None:
    """Tell all who listen that a case has ended."""
    for listener in _listeners.values():
        listener(row.id, case.pack, case.outcome, now)
