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
    child = store.open_case(
        params["pack"],
        {name: value for name, value in params["facts"].items() if value is not None},
        opened_by=opener,
        subject_id=row.subject_id or None,
        cell_code=row.cell_code or None,
        department=params.get("department"),
        idempotency_key=request.idempotency_key,
        now=request.now,
        parent=request.case_id,
        on_end=params.get("on_end") or "",
        assignee=str(parties.resolve(params["assignee"]).pk) if params.get("assignee") else "",
    )
    pack = packs.pinned(row.pack_version_id, row.pack_hash).pack
    stranger = any(pack.roles[role].holder == "public" for role in request.actor.roles if role in pack.roles)
    papers.hand_papers(request.case_id, child, request.now, row.version + 1 if stranger else None)
    return {"child": child}


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
    """Return a fact of the case, for a field that starts with it."""
    row = rows.lock_free(request.case_id)
    name = request.params["name"]
    body = row.case("").facts
    if name in body:
        return body[name]
    return sealing.personal_facts(request.case_id).get(name)
