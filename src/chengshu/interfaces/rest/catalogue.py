"""REST calls of the context `catalogue`."""

from __future__ import annotations

from ninja import Router

router = Router(tags=["catalogue"])
