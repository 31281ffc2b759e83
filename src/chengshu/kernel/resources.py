"""Where the data that ships with Chengshu lies: beside the code in a wheel, at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped(*parts: str) -> Path:
    """Return the path of shipped data, such as ``shipped("packs", "cn")`` or ``shipped("districts",
    "baoan")``.
    """
    in_wheel = _PACKAGE / "data"
    root = in_wheel if in_wheel.is_dir() else _PACKAGE.parent.parent
    return root.joinpath(*parts)
