"""The library that the address benchmarks match against: the generator's, at two sizes."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl


def demo_library(*, small: bool) -> pl.DataFrame:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "address"))
    from toy_library import toy_library

    return toy_library(4000 if small else 36000)
