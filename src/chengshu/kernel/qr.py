"""QR codes as pictures."""

from __future__ import annotations

import io

import segno

# Characters; an address of a page is shorter, a signature longer.
LONG = 300


def qr_svg(text: str, *, border: int = 2, boost: bool = False) -> str:
    """Return the code of a text as SVG that fills its place, dark on white with a quiet zone of ``border`` modules.

    Error correction M; ``boost`` takes a higher one where the size allows it. A long text is a signed one: its modules are as
    good as random, so that each of the eight masks (ISO/IEC 18004, 7.8) serves, and no time goes into weighing them.
    """
    mask = 0 if len(text) > LONG else None
    out = io.BytesIO()
    segno.make(text, error="m", micro=False, boost_error=boost, mask=mask).save(
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
