"""The effects that this context answers itself: a child case, and notices on people's pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from chengshu.contexts.cases import packs, papers, parties, routing, rows, sealing, store
from chengshu.contexts.cases.domain import NOBODY, OPERATORS, account_owner
from chengshu.contexts.cases.models import Notice, Task
from chengshu.contexts.cases.wording import sayer, spoken
from chengshu.contexts.identity import api as identity
from chengshu.procedure.model import Role
from chengshu.procedure.ports import EffectRequest, SourceRequest
from chengshu.procedure.wording import fill


def open_case_effect(request: EffectRequest) -> Mapping[str, Any]:
    """Open a child case in the step's own transaction; its end comes back as the command ``on_end``."""
    params = request.params
    row = rows.lock_free(request.case_id)
    opener = identity.account(int(request.actor.id)) if request.actor.id.isdigit() else None
    assignee = parties.resolve(params["assignee"]) if params.get("assignee") else None
    facts = {name: value for name, value in params["facts"].items() if value is not None}
    child = store.open_case(
        params["pack"],
        facts,
        opened_by=opener,
        subject_id=whose_child(row, facts, str(params.get("whose") or "parent"), opener, assignee) or None,
        cell_code=row.cell_code or None,
        department=params.get("department"),
        idempotency_key=request.idempotency_key,
        now=request.now,
        parent=request.case_id,
        on_end=params.get("on_end") or "",
        assignee=str(assignee.pk) if assignee is not None else "",
        on_behalf=row.behalf if _pursues(row, opener) else None,
    )
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    stranger = any(pack.roles[role].holder == "public" for role in request.actor.roles if role in pack.roles)
    papers.hand_papers(request.case_id, child, request.now, row.version + 1 if stranger else None)
    return {"child": child}


def whose_child(
    row: rows.CaseRow,
    facts: Mapping[str, Any],
    whose: str,
    actor: identity.Account | None = None,
    assignee: identity.Account | None = None,
) -> str:
    """Return the subject of a child case: reads of its file are put on record for that person, no other.

    The facts say it first; then the pack (``whose``). Who steps in for a principal does it in the principal's matter,
    and staff who take a step are not whom the case is about.
    """
    if named := str(facts.get("subject_id") or ""):
        return named
    if whose == "nobody":
        return ""
    if whose == "parent" or (whose == "actor" and _pursues(row, actor)):
        return row.subject_id
    person = assignee if whose == "assignee" else actor
    return person.subject_id if person is not None and person.role == "resident" else ""


def _pursues(row: rows.CaseRow, account: identity.Account | None) -> bool:
    """Whether an account takes its steps in this case for the principal in whose name it opened it."""
    return bool(row.on_behalf) and account is not None and row.opened_by == str(account.pk)


def notify_effect(request: EffectRequest) -> Mapping[str, Any]:
    """Put a notice on the pages of those who hold a role in the case; without one, on the operators'."""
    row = rows.lock_free(request.case_id)
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    texts = {}
    for language in ("zh", "en"):
        data = spoken(request.data, language)
        said = sayer(pack, language, request.facts, data, request.actor.name, {})
        texts[language] = fill(pack.text(f"notices.{request.params['text']}", language), said)[:500]
    owners = holders_of(pack.roles[request.params["role"]], row, request.now)
    for owner in owners:
        Notice.objects.get_or_create(
            key=f"{request.idempotency_key}:{owner}"[:120],
            defaults={
                "owner": owner,
                "case_id": request.case_id,
                "text_zh": texts["zh"],
                "text_en": texts["en"],
                "at": request.now,
            },
        )
    return {"notices": len(owners)}


def holders_of(role: Role, row: rows.CaseRow, now: dt.datetime) -> list[str]:
    """Return the owners (accounts or queues) that hold a role in a case; the operators when nobody does."""
    if role.holder in ("department", "role", "party"):
        found = [owner for owner in routing.owners_for(role, row, now) if owner != NOBODY]
        if found:
            return found
    if role.holder == "opener" and row.principal:
        return [routing.owner_for(role, row, now)]
    if role.holder == "opener" and row.opened_by.isdigit():
        return [account_owner(row.opened_by)]
    if role.holder == "assignee" and row.assignee.isdigit():
        return [account_owner(row.assignee)]
    # Who works on the case, or did last.
    last = (
        Task.objects.filter(case_id=row.id, role=role.name)
        .order_by("-open", "-pk")
        .values_list("owner", flat=True)
        .first()
    )
    return [last] if last and last != NOBODY else [OPERATORS]


def case_fact_source(request: SourceRequest) -> Any:
    """Return a fact of the case, or what it keeps, for a field that starts with it."""
    row = rows.lock_free(request.case_id)
    name = request.params["name"]
    case = row.case("")
    for held in (case.facts, case.kept):
        if name in held:
            return held[name]
    return sealing.personal_facts(request.case_id).get(name)
