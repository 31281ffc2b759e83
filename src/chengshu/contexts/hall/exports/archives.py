"""The handover list of e-archives (移交清单): described, nobody named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from django.db.models import QuerySet
from django.utils import timezone

from chengshu.contexts.hall.archive import using
from chengshu.contexts.hall.archive.models import ArchivePackage
from chengshu.contexts.hall.exports.lists import Line, Table
from chengshu.contexts.identity import api as identity

MOST = 100_000
COLUMNS = (
    "档号", "办件号", "版本", "事项", "部门", "办结", "结果", "保管期限", "期满", "文件数", "字节", "SHA-256", "存证", "状态",
)  # fmt: skip


def handover(actor: identity.Account, asked: Mapping[str, str], full: bool, now: dt.datetime) -> Table:
    """The archives of a year of closing, or of all; an officer's department's, the operator's all."""
    rows = using.packages_for(actor, {}, now).exclude(state=ArchivePackage.State.FAILED)
    if asked.get("year", "").isdigit():
        rows = rows.filter(closed_at__year=int(asked["year"]))
    return Table(COLUMNS, _lines(rows.order_by("closed_at", "pk")), most=MOST)


def _lines(rows: QuerySet[ArchivePackage]) -> Iterator[Line]:
    for row in rows.iterator(chunk_size=500):
        closed_on = timezone.localtime(row.closed_at).date().isoformat()
        line = [
            row.number, row.case_id, row.version, row.title_zh, row.department, closed_on, row.outcome_zh,
            f"{row.years}年" if row.years else "永久", row.due_on.isoformat() if row.due_on else "", row.files, row.size,
            row.digest, row.leaf_id, _state(row),
        ]  # fmt: skip
        yield line, ""


def _state(row: ArchivePackage) -> str:
    # What is closed to use is on the list, and is not handed over.
    return f"{row.get_state_display()}{'（只保管）' if row.closed_to_use_at else ''}"
