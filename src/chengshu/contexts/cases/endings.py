"""Who hears of steps and ends of cases: upper contexts keep what they hold for a case true, in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases.packs import Runtime
from chengshu.contexts.cases.rows import CaseRow
from chengshu.contexts.identity.api import Account
from chengshu.procedure.case import Case, Event, Outcome
from chengshu.procedure.model import Pack

# (case id, pack, outcome, now), called inside the transaction of the last step.
EndListener = Callable[[str, str, str, dt.datetime], None]
_listeners: dict[str, EndListener] = {}


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step as a listener hears of it: the case after it, its event, and the personal values that it carried."""

    pack: Pack
    case: Case
    event: Event
    personal: Mapping[str, Any]
    department: str
    now: dt.datetime


StepListener = Callable[[StepTaken], None]
# Instead of a pack's name: the steps of all packs.
EVERY_PACK = ""
_step_listeners: dict[str, dict[str, StepListener]] = {}


def register_on_step(pack: str, name: str, listener: StepListener) -> None:
    """Call ``listener`` inside the transaction of each step of the cases of one pack, or of ``EVERY_PACK``."""
    _step_listeners.setdefault(pack, {})[name] = listener


def tell_step(pack: Pack, outcome: Outcome, row: CaseRow, now: dt.datetime) -> None:
    """Tell all who listen to this pack of a step."""
    step = StepTaken(pack, outcome.case, outcome.event, outcome.personal, row.department, now)
    for key in (pack.id, EVERY_PACK):
        for listener in _step_listeners.get(key, {}).values():
            listener(step)


def register_on_end(name: str, listener: EndListener) -> None:
    """Call ``listener(case id, pack, outcome, now)`` inside the transaction in which a case ends."""
    _listeners[name] = listener


def tell(case: Case, row: CaseRow, now: dt.datetime) -> None:
    """Tell all who listen that a case has ended."""
    for listener in _listeners.values():
        listener(row.id, case.pack, case.outcome, now)


@dataclass(frozen=True, slots=True)
class PartListeners:
    """What a step of a one-thing, or of one of its parts, calls: keep news back, report a step, rehearse an opening."""

    settling: Callable[[str, dt.datetime], AbstractContextManager[None]]
    report: Callable[[Runtime, CaseRow, Outcome, dt.datetime], None]
    rehearse: Callable[[Pack, Outcome, Account, dt.datetime], None]


_part_listeners: list[PartListeners] = []


def listen_to_parts(listeners: PartListeners) -> None:
    """Say who sees to the parts of one-things."""
    _part_listeners[:] = [listeners]


def part_listeners() -> PartListeners:
    """Return who sees to the parts of one-things; wired with the effects."""
    return _part_listeners[0]


# (case id, now), called inside the transaction in which a case's personal values are erased; returns how many it erased.
EraseListener = Callable[[str, dt.datetime], int]
_erasing: dict[str, EraseListener] = {}


def register_on_erase(name: str, listener: EraseListener) -> None:
    """Call ``listener(case id, now)`` where a case's personal values are erased: what others hold of them goes too."""
    _erasing[name] = listener


def tell_erased(case_id: str, now: dt.datetime) -> int:
    """Tell all who listen that a case's personal values are erased; return how many more were."""
    return sum(listener(case_id, now) for listener in _erasing.values())


@dataclass(frozen=True, slots=True)
class PaperIn:
    """A file that came with a step."""

    case_id: str
    seq: int
    digest: str
    media_type: str


# Called inside the transaction of the step that files came with, once for all of them.
PaperListener = Callable[[Sequence[PaperIn], dt.datetime], None]
_on_papers: dict[str, PaperListener] = {}


def register_on_papers(name: str, listener: PaperListener) -> None:
    """Call ``listener(papers, now)`` where files come with a step, inside its transaction."""
    _on_papers[name] = listener


def tell_papers(papers: Sequence[PaperIn], now: dt.datetime) -> None:
    """Tell all who listen of the files that came in with a step."""
    for listener in _on_papers.values() if papers else ():
        listener(papers, now)
