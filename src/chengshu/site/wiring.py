"""Wires the two seams: which context answers which effect and which field source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.contexts.subjects import api as subjects
from chengshu.procedure.ports import EffectRequest, SourceRequest, register_effect, register_source


def wire() -> None:
    """Register every handler once; called when Django has loaded all apps."""
    # open_case, notify; the field source case_fact.
    cases.wire_effects()
    register_effect("correct_fact", subjects.correct_fact)
    register_effect("propose_address", propose_address)
    register_source("golden_record", subjects.golden_record)
    register_source("account", account_attribute)


def propose_address(request: EffectRequest) -> Mapping[str, Any]:
    """Propose an address to the library on behalf of whoever took the step."""
    actor = identity.account(int(request.actor.id)) if request.actor.id.isdigit() else None
    number = places.propose_address(
        str(request.params["text"]),
        reason=str(request.params.get("reason") or ""),
        case_id=request.case_id,
        cell_code=cases.cell_of(request.case_id),
        actor=actor,
        now=request.now,
        idempotency_key=request.idempotency_key,
    )
    return {"proposal": number}


def account_attribute(request: SourceRequest) -> Any:
    """Return an attribute of the account that fills the form: its name or its department."""
    account_id = str(request.params.get("account") or "")
    account = identity.account(int(account_id)) if account_id.isdigit() else None
    attribute = str(request.params["attribute"])
    return getattr(account, attribute, None) if attribute in ("display_name", "department_id") else None
