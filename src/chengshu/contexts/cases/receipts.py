"""What whoever applied gets to read: the receipt, where the matter stands, from whom what is due by when. Few queries."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases.access import Access, access_as_applicant
from chengshu.contexts.cases.domain import Ground, TermView, account_owner
from chengshu.contexts.cases.models import Case, CaseEvent, Task
from chengshu.contexts.cases.presenting import case_terms
from chengshu.contexts.cases.trace import Decision, decisions_of
from chengshu.contexts.cases.wording import LANGUAGES, both, grounds, sayer, spoken
from chengshu.contexts.identity import api as identity
from chengshu.procedure.parts import MARK
from chengshu.procedure.wording import fill


@dataclass(frozen=True, slots=True)
class Receipt:
    """A case as its applicant reads it."""

    case_id: str
    pack: str
    pack_title: dict[str, str]
    state: str
    state_title: dict[str, str]
    outcome: str
    outcome_title: dict[str, str]
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    # The ledger's leaf of the opening, and of the last step.
    leaf_id: int
    last_leaf_id: int
    last_sentence: dict[str, str]
    last_at: dt.datetime
    last_grounds: list[Ground]
    # Every step with its instant, newest first.
    steps: list[tuple[dt.datetime, dict[str, str]]]
    terms: list[TermView]
    # Who has the work now: roles in words.
    with_whom: list[dict[str, str]]
    asks: bool
    on_behalf: Mapping[str, Any]
    parent: str
    has_parts: bool
    # Whether something was decided: the case ended, or a step issued, entered or ordered something.
    decided: bool
    # How rules decided, question by question; read only where something was decided and it was asked for.
    decisions: list[Decision]


DECIDING = frozenset({"issue_certificate", "register_entry", "order_payment"})


def receipt_of(
    case_id: str, viewer: identity.Account, *, now: dt.datetime, with_decisions: bool = False
) -> Receipt:
    """Return the receipt of a case for whoever applied; refuses everyone else as if there were no such case."""
    access = access_as_applicant(case_id, viewer, now)
    row, pack = access.row, access.pack
    model = Case.objects.only("opened_at", "closed_at").get(pk=case_id)
    events = list(CaseEvent.objects.filter(case_id=case_id).order_by("seq"))
    bodies = [json.loads(item.body) for item in events]
    tasks = list(Task.objects.filter(case_id=case_id, open=True).values_list("role", "owner"))
    case = row.case(pack.id)
    decided = bool(row.outcome) or any(_decides(body) for body in bodies)
    return Receipt(
        case_id=case_id,
        pack=pack.id,
        pack_title=both(pack, "title"),
        state=row.state,
        state_title=both(pack, f"states.{row.state}"),
        outcome=row.outcome,
        outcome_title=both(pack, f"outcomes.{row.outcome}") if row.outcome else {"zh": "", "en": ""},
        opened_at=model.opened_at,
        closed_at=model.closed_at,
        leaf_id=events[0].leaf_id,
        last_leaf_id=events[-1].leaf_id,
        last_sentence=_sentence(access, bodies[-1]),
        last_at=events[-1].at,
        last_grounds=grounds(pack, bodies[-1].get("grounds", [])),
        steps=[(item.at, _sentence(access, body)) for item, body in zip(events, bodies, strict=True)][::-1],
        terms=case_terms(pack, case, now),
        with_whom=[both(pack, f"roles.{role}") for role, _ in tasks if role in pack.roles],
        asks=any(owner in (account_owner(row.opened_by), account_owner(viewer.pk)) for _, owner in tasks),
        on_behalf=row.behalf or {},
        parent=row.parent_id or "" if row.on_end.startswith(MARK) else "",
        has_parts=pack.parts is not None,
        decided=decided,
        decisions=decisions_of(case_id, viewer, now, access) if decided and with_decisions else [],
    )


def _decides(body: Mapping[str, Any]) -> bool:
    return any(effect.get("do") in DECIDING for effect in body.get("effects") or ())


def _sentence(access: Access, body: Mapping[str, Any]) -> dict[str, str]:
    """Return a step as a sentence; what is sealed shows as a bar."""
    found = {}
    for language in LANGUAGES:
        data = body.get("data", {})
        said = sayer(
            access.pack, language, data if body["seq"] == 1 else access.row.case("").facts, spoken(data, language),
            body["actor"]["name"], body.get("decided", {}), access.row.cell_code, body.get("news"),
        )  # fmt: skip
        found[language] = fill(access.pack.text(f"sentences.{body['step']}", language), said)
    return found
