"""Golden records, runs, corrections, returns and links: the only module that others may import.

Building: ``run_build(Order(...))``. Reading: ``effective_record`` (snapshot ⊕ corrections), ``record_of`` (with
provenance), ``search``. Changing: ``apply_correction``, ``accept``/``dispute``/``decide``, ``link``/``unlink``.
Personal values are whole here: callers mask them, or put the read on record first.
"""

from __future__ import annotations

from chengshu.contexts.subjects.builds import Order, finish, recover, run_build
from chengshu.contexts.subjects.corrections import (
    apply_correction,
    by_hand,
    correct_fact,
    golden_record,
    withdraw_correction,
)
from chengshu.contexts.subjects.counts import (
    cells_with,
    counts_by_cell,
    counts_by_state,
    findings,
    last_run,
    open_findings_by_cell,
    run_by_id,
    runs,
    source_titles,
)
from chengshu.contexts.subjects.disputing import follow as follow_dispute
from chengshu.contexts.subjects.domain import Cell, CorrectionView, Fact, FullRecord, Hit, Record, Why
from chengshu.contexts.subjects.labels import element_label, finding_name
from chengshu.contexts.subjects.links import decisions, link, undo, unlink
from chengshu.contexts.subjects.models import Correction, Dispute, Finding, Return, Run
from chengshu.contexts.subjects.reading import (
    corrections_of,
    current_run,
    effective_record,
    follow,
    provenance,
    record_of,
    records_in,
    some_subjects,
    why_one,
)
from chengshu.contexts.subjects.resubmission import refused_csv, resubmit
from chengshu.contexts.subjects.returns import (
    Summary,
    accept,
    decide,
    dispute,
    dispute_value,
    disputes,
    disputes_of,
    one_return,
    page_of_returns,
    returns,
    returns_csv,
    returns_summary,
    view_of,
)
from chengshu.contexts.subjects.search import search, subjects_in

__all__ = [
    "Cell",
    "Correction",
    "CorrectionView",
    "Dispute",
    "Fact",
    "Finding",
    "FullRecord",
    "Hit",
    "Order",
    "Record",
    "Return",
    "Run",
    "Summary",
    "Why",
    "accept",
    "apply_correction",
    "by_hand",
    "cells_with",
    "correct_fact",
    "corrections_of",
    "counts_by_cell",
    "counts_by_state",
    "current_run",
    "decide",
    "decisions",
    "dispute",
    "dispute_value",
    "disputes",
    "disputes_of",
    "effective_record",
    "element_label",
    "finding_name",
    "findings",
    "finish",
    "follow",
    "follow_dispute",
    "golden_record",
    "last_run",
    "link",
    "one_return",
    "open_findings_by_cell",
    "page_of_returns",
    "provenance",
    "record_of",
    "records_in",
    "recover",
    "refused_csv",
    "resubmit",
    "returns",
    "returns_csv",
    "returns_summary",
    "run_build",
    "run_by_id",
    "runs",
    "search",
    "some_subjects",
    "source_titles",
    "subjects_in",
    "undo",
    "unlink",
    "view_of",
    "why_one",
    "withdraw_correction",
]
