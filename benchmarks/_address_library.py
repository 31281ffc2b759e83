"""The library that the address benchmarks match against: the generated town's, at two sizes."""

from __future__ import annotations

import numpy as np
import polars as pl

from chengshu.batch.generate.town import District, build_town, library_frame
from chengshu.kernel.resources import shipped

PEOPLE_SMALL, PEOPLE = 40_000, 1_000_000
_SEED = 5


def demo_library(*, small: bool) -> pl.DataFrame:
    """The address library of the generated district for 40,000 or a million people (about 300,000 rooms)."""
    district = District.read(shipped("districts", "baoan"))
    town = build_town(district, PEOPLE_SMALL if small else PEOPLE, np.random.default_rng(_SEED))
    return library_frame(town, [None] * town.buildings.height)
