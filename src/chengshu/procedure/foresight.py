"""Foresight: when is a case decided at the latest, if everyone uses their term to its last day? Pure, no guesses.

From a state and its terms every way through the pack is walked: in each state people act on the last day of the term
that ends first, or the term's end brings its command. The slowest way to a decision is the answer, with the
arithmetic and the ground of every leg. What the pack gives no term for is named, never estimated: then the answer
holds for the terms alone.

A case is decided in a final state, or where a step issues a certificate, makes a register entry or orders a payment:
what comes years later (renewal, lapse) is not asked for. A child case that may be opened on the way (an objection) is
walked in its own pack, from the last day on which it may begin. That an office lets its term pass is no way to decide,
nor is a withdrawal by whoever applied. Conditions of steps count as far as they rest on facts that are known: what
they close is not walked; where one is still open, the leg says that the way may be closed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chengshu.kernel.terms import day_end, legal_day
from chengshu.procedure.case import RUNNING, Case, TermState
from chengshu.procedure.clock import Clock, expire
from chengshu.procedure.guards import CLOSED, HOLDS, OPEN, Guards, known_of
from chengshu.procedure.model import SYSTEM, Pack, Transition

DECIDING = frozenset({"issue_certificate", "register_entry", "order_payment"})
# Holders whose term binds an office; the silence of an applicant or the public is a lawful way on.
OFFICIAL = ("cell", "department", "role", "assignee")
APPLYING = ("opener", "party", "public")
DEEPEST = 2
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
    # The step hangs on a condition of which nobody knows yet whether it will hold.
    conditional: bool = False


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
    # Some step on the way hangs on a condition that is still open: the case may be decided on another way, earlier.
    conditional: bool = False


@dataclass(slots=True)
class _At:
    """Where the walk stands."""

    state: str
    terms: Mapping[str, TermState]
    now: dt.datetime
    legs: tuple[Leg, ...]
    taken: frozenset[str]
    visits: Mapping[str, int]
    # How the last child case that is open ends, and when.
    pending: Foresight | None = None


def foresee(
    pack: Pack,
    now: dt.datetime,
    clock: Clock,
    *,
    case: Case | None = None,
    facts: Mapping[str, Any] | None = None,
    pack_named: PackNamed | None = None,
    at_once: Sequence[str] = (),
) -> Foresight:
    """Return by when a case opened now (or ``case`` as it stands) is decided, if all terms are used to the full.

    ``facts``: everything that it is opened with, or was; a case itself does not hold its personal facts. ``at_once``:
    commands that follow the opening in the same moment, as the parts of a one-thing are confirmed.
    """
    walk = _Walk(pack, clock, pack_named, 0, Guards(pack, clock, known_of(pack, case, facts)))
    if case is None:
        at = walk.begun(now)
        if walk.decides(pack.opening, now):
            return Foresight(legal_day(now), pack.start, (), False, False, True)
    else:
        at = _At(case.state, case.terms, now, (), frozenset(case.acted), {case.state: 1})
    return walk.slowest(at, at_once)


class _Walk:
    """Walks one pack."""

    def __init__(
        self, pack: Pack, clock: Clock, pack_named: PackNamed | None, depth: int, guards: Guards
    ) -> None:
        self.pack, self.clock, self.pack_named, self.depth, self.guards = (
            pack,
            clock,
            pack_named,
            depth,
            guards,
        )
        self.left = MOST_STEPS
        self.best: _At | None = None
        self.granted = False
        # Commands that the end of a child case brings.
        self.on_end = {
            str(name)
            for step in (pack.opening, *pack.transitions)
            for effect in step.effects
            if effect.name == "open_case" and (name := effect.written("on_end"))
        }

    def begun(self, now: dt.datetime) -> _At:
        """Return a case of the pack that is opened now."""
        terms = {term["id"]: term for term in self.clock.step(self.pack, {}, self.pack.start, now)}
        pending = self._opens(self.pack.opening, now)
        return _At(self.pack.start, terms, now, (), frozenset(), {self.pack.start: 1}, pending)

    def decides(self, step: Transition, now: dt.datetime) -> bool:
        """Return whether a step brings what applicants wait for; not where it is known that it does not."""
        return any(
            effect.name in DECIDING and self.guards.told(effect.when, now) is not CLOSED
            for effect in step.effects
        )

    def slowest(self, at: _At, at_once: Sequence[str] = ()) -> Foresight:
        """Return the slowest way from here, after the commands that are carried out at once."""
        if self.pack.states[at.state].final:
            return Foresight(legal_day(at.now), at.state, (), False, False, True)
        self._at_once(at, at_once)
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
            conditional=any(leg.conditional for leg in best.legs),
        )

    def _at_once(self, at: _At, commands: Sequence[str]) -> None:
        """Take these commands without any time passing, every way they may lead; then walk on."""
        steps = [
            step
            for step in self.pack.transitions
            if commands and step.command == commands[0] and at.state in step.sources and step.target
            if self._way(at.state, step, at.now) is not CLOSED
        ]
        if not steps:
            self._go(at)
        for step in steps:
            target = str(step.target)
            terms = {
                **at.terms,
                **{term["id"]: term for term in self.clock.step(self.pack, at.terms, target, at.now)},
            }
            visits = {**at.visits, target: at.visits.get(target, 0) + 1}
            pending = _later(at.pending, self._opens(step, at.now))
            there = _At(target, terms, at.now, at.legs, at.taken | {step.id}, visits, pending)
            decided = self.decides(step, at.now)
            if self.pack.states[target].final or decided:
                self._arrived(there, decided)
            else:
                self._at_once(there, commands[1:])

    def _go(self, at: _At) -> None:
        for step, leg, instant, pending in self._exits(at):
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
                _later(pending, self._opens(step, instant)),
            )
            decided = self.decides(step, instant)
            if self.pack.states[target].final or decided:
                self._arrived(there, decided)
            elif there.visits[target] <= MOST_VISITS:
                self._go(there)

    def _arrived(self, at: _At, granted: bool) -> None:
        # Of two ways that take as long the one that grants is told.
        if self.best is None or (at.now, granted) > (self.best.now, self.granted):
            self.best, self.granted = at, granted

    def _terms(self, at: _At, leg: Leg, target: str, instant: dt.datetime) -> dict[str, TermState]:
        terms = dict(at.terms)
        due_at = terms[leg.term]["due_at"] if leg.term in terms else None
        ended = None
        if due_at is not None and instant >= dt.datetime.fromisoformat(due_at):
            ended = terms[leg.term] = expire(terms, leg.term, instant)
        for term in self.clock.step(self.pack, terms, target, instant, ended=ended):
            terms[term["id"]] = term
        return terms

    def _exits(self, at: _At) -> list[tuple[Transition, Leg, dt.datetime, Foresight | None]]:
        """Return every step out of the state that was not taken yet: the leg before it, when, and what child is open."""
        bound = self._bound(at)
        last = dt.datetime.fromisoformat(str(bound["due_at"])) - _A_MOMENT if bound else at.now
        pending = _later(at.pending, self._opened_here(at.state, max(last, at.now)))
        found: list[tuple[Transition, Leg, dt.datetime, Foresight | None]] = []
        for step in self.pack.transitions:
            if at.state not in step.sources or step.target in (None, at.state) or step.id in at.taken:
                continue
            if self._withdraws(step) or (bound and self._breaks(at.state, step, bound)):
                continue
            if self._way(at.state, step, max(last, at.now)) is CLOSED:
                continue
            if step.command in self.on_end and SYSTEM in step.by:
                if pending is None or pending.decided_by is None:
                    continue
                instant = max(day_end(pending.decided_by) - _A_MOMENT, at.now)
                found.append((step, self._waits(at, step, pending), instant, None))
            elif bound is None:
                found.append((step, self._free(at, step), at.now, pending))
            else:
                found.append((step, self._leg(at, step, bound), self._instant(bound, step, at.now), pending))
        return found

    def _withdraws(self, step: Transition) -> bool:
        """Return whether a step is the applicant's own end of the matter."""
        final = step.target is not None and self.pack.states[step.target].final
        return final and all(role != SYSTEM and self.pack.roles[role].holder in APPLYING for role in step.by)

    def _breaks(self, state: str, step: Transition, bound: TermState) -> bool:
        """Return whether a step is only the mark of an office that is late: nothing new can be done after it."""
        if step.command != self.pack.deadlines[bound["id"]].on_expiry or SYSTEM not in step.by:
            return False
        target = str(step.target)
        if any(
            target in other.sources and other.command in self.on_end and other.target not in (None, target)
            for other in self.pack.transitions
        ):
            # There the case waits for a child.
            return False
        here, there = self._official(state), self._official(target)
        return bool(here) and here == there

    def _official(self, state: str) -> set[str]:
        """Return the commands by which an office moves a case on from a state."""
        return {
            step.command
            for step in self.pack.transitions
            if state in step.sources
            and any(role != SYSTEM and self.pack.roles[role].holder in OFFICIAL for role in step.by)
        }

    def _opened_here(self, state: str, last: dt.datetime) -> Foresight | None:
        """Return how a child ends that a step within the state opens on the last day of the stay."""
        found: Foresight | None = None
        for step in self.pack.transitions:
            here = state in step.sources and step.target in (None, state)
            if here and self.guards.of(step, last) is not CLOSED:
                found = _later(found, self._opens(step, last))
        return found

    def _opens(self, step: Transition, now: dt.datetime) -> Foresight | None:
        """Return how the slowest child case that a step opens ends."""
        found: Foresight | None = None
        for effect in step.effects:
            name = effect.written("pack") if effect.name == "open_case" else None
            pack = self.pack_named(name) if name and self.pack_named and self.depth < DEEPEST else None
            if pack is not None:
                # What a child is opened with is not known here, only what its pack starts from.
                guards = Guards(pack, self.clock, known_of(pack, None, None))
                walk = _Walk(pack, self.clock, self.pack_named, self.depth + 1, guards)
                found = _later(found, walk.slowest(walk.begun(now)))
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
            conditional=self._way(at.state, step, at.now) is OPEN,
        )  # fmt: skip

    def _free(self, at: _At, step: Transition) -> Leg:
        """No term bounds the stay: it is counted as none, and said so."""
        day = legal_day(at.now)
        zh, en = f"{day}：这一步没有期限", f"{day}: no term for this step"
        return Leg(
            at.state,
            step.id,
            "",
            day,
            day,
            zh,
            en,
            step.cite,
            False,
            True,
            self._way(at.state, step, at.now) is OPEN,
        )

    def _way(self, state: str, step: Transition, now: dt.datetime) -> bool | None:
        """Return whether a step can be taken from a state: of one command the first is taken whose condition holds."""
        told = self.guards.of(step, now)
        if told is CLOSED:
            return CLOSED
        for other in self.pack.steps.get((state, step.command), ()):
            if other.id == step.id:
                return told
            before = self.guards.of(other, now) if other.by & step.by else CLOSED
            if before is HOLDS and other.by >= step.by and not (other.not_who or other.once):
                return CLOSED
            told = told if before is CLOSED else OPEN
        return told

    def _waits(self, at: _At, step: Transition, child: Foresight) -> Leg:
        """The stay lasts until the child case has ended."""
        said = [leg for leg in child.legs if leg.term]
        zh = f"等待派生办件：{'；'.join(leg.zh for leg in said)}"
        en = f"waits for a child case: {'; '.join(leg.en for leg in said)}"
        cite = tuple(dict.fromkeys([*step.cite, *(key for leg in said for key in leg.cite)]))
        ends = child.decided_by or legal_day(at.now)
        return Leg(
            at.state, step.id, "", legal_day(at.now), max(ends, legal_day(at.now)), zh, en, cite, child.provisional,
            child.unbounded, child.conditional or self._way(at.state, step, at.now) is OPEN,
        )  # fmt: skip


def _later(one: Foresight | None, other: Foresight | None) -> Foresight | None:
    """Return the child that ends later."""
    if one is None or one.decided_by is None:
        return other
    if other is None or other.decided_by is None:
        return one
    return other if other.decided_by > one.decided_by else one
