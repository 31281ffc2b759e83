"""The last run in figures, for front pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from chengshu.contexts.subjects import api as subjects


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What came in at the last run, and what became of it."""

    run_id: str
    state: str
    state_text: str
    started_at: datetime
    rows: int
    accepted: int
    refused: int
    placed: int
    addressed: int
    subjects: int
    conflicts: int


def last_run() -> RunFigures | None:
    """Return the last run's figures; a run that found nothing new shows those of the snapshot in force."""
    run = subjects.last_run()
    if run is None:
        return None
    shown = run if run.rows else (subjects.current_run() or run)
    sums = shown.sources.aggregate(placed=Sum("placed"), addressed=Sum("addressed"))
    return RunFigures(
        run_id=run.run_id,
        state=run.state,
        state_text=run.get_state_display(),
        started_at=run.started_at,
        rows=shown.rows,
        accepted=shown.accepted,
        refused=shown.refused,
        placed=sums["placed"] or 0,
        addressed=sums["addressed"] or 0,
        subjects=sum((shown.facts.get("subjects") or {}).values()),
        conflicts=sum((shown.facts.get("conflicts") or {}).values()),
    )
