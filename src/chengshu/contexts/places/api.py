"""Divisions, communities, zones, cells and the address library: the only module that others may import.

Where: ``locate``, ``locate_many``, ``cell``, ``cells``. Who: ``people_in_charge`` (with substitutes),
``cells_of``, ``cells_without_staff``. What: ``place``, ``propose_address``. Upper contexts offer counts for the
map by ``register_counts`` and hear of changed cells by ``register_cells_changed``.
"""

from __future__ import annotations

from datetime import date

from django.db.models import Count, Q, Sum

from chengshu.contexts.places.cells import (
    balance_proposals,
    cell,
    cell_history,
    cell_index,
    cells,
    current_cells,
    locate,
    locate_many,
    merge_cells,
    register_cells_changed,
    set_cell_loads,
    split_cell,
    zone_of_cells,
)
from chengshu.contexts.places.charges import (
    cells_by_account,
    cells_of,
    cells_of_each,
    cells_without_staff,
    charges_of_cell,
    end_post,
    end_posts,
    hand_over_posts,
    people_in_charge,
    people_in_charge_of,
    post,
)
from chengshu.contexts.places.counts import (
    Panel,
    PanelLine,
    count_kinds,
    counts_by_cell,
    register_cell_panel,
    register_counts,
)
from chengshu.contexts.places.domain import (
    CellView,
    Charge,
    LoadFigures,
    Located,
    PlaceView,
    Proposal,
    address_text,
)
from chengshu.contexts.places.drawing import cells_geojson, zones_geojson
from chengshu.contexts.places.library import (
    confirm_address,
    current_places,
    export_library,
    library_frame,
    merge_addresses,
    place,
    place_history,
    places,
    proposal,
    proposals,
    propose_address,
    refuse_address,
    retire_address,
    rooms_of_building,
    split_address,
    suggested_slots,
)
from chengshu.contexts.places.loading import (
    bulk_insert,
    generate_grid,
    load_cells,
    load_district,
    load_divisions,
    load_generated,
    load_library,
    load_posts,
    load_staff,
    load_zones,
    make_special_grids,
    read_zones,
)
from chengshu.contexts.places.matching import address_library, home_code, library_path, match_address
from chengshu.contexts.places.models import Cell, Division
from chengshu.contexts.places.offering import Offer, offer_places

__all__ = [
    "CellView",
    "Charge",
    "LoadFigures",
    "Located",
    "Offer",
    "Panel",
    "PanelLine",
    "PlaceView",
    "Proposal",
    "address_library",
    "address_text",
    "balance_proposals",
    "bulk_insert",
    "cell",
    "cell_history",
    "cell_index",
    "cells",
    "cells_by_account",
    "cells_geojson",
    "cells_of",
    "cells_of_each",
    "cells_without_staff",
    "charges_of_cell",
    "community_name",
    "confirm_address",
    "count_kinds",
    "counts_by_cell",
    "current_cells",
    "current_places",
    "end_post",
    "end_posts",
    "export_library",
    "generate_grid",
    "hand_over_posts",
    "home_code",
    "library_frame",
    "library_path",
    "load_cells",
    "load_district",
    "load_divisions",
    "load_figures",
    "load_generated",
    "load_library",
    "load_posts",
    "load_staff",
    "load_zones",
    "locate",
    "locate_many",
    "make_special_grids",
    "match_address",
    "merge_addresses",
    "merge_cells",
    "offer_places",
    "people_in_charge",
    "people_in_charge_of",
    "place",
    "place_history",
    "places",
    "post",
    "proposal",
    "proposals",
    "propose_address",
    "read_zones",
    "refuse_address",
    "register_cell_panel",
    "register_cells_changed",
    "register_counts",
    "retire_address",
    "rooms_of_building",
    "set_cell_loads",
    "split_address",
    "split_cell",
    "suggested_slots",
    "zone_of_cells",
    "zones_geojson",
]


def load_figures(on: date) -> LoadFigures:
    """Return how the grid stands on a day: cells, load, cells above the limit, cells without anyone."""
    in_force = Cell.objects.filter(valid_to=None).aggregate(
        cells=Count("pk"),
        people=Sum("residents"),
        rented=Sum("rented_homes"),
        over_limit=Count("pk", filter=Q(residents__gt=1500) | Q(rented_homes__gt=750)),
    )
    return LoadFigures(
        cells=in_force["cells"],
        residents=in_force["people"] or 0,
        rented_homes=in_force["rented"] or 0,
        over_limit=in_force["over_limit"],
        bare=cells_without_staff(on),
    )


def community_name(code: str) -> str:
    """Return a division's name; an unknown code names itself."""
    row = Division.objects.filter(pk=code).only("name").first()
    return row.name if row else code
