"""Which addresses of the library a form offers to whoever typed one: the person chooses, the code is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from chengshu.batch.address.neighbours import neighbours
from chengshu.contexts.places import library, matching
from chengshu.contexts.places.domain import PlaceView
from chengshu.contexts.places.models import Place

MOST_OFFERED = 10
LONGEST = 300
REASONS = {
    "not_found": gettext_noop("地址库中没有这个路名、小区名或地名"),
    "no_such_number": gettext_noop("这条路或这个小区没有这个门牌号"),
    "no_such_building": gettext_noop("这个小区没有这栋楼"),
    "too_short": gettext_noop("地址太短：要有门牌号或楼栋才能确定"),
    "outside": gettext_noop("地址写的是别的区或别的城市"),
    "ambiguous": gettext_noop("不止一处符合，须由人判断"),
    "uncertain": gettext_noop("有相近的地址，但把握不够"),
    "retired": gettext_noop("此地址已停用，没有接替的地址"),
    "unreadable": gettext_noop("读不出地址"),
    "new_room": gettext_noop("楼栋已确定，但地址库中没有这个房间；可提为新地址"),
    "ambiguous_room": gettext_noop("楼栋已确定，但不止一个房间符合"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the library has for an address: the one place it certainly is, or those to choose from, or why there is none."""

    found: PlaceView | None = None
    places: list[PlaceView] = field(default_factory=list)
    reason: str = ""


def neighbours_wanted(row: Mapping[str, Any]) -> bool:
    """Whether the matcher weighed nothing where a person may still recognise what lies near."""
    near = ("not_found", "no_such_number", "no_such_building", "too_short")
    return not row["candidates"] and row["reason"] in near


def offer_places(text: str) -> Offer:
    """Return what an address may mean: certain, or at most ten places in use, the likeliest first.

    A building in which rooms are known is not certain: the person says which room, or that it is the whole building.
    """
    text = text.strip()[:LONGEST]
    known = matching.address_library()
    if known is None or not text:
        return Offer(reason=_("本区还没有地址库") if text else "")
    home = matching.home_code()
    row = known.match_many([text], home=home).row(0, named=True)
    weighed = neighbours(known, text, home=home) if neighbours_wanted(row) else row["candidates"]
    code, reason = row["place_code"], row["reason"]
    codes = [code] if code else []
    if code and row["level"] == "building" and reason in (None, "ambiguous_room"):
        rooms = Place.objects.filter(building_code=code, state=Place.State.ACTIVE).exclude(room=None)
        listed = [each["place_code"] for each in weighed] if reason else []
        listed += rooms.order_by("place_code").values_list("place_code", flat=True)[: MOST_OFFERED - 1]
        certain = not listed
        codes += listed
    else:
        certain = bool(code) and reason is None
        codes += [each["place_code"] for each in weighed]
    views = library.places(list(dict.fromkeys(codes)))
    usable = [views[each] for each in dict.fromkeys(codes) if each in views and views[each].state == "active"]
    if certain and usable and usable[0].place_code == code:
        return Offer(found=usable[0], places=usable[:1])
    return Offer(places=usable[:MOST_OFFERED], reason=_(REASONS[reason]) if reason else "")
