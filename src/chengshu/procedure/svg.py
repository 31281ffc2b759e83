"""A drawing of a pack as an SVG file that stands alone, with its own colours for light and dark."""

from __future__ import annotations

from html import escape

from chengshu.procedure.drawing import Drawing

_STYLE = """\
text{font:15px system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;text-anchor:middle;fill:#1c2430}
rect{fill:#f4f6f9;stroke:#5b6b80;stroke-width:1.5}.end rect{fill:#e3efe6;stroke:#2f6b45}
path{fill:none;stroke:#5b6b80;stroke-width:1.5}.back{stroke-dasharray:5 4}marker path{fill:#5b6b80;stroke:none}
@media(prefers-color-scheme:dark){text{fill:#e8edf4}rect{fill:#1f2834;stroke:#93a4ba}.end rect{fill:#1d3326;stroke:#79b98f}
path{stroke:#93a4ba}marker path{fill:#93a4ba}}"""


def svg(drawing: Drawing) -> str:
    """Return the SVG text: the same pack gives the same bytes."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width} {drawing.height}" '
        f'width="{drawing.width}" height="{drawing.height}" role="img">',
        f"<title>{escape(drawing.title)}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 1L9 5L0 9z"/></marker></defs>',
    ]
    for arrow in drawing.arrows:
        lines.append(
            f'<path class="{arrow.kind}" d="{arrow.path}" marker-end="url(#tip)"><title>{escape(arrow.title)}</title></path>'
        )
    for box in drawing.boxes:
        texts = "".join(f'<text x="{box.middle}" y="{y}">{escape(line)}</text>' for y, line in box.texts)
        lines.append(
            f'<g class="{box.kind}"><rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6"/>'
            f"{texts}</g>"
        )
    return "\n".join([*lines, "</svg>"]) + "\n"
