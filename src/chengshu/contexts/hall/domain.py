"""What a resident sees of one field: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chengshu.contexts.identity.api import is_personal
from chengshu.contexts.subjects.api import Cell, FullRecord

Said = Mapping[str, str]
# Codes that the system gives; a resident cannot dispute them, only what they are made from.
MADE_BY_SYSTEM = ("place_code", "cell_code")


@dataclass(frozen=True, slots=True)
class Holder:
    """A department that holds a value of the field."""

    department: Said
    table: Said
    value: str
    at: str
    agrees: bool
    file: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class MyField:
    """One thing that is held about me."""

    element: str
    label: Said
    value: str
    holders: tuple[Holder, ...]
    disputed: bool
    corrected_by: str
    may_dispute: bool

    @property
    def department(self) -> str:
        """The department whose value is in force, for counting."""
        return self.holders[0].department["zh"] if self.holders else ""

    @property
    def masked(self) -> bool:
        """Whether pages show it with stars until one asks for the whole."""
        return is_personal(self.element) and bool(self.value)

    @property
    def others(self) -> tuple[Holder, ...]:
        """Those who hold another value."""
        return tuple(each for each in self.holders if not each.agrees)


def my_fields(full: FullRecord, tables: Mapping[str, Said], departments: Mapping[str, Said]) -> list[MyField]:
    """Return the fields of a record, each with everyone who holds a value of it."""
    found = []
    for fact in full.facts:
        cells = ([fact.origin] if fact.origin else []) + list(fact.losers)
        holders = tuple(
            _holder(cell, fact.value, tables, departments, fact.corrected is not None) for cell in cells
        )
        found.append(
            MyField(
                element=fact.element,
                label=fact.label,
                value=fact.value or "",
                holders=holders,
                disputed=fact.disputed,
                corrected_by=fact.corrected.made_by if fact.corrected else "",
                may_dispute=not fact.disputed and not fact.element.endswith(MADE_BY_SYSTEM),
            )
        )
    return found


def _holder(
    cell: Cell,
    value: str | None,
    tables: Mapping[str, Said],
    departments: Mapping[str, Said],
    corrected: bool,
) -> Holder:
    unknown = {"zh": cell.source, "en": cell.source}
    return Holder(
        department=departments.get(cell.department, {"zh": cell.department, "en": cell.department}),
        table=tables.get(cell.source, unknown),
        value=cell.value,
        at=(cell.at or "")[:10],
        # What a person put right since is compared as it stands; before, the build has compared addresses by place.
        agrees=cell.value == value if corrected else cell.agrees,
        file=cell.file or "",
        row=cell.row,
    )
