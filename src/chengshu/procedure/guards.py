"""What is known beforehand of the conditions of steps: those that rest on facts which stand, and nothing else.

A condition on what is answered in the step, on what a table decides, on who acts or on child cases is open. So is one that
the day or a dated value may still turn, unless it holds as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.case import Case
from chengshu.procedure.clock import Clock
from chengshu.procedure.expressions import Expression
from chengshu.procedure.model import Pack, Transition

HOLDS, CLOSED, OPEN = True, False, None


class Guards:
    """The conditions of one pack's steps, as far as they can be told from what is known."""

    def __init__(self, pack: Pack, clock: Clock, known: Mapping[str, Any]) -> None:
        self.pack, self.clock, self.known = pack, clock, known

    def of(self, step: Transition, now: dt.datetime) -> bool | None:
        """Return whether a step's condition holds at an instant, never holds in this case, or is open (``None``)."""
        return self.told(step.when, now)

    def told(self, condition: Expression | None, now: dt.datetime) -> bool | None:
        """Return the same of any condition; none at all holds."""
        if condition is None:
            return HOLDS
        scope = dict(self.known)
        moving = False
        for name in condition.reads:
            bucket, _, key = name.partition(".")
            if bucket == "parameters":
                moving, scope[name] = True, self.pack.parameters[key].on(legal_day(now)).value
            elif bucket == "today":
                moving, scope[name] = True, legal_day(now).isoformat()
            elif bucket == "calendar":
                scope[name] = self.clock.calendar
            elif name not in scope:
                return OPEN
        try:
            holds = condition.evaluate(scope) is True
        except Problem:
            return OPEN
        return HOLDS if holds else OPEN if moving else CLOSED


def known_of(pack: Pack, case: Case | None, facts: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what stands for good: the facts of a case or of a full form, and kept values that no step changes."""
    known: dict[str, Any] = {}
    if facts is not None:
        # What only its source says may be empty yet.
        late = {name for name, item in pack.facts.items() if item.prefill is not None and item.prefill.only}
        known = {f"facts.{name}": facts.get(name) for name in pack.facts if name in facts or name not in late}
    elif case is not None:
        # Personal facts are kept apart: what hangs on them is open.
        open_ones = {name: case.facts.get(name) for name in pack.facts if name not in pack.personal_facts()}
        known = {f"facts.{name}": value for name, value in open_ones.items()}
    changed = {name for step in pack.transitions for name in step.sets}
    if case is not None:
        known |= {f"case.{name}": case.kept.get(name) for name in pack.keeps if name not in changed}
        if case.opened_at:
            known["opened_on"] = legal_day(dt.datetime.fromisoformat(case.opened_at)).isoformat()
        return known
    changed |= set(pack.opening.sets)
    return known | {f"case.{name}": value for name, value in pack.initial.items() if name not in changed}
