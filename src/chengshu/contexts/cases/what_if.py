"""“If it is submitted today, when is it decided at the latest?”: the pack's slowest way, told leg by leg."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chengshu.contexts.cases import case_file, packs
from chengshu.contexts.cases.ahead import PartAhead, longest, named, parts_ahead
from chengshu.contexts.cases.domain import Ground
from chengshu.contexts.cases.wording import both, grounds
from chengshu.kernel.terms import legal_day
from chengshu.procedure.check_refusals import automatic, refusal_states
from chengshu.procedure.foresight import DECIDING, Foresight, Leg, foresee
from chengshu.procedure.machine import default_clock
from chengshu.procedure.model import Pack


@dataclass(frozen=True, slots=True)
class WhatIfLine:
    """One leg of the way: where the case lies, until when, how that was counted, on what ground."""

    state: dict[str, str]
    step: dict[str, str]
    term: dict[str, str]
    starts: dt.date
    due_on: dt.date
    zh: str
    en: str
    grounds: list[Ground]
    provisional: bool
    unbounded: bool
    conditional: bool


@dataclass(frozen=True, slots=True)
class WhatIfPart:
    """A part of a one-thing with its latest day; ``slowest`` for those on the longest path."""

    id: str
    title: dict[str, str]
    decided_by: dt.date | None
    slowest: bool


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The latest day of a decision; ``decided_by`` is empty where no way leads to one.

    Of a one-thing it is the day by which every part has its result: the longest path through the terms of its parts;
    ``promised_by`` is then the day until which the one-thing's own term binds the offices, if it has one.
    """

    decided_by: dt.date | None
    state: dict[str, str]
    provisional: bool
    # A step on the way has no term: the day counts the terms alone.
    unbounded: bool
    complete: bool
    # Some step on the way hangs on a condition that is still open.
    conditional: bool
    lines: list[WhatIfLine]
    parts: list[WhatIfPart] = field(default_factory=list)
    promised_by: dt.date | None = None
    # Rules decide while the applicant waits, if nothing is missing: the day above is for everybody else.
    usually_at_once: bool = False


ALL_DECIDED = {"zh": "各件都有结果", "en": "Every part has its result"}


def what_if(
    pack: Pack,
    now: dt.datetime,
    parts: Sequence[PartAhead] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> WhatIf:
    """Return by when a case opened now is decided, if everyone uses their term to its last day.

    ``parts``: the parts of a one-thing as ``parts_ahead`` told them, where they are known already; ``facts``: a full form.
    """
    if pack.parts is not None:
        own = foresee(pack, now, default_clock(), pack_named=named)
        return _whole(parts_ahead(pack, now) if parts is None else parts, own)
    found = _said(pack, foresee(pack, now, default_clock(), facts=facts, pack_named=named))
    return replace(found, usually_at_once=decided_at_once(pack))


def decided_at_once(pack: Pack) -> bool:
    """Whether rules alone may bring what is applied for, as soon as the applicant has sent everything."""
    first = [step for step in pack.transitions if pack.start in step.sources]
    refusals = refusal_states(pack)
    for step in (pack.opening, *first):
        ends = step.target in pack.states and pack.states[step.target].final and step.target not in refusals
        brings = any(effect.name in DECIDING for effect in step.effects)
        if (ends or brings) and any(automatic(pack, step, role) for role in step.by):
            return True
    return False


def what_if_pack(pack_id: str, now: dt.datetime) -> WhatIf:
    """Return the same for the version of a pack that new cases are opened under."""
    return what_if(packs.current(pack_id).pack, now)


def what_if_case(case_id: str, now: dt.datetime) -> WhatIf:
    """Return by when a case is decided as it stands now."""
    row = case_file.row_of(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    case = row.case(pack.id)
    own = foresee(pack, now, default_clock(), case=case, pack_named=named)
    if pack.parts is not None:
        answers = {
            **{f"facts.{name}": value for name, value in case.facts.items()},
            **{f"case.{name}": value for name, value in case.kept.items()},
            "today": legal_day(now),
        }
        return _whole(parts_ahead(pack, now, answers, case.parts), own)
    return _said(pack, own)


def _whole(parts: Sequence[PartAhead], own: Foresight) -> WhatIf:
    """Tell the longest path: the legs of each part on it, and the latest day of every part that is still to come."""
    wanted = [each for each in parts if each.wanted]
    path = longest(wanted)
    walked = [each.found for each in wanted if each.found is not None]
    return WhatIf(
        path[-1].decided_by if path else None,
        ALL_DECIDED,
        any(found.provisional for found in walked),
        any(found.unbounded or found.decided_by is None for found in walked),
        all(found.complete for found in walked),
        any(found.conditional for found in walked),
        [_line(each.child, leg, each.title) for each in path if each.found for leg in each.found.legs],
        [WhatIfPart(each.id, each.title, each.decided_by, each in path) for each in wanted],
        own.decided_by if own.legs and not own.unbounded else None,
    )


def _said(pack: Pack, found: Foresight) -> WhatIf:
    return WhatIf(
        found.decided_by,
        both(pack, f"states.{found.state}"),
        found.provisional,
        found.unbounded,
        found.complete,
        found.conditional,
        [_line(pack, leg) for leg in found.legs],
    )


def _line(pack: Pack, leg: Leg, of: dict[str, str] | None = None) -> WhatIfLine:
    """Return a leg in words; ``of``: the part of a one-thing that it belongs to."""
    state, term = both(pack, f"states.{leg.state}"), both(pack, f"terms.{leg.term}") if leg.term else {}
    if of is not None:
        state = {lang: f"{of[lang]}：{state[lang]}" for lang in state}
        term = {lang: f"{of[lang]}：{text}" if text else "" for lang, text in term.items()}
    return WhatIfLine(
        state, _step(pack, leg.step), term or {"zh": "", "en": ""}, leg.starts, leg.due_on, leg.zh, leg.en,
        grounds(pack, leg.cite), leg.provisional, leg.unbounded, leg.conditional,
    )  # fmt: skip


def _step(pack: Pack, step_id: str) -> dict[str, str]:
    command = next((step.command for step in pack.transitions if step.id == step_id), step_id)
    return both(pack, f"commands.{command}")
