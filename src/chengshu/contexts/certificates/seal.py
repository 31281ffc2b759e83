"""The visible seal, drawn by us as SVG: a red ring, a star, the issuer's name along the arc; 演示 in a demo."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

SIZE = 420
RED = "#c8161d"
# Where the name stands: from lower left over the top to lower right, in degrees (0 is right, 90 is down).
FIRST, LAST = 150.0, 390.0


def seal_svg(issuer: str, *, demo: bool, font: str = "Noto Serif SC") -> str:
    """Return the seal of an issuer as SVG text. A name of more than 24 characters is cut."""
    centre = SIZE / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">',
        f'<circle cx="{centre}" cy="{centre}" r="{centre - 9}" fill="none" stroke="{RED}" stroke-width="12"/>',
        f'<polygon points="{_star(centre, 62)}" fill="{RED}"/>',
        *_arc(issuer[:24], centre, font),
    ]
    below = "演示" if demo else "电子印章"
    parts.append(
        f'<text x="{centre}" y="{centre + 132}" font-family="{font}" font-size="44" font-weight="700" fill="{RED}" '
        f'text-anchor="middle">{below}</text>'
    )
    parts.append("</svg>")
    return "".join(parts)


def _star(centre: float, radius: float) -> str:
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(126))
    points = []
    for corner in range(10):
        length = radius if corner % 2 == 0 else inner
        angle = math.radians(-90 + 36 * corner)
        points.append(f"{centre + length * math.cos(angle):.1f},{centre + length * math.sin(angle):.1f}")
    return " ".join(points)


def _arc(name: str, centre: float, font: str) -> list[str]:
    """Return the characters, each turned so that its foot points to the centre."""
    if not name:
        return []
    # Short names do not stretch over the whole arc; long ones get narrower characters.
    step = min((LAST - FIRST) / max(len(name) - 1, 1), 28.0)
    size = 50 if len(name) <= 12 else max(26, 600 // len(name))
    radius = centre - 34 - size * 0.45
    start = 270 - step * (len(name) - 1) / 2
    drawn = []
    for place, character in enumerate(name):
        angle = start + step * place
        x = centre + radius * math.cos(math.radians(angle))
        y = centre + radius * math.sin(math.radians(angle))
        drawn.append(
            f'<text transform="translate({x:.1f} {y:.1f}) rotate({angle + 90:.1f})" y="{size * 0.36:.1f}" '
            f'font-family="{font}" font-size="{size}" font-weight="700" fill="{RED}" text-anchor="middle">'
            f"{escape(character)}</text>"
        )
    return drawn
