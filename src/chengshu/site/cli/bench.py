"""`chengshu bench`."""

from __future__ import annotations

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
def app() -> None:
    """Not written yet."""
    raise NotImplementedError
