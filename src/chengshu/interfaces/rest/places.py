"""REST calls of the context `places`: zones, cells and points; addresses."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from chengshu.contexts.identity.api import STAFF_ROLES
from chengshu.contexts.places import api as places
from chengshu.interfaces.rest.addresses import addresses as addresses
from chengshu.interfaces.rest.authentication import guard
from chengshu.kernel.problems import Problem

router = Router(tags=["places"])
_MAY_READ = guard(*STAFF_ROLES, scope="places:read")


class Collection(Schema):
    """GeoJSON in WGS-84 (RFC 7946)."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]


class CellOut(Schema):
    """One base cell with its load and who is in charge today."""

    code: str
    zone: str
    residents: int
    rented_homes: int
    origin: str
    valid_from: dt.date
    valid_to: dt.date | None
    special: dict[str, str]
    became: list[str] = Field(description="Successors in force; the cell itself while it is in force")
    people: list[PersonInCharge]


class PersonInCharge(Schema):
    """One post in a cell; `on_duty` is who does the work today, None when nobody does."""

    name: str
    post: Literal["main", "deputy"]
    since: dt.date
    on_duty: str | None


class LocatedOut(Schema):
    """Where a point lies; `cell` is None outside the grid. Coordinates are WGS-84."""

    lon: float
    lat: float
    cell: str | None
    zone: str | None
    special: dict[str, str]


class Point(Schema):
    """A point and the datum it is given in."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    datum: Literal["WGS-84", "GCJ-02", "BD-09"] = "WGS-84"


CellOut.model_rebuild()


@router.get("/zones", response=Collection, auth=_MAY_READ, summary="All zones with counts")
def zones(request: HttpRequest) -> dict[str, Any]:
    """Return all zones as GeoJSON with street, number of cells, load and the counts shown on the map.

    Open cases are counted as far as a thousand of each cell.
    """
    return places.zones_geojson()


@router.get("/zones/{code}/cells", response=Collection, auth=_MAY_READ, summary="The cells of a zone")
def zone_cells(request: HttpRequest, code: str) -> dict[str, Any]:
    """Return the base cells in force of one zone as GeoJSON; a zone without cells answers none.

    Open cases are counted as far as a thousand of each cell.
    """
    return places.cells_geojson(code)


@router.get("/cells/{code}", response=CellOut, auth=_MAY_READ, summary="One cell")
def one_cell(request: HttpRequest, code: str) -> dict[str, Any]:
    """Return one base cell, also one that was split or merged away."""
    found = places.cell(code)
    if found is None:
        raise Problem("cell-unknown", "没有这个网格", detail=code, status=404)
    people = [
        {
            "name": charge.name,
            "post": charge.post,
            "since": charge.first_day,
            "on_duty": charge.on_duty_name or None,
        }
        for charge in places.charges_of_cell(code, timezone.localdate())
    ]
    return {**asdict(found), "became": places.current_cells(code), "people": people}


@router.get("/locate", response=LocatedOut, auth=_MAY_READ, summary="Which cell a point lies in")
def locate(request: HttpRequest, point: Query[Point]) -> dict[str, Any]:
    """Return the cell of a point, exact at borders; GCJ-02 and BD-09 are converted first."""
    found = places.locate(point.lon, point.lat, datum=point.datum)
    if found is None:
        return {"lon": point.lon, "lat": point.lat, "cell": None, "zone": None, "special": {}}
    return asdict(found)
