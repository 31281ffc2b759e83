"""What people call a data element; the catalogue knows."""

from __future__ import annotations

from collections.abc import Mapping

from chengshu.contexts.catalogue import api as catalogue


def labels() -> Mapping[str, Mapping[str, str]]:
    """Return element → {zh, en}."""
    titles: Mapping[str, Mapping[str, str]] = getattr(catalogue, "element_titles", dict)()
    return titles


def label(element: str, known: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Return an element's title; one that the catalogue lacks shows its code."""
    return known.get(element) or {"zh": element, "en": element}


def element_label(element: str) -> Mapping[str, str]:
    """Return one element's title."""
    return label(element, labels())
