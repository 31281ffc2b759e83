"""What pages that fill an opening form use: the form, its fields, files, words and days; contexts above get it from ``api``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from chengshu.contexts.cases import packs, routing, services
from chengshu.contexts.cases.ahead import PartAhead, part_packs, parts_ahead
from chengshu.contexts.cases.command_forms import FieldsForm
from chengshu.contexts.cases.domain import FileIn
from chengshu.contexts.cases.field_views import field_view, has_personal
from chengshu.contexts.cases.files import Stored, store_files
from chengshu.contexts.cases.form_fields import said
from chengshu.contexts.cases.models import PackVersion
from chengshu.contexts.cases.refusals import in_words
from chengshu.contexts.cases.services import Opening as OpeningForm
from chengshu.contexts.cases.services import SectionView, service, services_for
from chengshu.contexts.cases.shown_values import shown_value
from chengshu.contexts.cases.wording import part_title
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.procedure.forms import fill_form
from chengshu.procedure.model import Field, Pack, Transition

__all__ = [
    "FieldsForm",
    "FileIn",
    "OpeningForm",
    "PartAhead",
    "SectionView",
    "Stored",
    "confirmation",
    "declarations",
    "field_view",
    "has_personal",
    "in_words",
    "judge",
    "offered_pack",
    "part_packs",
    "part_title",
    "parts_ahead",
    "said",
    "service",
    "services_for",
    "shown_value",
    "store_files",
]


def offered_pack(pack_id: str, account: identity.Account, now: dt.datetime) -> Pack | None:
    """Return the version of a pack that this account may apply under now; ``None`` when there is none."""
    row = PackVersion.objects.filter(pack=pack_id, current=True).defer("files").first()
    found = packs.pinned(row.pk, row.hash).pack if row is not None else None
    return found if found is not None and services.offered(found, account, now) else None


def judge(
    pack: Pack, item: Field, value: Any, scope: dict[str, Any], facts: Mapping[str, Any]
) -> Problem | None:
    """Return what the engine objects to in one answer, before the whole form is sent."""
    if item.type.kind == "files":
        return None
    try:
        fill_form({item.name: item}, {item.name: value}, dict(scope), facts, "facts.")
    except Problem as problem:
        return problem
    return None


def declarations(fields: Sequence[Field] | Mapping[str, Field], prefix: str = "facts.") -> list[Field]:
    """Return the fields that can only be answered by yes: what is declared, not asked."""
    items = fields.values() if isinstance(fields, Mapping) else fields
    return [
        item
        for item in items
        if item.type.kind == "boolean"
        and item.required
        and item.check is not None
        and item.check.source.strip() == f"{prefix}{item.name}"
    ]


def confirmation(pack: Pack) -> Transition | None:
    """Return the step by which an applicant confirms what they have just sent: its form is nothing but declarations.

    Whoever declares on the page of answers has said it; the command follows at once, so that the rules decide at once.
    """
    openers = {name for name, role in pack.roles.items() if role.holder == "opener"}
    for step in pack.transitions:
        if pack.start in step.sources and step.by & openers and step.form is not None:
            fields = step.form.fields
            if fields and len(declarations(fields, "data.")) == len(fields):
                return step
    return None


def opener_may(pack: Pack, account: identity.Account) -> bool:
    """Whether an account of this role may open such a case at all."""
    return bool(pack.opening.by & routing.actor_opening(pack, account, account.department_id or "").roles)
