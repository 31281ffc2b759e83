"""Zones and cells as GeoJSON for the map, with counts."""

from __future__ import annotations

import json
from typing import Any

from chengshu.contexts.places.counts import counts_by_cell, counts_by_zone
from chengshu.contexts.places.models import Cell, Division, Zone


def zones_geojson() -> dict[str, Any]:
    """Return all zones with street, number of cells, load and the registered counts."""
    cells: dict[str, list[tuple[int, int]]] = {}
    zone_of: dict[str, str] = {}
    for code, zone, residents, rented, ended in Cell.objects.values_list(
        "code", "zone_id", "residents", "rented_homes", "valid_to"
    ):
        zone_of[code] = zone
        if ended is None:
            cells.setdefault(zone, []).append((residents, rented))
    counts = counts_by_zone(zone_of)
    streets = dict(Division.objects.filter(level="street").values_list("code", "name"))
    features = []
    for zone in Zone.objects.order_by("code"):
        loads = cells.get(zone.code, [])
        features.append(
            {
                "type": "Feature",
                "id": zone.code,
                "properties": {
                    "code": zone.code,
                    "street": streets.get(zone.street, ""),
                    "cells": len(loads),
                    "load_residents": sum(residents for residents, _ in loads),
                    "rented_homes": sum(rented for _, rented in loads),
                    **{name: zones.get(zone.code, 0) for name, zones in counts.items()},
                },
                "geometry": json.loads(zone.geometry),
            }
        )
    return {"type": "FeatureCollection", "features": features}


def cells_geojson(zone: str) -> dict[str, Any]:
    """Return the cells in force of one zone with load and the registered counts."""
    found = list(Cell.objects.filter(zone_id=zone, valid_to=None).order_by("code"))
    counts = counts_by_cell([cell.code for cell in found])
    features = [
        {
            "type": "Feature",
            "id": cell.code,
            "properties": {
                "code": cell.code,
                "zone": zone,
                "origin": cell.origin,
                "load_residents": cell.residents,
                "rented_homes": cell.rented_homes,
                **{name: cells.get(cell.code, 0) for name, cells in counts.items()},
            },
            "geometry": json.loads(cell.geometry),
        }
        for cell in found
    ]
    return {"type": "FeatureCollection", "features": features}
