"""REST calls of the context `catalogue`: data elements, sources and the four lists, open to everyone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from chengshu.contexts.catalogue import api
from chengshu.interfaces.rest.authentication import OPEN
from chengshu.kernel.problems import Problem

router = Router(tags=["catalogue"], auth=OPEN)


class ElementOut(Schema):
    """A data element in its present version."""

    code: str
    title_zh: str
    title_en: str
    type: str
    klass: str = Field(
        description="Class 分类: person, organisation, premises, facility, place, matter, system."
    )
    grade: int = Field(description="Grade 分级: 1 general to 4 closed.")
    privacy: str
    authority: str = Field(description="Department that answers for it.")
    format: str
    standard: str
    note: str
    sources: list[str] = Field(description="Sources that are believed, the first before the others.")
    version: int
    changed_at: dt.datetime
    retired_at: dt.datetime | None


class ChangeOut(Schema):
    """One field that a version changed."""

    field: str
    old: Any
    new: Any


class VersionOut(Schema):
    """One version of an element or a source."""

    number: int
    at: dt.datetime
    diff: list[ChangeOut]
    leaf_id: int | None = Field(description="Its entry in the ledger.")


class UseOut(Schema):
    """A place where an element is used."""

    kind: str
    where: str
    name: str


class ElementPageOut(ElementOut):
    """A data element with its versions and uses."""

    versions: list[VersionOut]
    uses: list[UseOut]


class ColumnOut(Schema):
    """A column of a source."""

    name: str
    element: str
    required: bool


class ListingOut(Schema):
    """Where a source stands in the four lists."""

    public_resource: bool
    open: str
    open_why: dict[str, str]
    mode: str
    to: list[str]
    every: str
    duty: dict[str, str]


class SourceOut(Schema):
    """A declared source in its present version."""

    name: str
    department: str
    title_zh: str
    title_en: str
    kind: str
    purpose: dict[str, str]
    delivery: str
    columns: list[ColumnOut]
    listing: ListingOut | None
    version: int
    changed_at: dt.datetime


@router.get("/elements", response=list[ElementOut], summary="Find data elements")
def elements(
    request: HttpRequest,
    q: str = Query("", max_length=100, description="Words in code or title."),
    klass: str = Query("", max_length=20),
    grade: int | None = Query(None, ge=1, le=4),
) -> list[dict[str, Any]]:
    """Return the elements that fit, by code."""
    return [_element(row) for row in api.find_elements(q, klass=klass, grade=grade)]


@router.get("/elements/{code}", response=ElementPageOut, summary="One data element, its versions and uses")
def element(request: HttpRequest, code: str) -> dict[str, Any]:
    """Return one element."""
    row = api.element(code)
    if row is None:
        raise Problem("element-unknown", "没有这个数据元", status=404)
    uses = [use._asdict() for group in api.where_used(code).values() for use in group]
    return {**_element(row), "versions": api.versions(f"element:{code}"), "uses": uses}


@router.get("/sources", response=list[SourceOut], summary="All declared sources")
def sources(request: HttpRequest, department: str = Query("", max_length=40)) -> list[dict[str, Any]]:
    """Return the sources in force."""
    return [_source(row) for row in api.sources(department)]


@router.get("/sources/{name}", response=SourceOut, summary="One source")
def source(request: HttpRequest, name: str) -> dict[str, Any]:
    """Return one source."""
    row = api.source(name)
    if row is None:
        raise Problem("source-unknown", "没有这个数源", status=404)
    return _source(row)


@router.get("/lists/{name}", response=list[SourceOut], summary="One of the four lists")
def one_list(request: HttpRequest, name: str) -> list[dict[str, Any]]:
    """Return the sources of ``government``, ``public-resource``, ``open`` or ``sharing-duty``."""
    if name not in api.LISTS:
        raise Problem("list-unknown", "没有这份清单", remedy="、".join(api.LISTS), status=404)
    return [_source(row) for row in api.listed(name)]


def _element(row: api.Element) -> dict[str, Any]:
    return {**row.body, "version": row.version, "changed_at": row.changed_at, "retired_at": row.retired_at}


def _source(row: api.Dataset) -> dict[str, Any]:
    return {
        **row.body,
        "name": row.name,
        "title_zh": row.title_zh,
        "title_en": row.title_en,
        "version": row.version,
        "changed_at": row.changed_at,
    }


def _description() -> dict[str, Any]:
    from chengshu.interfaces.rest.api import api as rest

    description: dict[str, Any] = rest.get_openapi_schema()
    return description


api.describe_api_by(_description)
