"""The drawing of a pack, for pages; it is made where packs are understood."""

from __future__ import annotations

from chengshu.procedure.drawing import Arrow, Box, Drawing, draw

__all__ = ["Arrow", "Box", "Drawing", "draw"]
