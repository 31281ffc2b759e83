"""What subjects shows others: plain values, no Django."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

KINDS = ("person", "firm", "premises", "facility")
# Elements by which each kind is listed and in which order a record shows them.
ORDER = (
    "name", "kind", "resident_id", "credit_code", "sex", "birth_date", "ethnicity", "death_date",
    "legal_representative", "status", "industry", "established_on", "phone", "address", "place_code",
    "use", "owner_name", "owner_id", "area_m2",
    "rented", "floor", "building_floors", "longitude", "latitude", "capacity",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of one element, as one record of one source has it."""

    element: str
    value: str
    source: str
    department: str
    record_id: str
    at: str | None
    rank: int
    agrees: bool
    file: str | None = None
    row: int | None = None
    absent_since: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One element of a golden record: the value in force, where it comes from, and what lost."""

    element: str
    label: Mapping[str, str]
    value: str | None
    origin: Cell | None
    losers: tuple[Cell, ...] = ()
    disputed: bool = False
    corrected: CorrectionView | None = None

    @property
    def contested(self) -> bool:
        """Whether another record has another value."""
        return any(not cell.agrees for cell in self.losers)


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A value that a person set or confirmed."""

    id: int
    element: str
    value: str | None
    previous: str | None
    confirms: bool
    state: str
    case_id: str
    made_by: str
    made_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Record:
    """A subject's effective record: the snapshot with the corrections laid over it."""

    subject_id: str
    kind: str
    values: Mapping[str, str | None]
    place_code: str
    cell_code: str
    community_code: str
    since_run: str
    disputed: frozenset[str] = frozenset()
    asked_for: str = ""

    @property
    def name(self) -> str:
        """The subject's name, or what stands for one."""
        return (
            self.values.get(f"{self.kind}.name") or self.values.get(f"{self.kind}.address") or self.subject_id
        )


@dataclass(frozen=True, slots=True)
class FullRecord:
    """A record with provenance."""

    record: Record
    facts: tuple[Fact, ...]
    redirects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One subject that a search found; personal values are masked."""

    subject_id: str
    kind: str
    name: str
    id_number: str
    cell_code: str
    community_code: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why two records are held to be one."""

    left_id: str
    right_id: str
    probability: float | None
    reasons: tuple[tuple[str, str, float | None], ...]
    said_by: str = ""


def element_order(element: str) -> tuple[int, str]:
    """Sort key: elements in the order people expect, others after."""
    last = element.split(".", 1)[-1]
    return (ORDER.index(last) if last in ORDER else len(ORDER), last)
