"""Applying as the hall lets one apply: what records know is not asked, and where it came from is kept with the case."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall import api as hall
from chengshu.contexts.identity.api import Account
from chengshu.contexts.subjects import api as subjects
from chengshu.procedure.model import Pack


def from_records(
    pack: Pack,
    facts: Mapping[str, Any],
    opener: Account | None,
    key: str,
    now: dt.datetime,
    rng: random.Random,
) -> str | None:
    """Open a case with what records know of a resident in place of what was made up; ``None`` where they know nothing."""
    if opener is None or not opener.subject_id or not pack.offered or _has_papers(pack, facts):
        return None
    if rng.random() < 0.7:
        _allow(pack, opener, now)
    filled = hall.prefill(pack, opener, now, answers=facts)
    if not filled.found:
        return None
    said = {**facts, **{name: item.value for name, item in filled.found.items()}}
    with transaction.atomic():
        opened = cases.open_case(
            pack.id, said, opened_by=opener, idempotency_key=key, now=now, asked=True
        )  # fmt: skip
        hall.keep_origins(opened, filled.found, said, len(filled.found) + len(filled.asked), now)
    return opened


def _has_papers(pack: Pack, facts: Mapping[str, Any]) -> bool:
    return any(name in facts and field.type.kind == "files" for name, field in pack.facts.items())


def _allow(pack: Pack, opener: Account, now: dt.datetime) -> None:
    wanted = sorted({use.element for use in subjects.consent_needed(pack) if use.needs_consent})
    if wanted:
        subjects.consent_given(opener.subject_id, pack.id, wanted, by=opener, now=now)
