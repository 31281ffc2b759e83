"""The cases of one person: what they opened, take part in, or decide as the one named."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from django.db.models import Q

from chengshu.contexts.cases import packs, parties, queries, routing
from chengshu.contexts.cases import rows as case_rows
from chengshu.contexts.cases.access import assignee_sees
from chengshu.contexts.cases.domain import Light
from chengshu.contexts.cases.lights import light
from chengshu.contexts.cases.models import Case
from chengshu.contexts.cases.wording import both
from chengshu.contexts.identity.api import Account
from chengshu.procedure.parts import MARK


@dataclass(frozen=True, slots=True)
class MyCase:
    """One of a person's own cases in a list."""

    case_id: str
    pack: dict[str, str]
    title: dict[str, str]
    state: dict[str, str]
    outcome: dict[str, str]
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    light: Light | None
    # Whether the next step is theirs.
    yours: bool


def my_cases(account: Account, now: dt.datetime, limit: int = 100) -> list[MyCase]:
    """Return the cases of an account: open ones first, then the newest."""
    number = str(account.pk)
    joined = parties.cases_of_party(account.pk, now)
    mine = Q(opened_by=number) | Q(assignee=number) | Q(pk__in=joined)
    if account.subject_id:
        # What others applied for in this person's name.
        mine |= Q(principal=account.subject_id)
    # Parts of a one-thing stand on its own page.
    found = Case.objects.filter(mine).exclude(on_end__startswith=MARK)
    rows = list(
        found.select_related("pack_version")
        .defer("pack_version__files")
        .order_by("-opened_at", "-pk")[:limit]
    )
    rows = [row for row in rows if _seen(row, number, joined)]
    rows = [row for row in rows if _still_acts(row, account, now)]
    waiting = _waiting([row.pk for row in rows], account)
    lines = [_line(row, row.pk in waiting, now) for row in rows]
    return sorted(lines, key=lambda line: (line.closed_at is not None, not line.yours))


def _seen(row: Case, number: str, joined: list[str]) -> bool:
    """A case that was opened for someone is among theirs from when they may see it."""
    if row.assignee != number or row.opened_by == number or row.pk in joined or row.principal:
        return True
    pack = packs.pinned(row.pack_version_id, row.pack_version.hash).pack
    return assignee_sees(case_rows.lock_free(row.pk), pack)


def _still_acts(row: Case, account: Account, now: dt.datetime) -> bool:
    """What one applied for in another's name is listed as long as one acts for them."""
    if not row.principal or row.opened_by != str(account.pk):
        return True
    return routing.is_opener(case_rows.lock_free(row.pk), account, now)


def _waiting(case_ids: list[str], account: Account) -> set[str]:
    owner = f"account:{account.pk}"
    of_parts = Q(case__parent_id__in=case_ids, case__on_end__startswith=MARK)
    found = queries.Task.objects.filter(Q(case_id__in=case_ids) | of_parts, open=True, owner=owner)
    return {case for pair in found.values_list("case_id", "case__parent_id") for case in pair if case}


def _line(row: Case, yours: bool, now: dt.datetime) -> MyCase:
    pack = packs.pinned(row.pack_version_id, row.pack_version.hash).pack
    return MyCase(
        row.pk,
        both(pack, "title"),
        queries.title_of(pack, json.loads(row.body)["facts"]),
        both(pack, f"states.{row.state}"),
        both(pack, f"outcomes.{row.outcome}") if row.outcome else {"zh": "", "en": ""},
        row.opened_at,
        row.closed_at,
        None if row.closed_at or row.due_at is None else light(row.due_at, row.amber_at, now),
        yours,
    )
