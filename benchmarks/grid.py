"""Points placed in 4,833 cells, exact at the edges: our raster look-up beside shapely's tree, in one run."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from chengshu.batch.grid import CellIndex, Load, Zone, generate_cells
from chengshu.kernel.resources import shipped

NAME = "grid"
GOAL = 2_000_000


def _cells() -> CellIndex:
    tree = json.loads(shipped("districts", "baoan", "geography", "baoan_taz.geojson").read_text("utf-8"))
    zones = [Zone(f"Z{f['properties']['taz']}", shape(f["geometry"])) for f in tree["features"]]
    rng = np.random.default_rng(1)
    bounds = shapely.bounds(np.array([zone.polygon for zone in zones]))[rng.integers(0, len(zones), 40_000)]
    lon = bounds[:, 0] + rng.random(40_000) * (bounds[:, 2] - bounds[:, 0])
    lat = bounds[:, 1] + rng.random(40_000) * (bounds[:, 3] - bounds[:, 1])
    load = Load(lon, lat, rng.integers(1, 300, 40_000).astype(float), np.zeros(40_000))
    cells = generate_cells(zones, load, total=4833)
    return CellIndex.build([cell.code for cell in cells], [cell.polygon for cell in cells])


def _points(index: CellIndex, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Half inside cells, a tenth of them on borders; half anywhere in the box around them."""
    rng = np.random.default_rng(2)
    west, south, east, north = shapely.total_bounds(index.polygons)
    lon, lat = west + rng.random(count) * (east - west), south + rng.random(count) * (north - south)
    bounds = shapely.bounds(index.polygons)[rng.integers(0, len(index.codes), count // 2)]
    lon[: count // 2] = bounds[:, 0] + rng.random(count // 2) * (bounds[:, 2] - bounds[:, 0])
    lat[: count // 2] = bounds[:, 1] + rng.random(count // 2) * (bounds[:, 3] - bounds[:, 1])
    corners = shapely.get_coordinates(index.polygons)
    some = corners[rng.integers(0, len(corners), count // 20)]
    lon[: count // 20], lat[: count // 20] = some[:, 0], some[:, 1]
    order = rng.permutation(count)
    return lon[order], lat[order]


def _tree(index: CellIndex, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    points, found = shapely.STRtree(index.polygons).query(shapely.points(lon, lat), predicate="intersects")
    first = np.full(len(lon), len(index.codes))
    np.minimum.at(first, points, found)
    return np.where(first == len(index.codes), -1, first)


def run(*, small: bool = False, shared: Path | None = None) -> dict[str, Any]:
    """Measure both on the same points; medians of three; ``agree`` counts points with different answers."""
    index = _cells()
    lon, lat = _points(index, 200_000 if small else 2_000_000)
    rates: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(3):
        started = time.perf_counter()
        ours = index.locate(lon, lat)
        rates["ours"].append(len(lon) / (time.perf_counter() - started))
        started = time.perf_counter()
        peer = _tree(index, lon, lat)
        rates["peer"].append(len(lon) / (time.perf_counter() - started))
    ours_rate, peer_rate = (float(np.median(rates[name])) for name in ("ours", "peer"))
    different = int((ours != peer).sum())
    return {
        "name": NAME,
        "rows": [
            {
                "what": f"points placed in {len(index.codes)} cells, a second, exact at the edges",
                "ours": round(ours_rate), "peer": round(peer_rate), "peer_name": "shapely STRtree",
                "ratio": round(ours_rate / peer_rate, 1), "goal": GOAL, "reached": ours_rate >= GOAL,
            },
            {"what": "points with another answer than the tree's", "ours": different, "peer": 0, "ratio": None,
             "goal": 0, "reached": different == 0},
        ],
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(small="--small" in sys.argv), indent=2, ensure_ascii=False))
