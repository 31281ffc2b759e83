"""The service hall: items and their guides, the search, what a resident sees: the only module that others may import."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from chengshu.contexts.hall.items import checking, loading, queries
from chengshu.contexts.hall.items.checking import Report
from chengshu.contexts.hall.items.loading import Loaded
from chengshu.contexts.hall.items.models import Item
from chengshu.contexts.hall.items.panels import ItemPanel
from chengshu.contexts.hall.items.panels import register as register_item_panel
from chengshu.contexts.hall.items.queries import HOW, export_rows, item_of, items, public_body
from chengshu.contexts.hall.items.queries import lines as item_lines
from chengshu.contexts.hall.search.engine import Answer, Engine, Hit
from chengshu.contexts.hall.search.service import PUBLIC as SEARCHED
from chengshu.contexts.hall.search.service import engine as search_engine
from chengshu.contexts.hall.search.service import find, suggest

__all__ = [
    "HOW",
    "SEARCHED",
    "Answer",
    "Engine",
    "Hit",
    "Item",
    "ItemPanel",
    "Loaded",
    "Report",
    "check_items",
    "export_rows",
    "find",
    "item_lines",
    "item_of",
    "items",
    "load_items",
    "public_body",
    "register_item_panel",
    "search_engine",
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
