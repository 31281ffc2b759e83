"""What the commands share: Django set up on demand, JSON or text out, exit codes."""

from __future__ import annotations

import json
import os
from typing import Any

import click

DONE, WRONG, BAD_CALL, NOT_RUN = 0, 1, 2, 3


def setup_django() -> None:
    """Load Django's apps; commands that need no database never call this."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chengshu.site.settings")
    import django

    django.setup()


def print_json(value: Any) -> None:
    """Write one JSON value for machines."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))
