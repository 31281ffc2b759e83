"""What must hold of all cases every night: an owner, a next term, a ground and a leaf for each step.

The simulated year asks it after each day; an operator may ask it of a running district. It reads, and changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from chengshu.contexts.cases import packs
from chengshu.contexts.cases.models import Case, CaseEvent, CaseTerm, Task
from chengshu.contexts.ledger import api as ledger
from chengshu.procedure.case import EXPIRED, LATE, OPEN_TERMS, Event, TermState
from chengshu.procedure.model import SYSTEM, Deadline, Pack


@dataclass(frozen=True, slots=True)
class TermSeen:
    """A term as a step wrote it, with the deadline that it follows."""

    case_id: str
    pack: str
    seq: int
    deadline: Deadline
    term: TermState
    # The term whose end brought the step; none where a person took it.
    ended: TermState | None = None


def open_without_owner() -> list[str]:
    """Return the open cases that nobody has and that wait for no child."""
    task = Task.objects.filter(case=OuterRef("pk"), open=True)
    return list(_open().filter(~Exists(task), ~Exists(_open_children())).values_list("pk", flat=True)[:100])


def open_without_term() -> list[str]:
    """Return the open cases in which no term runs, stands or has ended unanswered, and that wait for no child."""
    term = CaseTerm.objects.filter(case=OuterRef("pk"), state__in=OPEN_TERMS)
    return list(_open().filter(~Exists(term), ~Exists(_open_children())).values_list("pk", flat=True)[:100])


def all_case_ids() -> list[str]:
    """Return the id of every case."""
    return list(Case.objects.order_by("pk").values_list("pk", flat=True))


def last_event() -> int:
    """Return the number of the newest step."""
    return CaseEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def steps_without_ground_or_leaf(after: int) -> list[str]:
    """Return the steps after event ``after`` that cite nothing or are not what the ledger digested."""
    faults = []
    for item in _events(after):
        step = f"{item.case_id} step {item.seq}"
        if not json.loads(item.body).get("grounds"):
            faults.append(f"{step} rests on no ground")
        leaf = ledger.entry(item.leaf_id)
        if leaf is None or leaf.digest != _digest(item):
            faults.append(f"{step} is not what the ledger digested")
    return faults


def terms_written(after: int) -> Iterator[TermSeen]:
    """Yield every term that a step after event ``after`` wrote."""
    for item in _events(after).select_related("case__pack_version"):
        pack = packs.pinned(item.case.pack_version_id, item.case.pack_version.hash).pack
        event = json.loads(item.body)
        known = [term for term in event.get("terms") or () if term["id"] in pack.deadlines]
        over = [term for term in known if _ended_by(event, term, pack)]
        # Of two that share a command and are over by now, the step does not say whose end brought it.
        ended = over[0] if len(over) == 1 else None
        for term in known:
            yield TermSeen(item.case_id, pack.id, item.seq, pack.deadlines[term["id"]], term, ended)


def _ended_by(event: Event, term: TermState, pack: Pack) -> bool:
    """Whether a step is what the end of this term brought."""
    brought = event["command"] == pack.deadlines[term["id"]].on_expiry and event["role"] == SYSTEM
    return brought and term["state"] in (EXPIRED, LATE)


def _digest(item: CaseEvent) -> str:
    return hashlib.sha256(bytes.fromhex(item.leaf_salt) + item.body.encode()).hexdigest()


def _events(after: int) -> QuerySet[CaseEvent]:
    return CaseEvent.objects.filter(pk__gt=after).order_by("pk")


def _open() -> QuerySet[Case]:
    return Case.objects.filter(closed_at=None).order_by("pk")


def _open_children() -> QuerySet[Case]:
    return Case.objects.filter(parent=OuterRef("pk"), closed_at=None)
