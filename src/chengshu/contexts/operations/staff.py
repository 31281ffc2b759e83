"""Who works the grid on a day, and how much each has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places


@dataclass(frozen=True, slots=True)
class Worker:
    """One grid worker's load on a day."""

    name: str
    cells: int
    residents: int
    rented_homes: int
    away_until: date | None
    substitute: str


def workers_on(on: date) -> list[Worker]:
    """Return the grid workers, the most loaded first."""
    loads = {cell.code: cell for cell in places.cells()}
    found, duty = [], identity.duty(on)
    accounts = identity.accounts(role="grid_worker")
    cells = places.cells_of_each(accounts, on)
    for account in accounts:
        held = [loads[code] for code in cells[account.pk] if code in loads]
        absence = duty.absences.get(account.pk)
        found.append(
            Worker(
                name=account.display_name,
                cells=len(held),
                residents=sum(cell.residents for cell in held),
                rented_homes=sum(cell.rented_homes for cell in held),
                away_until=absence.last_day if absence else None,
                substitute=absence.substitute.display_name if absence and absence.substitute else "",
            )
        )
    return sorted(found, key=lambda worker: (-worker.residents, worker.name))
