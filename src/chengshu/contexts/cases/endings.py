"""Who hears of steps and ends of cases: upper contexts keep what they hold for a case true, in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases.rows import CaseRow
from chengshu.procedure.case import Case, Event, Outcome

# (case id, pack, outcome, now), called inside the transaction of the last step.
EndListener = Callable[[str, str, str, dt.datetime], None]
_listeners: dict[str, EndListener] = {}


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step as a listener hears of it: the case after it, its event, and the personal values that it carried."""

    case: Case
    event: Event
    personal: Mapping[str, Any]
    department: str
    now: dt.datetime


StepListener = Callable[[StepTaken], None]
_step_listeners: dict[str, dict[str, StepListener]] = {}


def register_on_step(pack: str, name: str, listener: StepListener) -> None:
    """Call ``listener`` inside the transaction of each step of the cases of one pack."""
    _step_listeners.setdefault(pack, {})[name] = listener


def tell_step(outcome: Outcome, row: CaseRow, now: dt.datetime) -> None:
    """Tell all who listen to this pack of a step."""
    for listener in _step_listeners.get(outcome.case.pack, {}).values():
        listener(StepTaken(outcome.case, outcome.event, outcome.personal, row.department, now))


def register_on_end(name: str, listener: EndListener) -> None:
    """Call ``listener(case id, pack, outcome, now)`` inside the transaction in which a case ends."""
    _listeners[name] = listener


def tell(case: Case, row: CaseRow, now: dt.datetime) -> None:
    """Tell all who listen that a case has ended."""
    for listener in _listeners.values():
        listener(row.id, case.pack, case.outcome, now)
