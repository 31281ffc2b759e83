"""Foresight: when is a case decided at the latest, if everyone uses their term to its last day? Pure, no guesses.

From a state and its terms every way through the pack is walked: in each state people act on the last day of the term
that ends first, or the term's end brings its command. The slowest way to a decision is the answer, with the
arithmetic and the ground of every leg. What the pack gives no term for is named, never estimated: then the answer
holds for the terms alone.

A case is decided in a final state, or where a step issues a certificate, makes a register entry or orders a payment:
what comes years later (renewal, lapse) is not asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chengshu.kernel.terms import day_end, legal_day
from chengshu.procedure.case import RUNNING, Case, TermState
from chengshu.procedure.clock import Clock, expire
from chengshu.procedure.model import SYSTEM, Pack, Transition

DECIDING = frozenset({"issue_certificate", "register_entry", "order_payment"})
# Holders whose term binds an office; the silence of an applicant or the public is a lawful way on.
OFFICIAL = ("cell", "department", "role", "assignee")
MOST_STEPS = 20_000
MOST_VISITS = 2
_A_MOMENT = dt.timedelta(microseconds=1)
PackNamed = Callable[[str], Pack | None]


@dataclass(frozen=True, slots=True)
class Leg:
    """One stay in a state: the term that bounds it, until when, how that was counted and on what ground."""

    state: str
    step: str
    term: str
    starts: dt.date
    due_on: dt.date
    zh: str
    en: str
    cite: tuple[str, ...]
    provisional: bool
    # The case may leave this state at any time, or nobody must: no term bounds it.
    unbounded: bool = False


@dataclass(frozen=True, slots=True)
class Foresight:
    """The slowest way to a decision."""

    decided_by: dt.date | None
    state: str
    legs: tuple[Leg, ...]
    provisional: bool
    # Some state on the way has no term of its own: the day holds for the terms alone.
    unbounded: bool
    # False when the pack has so many ways that not all were walked.
    complete: bool


@dataclass(slots=True)
class _At:
    """Where the walk stands."""

    state: str
    terms: Mapping[str, TermState]
    now: dt.datetime
    legs: tuple[Leg, ...]
    taken: frozenset[str]
    visits: Mapping[str, int]


def foresee(
    pack: Pack,
    now: dt.datetime,
    clock: Clock,
    *,
    case: Case | None = None,
    pack_named: PackNamed | None = None,
) -> Foresight:
    """Return by when a case opened now (or ``case`` as it stands) is decided, if all terms are used to the full."""
    walk = _Walk(pack, clock, pack_named, 0)
    if case is None:
        terms = {term["id"]: term for term in clock.step(pack, {}, pack.start, now)}
        at = _At(pack.start, terms, now, (), frozenset(), {pack.start: 1})
        if walk.decides(pack.opening):
            return Foresight(legal_day(now), pack.start, (), False, False, True)
    else:
        at = _At(case.state, case.terms, now, (), frozenset(case.acted), {case.state: 1})
    return walk.slowest(at)


class _Walk:
    """Walks one pack."""

    def __init__(self, pack: Pack, clock: Clock, pack_named: PackNamed | None, depth: int) -> None:
        self.pack, self.clock, self.pack_named, self.depth = pack, clock, pack_named, depth
        self.left = MOST_STEPS
        self.best: _At | None = None

    def decides(self, step: Transition) -> bool:
        """Return whether a step brings what applicants wait for."""
        return any(effect.name in DECIDING for effect in step.effects)

    def slowest(self, at: _At) -> Foresight:
        """Return the slowest way from here."""
        if self.pack.states[at.state].final:
            return Foresight(legal_day(at.now), at.state, (), False, False, True)
        self._go(at)
        best = self.best
        if best is None:
            return Foresight(None, at.state, (), False, True, self.left > 0)
        return Foresight(
            decided_by=legal_day(best.now),
            state=best.state,
            legs=best.legs,
            provisional=any(leg.provisional for leg in best.legs),
            unbounded=any(leg.unbounded for leg in best.legs),
            complete=self.left > 0,
        )

    def _go(self, at: _At) -> None:
        for step, leg, instant in self._exits(at):
            if self.left <= 0:
                return
            self.left -= 1
            target = step.target or at.state
            there = _At(
                target,
                self._terms(at, leg, target, instant),
                instant,
                (*at.legs, leg),
                at.taken | {step.id},
                {**at.visits, target: at.visits.get(target, 0) + 1},
            )
            if self.pack.states[target].final or self.decides(step):
                self._arrived(there)
            elif there.visits[target] <= MOST_VISITS:
                self._go(there)

    def _arrived(self, at: _At) -> None:
        if self.best is None or at.now > self.best.now:
            self.best = at

    def _terms(self, at: _At, leg: Leg, target: str, instant: dt.datetime) -> dict[str, TermState]:
        terms = dict(at.terms)
        due_at = terms[leg.term]["due_at"] if leg.term in terms else None
        if due_at is not None and instant >= dt.datetime.fromisoformat(due_at):
            terms[leg.term] = expire(terms, leg.term, instant)
        for term in self.clock.step(self.pack, terms, target, instant):
            terms[term["id"]] = term
        return terms

    def _exits(self, at: _At) -> list[tuple[Transition, Leg, dt.datetime]]:
        """Return every step out of the state that was not taken yet, with the leg before it and when it is taken."""
        bound = self._bound(at)
        breach = self.pack.deadlines[bound["id"]].on_expiry if bound and self._official(at.state) else ""
        found = []
        for step in self.pack.transitions:
            if at.state not in step.sources or step.target in (None, at.state) or step.id in at.taken:
                continue
            if breach and step.command == breach and SYSTEM in step.by:
                continue
            if bound is None:
                leg, instant = self._waited(at, step)
            else:
                instant = self._instant(bound, step, at.now)
                leg = self._leg(at, step, bound)
            found.append((step, leg, instant))
        return found

    def _bound(self, at: _At) -> TermState | None:
        """Return the term that bounds the stay in the state: of those that run here the one that ends first."""
        ends = []
        for name, term in at.terms.items():
            item = self.pack.deadlines.get(name)
            if item is None or term["state"] != RUNNING or term["due_at"] is None:
                continue
            if at.state in item.runs_while:
                ends.append((term["due_at"], term["id"], term))
        return min(ends, key=lambda end: end[:2])[2] if ends else None

    def _official(self, state: str) -> bool:
        """Return whether an office has to move the case on from here: that it lets its term end is no way to decide."""
        waited_for = {
            role for role in self.pack.states[state].tasks if self.pack.roles[role].holder in OFFICIAL
        }
        return any(
            step.by & waited_for and step.target not in (None, state)
            for step in self.pack.transitions
            if state in step.sources
        )

    def _instant(self, bound: TermState, step: Transition, now: dt.datetime) -> dt.datetime:
        """People act within the last day; the term's own end comes at its end."""
        due_at = dt.datetime.fromisoformat(str(bound["due_at"]))
        ends_it = step.command == self.pack.deadlines[bound["id"]].on_expiry and SYSTEM in step.by
        return max(due_at if ends_it else due_at - _A_MOMENT, now)

    def _leg(self, at: _At, step: Transition, bound: TermState) -> Leg:
        return Leg(
            state=at.state, step=step.id, term=bound["id"], starts=legal_day(at.now),
            # A clock that stood may have no day left when it goes on: then the step is due the same day.
            due_on=max(dt.date.fromisoformat(str(bound["due_on"])), legal_day(at.now)), zh=bound["zh"], en=bound["en"],
            cite=self.pack.deadlines[bound["id"]].cite, provisional=bound["provisional"],
        )  # fmt: skip

    def _waited(self, at: _At, step: Transition) -> tuple[Leg, dt.datetime]:
        """No term of its own: the case waits for a child case where it has one, else it goes on the same day."""
        child = self._child(at)
        day = legal_day(at.now)
        if child is not None and child.decided_by is not None:
            instant = max(_end_of(child.decided_by), at.now)
            zh = f"等待派生办件：{'；'.join(leg.zh for leg in child.legs)}"
            en = f"waits for a child case: {'; '.join(leg.en for leg in child.legs)}"
            cite = tuple(dict.fromkeys(key for leg in child.legs for key in leg.cite))
            leg = Leg(at.state, step.id, "", day, child.decided_by, zh, en, step.cite or cite, child.provisional,
                      child.unbounded)  # fmt: skip
            return leg, instant
        zh, en = f"{day}：这一步没有期限", f"{day}: no term for this step"
        return Leg(at.state, step.id, "", day, day, zh, en, step.cite, False, unbounded=True), at.now

    def _child(self, at: _At) -> Foresight | None:
        """Return the slowest way of the child case that the last step opened."""
        if self.pack_named is None or self.depth > 1:
            return None
        last = at.legs[-1].step if at.legs else None
        steps = [step for step in (*self.pack.transitions, self.pack.opening) if step.id == last]
        if not at.legs:
            steps = [self.pack.opening]
        for step in steps:
            for effect in step.effects:
                name = effect.written("pack") if effect.name == "open_case" else None
                pack = self.pack_named(name) if name else None
                if pack is not None:
                    walk = _Walk(pack, self.clock, self.pack_named, self.depth + 1)
                    terms = {term["id"]: term for term in self.clock.step(pack, {}, pack.start, at.now)}
                    return walk.slowest(_At(pack.start, terms, at.now, (), frozenset(), {pack.start: 1}))
        return None


def _end_of(day: dt.date) -> dt.datetime:
    return day_end(day) - _A_MOMENT
