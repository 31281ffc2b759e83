"""What a person answered before: the newest answers to the same elements in cases that they opened themselves."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases import packs
from chengshu.contexts.cases.models import Case, PersonalPayload
from chengshu.contexts.cases.wording import both
from chengshu.contexts.identity.api import Account

# How many of the newest cases are looked through.
MOST = 12


@dataclass(frozen=True, slots=True)
class EarlierAnswer:
    """An answer that a person gave before, and where."""

    element: str
    value: Any
    case_id: str
    pack: dict[str, str]
    at: dt.datetime


def earlier_answers(account: Account, subject_id: str, elements: Collection[str]) -> dict[str, EarlierAnswer]:
    """Return element → the newest earlier answer, of cases that this account opened about the same subject; two queries.

    Erased values are gone; a case about somebody else tells nothing about this one.
    """
    found: dict[str, EarlierAnswer] = {}
    for row, facts in _facts(account, subject_id):
        pack = packs.pinned(row.pack_version_id, row.pack_version.hash).pack
        for name, field in pack.facts.items():
            value = facts.get(name)
            if field.element in elements and field.element not in found and value not in (None, "", []):
                found[field.element] = EarlierAnswer(
                    field.element, value, row.pk, both(pack, "title"), row.opened_at
                )
    return found


def _facts(account: Account, subject_id: str) -> list[tuple[Case, dict[str, Any]]]:
    mine = Case.objects.filter(opened_by=str(account.pk))
    own = not subject_id or subject_id == account.subject_id
    mine = mine.filter(principal="" if own else subject_id)
    rows = list(
        mine.select_related("pack_version").defer("pack_version__files").order_by("-opened_at", "-pk")[:MOST]
    )
    sealed = PersonalPayload.objects.filter(case_id__in=[row.pk for row in rows], seq=1, erased_at=None)
    personal = {row.case_id: json.loads(row.body) for row in sealed if row.body}
    return [(row, {**json.loads(row.body)["facts"], **personal.get(row.pk, {})}) for row in rows]
