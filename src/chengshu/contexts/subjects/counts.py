"""Figures about runs, cells and findings that pages and the map show."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from chengshu.contexts.subjects.models import CellCount, Dispute, Finding, Return, Run
from chengshu.contexts.subjects.reading import current_run, tables_of
from chengshu.kernel.one_look import seen
from chengshu.kernel.problems import Problem


def last_run() -> Run | None:
    """Return the newest run, published or not."""
    return Run.objects.order_by("-number").first()


def runs(limit: int = 50) -> list[Run]:
    """Return the newest runs."""
    return list(Run.objects.order_by("-number")[:limit])


def run_by_id(run_id: str) -> Run:
    """Return one run."""
    run = Run.objects.filter(run_id=run_id).first()
    if run is None:
        raise Problem("run-unknown", _("没有这次运行"), detail=run_id, status=404)
    return run


def counts_by_cell() -> dict[str, dict[str, int]]:
    """Return cell → kind → subjects, of the snapshot in force."""
    run = current_run()
    found: dict[str, dict[str, int]] = {}
    for cell, kind, count in CellCount.objects.filter(run=run).values_list("cell_code", "kind", "count"):
        found.setdefault(cell, {})[kind] = count
    return found


def open_findings_by_cell() -> dict[str, int]:
    """Return cell → open findings."""
    rows = Finding.objects.filter(state=Finding.State.OPEN).exclude(cell_code="")
    return dict(rows.order_by().values("cell_code").annotate(n=Count("pk")).values_list("cell_code", "n"))


def counts_by_state() -> Mapping[str, Any]:
    """Return what waits for the data steward: open findings by kind, open returns and disputes, the last run's refusals."""
    open_findings = Finding.objects.filter(state=Finding.State.OPEN).order_by()
    run = current_run()
    return {
        "findings": dict(open_findings.values("kind").annotate(n=Count("pk")).values_list("kind", "n")),
        "refused": run.refused if run else 0,
        "conflicts": sum((run.facts.get("conflicts") or {}).values()) if run else 0,
        "returns_open": Return.objects.filter(state=Return.State.OPEN).count(),
        "disputes_open": Dispute.objects.filter(closed_at=None).count(),
    }


def findings(kind: str | None = None, state: str = "open", most: int = 200) -> list[Finding]:
    """Return findings, newest first."""
    found = Finding.objects.filter(state=state).order_by("-pk")
    return list((found.filter(kind=kind) if kind else found)[:most])


def source_titles() -> dict[str, dict[str, str]]:
    """Return source → title {zh, en}, of the snapshot in force."""
    return {source: dict(title) for source, (_department, title) in tables_of(run_in_force()).items()}


def run_in_force() -> Run | None:
    """Return the run whose snapshot is in force; one look asks once."""
    return seen("run-in-force", current_run)


def cells_with(kind: str, cells: Collection[str] | None = None) -> dict[str, int]:
    """Return cell → number of subjects of one kind, of all cells or of some (what the map's layers are made of)."""
    rows = CellCount.objects.filter(run=current_run(), kind=kind)
    if cells is not None:
        rows = rows.filter(cell_code__in=cells)
    return dict(rows.values_list("cell_code", "count"))
