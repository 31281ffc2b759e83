"""What every page knows: whether the district is a demo, and its name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, Any]:
    """Template variables of the base page."""
    return {"demo": settings.DEMO}
