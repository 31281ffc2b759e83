"""The rows that make up a case, for what only shows it: the parts of one page ask for each of them once (``one_look``)."""

from __future__ import annotations

from chengshu.contexts.cases import rows
from chengshu.contexts.cases.models import CaseEvent, PersonalPayload
from chengshu.kernel.one_look import seen


def row_of(case_id: str) -> rows.CaseRow:
    """Return the case as the next step would find it; raises when there is none."""
    return seen(("case row", case_id), lambda: rows.lock_free(case_id))


def tasks_of(case_id: str) -> list[tuple[int, str, str]]:
    """Return (id, role, owner) of a case's open tasks."""
    return seen(("case tasks", case_id), lambda: rows.open_tasks(case_id))


def events_of(case_id: str) -> list[CaseEvent]:
    """Return the steps of a case, oldest first."""
    return seen(
        ("case events", case_id), lambda: list(CaseEvent.objects.filter(case_id=case_id).order_by("seq"))
    )


def sealed_of(case_id: str) -> list[PersonalPayload]:
    """Return the personal values of a case, by step."""
    return seen(("case sealed", case_id), lambda: list(PersonalPayload.objects.filter(case_id=case_id)))
