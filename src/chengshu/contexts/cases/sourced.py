"""Facts that only a record may say: what is typed counts for nothing where the source itself can answer.

A decision of seconds rests on such facts. ``prefill: {…, only: true}``: the source is asked again when the case is opened; its
value stands whatever was sent. Where it has none, an optional fact stays empty (the table hands over to a person), and a
required one keeps what was typed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from chengshu.contexts.cases.field_views import first_value, scope_of
from chengshu.contexts.identity.api import Account
from chengshu.procedure.formats import formatted
from chengshu.procedure.model import Field, Pack
from chengshu.procedure.types import BadValue, check_value


def only_sourced(
    pack: Pack,
    facts: Mapping[str, Any],
    account: Account,
    on_behalf: Mapping[str, Any] | None,
    now: dt.datetime,
) -> Mapping[str, Any]:
    """Return the facts with every fact that only a record may say as its source says it now."""
    items = [item for item in pack.facts.values() if item.prefill is not None and item.prefill.only]
    if not items:
        return facts
    subject_id = str((on_behalf or {}).get("subject_id") or "")
    found = dict(facts)
    for item in items:
        scope = scope_of(pack, found, account, now)
        held = first_value(item, scope, "", now, lenient=True, subject_id=subject_id, pack=pack.id)
        value = _fit(item, held)
        if value is not None:
            found[item.name] = value
        elif not item.required:
            found.pop(item.name, None)
    return found


def _fit(item: Field, value: Any) -> Any:
    if value in (None, "", []):
        return None
    try:
        checked = check_value(value, item.type)
        return formatted(item.format, checked) if item.format and checked is not None else checked
    except BadValue:
        return None
