"""Where the answers of an application came from: kept when it is submitted, shown beside the decision that used them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from chengshu.contexts.hall.mydata.models import CaseOrigins
from chengshu.contexts.hall.mydata.prefill import Prefilled

Said = Mapping[str, str]


def keep_origins(
    case_id: str, found: Mapping[str, Prefilled], answers: Mapping[str, Any], asked_of: int, now: dt.datetime
) -> int:
    """Keep for each answer that was taken as it was found where it came from; returns how many were spared.

    An answer that the person changed is theirs. No values are kept.
    """
    kept = {
        name: {
            "source": item.source_code,
            "title": dict(item.source_title),
            "at": item.at,
            "element": item.element,
        }
        for name, item in found.items()
        if name in answers and answers[name] == item.value
    }
    CaseOrigins.objects.bulk_create(
        [CaseOrigins(case_id=case_id, fields=kept, asked_of=asked_of, at=now)],
        update_conflicts=True,
        unique_fields=["case_id"],
        update_fields=["fields", "asked_of", "at"],
    )
    return len(kept)


def spared(case_id: str) -> tuple[int, int]:
    """Return how many fields of an application were spared, and out of how many."""
    row = CaseOrigins.objects.filter(pk=case_id).first()
    return (len(row.fields), row.asked_of) if row is not None else (0, 0)


def origins_of(case_id: str) -> dict[str, Said]:
    """Return field → where its answer came from, in words."""
    row = CaseOrigins.objects.filter(pk=case_id).first()
    if row is None:
        return {}
    found = {}
    for name, item in row.fields.items():
        at = f"（{item['at']}）" if item["at"] else ""
        at_en = f" ({item['at']})" if item["at"] else ""
        found[name] = {"zh": f"{item['title']['zh']}{at}", "en": f"{item['title']['en']}{at_en}"}
    return found
