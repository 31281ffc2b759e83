"""What other contexts see of places: plain values, no Django."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

SLOTS: tuple[str, ...] = (
    "province", "city", "district", "street", "community", "road", "number", "estate", "building", "unit", "floor",
    "room", "place",
)  # fmt: skip
LIBRARY_COLUMNS: tuple[str, ...] = (
    "place_code", *SLOTS, "community_code", "cell_code", "lon", "lat", "state", "replaced_by", "valid_from", "valid_to",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One address of the library."""

    place_code: str
    building_code: str
    slots: Mapping[str, str | None]
    community_code: str
    cell_code: str | None
    lon: float | None
    lat: float | None
    state: str
    replaced_by: tuple[str, ...]
    valid_from: str | None
    valid_to: str | None

    @property
    def text(self) -> str:
        """The address in full."""
        return address_text(self.slots)

    @property
    def short_text(self) -> str:
        """The address without what everybody in the district knows."""
        return address_text({**self.slots, "province": None, "city": None, "district": None})


def address_text(slots: Mapping[str, str | None]) -> str:
    """Write an address out; the floor is left out where the room says it."""
    parts = [slots.get(name) or "" for name in SLOTS if name not in ("floor", "place")]
    if not slots.get("room") and slots.get("floor"):
        parts.append(str(slots["floor"]))
    place = slots.get("place")
    return "".join(parts) + (f"（{place}）" if place else "")


@dataclass(frozen=True, slots=True)
class CellView:
    """One base cell."""

    code: str
    zone: str
    residents: int
    rented_homes: int
    origin: str
    valid_from: date
    valid_to: date | None
    special: Mapping[str, str]  # kind → code of the special grid's cell

    @property
    def in_force(self) -> bool:
        """Whether the cell has not been split or merged away."""
        return self.valid_to is None

    def load(self, residents: float = 1000.0, rented_homes: float = 500.0) -> float:
        """The load in cells: 1.0 is a full one."""
        return max(self.residents / residents, self.rented_homes / rented_homes)


@dataclass(frozen=True, slots=True)
class Located:
    """Where a point lies."""

    lon: float
    lat: float
    cell: str
    zone: str
    special: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Charge:
    """One person's post in one cell, and who really does the work on the day asked for."""

    cell: str
    account_id: int
    name: str
    post: str
    first_day: date
    last_day: date | None
    on_duty_id: int | None
    on_duty_name: str


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a cell's or a place's history."""

    kind: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    on: date
    at: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """An address proposed for the library."""

    id: int
    text: str
    reason: str
    case_id: str
    cell_code: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decision_note: str
    place_code: str


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """How the grid stands."""

    cells: int
    residents: int
    rented_homes: int
    over_limit: int
    # The cells in force for whom nobody works.
    bare: list[str]

    @property
    def without_staff(self) -> int:
        """Return how many cells nobody works for."""
        return len(self.bare)


Feature = dict[str, Any]
