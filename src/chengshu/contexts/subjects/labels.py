"""What people call a data element; the catalogue knows."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _n

from chengshu.contexts.catalogue import api as catalogue

FINDING_NAMES = {
    "place-conflict": _n("企业地址不一"), "two-homes": _n("一人两处居住"), "address-nowhere": _n("地址查无"),
    "crowded-flat": _n("一房多企"), "people-in-flat": _n("一房多人"), "firm-closed": _n("疑似停业"),
    "rented-unregistered": _n("出租未备案"), "record-absent": _n("记录不再报送"), "identity-conflict": _n("证件号不一"),
}  # fmt: skip


def labels() -> Mapping[str, Mapping[str, str]]:
    """Return element → {zh, en}."""
    return catalogue.element_titles()


def label(element: str, known: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Return an element's title; one that the catalogue lacks shows its code."""
    return known.get(element) or {"zh": element, "en": element}


def element_label(element: str) -> Mapping[str, str]:
    """Return one element's title."""
    return label(element, labels())


def finding_name(kind: str) -> str:
    """Return what people call a kind of finding, in the page's language."""
    return gettext(FINDING_NAMES.get(kind, kind))
