"""Draws how the cost of a build grows with size: seconds of a full build, and after 1 % of the rows changed, against rows.

`python benchmarks/_size_plot.py POINTS.json OUT.svg` reads points as `benchmarks/build.py` measures them (a list, or an object with
`measured`), and draws them over logarithmic axes beside the straight line of equal cost a row.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 440, 70, 40, 150, 60
SERIES = (
    ("full_seconds", "full build", "#1f6feb"),
    ("rebuild_seconds", "after 1 % changed", "#bf5b04"),
)


def draw(points: Sequence[dict[str, Any]]) -> str:
    """Return the plot as SVG text."""
    points = sorted(points, key=lambda point: point["rows"])
    seconds = [point[name] for point in points for name, _, _ in SERIES if point.get(name)]
    x = _axis([point["rows"] for point in points], LEFT, WIDTH - RIGHT)
    y = _axis(seconds, HEIGHT - BOTTOM, TOP)
    parts = [*_frame(points, seconds, x, y), _linear(points, x, y)]
    for name, label, colour in SERIES:
        known = [(x(point["rows"]), y(point[name])) for point in points if point.get(name)]
        if not known:
            continue
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in known)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4.5" fill="{colour}"/>' for a, b in known]
        a, b = known[-1]
        parts.append(f'<text x="{a + 10:.1f}" y="{b + 4:.1f}" fill="{colour}">{label}</text>')
    style = "<style>text{font:13px system-ui,sans-serif;fill:#57606a}</style>"
    title = "<title>Seconds of a build against source rows, logarithmic axes</title>"
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    back = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    body = "\n".join([title, style, back, *parts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>\n{body}\n</svg>\n'


def _axis(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    """Map values to pixels over whole powers of ten."""
    low, high = _decades(values)
    return lambda value: start + (math.log10(value) - low) / (high - low) * (end - start)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _frame(
    points: Sequence[dict[str, Any]],
    seconds: Sequence[float],
    x: Callable[[float], float],
    y: Callable[[float], float],
) -> list[str]:
    parts = []
    low, high = _decades(seconds)
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10**power:g} s</text>')
    for point in points:
        at = x(point["rows"])
        parts.append(
            f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#eaeef2"/>'
        )
        people = f"{point['people']:,} people"
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{people}</text>')
        rows = f"{point['rows']:,} rows"
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 38}" text-anchor="middle">{rows}</text>')
    return parts


def _linear(
    points: Sequence[dict[str, Any]], x: Callable[[float], float], y: Callable[[float], float]
) -> str:
    """Draw where every size would lie at the largest size's seconds a row."""
    last = points[-1]
    each = last["full_seconds"] / last["rows"]
    ends = [(x(point["rows"]), min(y(point["rows"] * each), HEIGHT - BOTTOM)) for point in (points[0], last)]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in ends)
    return f'<polyline points="{path}" fill="none" stroke="#8c959f" stroke-dasharray="5 5"/>'


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("points", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    given = json.loads(arguments.points.read_text(encoding="utf-8"))
    arguments.out.write_text(draw(given["measured"] if isinstance(given, dict) else given), encoding="utf-8")
