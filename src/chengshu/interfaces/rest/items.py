"""REST calls of the hall's items and search: open to everyone, phones of persons never in it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from chengshu.contexts.hall import api as hall
from chengshu.interfaces.rest.authentication import OPEN

router = Router(tags=["items"], auth=OPEN)
searching = Router(tags=["items"], auth=OPEN)
A_PAGE = 50
MAX_PAGE = 1_000_000


class GroundOut(Schema):
    """A law or document that an item rests on."""

    title: str
    article: str = Field(description="Empty where the guide names none.")


class ItemLineOut(Schema):
    """An item in a list."""

    code: str
    name: str
    kind: str = Field(description="Kind of matter of the national catalogue: 01 licence … 21 public service.")
    department_name: str
    statutory_days: int | None
    promised_days: int | None
    visits: int | None
    online: bool
    pack: str = Field(description="The pack that runs the item here; empty where none does.")
    version: int


class ItemsOut(Schema):
    """A page of items."""

    items: list[ItemLineOut]
    total: int
    page: int
    pages: int


class ItemOut(ItemLineOut):
    """An item with its elements."""

    name_en: str
    aliases: list[str]
    area_code: str
    catalogue_code: str
    audiences: list[str]
    themes: list[str]
    legal_basis: list[GroundOut]
    conditions: str
    materials: list[str]
    statutory_unit: str
    promised_unit: str
    fee: str
    windows: list[str]
    consult_phones: list[str]
    online_url: str
    changed_at: dt.datetime


class ItemHitOut(Schema):
    """One thing found."""

    kind: str = Field(description="item, pack or policy.")
    code: str
    name: str
    score: float


class FoundOut(Schema):
    """What a search found, best first."""

    query: str
    corrected: str = Field(description="The query as it was read, where that differs.")
    hits: list[ItemHitOut]
    none: bool = Field(description="Nothing fits; the hits are the nearest there are.")


class ItemFilters(Schema):
    """What to narrow the list by."""

    department: str = Query("", max_length=200)
    theme: str = Query("", max_length=40)
    audience: str = Query("", max_length=40)
    kind: str = Query("", max_length=4)
    how: str = Query("", max_length=20, description="online, zero-visit or here.")
    page: int = Query(1, ge=1, le=MAX_PAGE)


@router.get("", response=ItemsOut, summary="List service items")
def list_items(request: HttpRequest, filters: Query[ItemFilters]) -> Any:
    """Return published items, by department and name, 50 a page."""
    chosen = filters.dict()
    number = chosen.pop("page")
    page = Paginator(hall.items(chosen), A_PAGE).get_page(number)
    return {
        "items": list(page.object_list),
        "total": page.paginator.count,
        "page": page.number,
        "pages": page.paginator.num_pages,
    }


@router.get("/{code}", response=ItemOut, summary="One service item with its guide")
def get_item(request: HttpRequest, code: str) -> Any:
    """Return a published item with every element of its guide."""
    item = hall.item_of(code)
    if item is None:
        raise Http404
    body = hall.public_body(item)
    return {**body, "version": item.version, "changed_at": item.changed_at}


@searching.get("", response=FoundOut, summary="Search items, services and policies in everyday words")
def search(
    request: HttpRequest,
    q: str = Query(..., min_length=1, max_length=200),
    kind: str = Query("", max_length=10, description="item, pack or policy; all when empty."),
    top: int = Query(10, ge=1, le=50),
) -> Any:
    """Return what fits best, by the ranking of the hall's search page."""
    kinds = (kind,) if kind in hall.SEARCHED else hall.SEARCHED
    answer = hall.find(q, timezone.now(), kinds=kinds, top=top)
    hits = [
        {"kind": hit.doc.kind, "code": hit.doc.id, "name": hit.doc.title, "score": round(float(hit.score), 4)}
        for hit in answer.hits
    ]
    return {"query": q, "corrected": answer.corrected, "hits": hits, "none": answer.none}
