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
        name: item.origin for name, item in found.items() if name in answers and answers[name] == item.value
    }
    CaseOrigins.objects.bulk_create(
        [CaseOrigins(case_id=case_id, fields=kept, asked_of=asked_of, at=now)],
        update_conflicts=True,
        unique_fields=["case_id"],
        update_fields=["fields", "asked_of", "at"],
    )
    return len(kept)


def keep_first_origins(case_id: str, fields: Mapping[str, Any], asked_of: int, now: dt.datetime) -> None:
    """Keep origins by field; where a case has some already (a press or a job came twice), those stand."""
    kept = CaseOrigins(case_id=case_id, fields=dict(fields), asked_of=asked_of, at=now)
    CaseOrigins.objects.bulk_create([kept], ignore_conflicts=True)


def keep_part_origins(part: cases.PartFacts) -> None:
    """Keep where the facts of a part came from; what its one-thing handed it points there, and is not written twice.

    A part that is opened again under its key (a repeated job) keeps what it had.
    """
    handed = {name: {"of": fact, "in": part.parent_id} for name, fact in part.handed.items()}
    keep_first_origins(part.case_id, {**handed, **part.said}, part.facts, part.now)


def _origins(case_id: str) -> dict[str, dict[str, Any]]:
    """Return field → origin; where a one-thing handed the fact, the origin it has there, else the application itself."""
    row = CaseOrigins.objects.filter(pk=case_id).first()
    if row is None:
        return {}
    found, above = {}, {}
    for name, item in row.fields.items():
        if "of" not in item:
            found[name] = item
            continue
        if (parent := item["in"]) not in above:
            above[parent] = (_origins(parent), _application(parent))
        there, application = above[parent]
        found[name] = there.get(item["of"], application)
    return found


def _application(case_id: str) -> dict[str, Any]:
    """Return the origin of what was said in the application of a one-thing itself."""
    pack = cases.pack_of_case(case_id)
    title = {
        "zh": f"“{pack.title()}”的申请 {case_id}",
        "en": f"the application {case_id} for {pack.title('en')}",
    }
    return {"source": f"case:{case_id}", "title": title, "at": "", "element": ""}


def origins_of(case_id: str) -> dict[str, Said]:
    """Return field → where its answer came from, in words."""
    found = {}
    for name, item in _origins(case_id).items():
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
    row, origins = CaseOrigins.objects.get(pk=case_id), _origins(case_id)
    pack, opener = cases.pack_of_case(case_id), identity.account(int(cases.opener_of(case_id)))
    given = cases.case_facts(case_id)["facts"]
    read = identity.elements_read(opener.subject_id, opener.pk) if opener is not None else frozenset()
    wrong = []
    for name, origin in origins.items():
        field, own = pack.facts.get(name), "of" not in row.fields[name]
        if (
            field is None
            or (own and field.prefill is None)
            or not origin["source"]
            or not origin["title"]["zh"]
        ):
            wrong.append(f"{case_id}: {name} names no source")
        elif identity.is_personal(origin["element"]) and origin["element"] not in read:
            wrong.append(f"{case_id}: {name} was filled and nobody is on record as having read it")
    wrong += [
        f"{case_id}: {name} stands without the record that alone may say it"
        for name, field in pack.facts.items()
        if _only_recorded(field) and given.get(name) is not None and "source" not in row.fields.get(name, {})
    ]
    return len(origins), wrong


def _only_recorded(field: Field) -> bool:
    return field.prefill is not None and field.prefill.only and not field.required
