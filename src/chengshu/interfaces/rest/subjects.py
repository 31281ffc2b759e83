"""REST calls of the context `subjects`."""

from __future__ import annotations

from ninja import Router

router = Router(tags=["subjects"])
returns = Router(tags=["returns"])
