"""What ratings are, without Django: the five grades, the fixed reasons of each, and the sums of the statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop as _n

VERY_BAD, BAD, FAIR, GOOD, VERY_GOOD = 1, 2, 3, 4, 5
GRADES: Mapping[int, str] = {
    VERY_GOOD: _n("非常满意"),
    GOOD: _n("满意"),
    FAIR: _n("基本满意"),
    BAD: _n("不满意"),
    VERY_BAD: _n("非常不满意"),
}
# The two lowest open a case; its pack calls them so.
FOLLOWED: Mapping[int, str] = {BAD: "dissatisfied", VERY_BAD: "very-dissatisfied"}
GOOD_REASONS: Mapping[str, str] = {
    "clear-guide": _n("指南清楚"),
    "few-materials": _n("材料少"),
    "no-visit": _n("一次没跑"),
    "fast": _n("办得快"),
    "early": _n("比承诺早"),
    "polite": _n("态度好"),
    "skilled": _n("业务熟"),
    "easy-system": _n("系统好用"),
    "helped": _n("主动帮忙"),
}
FAIR_REASONS: Mapping[str, str] = {
    "guide-could": _n("指南可以更清楚"),
    "materials-could": _n("材料可以更少"),
    "time-could": _n("时间可以更短"),
    "system-could": _n("系统可以更好用"),
    "manner-could": _n("态度可以更好"),
}
BAD_REASONS: Mapping[str, str] = {
    "unclear-guide": _n("指南不清楚"),
    "extra-materials": _n("要求提供指南以外的材料"),
    "too-many-visits": _n("跑了多次"),
    "slow": _n("办得慢"),
    "late": _n("超过承诺时间"),
    "rude": _n("态度差"),
    "absent": _n("窗口无人"),
    "unskilled": _n("业务不熟"),
    "system-faults": _n("系统难用、出错"),
    "unfair-fee": _n("乱收费"),
    "refused-wrongly": _n("该办不办"),
    "no-answer": _n("没有答复"),
}
# Fewer ratings than this are shown as counts, never as a share: one person's grade would be a percentage.
FEWEST_FOR_SHARE = 5


def reasons_of(grade: int) -> Mapping[str, str]:
    """Return the fixed list of reasons of a grade."""
    if grade >= GOOD:
        return GOOD_REASONS
    return FAIR_REASONS if grade == FAIR else BAD_REASONS


@dataclass(slots=True)
class Count:
    """The figures of one line of the statistics. Every service that ended counts, rated or not.

    ``unrated``: services that ended (in the time asked for) and have no rating to this day: neither good nor bad. An anonymous
    rating leads to no service, so ratings of a time are those given in it, and may be of services that ended before.
    ``set_aside``: ratings that were not taken on a stated ground; they stay in ``ended`` and are no good ones.
    """

    ended: int = 0
    grades: dict[int, int] = field(default_factory=lambda: dict.fromkeys(GRADES, 0))
    set_aside: int = 0
    late: int = 0
    unrated: int = 0

    @property
    def rated(self) -> int:
        """Ratings that count, and those that were set aside."""
        return sum(self.grades.values()) + self.set_aside

    @property
    def answered(self) -> int:
        """Services that ended and have been rated since."""
        return self.ended - self.unrated

    @property
    def heard(self) -> int:
        """All ratings and all who gave none: what the satisfied are a share of. Without a time it is ``ended``."""
        return self.rated + self.unrated

    @property
    def good(self) -> int:
        """The three upper grades, which the national practice calls satisfied."""
        return sum(number for grade, number in self.grades.items() if grade >= FAIR)

    @property
    def bad(self) -> int:
        """The two lower grades."""
        return sum(number for grade, number in self.grades.items() if grade < FAIR)

    @property
    def telling(self) -> bool:
        """Whether there are enough ratings to speak of a share."""
        return self.rated >= FEWEST_FOR_SHARE

    def add(self, other: Count) -> None:
        """Add another line to this one."""
        self.ended += other.ended
        self.set_aside += other.set_aside
        self.late += other.late
        self.unrated += other.unrated
        for grade, number in other.grades.items():
            self.grades[grade] = self.grades.get(grade, 0) + number


def total(counts: Iterable[Count]) -> Count:
    """Return the sum of several lines."""
    found = Count()
    for each in counts:
        found.add(each)
    return found
