"""Whole lists of departments: whether a person or a place is named in one, and as of which day the list says so.

A list that is declared whole (``whole:`` in its source) answers twice: who is named in it is on it, and who is not named is not.
A list that never came, that was withdrawn, that is halted or whose file is older than 31 days, however often it was built, says
nothing at all, nor does one that holds somebody of the same name whose number does not tell them apart: the applicant is asked.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from django.db.models import Exists, OuterRef, Q

from chengshu.batch.pipeline.values import is_resident_id
from chengshu.contexts.cases import api as cases
from chengshu.contexts.catalogue import api as catalogue
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Acting
from chengshu.contexts.subjects import consents
from chengshu.contexts.subjects.counts import run_in_force
from chengshu.contexts.subjects.domain import Record
from chengshu.contexts.subjects.halts import halted_sources
from chengshu.contexts.subjects.models import Run, RunSource
from chengshu.contexts.subjects.own_records import (
    CORRECTED,
    HALTED,
    NO_CONSENT,
    NO_RECORD,
    NO_VALUE,
    Held,
    Missing,
    acting_of,
    note_use,
    origins_of,
    record_held,
    refused,
    subject_for,
)
from chengshu.contexts.subjects.reading import effective_record, in_force
from chengshu.kernel.one_look import seen
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.model import Pack
from chengshu.procedure.ports import SourceRequest

# A "no" of an older file counts for nothing: whoever came on the list since would pass.
MOST_AGE = dt.timedelta(days=31)
STALE = "old-list"
YES, NO = "是", "否"
NAME, NUMBER = "person.name", "person.resident_id"
BUILDING = 17


@dataclass(frozen=True, slots=True)
class List:
    """A whole list as it was delivered last: its table, its title, the day of its file."""

    source: str
    title: Mapping[str, str]
    as_of: dt.date


def listed_person(
    pack: Pack, acting: Acting, element: str, now: dt.datetime, *, since: str = "", case_id: str = ""
) -> Held | Missing:
    """Say whether whoever the matter is about is on a list (with ``since``: from that day on); the look goes on record."""
    record = record_held(subject_for(acting, element))
    if record is None:
        return Missing(element, NO_RECORD)
    found = whole_list(element, now)
    if isinstance(found, Missing):
        return found
    allowed = consents.allowed_elements(record.subject_id, pack, now, case_id)
    try:
        consents.may_use(pack, element, found.source, allowed, record.subject_id)
    except Problem:
        return Missing(element, NO_CONSENT, found.source)
    note_use(acting, record.subject_id, [element], now, case_id)
    if not _named(record.values, element, since) and _perhaps_named(record, element, since):
        return Missing(element, NO_VALUE, found.source)
    return _answer(element, [record], found, since)


def _perhaps_named(record: Record, element: str, since: str) -> bool:
    """Whether the list has somebody of the same name whose number does not tell them apart: it may be them."""
    name = str(record.values.get(NAME) or "")
    namesakes = in_force().filter(kind="person", name=name).exclude(subject_id=record.subject_id)
    bodies = namesakes.values_list("data", flat=True) if name else ()
    others = [body if isinstance(body, dict) else json.loads(body) for body in bodies]
    listed_too = [body for body in others if _named(body, element, since)]
    return bool(listed_too) and not all(_tells_apart(body) for body in (record.values, *listed_too))


def _tells_apart(values: Mapping[str, Any]) -> bool:
    one = pl.DataFrame({"number": [str(values.get(NUMBER) or "")]})
    return bool(one.select(is_resident_id(pl.col("number"))).item())


def listed_place(
    place_code: str, element: str, now: dt.datetime, *, since: str = ""
) -> tuple[Held | Missing, str]:
    """Say whether a place or its building is on a list, and which record names it.

    A code that no register of premises knows is no place of which a list's silence could say anything.
    """
    codes = {place_code, place_code[:BUILDING]} - {""}
    ids = list(
        in_force()
        .filter(kind="premises", place_code__in=codes)
        .order_by("subject_id")
        .values_list("place_code", "subject_id")
    )
    found = whole_list(element, now)
    if place_code not in {code for code, _ in ids} or isinstance(found, Missing):
        return (found if isinstance(found, Missing) else Missing(element, NO_RECORD)), ""
    records = [effective_record(subject_id) for _, subject_id in ids]
    named = next((each.subject_id for each in records if _named(each.values, element, since)), "")
    return _answer(element, records, found, since), named


def whole_list(element: str, now: dt.datetime) -> List | Missing:
    """Return the list that an element stands in as it was delivered last; why not, where it cannot be relied on."""
    return seen(("whole-list", element, now), lambda: _whole_list(element, now))


def _whole_list(element: str, now: dt.datetime) -> List | Missing:
    names = seen("whole-lists", _declared).get(element, ())
    halted = halted_sources()
    if any(name in halted for name in names):
        return Missing(element, HALTED, next(name for name in names if name in halted))
    run = run_in_force()
    rows = [_delivered(name, run) for name in names] if run is not None else []
    # A "no" needs all of them, and is as old as the oldest.
    known = [row for row in rows if row is not None]
    if not known or len(known) < len(rows):
        return Missing(element, NO_VALUE)
    source, title, made = min(known, key=lambda row: row[2])
    if now - made > MOST_AGE:
        return Missing(element, STALE, source)
    return List(source, dict(title), legal_day(made))


def _delivered(source: str, run: Run) -> tuple[str, Mapping[str, str], dt.datetime] | None:
    """Return a source with its title and when the table was made that what is in force holds; none where it holds none.

    A source that was withdrawn is no longer in the snapshot: nobody would be on its list any more.
    """
    held = RunSource.objects.filter(run=run, source=OuterRef("source"))
    # A build that found nothing new was delivered, too; one that only tried was not.
    counted = Q(run__state=Run.State.PUBLISHED, run__number__lte=run.number)
    counted |= Q(run__state=Run.State.UNCHANGED, run__facts__dry_run=False)
    row = (
        RunSource.objects.filter(counted, Exists(held), source=source, late=False)
        .order_by("-run__number")
        .values_list("title", "run__started_at", "facts")
        .first()
    )
    if row is None:
        return None
    title, started, facts = row
    # A table that is asked anew is of that moment; no file is younger than the build that read it, whatever its clock said.
    made = dt.datetime.fromisoformat(facts["made_at"]) if facts.get("made_at") else started
    return source, title, min(made, started)


def _declared() -> dict[str, tuple[str, ...]]:
    """Return element → the sources that are declared to be its whole list."""
    found: dict[str, tuple[str, ...]] = {}
    for row in catalogue.sources():
        for element in row.body.get("whole") or ():
            found[element] = (*found.get(element, ()), row.name)
    return found


def _named(values: Mapping[str, Any], element: str, since: str) -> bool:
    value = values.get(element)
    return value not in (None, "") and (not since or str(value)[:10] >= since)


def _answer(element: str, records: Iterable[Record], found: List, since: str) -> Held:
    for record in records:
        if _named(record.values, element, since):
            source, at = origins_of(record).get(element, ("", ""))
            title = found.title if source else CORRECTED
            return Held(element, YES, source or found.source, title, at, element in record.disputed)
    title = {"zh": f"{found.title['zh']}：名单上没有", "en": f"{found.title['en']}: not in the list"}
    return Held(element, NO, found.source, title, found.as_of.isoformat())


def listed(request: SourceRequest) -> Any:
    """Answer the field source ``listed``: whether the applicant, or the place at an address, is on a department's list."""
    element, since = str(request.params["list"]), str(request.params.get("since") or "")
    if "account" not in request.params:
        return _said(
            listed_place(str(request.params.get("place_code") or ""), element, request.now, since=since)[0]
        )
    account_id = str(request.params.get("account") or "")
    account = identity.account(int(account_id)) if account_id.isdigit() else None
    if account is None or not request.pack:
        return None
    pack, acting = cases.current_pack(request.pack), acting_of(account, request.subject_id)
    return _said(listed_person(pack, acting, element, request.now, since=since, case_id=request.case_id))


def _said(found: Held | Missing) -> bool | None:
    if isinstance(found, Held):
        return found.value == YES
    if found.why in (NO_CONSENT, HALTED):
        raise refused(found)
    return None
