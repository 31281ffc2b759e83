"""Whose life has ended: a person who has died, a firm that is struck off.

No agency outlasts it (Civil Code, articles 173 and 175; the exceptions of 174 are for a court or the heirs, not for a program).
Identity knows no golden record: ``site`` wires the question. It is asked where an agency is used, so a death that a build or
a correction brings counts on the very next page, and one that was wrong counts no longer once it is put right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from django.utils import timezone

# From these subjects: those whose life had ended by that day.
Ended = Callable[[Sequence[str], date], frozenset[str]]
_known: list[Ended] = []


def register_ended(handler: Ended) -> None:
    """Say who knows of deaths and of firms struck off."""
    _known[:] = [handler]


def ended(subject_ids: Iterable[str], now: datetime) -> frozenset[str]:
    """Return those of some subjects that have died or are struck off at ``now``; asked in one go for all of them."""
    wanted = sorted({each for each in subject_ids if each})
    return _known[0](wanted, timezone.localdate(now)) if _known and wanted else frozenset()
