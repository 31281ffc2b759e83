"""Who a person is, and whom they legally represent, as the golden records say: answers, never values.

A firm's record names its legal representative without an identity number, and names are shared by many. So the record
speaks for a person only where name and phone both agree; everyone else brings a letter of authority to a window.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chengshu.batch.fusion import effective
from chengshu.contexts.subjects.models import Correction, GoldenRecord
from chengshu.contexts.subjects.reading import LAID_OVER, in_force
from chengshu.kernel.problems import Problem

# As the register writes it; a firm struck off or whose licence was taken has nobody to act for it.
IN_BUSINESS = "存续"
# Struck off is gone; a firm whose licence was taken still is, until it has wound up (Civil Code, articles 68 to 73).
STRUCK_OFF = frozenset({"注销", "已注销"})
MOST_FIRMS = 20


@dataclass(frozen=True, slots=True)
class RepresentedFirm:
    """A firm and what it is called."""

    subject_id: str
    name: str


def _values(rows: Iterable[GoldenRecord]) -> dict[str, dict[str, Any]]:
    """Return subject → its values with the corrections laid over them; one query for all."""
    found = {}
    for row in rows:
        data = row.data if isinstance(row.data, dict) else json.loads(row.data)
        found[row.subject_id] = {name: value for name, value in data.items() if value is not None}
    laid: dict[str, list[tuple[str, Any]]] = {}
    corrections = Correction.objects.filter(LAID_OVER, subject_id__in=list(found)).order_by("pk")
    for subject_id, element, value in corrections.values_list("subject_id", "element", "value"):
        laid.setdefault(subject_id, []).append((element, value))
    return {key: dict(effective(values, laid.get(key, ()))) for key, values in found.items()}


def represented_by(subject_id: str, firm: str = "") -> list[RepresentedFirm]:
    """Return the firms in business whose record names this person, by name and phone, as their legal representative.

    With ``firm`` only that one is looked at, in few queries. A phone that was corrected since the last build leads to
    the firm after the next one.
    """
    if not subject_id.startswith("P") or (firm and not firm.startswith("F")):
        return []
    records = in_force()
    firms = _values(records.filter(subject_id__in=[subject_id, firm] if firm else [subject_id]))
    person = firms.pop(subject_id, {})
    name, phone = person.get("person.name"), person.get("person.phone")
    if not (name and phone) or _over(person, date.max):
        return []
    if not firm:
        firms = _values(records.filter(kind="firm", phone=phone).order_by("subject_id")[:MOST_FIRMS])
    return [
        RepresentedFirm(key, str(values.get("firm.name") or key))
        for key, values in firms.items()
        if values.get("firm.legal_representative") == name
        and values.get("firm.phone") == phone
        and values.get("firm.status", IN_BUSINESS) == IN_BUSINESS
    ]


def said_of(subject_ids: Sequence[str], elements: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return subject → element → value in force, of those elements only; for cases whose packs watch them by law."""
    rows = in_force().filter(subject_id__in=subject_ids)
    return {key: {name: values.get(name) for name in elements} for key, values in _values(rows).items()}


def ended(subject_ids: Sequence[str], on: date) -> frozenset[str]:
    """Return those of some people and firms who had died by a day, or are struck off, as their records say today."""
    rows = in_force().filter(subject_id__in=subject_ids)
    return frozenset(key for key, values in _values(rows).items() if _over(values, on))


def _over(values: Mapping[str, Any], on: date) -> bool:
    died = str(values.get("person.death_date") or "")[:10]
    return (bool(died) and died <= on.isoformat()) or values.get("firm.status") in STRUCK_OFF


def person_of(resident_id: str, name: str) -> str | None:
    """Return the person with this identity number if their record has this name; the caller puts the look on record."""
    number, said = resident_id.strip().upper().replace(" ", ""), "".join(name.split())
    if not (number and said):
        return None
    rows = _values(in_force().filter(kind="person", id_number=number)[:2])
    found = [
        key for key, values in rows.items() if "".join(str(values.get("person.name") or "").split()) == said
    ]
    return found[0] if len(found) == 1 else None


def birth_date_of(subject_id: str) -> date:
    """Return a person's day of birth; raises ``Problem`` where no record has it."""
    values = _values(in_force().filter(subject_id=subject_id)).get(subject_id, {})
    try:
        return date.fromisoformat(str(values.get("person.birth_date") or "")[:10])
    except ValueError as error:
        raise Problem(
            "birth-date-unknown", "档案中没有出生日期", detail=subject_id, status=409, remedy="请先更正档案"
        ) from error


def some_representative(beside: str = "") -> tuple[str, RepresentedFirm] | None:
    """Return a person, other than ``beside``, who legally represents a firm: the first by number (for the demo)."""
    firms = in_force().filter(kind="firm").exclude(phone="").order_by("subject_id")
    for phone in firms.values_list("phone", flat=True)[:500]:
        for person in in_force().filter(kind="person", phone=phone).values_list("subject_id", flat=True)[:3]:
            if person != beside and (firms_found := represented_by(person)):
                return person, firms_found[0]
    return None
