"""REST calls of the context `places`."""

from __future__ import annotations

from ninja import Router

router = Router(tags=["places"])
addresses = Router(tags=["addresses"])
