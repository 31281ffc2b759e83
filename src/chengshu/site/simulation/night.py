"""What is checked every night of a simulated year; each fault is one sentence that names what is wrong where."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall import api as hall
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.subjects import api as subjects
from chengshu.site.simulation.oracle import Notices, day_before, due_day, legal_date

# How many golden records and open cases are looked into each night to see whether every value names its source.
RECORDS_A_NIGHT = 10
CASES_A_NIGHT = 10


@dataclass(frozen=True, slots=True)
class Look:
    """Someone looked at a case with a person's values in clear."""

    subject_id: str
    account_id: int
    case_id: str


@dataclass(slots=True)
class Night:
    """The checks, with what they have seen so far."""

    notices: Notices
    rng: random.Random
    seen_event: int = 0
    terms: int = 0
    steps: int = 0
    looks: int = 0
    values: int = 0
    # Answers of applications that came from records, and the nights without clocks that were looked at like any other.
    answers: int = 0
    outages: int = 0
    faults: list[str] = field(default_factory=list)

    def check(self, now: dt.datetime, looks: set[Look], *, clocks: bool = True) -> list[str]:
        """Check everything that the day changed; returns the day's faults.

        Without ``clocks`` nothing was swept and no leaf numbered: that waits for the first night after it, all else does not.
        """
        found = [f"{case_id} is open and nobody has it" for case_id in cases.open_without_owner()]
        found += [f"{case_id} is open and no term of it runs" for case_id in cases.open_without_term()]
        found += cases.steps_without_ground_or_leaf(self.seen_event)
        found += self._terms() + self._looks(looks) + self._sources() + self._answers()
        if not clocks:
            self.outages += 1
        elif waiting := ledger.status()["waiting"]:
            found.append(f"{waiting} leaves have no number although the clocks ran")
        last = cases.last_event()
        self.steps += last - self.seen_event
        self.seen_event = last
        self.faults += [f"{now.date()}: {fault}" for fault in found]
        return found

    def _terms(self) -> list[str]:
        wrong = []
        for seen in cases.terms_written(self.seen_event):
            term = seen.term
            if term["state"] not in ("running", "suspended"):
                continue
            self.terms += 1
            if not begins_with_the_end(seen):
                wrong.append(
                    f"{seen.case_id} ({seen.pack}): {term['id']} begins at {term['started']}, not with the end of the "
                    f"term before it"
                )
            mine = self._count(seen)
            if (mine.isoformat() if mine else None) != term["due_on"]:
                wrong.append(
                    f"{seen.case_id} ({seen.pack}): {term['id']} is due on {term['due_on']}, the oracle counts {mine}"
                )
        return wrong

    def _count(self, seen: cases.TermSeen) -> dt.date | None:
        term, deadline = seen.term, seen.deadline
        if deadline.until is not None:
            if any(end is None for _, end in term["stops"]):
                return None
            if deadline.before is None:
                return dt.date.fromisoformat(term["until"])
            return day_before(term["until"], deadline.before.amount, deadline.before.unit.value)
        # The length in force on the first day: the last one that began by then.
        first = legal_date(term["started"])
        length = [length for start, length in deadline.terms if start <= first][-1]
        return due_day(length.amount, length.unit.value, term["started"], term["stops"], self.notices)

    def _looks(self, looks: set[Look]) -> list[str]:
        self.looks += len(looks)
        missing = []
        for look in sorted(looks, key=lambda item: (item.subject_id, item.account_id, item.case_id)):
            if not identity.was_read(look.subject_id, look.account_id, look.case_id):
                missing.append(
                    f"{look.case_id}: account {look.account_id} read {look.subject_id} without a record"
                )
        return missing

    def _sources(self) -> list[str]:
        orphans = []
        for subject_id in subjects.some_subjects(RECORDS_A_NIGHT, self.rng):
            for fact in subjects.record_of(subject_id).facts:
                if fact.value is None:
                    continue
                self.values += 1
                if fact.origin is None and fact.corrected is None:
                    orphans.append(f"{subject_id}: {fact.element} has a value and no source")
        return orphans

    def _answers(self) -> list[str]:
        wrong = []
        for case_id in hall.some_open_applications(CASES_A_NIGHT, self.rng):
            count, faults = hall.check_origins(case_id)
            self.answers += count
            wrong += faults
        return wrong

    def final(self) -> list[str]:
        """Check the whole once more at the end: every case against its events, the ledger against its checkpoint."""
        found = [
            f"{case_id}: {fault}" for case_id in cases.all_case_ids() for fault in cases.check_case(case_id)
        ]
        found += [f"the ledger: {fault}" for fault in ledger.verify().findings]
        self.faults += found
        return found


def begins_with_the_end(seen: cases.TermSeen) -> bool:
    """Whether a term that another's end set going begins with it: in hours at that minute, else on the day that ended so."""
    term, ended = seen.term, seen.ended
    if ended is None or term is ended or term["state"] != "running" or term["stops"]:
        return True
    over, began = dt.datetime.fromisoformat(str(ended["due_at"])), dt.datetime.fromisoformat(term["started"])
    if seen.deadline.until is None and seen.deadline.terms[0][1].unit.value == "hours":
        return began == over
    return legal_date(term["started"]) == legal_date((over - dt.timedelta(seconds=1)).isoformat())
