"""The one folder that holds everything a running Chengshu keeps: ``var/``, moved by ``CHENGSHU_VAR``."""

from __future__ import annotations

import os
from pathlib import Path


def var_dir() -> Path:
    """Return the folder of the running district, by default ``var`` below the working directory."""
    return Path(os.environ.get("CHENGSHU_VAR", "var")).resolve()
