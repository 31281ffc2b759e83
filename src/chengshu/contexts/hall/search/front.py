"""What the hall's front page offers: life events and what many ask for. Data in ``front.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.items.models import Item
from chengshu.kernel.strict_yaml import load_yaml

FILE = Path(__file__).parent / "front.yaml"


@cache
def _declared() -> Any:
    return load_yaml(FILE)


GROUPS = (
    ("together", gettext_noop("一件事：一次申请，几个部门一起办")),
    ("people", gettext_noop("个人和家庭")),
    ("firms", gettext_noop("企业和单位")),
)


def grouped(services: list[cases.Service]) -> list[tuple[str, list[cases.Service]]]:
    """Return the services that run here under their headings: those that join several first, then by whom they are for."""
    linked = list(Item.objects.exclude(pack="").order_by("code").values_list("pack", "body"))
    of_people = {pack for pack, body in linked if list(body.get("audiences") or []) == ["自然人"]}
    # As the district numbers its items: office by office, what is asked for most first; then what no item names.
    order = {pack: number for number, (pack, _body) in reversed(list(enumerate(linked)))}
    found: dict[str, list[cases.Service]] = {name: [] for name, _title in GROUPS}
    for each in sorted(services, key=lambda service: order.get(service.id, len(order))):
        found["together" if each.one_thing else "people" if each.id in of_people else "firms"].append(each)
    return [(_(title), found[name]) for name, title in GROUPS if found[name]]


def life_events() -> list[dict[str, Any]]:
    """Return life events and business events, each with what one would search for."""
    return list(_declared()["events"])


def popular_items(most: int = 8) -> list[Item]:
    """Return the items that many ask for, in the order of the file, as far as they are loaded; then those that run here."""
    wanted = [str(name) for name in _declared()["popular"]]
    published = Item.objects.filter(state=Item.State.PUBLISHED)
    found = {item.name: item for item in published.filter(name__in=wanted).only("code", "name", "name_en")}
    listed = [found[name] for name in wanted if name in found]
    if len(listed) < most:
        here = published.exclude(pack="").only("code", "name", "name_en").order_by("name")[:most]
        listed += [item for item in here if item not in listed]
    return listed[:most]
