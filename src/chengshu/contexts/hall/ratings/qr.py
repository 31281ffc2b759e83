"""The QR code that hands a rating over at the window: dark on white with a quiet zone, as SVG that fills its place."""

from __future__ import annotations

import io

import segno


def qr_svg(text: str) -> str:
    """Return the code of a text as SVG; error correction M."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        border=2,
        omitsize=True,
        light="#fff",
        svgclass="qr-code",
        lineclass=None,
    )
    return out.getvalue().decode()
