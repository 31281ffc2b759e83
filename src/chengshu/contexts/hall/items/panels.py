"""What others show on a guide page, such as how people rated the service: ``register("ratings", gather)``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from chengshu.contexts.hall.items.models import Item


@dataclass(frozen=True, slots=True)
class ItemPanel:
    """A panel beside a guide: a title, lines of label and value, and where to read on."""

    title: str
    lines: list[tuple[str, str]]
    url: str = ""


Gather = Callable[[Item, dt.datetime], ItemPanel | None]
_panels: dict[str, Gather] = {}


def register(name: str, gather: Gather) -> None:
    """Offer a panel for guide pages; the same name again replaces it."""
    _panels[name] = gather


def panels_of(item: Item, now: dt.datetime) -> list[ItemPanel]:
    """Return the panels of an item that have something to show."""
    return [panel for gather in _panels.values() if (panel := gather(item, now)) is not None]
