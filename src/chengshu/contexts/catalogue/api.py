"""Data elements, sources and their versions: the only module that other contexts, interfaces and the site
may import.

``load_folder`` loads what a district declares; ``element_titles`` gives names for labels; ``find_elements``,
``element``, ``sources``, ``source``, ``listed`` and ``where_used`` answer pages and the API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db.models import Q

from chengshu.contexts.catalogue import mapping
from chengshu.contexts.catalogue.domain import CLASSES, LISTS
from chengshu.contexts.catalogue.models import Dataset, Element, Revision, Version
from chengshu.contexts.catalogue.store import COMMON, Loaded, load_folder
from chengshu.kernel.resources import shipped

__all__ = [
    "CLASSES",
    "LISTS",
    "Dataset",
    "Element",
    "Loaded",
    "Version",
    "describe_api_by",
    "element",
    "element_titles",
    "fields",
    "find_elements",
    "listed",
    "load_folder",
    "source",
    "sources",
    "stale_mappings",
    "unmapped",
    "versions",
    "where_used",
]

_api_description: Callable[[], Mapping[str, Any]] | None = None


def element_titles() -> Mapping[str, Mapping[str, str]]:
    """Return element code → {zh, en}; one small query, the rest is remembered until the catalogue changes."""
    return _titles(_revision())


def find_elements(
    text: str = "", *, klass: str = "", grade: int | None = None, privacy: str = "", retired: bool = False
) -> list[Element]:
    """Return elements whose code or title holds every word of ``text``, by code."""
    query = Element.objects.order_by("code")
    for word in text.split()[:8]:
        query = query.filter(
            Q(code__icontains=word) | Q(title_zh__icontains=word) | Q(title_en__icontains=word)
        )
    if klass:
        query = query.filter(klass=klass)
    if grade is not None:
        query = query.filter(grade=grade)
    if privacy:
        query = query.filter(privacy=privacy)
    return list(query if retired else query.filter(retired_at__isnull=True))


def element(code: str) -> Element | None:
    """Return one element."""
    return Element.objects.filter(pk=code).first()


def sources(department: str = "") -> list[Dataset]:
    """Return the sources in force, by name."""
    query = Dataset.objects.filter(retired_at__isnull=True).order_by("name")
    return list(query.filter(department=department) if department else query)


def source(name: str) -> Dataset | None:
    """Return one source."""
    return Dataset.objects.filter(pk=name).first()


def versions(about: str) -> list[Version]:
    """Return the versions of ``element:<code>`` or ``source:<name>``, newest first."""
    return list(Version.objects.filter(about=about).order_by("-number"))


def listed(name: str) -> list[Dataset]:
    """Return the sources of one of the four lists: government, public-resource, open, sharing-duty."""
    return [row for row in sources() if _stands_in(name, row.body.get("listing"))]


def where_used(code: str) -> dict[str, list[mapping.Use]]:
    """Return where an element is used: by source, table, form and api."""
    found: dict[str, list[mapping.Use]] = {"source": [], "table": [], "form": [], "api": []}
    for use in _uses(_revision()):
        if use.meaning == code:
            found[use.kind].append(use)
    return found


def describe_api_by(description: Callable[[], Mapping[str, Any]]) -> None:
    """Register what returns the OpenAPI description: the interfaces stand above, so they call here."""
    global _api_description
    _api_description = description


def fields() -> Iterator[mapping.Field]:
    """Yield every field there is: of tables, forms, the API and declared sources."""
    models = (model for model in apps.get_models() if model.__module__.startswith("chengshu."))
    yield from mapping.table_fields(models)
    yield from mapping.pack_fields(shipped("packs"))
    if _api_description is not None:
        yield from mapping.api_fields(_api_description())
    yield from mapping.source_fields({row.name: row.body["columns"] for row in sources()})


def unmapped() -> list[str]:
    """Return each field that is neither an element nor a declared technical field."""
    known = Element.objects.filter(retired_at__isnull=True).values_list("code", flat=True)
    return mapping.unmapped(_mapping(), fields(), known)


def stale_mappings() -> list[str]:
    """Return entries of the mapping file that speak of no field."""
    return _mapping().stale(list(fields()))


def _stands_in(name: str, listing: Mapping[str, Any] | None) -> bool:
    if name == "government":
        return True
    if listing is None:
        return False
    if name == "public-resource":
        return bool(listing["public_resource"])
    return listing["open"] != "none" if name == "open" else name == "sharing-duty"


def _revision() -> int:
    return Revision.objects.filter(pk=1).values_list("number", flat=True).first() or 0


@lru_cache(maxsize=2)
def _titles(revision: int) -> Mapping[str, Mapping[str, str]]:
    rows = Element.objects.values_list("code", "title_zh", "title_en")
    return {code: {"zh": zh, "en": en} for code, zh, en in rows}


@lru_cache(maxsize=2)
def _uses(revision: int) -> list[mapping.Use]:
    return list(mapping.uses(_mapping(), fields()))


def _mapping() -> mapping.FieldMapping:
    return mapping.read_mapping(shipped(*COMMON, "mapping.yaml"))
