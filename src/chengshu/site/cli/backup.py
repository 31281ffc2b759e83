"""`chengshu backup`."""

from __future__ import annotations

import click

