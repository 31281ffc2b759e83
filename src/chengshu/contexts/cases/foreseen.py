"""The what-if line of pages: by when a case is decided at the latest, leg by leg, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from chengshu.contexts.cases import packs, rows
from chengshu.contexts.cases.wording import LANGUAGES, grounds
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.foresight import Foresight, Leg, foresee
from chengshu.procedure.machine import default_clock
from chengshu.procedure.model import Pack


@dataclass(frozen=True, slots=True)
class Foreseen:
    """By when a case is decided, and how that comes about."""

    decided_by: dt.date | None
    provisional: bool
    # Some stay on the way has no term of its own: the day holds for the terms alone.
    unbounded: bool
    lines: list[dict[str, str]]


_kept: dict[tuple[str, dt.date, int], Foreseen] = {}
MOST_KEPT = 256


def what_if(pack: Pack, now: dt.datetime) -> Foreseen:
    """Return by when a case submitted now would be decided; one walk a pack a day."""
    clock = default_clock()
    # A calendar that is loaded meanwhile makes a new clock.
    key = (pack.hash, legal_day(now), id(clock))
    if key not in _kept:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = _said(pack, foresee(pack, now, clock, pack_named=_named))
    return _kept[key]


def what_if_case(case_id: str, now: dt.datetime) -> Foreseen:
    """Return by when an open case is decided from where it stands."""
    row = rows.lock_free(case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    return _said(pack, foresee(pack, now, default_clock(), case=row.case(pack.id), pack_named=_named))


def _named(pack: str) -> Pack | None:
    try:
        return packs.current(pack).pack
    except Problem as problem:
        if problem.code != "pack-not-loaded":
            raise
        return None


def _said(pack: Pack, found: Foresight) -> Foreseen:
    return Foreseen(
        found.decided_by, found.provisional, found.unbounded, [_line(pack, leg) for leg in found.legs]
    )


def _line(pack: Pack, leg: Leg) -> dict[str, str]:
    cited = grounds(pack, leg.cite)[:1]
    said = {}
    for language in LANGUAGES:
        name = pack.text(f"terms.{leg.term}", language) or pack.text(f"states.{leg.state}", language)
        arithmetic = leg.zh if language == "zh" else leg.en
        rests = "".join(each.citation[language] for each in cited)
        said[language] = (
            f"{name}：{arithmetic}（{rests}）" if language == "zh" else f"{name}: {arithmetic} ({rests})"
        )
    return said
