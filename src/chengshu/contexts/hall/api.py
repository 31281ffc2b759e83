"""The service hall: items and their guides, the search, what a resident sees: the only module that others may import."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from chengshu.contexts.hall.archive import api as archive
from chengshu.contexts.hall.citizen_code import store as citizen_code
from chengshu.contexts.hall.citizen_code.demo import seed_demo as seed_code
from chengshu.contexts.hall.exports import producing as exports
from chengshu.contexts.hall.exports.kinds import KINDS as EXPORT_KINDS
from chengshu.contexts.hall.exports.kinds import ROLES as EXPORT_ROLES
from chengshu.contexts.hall.hotline import api as hotline
from chengshu.contexts.hall.hotline.demo import seed_demo as seed_hotline
from chengshu.contexts.hall.items import checking, loading, queries
from chengshu.contexts.hall.items.checking import Report
from chengshu.contexts.hall.items.loading import Loaded
from chengshu.contexts.hall.items.models import Item
from chengshu.contexts.hall.items.panels import ItemPanel
from chengshu.contexts.hall.items.panels import register as register_item_panel
from chengshu.contexts.hall.items.queries import HOW, export_rows, item_of, items, public_body
from chengshu.contexts.hall.items.queries import lines as item_lines
from chengshu.contexts.hall.mandates.demo import seed_demo as seed_mandates
from chengshu.contexts.hall.merging import subject_merged
from chengshu.contexts.hall.mydata.export import make_copies
from chengshu.contexts.hall.mydata.prefill import Prefill, Prefilled, fill_sourced, prefill, prefilled
from chengshu.contexts.hall.offers.finding import find_entitled
from chengshu.contexts.hall.offers.store import figures as offer_figures
from chengshu.contexts.hall.offers.store import follow_case as follow_offer
from chengshu.contexts.hall.offers.store import offers_of
from chengshu.contexts.hall.ratings import api as ratings
from chengshu.contexts.hall.ratings.demo import seed_demo as seed_ratings
from chengshu.contexts.hall.search.engine import Answer, Engine, Hit
from chengshu.contexts.hall.search.service import PUBLIC as SEARCHED
from chengshu.contexts.hall.search.service import engine as search_engine
from chengshu.contexts.hall.search.service import find, suggest
from chengshu.contexts.hall.seconds.lots import (
    ask_person_url,
    draw_lots,
    follow_review,
    note_decision,
    reopen_decision,
)
from chengshu.contexts.hall.seconds.lots import figures as review_figures
from chengshu.contexts.hall.seconds.origins import (
    check_origins,
    keep_origins,
    keep_part_origins,
    origins_of,
    some_open_applications,
)
from chengshu.contexts.hall.window.codes import register_code_reader

__all__ = [
    "EXPORT_KINDS",
    "EXPORT_ROLES",
    "HOW",
    "SEARCHED",
    "Answer",
    "Engine",
    "Hit",
    "Item",
    "ItemPanel",
    "Loaded",
    "Prefill",
    "Prefilled",
    "Report",
    "archive",
    "ask_person_url",
    "check_items",
    "check_origins",
    "citizen_code",
    "draw_lots",
    "export_rows",
    "exports",
    "fill_sourced",
    "find",
    "find_entitled",
    "follow_offer",
    "follow_review",
    "hotline",
    "item_lines",
    "item_of",
    "items",
    "keep_origins",
    "keep_part_origins",
    "load_items",
    "make_copies",
    "note_decision",
    "offer_figures",
    "offers_of",
    "origins_of",
    "prefill",
    "prefilled",
    "public_body",
    "ratings",
    "register_code_reader",
    "register_item_panel",
    "reopen_decision",
    "review_figures",
    "search_engine",
    "seed_code",
    "seed_hotline",
    "seed_mandates",
    "seed_ratings",
    "some_open_applications",
    "subject_merged",
    "suggest",
]


def load_items(path: Path, *, now: dt.datetime) -> Loaded:
    """Load items from a JSONL file, or from a district's folder ``items``; all or nothing."""
    if path.is_dir():
        return loading.load_folder(path, now=now)
    return loading.load_file(path, now=now)


def check_items(department: str = "") -> Report:
    """Check the published items, those of a department when one is named by part of its name."""
    found = queries.items({}).values_list("body", flat=True)
    if department:
        found = found.filter(department_name__contains=department)
    bodies: Any = found.iterator(chunk_size=500)
    return checking.check(bodies)
