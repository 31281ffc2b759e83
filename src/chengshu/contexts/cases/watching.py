"""Records that move cases: a pack may watch elements of the record of whom a case is about (a death, say).

Once such an element has a value, the system gives the case the command that the pack names, with the value in the field
that it names: once for each value, and only where the case allows it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from chengshu.contexts.cases import packs, store
from chengshu.contexts.cases.models import Case
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import SYSTEM, Pack, Watch

log = structlog.get_logger("chengshu.cases.watching")
AT_ONCE = 500
# (subjects, elements) → subject → element → value of their records in force.
Said = Callable[[Sequence[str], Sequence[str]], Mapping[str, Mapping[str, Any]]]


def follow_records(said: Said, now: dt.datetime) -> int:
    """Tell open cases what the records of whom they are about say of what their packs watch; returns how many moved."""
    live = Case.objects.filter(closed_at=None).exclude(subject_id="")
    moved = 0
    for version, hash_ in live.values_list("pack_version_id", "pack_version__hash").distinct():
        pack = packs.pinned(version, hash_).pack
        if not pack.watches:
            continue
        elements = [item.element for item in pack.watches]
        found = list(
            live.filter(pack_version_id=version).order_by("pk").values_list("pk", "state", "subject_id")
        )
        for start in range(0, len(found), AT_ONCE):
            part = found[start : start + AT_ONCE]
            values = said(sorted({subject for _, _, subject in part}), elements)
            for case_id, state, subject in part:
                moved += _followed(pack, case_id, state, values.get(subject, {}), now)
    return moved


def _followed(pack: Pack, case_id: str, state: str, values: Mapping[str, Any], now: dt.datetime) -> int:
    for watch in pack.watches:
        value = values.get(watch.element)
        steps = pack.steps.get((state, watch.command), ())
        if value in (None, "") or not any(SYSTEM in step.by for step in steps):
            continue
        if _told(case_id, watch, value, now):
            return 1
    return 0


def _told(case_id: str, watch: Watch, value: Any, now: dt.datetime) -> bool:
    try:
        done = store.each_conflict_once(
            lambda: store.command(
                case_id, watch.command, {watch.field: value}, actor=None, now=now,
                idempotency_key=f"record:{watch.element}:{value}"[:100],
            )
        )  # fmt: skip
    except Problem as problem:
        # One case that cannot take the news now must not keep it from the others; it is tried again after the next build.
        log.warning("record-not-followed", case=case_id, element=watch.element, problem=problem.code)
        return False
    return not done.repeated
