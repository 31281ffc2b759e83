"""Do two written addresses mean the same place, one within or beside the other, or two different places?

Rules over parsed parts, set by reasoning about what the parts of an address say; nothing here is learned from
labelled pairs. Without a map no rule can know that two names lie in one town: what is neither stated nor implied
counts as unknown, not as different.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from chengshu.batch.address.pair_facts import WRITTEN, Facts, Roads, area_key, facts
from chengshu.batch.address.pair_names import Agreement, names_agree, one_slip


class Verdict(StrEnum):
    """How two addresses relate."""

    EXACT = "exact"
    PARTIAL = "partial"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Relation:
    """The verdict on a pair and the reasons for it, in words."""

    verdict: Verdict
    reasons: tuple[str, ...]


_ON_ROAD = ("road agrees", "number near", "number differs")
# A shared run of this many characters tells a place among its neighbours; of so many, among all.
_TELLS_ALONE, _TELLS_SURELY = 4, 6


def compare(left: str, right: str) -> Relation:
    """Compare two written addresses."""
    return relation(facts(left), facts(right))


def relation(left: Facts, right: Facts) -> Relation:
    """Weigh two addresses: the divisions first, then what is named, then road and number, then the details."""
    clash = _clash(left, right)
    if clash:
        return Relation(Verdict.DIFFERENT, (f"{clash} differs",))
    name = names_agree(left, right)
    road = _roads_agree(left.roads, right.roads)
    if name.kind == "same":
        return _same_name(left, right, road, name)
    return _other_name(left, right, road, name)


def _clash(left: Facts, right: Facts) -> str | None:
    for level in WRITTEN:
        one, other = left.divisions.get(level), right.divisions.get(level)
        if one and other and one != other:
            return level
    return None


def _other_town(left: Facts, right: Facts) -> bool:
    """Both name their street or village, and it is another one."""
    return any(
        level in left.areas and level in right.areas and left.areas[level] != right.areas[level]
        for level in ("street", "community")
    )


def _near(left: Facts, right: Facts, core: str = "") -> bool:
    """They lie in one district, street or village, beside the name that is being weighed."""
    return any(
        left.areas.get(level) == area and area != core and not core.startswith(area)
        for level, area in right.areas.items()
    )


def _same_name(left: Facts, right: Facts, road: str, name: Agreement) -> Relation:
    building = _agree(left.building, right.building)
    apart = _apart(left, right, road, name)
    if apart:
        return Relation(Verdict.DIFFERENT, (apart,))
    if building == "differ" or _inside_differs(left, right):
        return Relation(Verdict.PARTIAL, ("the same name, another building, unit, floor or room",))
    if building == "agree" and name.section != "differ":
        # Name and building together are two coincidences, whatever the roads.
        return Relation(Verdict.EXACT, ("the same name and building",))
    partly = _beside(left, right, road, name, building)
    if partly:
        return Relation(Verdict.PARTIAL, (partly,))
    common = len(name.core) < _TELLS_SURELY and not _near(left, right, area_key(name.core))
    if road == "other" and common:
        # Each says which road, and nothing but a name that many places bear joins them.
        return Relation(Verdict.DIFFERENT, ("the same name at another road",))
    if road == "other" or (road == "unknown" and common):
        return Relation(Verdict.PARTIAL, ("the same name, little else to go by",))
    return Relation(Verdict.EXACT, ("the same name, nothing speaks against it",))


def _beside(left: Facts, right: Facts, road: str, name: Agreement, building: str) -> str | None:
    """Why one side means something within or beside what the other means, if it does."""
    reasons = {
        "the same name, and something else within or beside it": not name.whole or bool(name.section),
        "the same name, another number of the road": road in ("number differs", "number near"),
        "the same place, one side names the building": building == "one side" and not name.business,
        "the same place, one side means its gate": left.gate != right.gate,
        "the same village, one side says more exactly where": name.village and _more_exact(left, right),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _apart(left: Facts, right: Facts, road: str, name: Agreement) -> str | None:
    """Why the same name is two places, if it is."""
    if road in ("number agrees", "number near", "road agrees", "number differs"):
        return None
    if name.chain:
        return "a chain's name at another road"
    if _near(left, right, area_key(name.core)):
        return None
    if _other_town(left, right):
        return "the same name in another street or village"
    if len(name.core) < 3:
        # Names such as 宏伟楼 stand in many towns; alone they prove nothing.
        return "a common name, nothing else in common"
    if road == "other" and name.business:
        # An estate lies on several roads; a business has branches.
        return "a business of this name at another road"
    if (
        road == "unknown"
        and len(name.core) < _TELLS_ALONE
        and _agree(left.building, right.building) != "agree"
    ):
        return "a common name, nothing else in common"
    return None


def _other_name(left: Facts, right: Facts, road: str, name: Agreement) -> Relation:
    exact = _same_spot(left, right, road, name)
    if exact:
        return Relation(Verdict.EXACT, (exact,))
    if road == "number agrees":
        return Relation(Verdict.PARTIAL, ("the same road and number",))
    if _other_town(left, right) and name.kind != "kin":
        return Relation(Verdict.DIFFERENT, ("the streets or villages named have nothing in common",))
    if road == "number near":
        return Relation(Verdict.PARTIAL, ("the same road, a number close by",))
    near = _near(left, right)
    if road == "road agrees" and (name.kind in ("none", "one side") or near):
        return Relation(Verdict.PARTIAL, ("the same road, one side says no more",))
    alone = road == "unknown" and len(name.core) >= _TELLS_ALONE
    if name.kind == "kin" and (near or road in _ON_ROAD or alone):
        return Relation(Verdict.PARTIAL, ("much of the names in common",))
    return Relation(Verdict.DIFFERENT, ("neither name nor road and number agree",))


def _same_spot(left: Facts, right: Facts, road: str, name: Agreement) -> str | None:
    """What makes two addresses one place although they share no name, if anything does."""
    building = _agree(left.building, right.building)
    if building == "agree":
        if road == "number agrees":
            return "the same road, number and building"
        kin = name.kind == "kin" and (road in _ON_ROAD or _near(left, right)) and not _other_town(left, right)
        if kin:
            return "much of the name and the building agree"
        return "the same road and building" if road == "road agrees" else None
    if name.kind != "none" or building != "none":
        return None
    if road == "number agrees" and not _inside_differs(left, right):
        return "the same road and number, and no more"
    if road == "road agrees" and _same_crossing(left, right):
        return "the same road or crossing, and no more"
    return None


def _roads_agree(left: Roads, right: Roads) -> str:
    """How the roads relate: number agrees | number near | number differs | road agrees | other | unknown."""
    if not left or not right:
        return "unknown"
    if not any(_same_road(name, other) for name, _ in left for other, _ in right):
        return "other"
    # With several roads in a text the number may stand with any of them.
    ours, theirs = ({_house(number) for _, number in side if number} for side in (left, right))
    if not ours or not theirs:
        return "road agrees"
    gap = min(abs(one - other) for one in ours for other in theirs)
    return "number agrees" if gap == 0 else "number near" if gap <= 2 else "number differs"


def _house(number: str) -> int:
    digits = re.search(r"\d+", number)
    return int(digits[0]) if digits else -1


def _same_road(one: str, other: str) -> bool:
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return (len(short) >= 3 and long.endswith(short)) or one_slip(one, other)


def _agree(one: str | None, other: str | None) -> str:
    if one and other:
        return "agree" if one == other else "differ"
    return "one side" if one or other else "none"


def _inside_differs(left: Facts, right: Facts) -> bool:
    """Another unit, floor or room; one side naming none says nothing: both are in that building."""
    levels = ((left.unit, right.unit), (left.floor, right.floor), (left.room, right.room))
    return any(one and other and one != other for one, other in levels)


def _more_exact(left: Facts, right: Facts) -> bool:
    """One side gives a number or building, the other does not."""
    one, other = (bool(side.building or any(number for _, number in side.roads)) for side in (left, right))
    return one != other


def _same_crossing(left: Facts, right: Facts) -> bool:
    """Both name the same roads and nothing along them."""
    pairs = ((left.roads, right.roads), (right.roads, left.roads))
    return all(
        number is None and any(_same_road(name, other) for other, _ in theirs)
        for ours, theirs in pairs
        for name, number in ours
    )
