"""Records that move cases: a pack may watch elements of the record of whom a case is about (a death, say).

Once such an element has a value, the system gives the case the command that the pack names, with the value in the field
that it names: once for each value, and only where the case allows it.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from django.conf import settings

from chengshu.contexts.cases import packs, store
from chengshu.contexts.cases.models import Case, PackVersion
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import SYSTEM, Pack, Watch

log = structlog.get_logger("chengshu.cases.watching")
AT_ONCE = 500
# (subjects, elements) → subject → element → value of their records in force.
Said = Callable[[Sequence[str], Sequence[str]], Mapping[str, Mapping[str, Any]]]


def follow_records(said: Said, now: dt.datetime) -> int:
    """Tell open cases what the records of whom they are about say of what their packs watch; returns how many moved."""
    moved = 0
    # Old versions stay as long as cases run under them; few packs watch anything, and none is compiled to find that out.
    watching = PackVersion.objects.filter(files__contains="watches:").order_by("pk")
    for version, hash_ in watching.values_list("pk", "hash"):
        pack = packs.pinned(version, hash_).pack
        if pack.watches:
            moved += _follow_version(pack, version, said, now)
    return moved


def _follow_version(pack: Pack, version: int, said: Said, now: dt.datetime) -> int:
    commands = {item.command for item in pack.watches}
    states = {
        state
        for (state, command), steps in pack.steps.items()
        if command in commands and any(SYSTEM in step.by for step in steps)
    }
    elements = [item.element for item in pack.watches]
    live = Case.objects.filter(closed_at=None, pack_version=version, state__in=states).exclude(subject_id="")
    moved, last = 0, ""
    # A piece at a time: a city has more open cases than memory wants to hold.
    while part := list(
        live.filter(pk__gt=last).order_by("pk").values_list("pk", "state", "subject_id")[:AT_ONCE]
    ):
        last = part[-1][0]
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
                idempotency_key=_key(watch, value),
            )
        )  # fmt: skip
    except Problem as problem:
        # One case that cannot take the news now must not keep it from the others; it is tried again after the next build.
        log.warning("record-not-followed", case=case_id, element=watch.element, problem=problem.code)
        return False
    return not done.repeated


def _key(watch: Watch, value: Any) -> str:
    """Return the key of one value; keyed, since the value is personal and keys stand in clear."""
    said = f"{watch.element}={value}".encode()
    return f"record:{watch.command}:{hmac.digest(settings.SECRET_KEY.encode(), said, 'sha256').hex()[:40]}"
