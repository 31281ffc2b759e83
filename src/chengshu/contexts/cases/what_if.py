"""“If it is submitted today, when is it decided at the latest?”: the pack's slowest way, told leg by leg."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from chengshu.contexts.cases import packs, rows
from chengshu.contexts.cases.domain import Ground
from chengshu.contexts.cases.wording import both, grounds
from chengshu.kernel.problems import Problem
from chengshu.procedure.foresight import Foresight, foresee
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


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The latest day of a decision; ``decided_by`` is empty where no way leads to one."""

    decided_by: dt.date | None
    state: dict[str, str]
    provisional: bool
    # A step on the way has no term: the day counts the terms alone.
    unbounded: bool
    complete: bool
    lines: list[WhatIfLine]


def what_if(pack: Pack, now: dt.datetime) -> WhatIf:
    """Return by when a case opened now is decided, if everyone uses their term to its last day."""
    return _said(pack, foresee(pack, now, default_clock(), pack_named=_named))


def what_if_pack(pack_id: str, now: dt.datetime) -> WhatIf:
    """Return the same for the version of a pack that new cases are opened under."""
    return what_if(packs.current(pack_id).pack, now)


def what_if_case(case_id: str, now: dt.datetime) -> WhatIf:
    """Return by when a case is decided as it stands now."""
    row = rows.lock_free(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    return _said(pack, foresee(pack, now, default_clock(), case=row.case(pack.id), pack_named=_named))


def _named(pack_id: str) -> Pack | None:
    try:
        return packs.current(pack_id).pack
    except Problem:
        # A child pack that is not loaded here: the walk says that this leg has no term.
        return None


def _said(pack: Pack, found: Foresight) -> WhatIf:
    return WhatIf(
        found.decided_by,
        both(pack, f"states.{found.state}"),
        found.provisional,
        found.unbounded,
        found.complete,
        [
            WhatIfLine(
                both(pack, f"states.{leg.state}"), _step(pack, leg.step), both(pack, f"terms.{leg.term}"), leg.starts,
                leg.due_on, leg.zh, leg.en, grounds(pack, leg.cite), leg.provisional, leg.unbounded,
            )
            for leg in found.legs
        ],
    )  # fmt: skip


def _step(pack: Pack, step_id: str) -> dict[str, str]:
    command = next((step.command for step in pack.transitions if step.id == step_id), step_id)
    return both(pack, f"commands.{command}")
