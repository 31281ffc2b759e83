"""Terms of a case: started, stopped, gone on, met or expired as states change. Days are counted by the kernel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from chengshu.kernel.lights import amber_from
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import LEGAL_ZONE, Due, Stop, Term, Unit, day_end, due, legal_day
from chengshu.kernel.workdays import Calendar
from chengshu.procedure.case import EXPIRED, LATE, MET, OPEN_TERMS, RUNNING, SUSPENDED, TermState
from chengshu.procedure.functions import moved
from chengshu.procedure.model import Deadline, Pack

_stamped: list[tuple[dt.datetime, str]] = [(dt.datetime.min, "")]


def stamp(instant: dt.datetime) -> str:
    """Return an instant as events write it."""
    # One step writes the same instant several times.
    last, text = _stamped[0]
    if last is instant:
        return text
    text = instant.isoformat() if instant.tzinfo is dt.UTC else instant.astimezone(dt.UTC).isoformat()
    _stamped[0] = (instant, text)
    return text


class Clock:
    """Computes due dates by one calendar and remembers them: the same term from the same day ends the same."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._known: dict[tuple[Term, Term, dt.date], TermState] = {}

    def step(
        self,
        pack: Pack,
        terms: Mapping[str, TermState],
        target: str,
        now: dt.datetime,
        days: Mapping[str, str | None] | None = None,
        ended: TermState | None = None,
    ) -> list[TermState]:
        """Return the terms that change when a case comes to ``target``; ``days`` are the computed last days.

        ``ended``: the term whose end brings this about. What it sets going begins then, however late that was noticed.
        """
        changed = []
        if ended is not None:
            now = dt.datetime.fromisoformat(str(ended["due_at"]))
        first = _day_that_ends(now) if ended is not None else now
        for item in pack.deadlines.values():
            current = terms.get(item.id)
            # Most terms of a pack have nothing to do with most steps.
            if current is not None or target in item.starts_on:
                begins = now if item.terms and item.terms[0][1].unit is Unit.HOURS else first
                term = self._moved(item, current, target, begins, days)
                if term is not None:
                    changed.append(term)
        return changed

    def _moved(
        self,
        item: Deadline,
        term: TermState | None,
        target: str,
        now: dt.datetime,
        days: Mapping[str, str | None] | None,
    ) -> TermState | None:
        alive = term is not None and term["state"] in OPEN_TERMS
        if target in item.starts_on and (not alive or item.restarts):
            round_ = 1 if term is None else term["round"] + 1
            if item.until is None:
                return self.start(item, now, round_)
            day = days.get(item.id) if days else None
            if day is not None:
                return self.start_until(item, now, day, round_)
            # No day, no term; one that ran is at its end.
            return {**term, "state": MET} if term is not None and alive else None
        if term is None or not alive:
            return None
        if target in item.suspended_while:
            return None if term["state"] != RUNNING else self._stop(term, now)
        if target in item.runs_while:
            return None if term["state"] != SUSPENDED else self._go_on(item, term, now)
        return {**term, "state": LATE if term["state"] == EXPIRED else MET}

    def start(self, item: Deadline, now: dt.datetime, round_: int = 1) -> TermState:
        """Return a term that starts now."""
        day = legal_day(now)
        length = item.terms[0][1] if len(item.terms) == 1 else item.term_on(day)
        if length.unit is Unit.HOURS:
            fresh = self._term(item, due(length, now, self.calendar), now)
        else:
            key = (length, item.amber, day)
            found = self._known.get(key)
            if found is None:
                if len(self._known) > 10_000:
                    self._known.clear()
                found = self._known[key] = self._term(item, due(length, now, self.calendar), now)
            fresh = found
        return {**fresh, "id": item.id, "round": round_, "started": stamp(now)}

    def start_until(self, item: Deadline, now: dt.datetime, day: str, round_: int = 1) -> TermState:
        """Return a term that runs to the end of a computed day, or of a day so long before it."""
        fresh = self._term(item, self._until(item, day, now), now)
        return {**fresh, "round": round_, "until": day}

    def _until(self, item: Deadline, day: str, now: dt.datetime) -> Due:
        last = dt.date.fromisoformat(day)
        if item.before is None:
            zh, en = f"至 {last} 当日届满", f"until the end of {last}"
            return Due(Term(0, Unit.AT_ONCE), now, last, day_end(last), False, zh, en)
        ends = moved(last, item.before, -1)
        zh = f"{last} 前{item.before.in_chinese()} = {ends}"
        en = f"{item.before.in_english()} before {last} = {ends}"
        return Due(item.before, now, ends, day_end(ends), False, zh, en)

    def _term(self, item: Deadline, ends: Due, now: dt.datetime) -> TermState:
        return {
            "id": item.id,
            "round": 1,
            "state": RUNNING,
            "started": stamp(now),
            "stops": [],
            "due_on": ends.on.isoformat() if ends.on else None,
            "due_at": stamp(ends.at) if ends.at else None,
            "amber_at": stamp(amber_from(ends, self.calendar, item.amber)) if ends.at else None,
            "provisional": ends.provisional,
            "zh": ends.arithmetic_zh,
            "en": ends.arithmetic_en,
        }

    def _stop(self, term: TermState, now: dt.datetime) -> TermState:
        stops = [*term["stops"], [stamp(now), None]]
        return {**term, "state": SUSPENDED, "stops": stops, "due_on": None, "due_at": None, "amber_at": None}

    def _go_on(self, item: Deadline, term: TermState, now: dt.datetime) -> TermState:
        began = str(term["stops"][-1][0])
        # Clocks of two machines may differ by a moment: no stop ends before it began.
        ended = began if now < dt.datetime.fromisoformat(began) else stamp(now)
        stops: list[list[str | None]] = [*term["stops"][:-1], [began, ended]]
        return self.recount(item, {**term, "stops": stops, "state": RUNNING})

    def recount(self, item: Deadline, term: TermState) -> TermState:
        """Return the term with its end counted anew (after a stop, or when a year's calendar was loaded)."""
        began = dt.datetime.fromisoformat(term["started"])
        if item.until is not None:
            fresh = self._term(item, self._until(item, term["until"], began), began)
            return {
                **fresh,
                "round": term["round"],
                "state": term["state"],
                "stops": term["stops"],
                "until": term["until"],
            }
        stops = [
            Stop(dt.datetime.fromisoformat(str(start)), dt.datetime.fromisoformat(end) if end else None)
            for start, end in term["stops"]
        ]
        fresh = self._term(item, due(item.term_on(legal_day(began)), began, self.calendar, stops), began)
        return {**fresh, "round": term["round"], "state": term["state"], "stops": term["stops"]}


def expire(terms: Mapping[str, TermState], term_id: str, now: dt.datetime) -> TermState:
    """Return the term marked expired; raises when it does not run or has not ended yet."""
    term = terms.get(term_id)
    if term is None or term["state"] != RUNNING:
        raise Problem("term-not-running", "The term does not run", detail=term_id, status=409)
    if term["due_at"] is None or now < dt.datetime.fromisoformat(term["due_at"]):
        raise Problem(
            "term-not-due", "The term has not ended yet", detail=f"{term_id}: {term['due_on']}", status=409
        )
    return {**term, "state": EXPIRED}


def _day_that_ends(instant: dt.datetime) -> dt.datetime:
    """Return the last second of the day that ends at ``instant``, else the instant itself.

    A term's last day ends at 24:00 (Civil Code, art. 203), which is no part of the next day: the day on which a
    notice ends is the first day of the term after it, and is not counted (art. 201); the next one is.
    """
    midnight = instant.astimezone(LEGAL_ZONE).time() == dt.time()
    return instant - dt.timedelta(seconds=1) if midnight else instant
