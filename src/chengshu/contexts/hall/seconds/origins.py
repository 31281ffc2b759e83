"""Where the answers of an application came from: kept when it is submitted, shown beside the decision that used them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.mydata.models import CaseOrigins
from chengshu.contexts.hall.mydata.prefill import Prefilled
from chengshu.contexts.identity import api as identity
from chengshu.procedure.model import Field

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


def some_open_applications(most: int, seed: random.Random) -> list[str]:
    """Return some open cases whose forms were filled from records, drawn by chance (a sample to inspect)."""
    found = list(CaseOrigins.objects.order_by("-at", "pk").values_list("pk", flat=True)[: most * 20])
    seed.shuffle(found)
    return [case_id for case_id in found if not cases.case_brief(case_id).ended][:most]


def check_origins(case_id: str) -> tuple[int, list[str]]:
    """Return how many answers of an application came from records, and what is wrong with where they came from.

    Each names its source in words and the element of its field, each personal one was read on record by who applied; and
    what only a record may say does not stand there without a record.
    """
    row = CaseOrigins.objects.get(pk=case_id)
    pack, opener = cases.pack_of_case(case_id), identity.account(int(cases.opener_of(case_id)))
    given = cases.case_facts(case_id)["facts"]
    read = identity.elements_read(opener.subject_id, opener.pk) if opener is not None else frozenset()
    wrong = []
    for name, origin in row.fields.items():
        field = pack.facts.get(name)
        if field is None or field.prefill is None or not origin["source"] or not origin["title"]["zh"]:
            wrong.append(f"{case_id}: {name} names no source")
        elif identity.is_personal(origin["element"]) and origin["element"] not in read:
            wrong.append(f"{case_id}: {name} was filled and nobody is on record as having read it")
    wrong += [
        f"{case_id}: {name} stands without the record that alone may say it"
        for name, field in pack.facts.items()
        if _only_recorded(field) and given.get(name) is not None and name not in row.fields
    ]
    return len(row.fields), wrong


def _only_recorded(field: Field) -> bool:
    return field.prefill is not None and field.prefill.only and not field.required
