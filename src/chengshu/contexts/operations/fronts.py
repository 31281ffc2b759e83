"""The front page of each role: which template, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.catalogue import api as catalogue
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import Account
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.operations.figures import of_work
from chengshu.contexts.operations.models import PageReport
from chengshu.contexts.operations.runs import last_run
from chengshu.contexts.places import api as places
from chengshu.contexts.subjects import api as subjects

TASKS_SHOWN = 12
NOTICES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Front:
    """One role's front page."""

    template: str
    gather: Callable[[Account, datetime], dict[str, Any]]


def of_resident(account: Account, now: datetime) -> dict[str, Any]:
    """Gather what a resident meets first."""
    reads, total = identity.reads_of(account.subject_id, limit=3) if account.subject_id else ([], 0)
    about = cases.cases_about(account.subject_id, limit=10) if account.subject_id else []
    mine = cases.my_cases(account, now, limit=20)
    known = {each.case_id for each in mine}
    return {
        "reads": reads,
        "reads_total": total,
        # What others opened about one: one's own applications stand above already.
        "about": [each for each in about if each.case_id not in known][:5],
        "mine": mine[:5],
        "labels": catalogue.element_titles(),
    }


def of_worker(account: Account, now: datetime) -> dict[str, Any]:
    """Gather a grid worker's day: what is due first, whom they stand in for, news of their findings."""
    on = timezone.localdate(now)
    return {
        "today": on,
        "tasks": cases.tasks_for(account, now=now, size=TASKS_SHOWN),
        "cells": places.cells_of(account, on),
        "stands_in_for": identity.stands_in_for(account, on),
        "absence": identity.absence_on(account.pk, on),
        "notices": cases.notices_for(account, now=now, limit=NOTICES_SHOWN),
    }


def of_steward(account: Account, now: datetime) -> dict[str, Any]:
    """Gather what a data steward watches: the last run, what does not agree, what waits for a decision."""
    waiting = subjects.counts_by_state()
    return {
        "run": last_run(),
        "findings": [(kind, subjects.finding_name(kind), n) for kind, n in waiting["findings"].items()],
        "disputes": subjects.disputes(account.department_id).count() if account.department_id else 0,
        "work": of_work(cases.load_summary(now)),
        "tasks": cases.tasks_for(account, now=now, size=5),
        "notices": cases.notices_for(account, now=now, limit=NOTICES_SHOWN),
        "ledger": ledger.status(),
    }


def of_officer(account: Account, now: datetime) -> dict[str, Any]:
    """Gather what waits for a department: returns, disputes to decide, findings passed on."""
    department = account.department_id or ""
    return {
        "returns": subjects.returns_summary(department, timezone.localdate(now)),
        "disputes": subjects.disputes(department).count(),
        "finance": cases.payments.may_list(account),
        "tasks": cases.tasks_for(account, now=now, size=TASKS_SHOWN),
        "notices": cases.notices_for(account, now=now, limit=NOTICES_SHOWN),
    }


def of_operator(account: Account, now: datetime) -> dict[str, Any]:
    """Gather how the district runs: staff, load, what is late, what failed, what was reported."""
    return {
        "grid": places.load_figures(timezone.localdate(now)),
        "work": of_work(cases.load_summary(now)),
        "unowned": cases.tasks_for(account, now=now, filters=cases.Filters(view="nobody"), size=5),
        "reports": PageReport.objects.filter(settled_at=None).count(),
        "notices": cases.notices_for(account, now=now, limit=NOTICES_SHOWN),
        "ledger": ledger.status(),
        "run": last_run(),
    }


def of_clerk(account: Account, now: datetime) -> dict[str, Any]:
    """Gather what a window clerk meets first: news about the matters they took in."""
    return {"notices": cases.notices_for(account, now=now, limit=NOTICES_SHOWN)}


FRONTS = {
    "resident": Front("operations/resident.html", of_resident),
    "grid_worker": Front("operations/worker.html", of_worker),
    "steward": Front("operations/steward.html", of_steward),
    "officer": Front("operations/officer.html", of_officer),
    "operator": Front("operations/operator.html", of_operator),
    "clerk": Front("operations/clerk.html", of_clerk),
}
