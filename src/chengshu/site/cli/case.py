"""`chengshu case`."""

from __future__ import annotations

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Commands of `case`."""
