"""What every maker of objects shares: where makers are entered, the instant, a fresh key."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django.utils import timezone

Maker = Callable[[Any, Any], dict[str, Any]]
KINDS: dict[str, Maker] = {}
ROW = ""


def kind(name: str) -> Callable[[Maker], Maker]:
    """Enter a maker under the name that the table uses."""

    def entering(maker: Maker) -> Maker:
        KINDS[name] = maker
        return maker

    return entering


def now() -> dt.datetime:
    return timezone.now()


def key() -> str:
    return uuid.uuid4().hex
