"""Find subjects by name, number, phone or place: indexed, bounded, masked; a hit by a number is a read on record."""

from __future__ import annotations

import datetime as dt
import re

from django.db.models import Q
from django.utils.translation import gettext as _

from chengshu.contexts.identity.api import Account, mask, record_read
from chengshu.contexts.subjects.domain import KINDS, Hit
from chengshu.contexts.subjects.models import GoldenRecord
from chengshu.contexts.subjects.reading import follow, in_force
from chengshu.kernel.codes import is_place_code
from chengshu.kernel.problems import Problem

MOST = 50
_SUBJECT = re.compile(r"^[PFH]\d{9}[0-9A-Z]$")
_PHONE = re.compile(r"^(1\d{10}|0\d{9,11})$")
_CODE = re.compile(r"^[0-9A-Z]{8,20}$")


def search(
    query: str, *, kind: str | None, actor: Account, now: dt.datetime, purpose: str = "stewardship"
) -> list[Hit]:
    """Return at most ``MOST`` subjects. Names match from their beginning, numbers and phones whole."""
    text = re.sub(r"\s+", " ", query).strip()
    if len(text) < 2:
        raise Problem("search-short", _("请至少输入两个字"), status=422)
    if kind is not None and kind not in KINDS:
        raise Problem("search-kind", _("没有这类对象"), detail=kind, status=422)
    condition, by_number = _condition(text)
    found = in_force().filter(condition)
    rows = list((found.filter(kind=kind) if kind else found).order_by("name", "subject_id")[:MOST])
    hits = [_hit(row) for row in rows]
    if by_number:
        for row in rows:
            if row.kind == "person":
                record_read(actor, row.subject_id, purpose, [f"person.{by_number}"], now)
    return hits


def _condition(text: str) -> tuple[Q, str]:
    """Return the condition, and by which number it asks (empty for names and public codes)."""
    code = text.upper().replace(" ", "").replace("-", "")
    if _SUBJECT.match(code):
        return Q(subject_id=follow(code)[0]), ""
    if _PHONE.match(code):
        return Q(phone=code), "phone"
    if is_place_code(code):
        return Q(place_code=code), ""
    if _CODE.match(code) and any(char.isdigit() for char in code):
        return Q(id_number=code), "resident_id"
    # A range instead of LIKE: both databases then use the index, whatever their collation.
    return Q(name__gte=text, name__lt=text + "\U0010ffff"), ""


def _hit(row: GoldenRecord) -> Hit:
    id_element = {"person": "person.resident_id", "firm": "firm.credit_code"}.get(row.kind, "")
    return Hit(
        subject_id=row.subject_id,
        kind=row.kind,
        name=mask(f"{row.kind}.name", row.name),
        id_number=mask(id_element, row.id_number),
        cell_code=row.cell_code,
        community_code=row.community_code,
    )


def subjects_in(
    *, cell_code: str = "", place_code: str = "", kind: str | None = None, most: int = 200
) -> list[Hit]:
    """Return the subjects of a cell or place, names masked."""
    found = in_force()
    if cell_code:
        found = found.filter(cell_code=cell_code)
    if place_code:
        found = found.filter(place_code=place_code)
    if kind:
        found = found.filter(kind=kind)
    return [_hit(row) for row in found.order_by("kind", "name", "subject_id")[:most]]
