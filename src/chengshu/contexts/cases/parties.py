"""Parties of a case: who was brought in under a role of the pack, by what authority and until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from chengshu.contexts.cases import administration, packs, rows
from chengshu.contexts.cases.domain import NOBODY, account_owner
from chengshu.contexts.cases.models import Case as CaseModel
from chengshu.contexts.cases.models import CaseParty, Task
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.ports import EffectRequest

log = structlog.get_logger("chengshu.cases.parties")


@dataclass(frozen=True, slots=True)
class PartyLine:
    """A party as a page shows it."""

    role: str
    account: int
    name: str
    authority: str
    until: dt.date | None


def parties_of(case_id: str, on: dt.date) -> list[PartyLine]:
    """Return who takes part in a case on a day, oldest first."""
    found = list(current(case_id, on).order_by("pk"))
    names = {row.pk: row.shown_name for row in identity.accounts(ids=[item.account for item in found])}
    return [
        PartyLine(item.role, item.account, names.get(item.account, ""), item.authority, item.until)
        for item in found
    ]


def current(case_id: str, on: dt.date) -> Any:
    """Return the parties of a case whose authority holds on a day."""
    return CaseParty.objects.filter(Q(until=None) | Q(until__gte=on), case_id=case_id, removed_at=None)


def resolve(value: Any) -> identity.Account:
    """Return the account that a pack names by its number or its sign-in name."""
    text = str(value or "").strip()
    found = identity.account(int(text)) if text.isdigit() else identity.account_named(text)
    if found is None:
        raise Problem("account-unknown", _("没有这个账户"), detail=text[:60], status=422)
    return found


def add_party_effect(request: EffectRequest) -> Mapping[str, Any]:
    """Bring an account into the case under a role; again changes its authority and its last day."""
    params, role = request.params, str(request.params["role"])
    _party_role(request.case_id, role)
    account = resolve(params["account"])
    until = params.get("until")
    CaseParty.objects.update_or_create(
        case_id=request.case_id,
        role=role,
        account=account.pk,
        removed_at=None,
        defaults={
            "authority": str(params.get("authority") or "")[:200],
            "until": dt.date.fromisoformat(until) if until else None,
            "added_at": request.now,
        },
    )
    waiting = Task.objects.filter(case_id=request.case_id, role=role, open=True)
    dated = waiting.first()
    if dated is not None and not waiting.filter(owner=account_owner(account.pk)).exists():
        waiting.filter(owner=NOBODY).update(open=False, closed_at=request.now)
        Task.objects.create(
            case_id=request.case_id, role=role, owner=account_owner(account.pk), due_at=dated.due_at,
            amber_at=dated.amber_at, opened_at=request.now, pack=dated.pack, kind=dated.kind,
        )  # fmt: skip
    return {"party": str(account.pk)}


def remove_party_effect(request: EffectRequest) -> Mapping[str, Any]:
    """Take an account out of the case; its open tasks of the role go with it."""
    role = str(request.params["role"])
    _party_role(request.case_id, role)
    account = resolve(request.params["account"])
    gone = CaseParty.objects.filter(
        case_id=request.case_id, role=role, account=account.pk, removed_at=None
    ).update(removed_at=request.now)
    if not gone:
        raise Problem("party-unknown", _("这个账户不在本办件中"), detail=role, status=422)
    close_tasks(request.case_id, role, account.pk, request.now)
    return {"party": str(account.pk)}


def close_tasks(case_id: str, role: str, account_id: int, now: dt.datetime) -> None:
    """Close a former party's tasks; the last one of a role becomes nobody's, so that the operator sees it."""
    mine = Task.objects.filter(case_id=case_id, role=role, owner=account_owner(account_id), open=True)
    last = mine.first()
    if last is None:
        return
    mine.update(open=False, closed_at=now)
    if not Task.objects.filter(case_id=case_id, role=role, open=True).exists():
        Task.objects.create(
            case_id=case_id,
            role=role,
            owner=NOBODY,
            due_at=last.due_at,
            amber_at=last.amber_at,
            opened_at=now,
            pack=last.pack,
            kind=last.kind,
        )


def end_parties(now: dt.datetime, limit: int = 500) -> int:
    """Let authorities end whose last day is over, each as an event of its case; returns how many."""
    ended = 0
    over = CaseParty.objects.filter(removed_at=None, until__lt=legal_day(now), case__closed_at=None)
    for party in list(over.order_by("pk")[:limit]):
        try:
            ended += _end_party(party, now)
        except Problem as problem:
            # One broken case must not keep the others; it is logged and met again next time.
            log.error("party-end-failed", case=party.case_id, problem=str(problem))
    return ended


@transaction.atomic
def _end_party(party: CaseParty, now: dt.datetime) -> int:
    held = administration.hold(party.case_id, None, now)
    if not CaseParty.objects.filter(pk=party.pk, removed_at=None).update(removed_at=now):
        return 0
    close_tasks(party.case_id, party.role, party.account, now)
    said = held.pack.text(f"roles.{party.role}") or party.role
    administration.write(held, "party-ended", now, data={"role": said, "account": str(party.account)})
    return 1


def cases_of_party(account_id: int, now: dt.datetime, limit: int = 50) -> list[str]:
    """Return the cases in which an account takes part, newest first."""
    on = legal_day(now)
    found = CaseParty.objects.filter(Q(until=None) | Q(until__gte=on), account=account_id, removed_at=None)
    cases = CaseModel.objects.filter(pk__in=found.values("case_id")).order_by("-opened_at", "-pk")
    return list(cases.values_list("pk", flat=True)[:limit])


def _party_role(case_id: str, role: str) -> None:
    row = rows.lock_free(case_id)
    found = packs.pinned(row.pack_version_id, row.pack_hash).pack.roles.get(role)
    if found is None or found.holder != "party":
        raise Problem("party-role", _("规程没有这个当事人角色"), detail=role, status=422)
