"""Small questions that contexts above ask about a case: by which pack it runs, who opened it, where a step's leaf is."""

from __future__ import annotations

import datetime as dt

from chengshu.contexts.cases import packs, routing, rows
from chengshu.contexts.cases.models import CaseEvent
from chengshu.contexts.identity.api import Account
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack


def pack_of_case(case_id: str) -> Pack:
    """Return the version of its pack that a case runs under."""
    row = rows.lock_free(case_id)
    return packs.pinned(row.pack_version_id, row.pack_hash).pack


def opener_of(case_id: str) -> str:
    """Return the number of the account that opened a case; ``system`` for the machine, empty for no case."""
    try:
        return rows.lock_free(case_id).opened_by
    except Problem:
        return ""


def pursues(case_id: str, account: Account, now: dt.datetime) -> bool:
    """Say whether a case is an account's to pursue: its own, that of whom it still acts for, or its own by another's hand."""
    try:
        return routing.is_opener(rows.lock_free(case_id), account, now)
    except Problem:
        return False


def leaf_of_step(case_id: str, seq: int) -> int:
    """Return the ledger leaf of a step."""
    return int(CaseEvent.objects.filter(case_id=case_id, seq=seq).values_list("leaf_id", flat=True).get())
