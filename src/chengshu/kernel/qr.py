"""QR codes as pictures."""

from __future__ import annotations

import io

import segno


def qr_svg(text: str, *, border: int = 2, boost: bool = False) -> str:
    """Return the code of a text as SVG that fills its place, dark on white with a quiet zone of ``border`` modules.

    Error correction M; ``boost`` takes a higher one where the size allows it.
    """
    out = io.BytesIO()
    segno.make(text, error="m", micro=False, boost_error=boost).save(
        out,
        kind="svg",
        xmldecl=False,
        border=border,
        omitsize=True,
        light="#fff",
        svgclass="qr-code",
        lineclass=None,
    )
    return out.getvalue().decode()
