"""What pages and calls read of items: one, a filtered page, counts to filter by, lines for exports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import get_language

from chengshu.contexts.hall.items.elements import KINDS, is_personal
from chengshu.contexts.hall.items.models import Item, ItemFacet, ItemRevision, ItemVersion

FILTERS = ("department", "theme", "audience", "kind", "how")
HOW = ("online", "zero-visit", "here")
EXPORT = (
    "code", "name", "kind", "department_name", "area_code", "themes", "audiences", "statutory_days", "promised_days",
    "visits", "online", "fee", "materials", "legal_basis", "version",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """One value to filter by, and how many items have it."""

    value: str
    label: str
    count: int


def item_of(code: str, *, any_state: bool = False) -> Item | None:
    """Return an item that the public sees, or any."""
    found = Item.objects.filter(pk=code)
    return (found if any_state else found.filter(state=Item.State.PUBLISHED)).first()


def items(filters: Mapping[str, str]) -> QuerySet[Item]:
    """Return the published items that fit the filters, by department and name."""
    found = Item.objects.filter(state=Item.State.PUBLISHED).order_by("department_name", "name", "code")
    if filters.get("department"):
        found = found.filter(department_name=filters["department"])
    if filters.get("kind"):
        found = found.filter(kind=filters["kind"])
    for sort in ("theme", "audience"):
        if filters.get(sort):
            codes = ItemFacet.objects.filter(sort=sort, value=filters[sort]).values("item_id")
            found = found.filter(pk__in=codes)
    how = filters.get("how")
    if how == "online":
        found = found.filter(online=True)
    elif how == "zero-visit":
        found = found.filter(visits=0)
    elif how == "here":
        found = found.exclude(pack="")
    return found


def choices(most: int = 60) -> dict[str, list[Choice]]:
    """Return the values to filter by; three queries."""
    departments = (
        Item.objects.filter(state=Item.State.PUBLISHED)
        .values_list("department_name")
        .annotate(count=Count("code"))
    )
    kinds = Item.objects.filter(state=Item.State.PUBLISHED).values_list("kind").annotate(count=Count("code"))
    facets = (
        ItemFacet.objects.filter(item__state=Item.State.PUBLISHED)
        .values_list("sort", "value")
        .annotate(count=Count("id"))
    )
    english = int((get_language() or "").startswith("en"))
    found: dict[str, list[Choice]] = {
        "department": [Choice(name, name.strip(), count) for name, count in departments],
        "kind": [Choice(code, KINDS[code][english], count) for code, count in kinds],
        "theme": [],
        "audience": [],
    }
    for sort, value, count in facets:
        found[sort].append(Choice(value, value, count))
    return {name: sorted(values, key=lambda choice: -choice.count)[:most] for name, values in found.items()}


def export_rows(filters: Mapping[str, str]) -> Iterator[list[Any]]:
    """Yield the header and one row an item, for CSV; phones are not in it."""
    yield list(EXPORT)
    for item in items(filters).iterator(chunk_size=500):
        body = {**item.body, "version": item.version, "kind": KINDS[item.kind][0]}
        body["legal_basis"] = [
            f"《{ground['title']}》{ground.get('article', '')}" for ground in body["legal_basis"]
        ]
        yield ["；".join(value) if isinstance(value := body[name], list) else value for name in EXPORT]


def revision() -> int:
    """Return the number of the last change of items; 0 before the first."""
    return ItemRevision.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def versions_of(item: Item) -> list[ItemVersion]:
    """Return the versions of an item, the newest first."""
    return list(item.versions.order_by("-number").defer("body")[:50])


def lines(department: str = "") -> list[dict[str, Any]]:
    """Return every item as a line, those of a department when one is named by part of its name."""
    found = Item.objects.order_by("department_name", "code")
    if department:
        found = found.filter(department_name__contains=department)
    return list(found.values("code", "name", "department_name", "kind", "state", "version", "pack"))


def public_body(item: Item) -> dict[str, Any]:
    """Return the elements that everyone may read: mobile numbers are left out."""
    body = dict(item.body)
    for name in ("consult_phones", "complaint_phones"):
        body[name] = [phone for phone in body[name] if not is_personal(phone)]
    body["legal_basis"] = [
        {"title": each["title"], "article": each.get("article", "")} for each in body["legal_basis"]
    ]
    return body


def packs_of(codes: list[str]) -> set[str]:
    """Return the packs that run these items."""
    return (
        set(Item.objects.filter(code__in=codes).exclude(pack="").values_list("pack", flat=True))
        if codes
        else set()
    )
