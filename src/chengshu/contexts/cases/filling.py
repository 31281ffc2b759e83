"""What pages that fill an opening form use: the form, its fields, files, words and days; contexts above get it from ``api``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from chengshu.contexts.cases import packs, routing, services
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
from chengshu.procedure.foresight import foresee
from chengshu.procedure.forms import fill_form
from chengshu.procedure.machine import default_clock
from chengshu.procedure.model import Field, Pack, Transition
from chengshu.procedure.parts import Part

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


class PartAhead:
    """A part that an application would open: what it is called, its office, by when it is decided at the latest."""

    def __init__(
        self, part: Part, title: dict[str, str], office: dict[str, str], after: list[dict[str, str]]
    ) -> None:
        self.id, self.pack, self.title, self.office, self.after = part.id, part.pack, title, office, after
        self.wanted = True
        self.conditional = part.when is not None
        self.decided_by: dt.date | None = None


def parts_ahead(pack: Pack, now: dt.datetime, scope: Mapping[str, Any] | None = None) -> list[PartAhead]:
    """Return the parts of a one-thing with the latest day of each; those that the answers do not call for are not wanted."""
    if pack.parts is None:
        return []
    offices = {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}
    found: dict[str, PartAhead] = {}
    children = {child.id: child for _, child in part_packs(pack)}
    for part in _in_order(pack):
        child = children[part.pack]
        after = [part_title(pack, name) for name in part.after]
        ahead = found[part.id] = PartAhead(
            part, part_title(pack, part.id), offices.get(_office(child), {}), after
        )
        if scope is not None and part.when is not None:
            known = {**dict.fromkeys(part.when.reads), **scope}
            ahead.wanted = part.when.evaluate(known) is True
        before = [day for name in part.after if (day := found[name].decided_by) is not None]
        start = max([now, *(dt.datetime.combine(day, dt.time(1), dt.UTC) for day in before)])
        ahead.decided_by = foresee(child, start, default_clock(), pack_named=_named).decided_by
    return [found[name] for name in pack.parts.parts]


def part_packs(pack: Pack) -> list[tuple[Part, Pack]]:
    """Return the parts of a one-thing with the packs that their cases are opened under now; one query."""
    parts = list(pack.parts.parts.values()) if pack.parts is not None else []
    found = packs.current_many({part.pack for part in parts}) if parts else {}
    return [(part, found[part.pack]) for part in parts]


def _in_order(pack: Pack) -> list[Part]:
    """Return the parts, each behind those that it waits for."""
    parts = dict(pack.parts.parts) if pack.parts is not None else {}
    ordered: list[Part] = []
    while parts:
        ready = [part for part in parts.values() if not any(name in parts for name in part.after)]
        if not ready:
            break
        for part in ready:
            ordered.append(parts.pop(part.id))
    return ordered


def _office(child: Pack) -> str:
    return next((role.department for role in child.roles.values() if role.department), "")


def _named(pack_id: str) -> Pack | None:
    try:
        return packs.current(pack_id).pack
    except Problem:
        return None


def opener_may(pack: Pack, account: identity.Account) -> bool:
    """Whether an account of this role may open such a case at all."""
    return bool(pack.opening.by & routing.actor_opening(pack, account, account.department_id or "").roles)
