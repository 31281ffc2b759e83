"""A fresh demo has services, ratings in all grades, a hotline in all states: by real acts, once."""

from __future__ import annotations

import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.demo_days import moment
from chengshu.contexts.hall.hotline.models import HotlineRequest
from chengshu.contexts.hall.ratings import statistics
from chengshu.contexts.hall.ratings.models import Rating, Service
from chengshu.contexts.identity import api as identity
from chengshu.kernel.codes import resident_id_check
from tests_support.casework import make_cells
from tests_support.records import publish

PACKS = (
    "citizen-hotline", "rating-return-visit", "childbirth-subsidy", "seconds-service", "social-security-card",
    "maternity-service-record",
)  # fmt: skip
NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)


def person(number: int) -> tuple[str, dict[str, str]]:
    body = f"44030619{88 + number % 10}0315{number:03d}"
    return f"P00000{number:04d}1", {
        "person.name": f"示例{number}",
        "person.resident_id": body + resident_id_check(body),
        "person.birth_date": f"19{88 + number % 10}-03-15",
    }


@pytest.fixture
def founded(db, settings) -> None:
    settings.DEMO = True
    for pack in PACKS:
        cases.need_shipped(pack, NOW)
    make_cells()
    identity.seed_demo()
    publish(NOW, *(person(number) for number in range(1, 60)))


def test_the_last_weeks_are_played_by_real_acts_and_only_once(founded):
    assert hall.seed_hotline(NOW) == HotlineRequest.objects.count() == 16
    assert hall.seed_ratings(NOW) > 40
    states = set(HotlineRequest.objects.values_list("state", flat=True))
    assert {"received", "assigned", "working", "disputed", "replied", "settled", "closed", "merged"} <= states
    assert {"withdrawn", "refused", "passed_on"} <= states
    again = HotlineRequest.objects.get(topic="housing", state="working")
    assert cases.case_facts(again.pk)["kept"]["reopened"] == 1

    first = Rating.objects.filter(round=1)
    assert first.count() >= 39 and set(first.values_list("grade", flat=True)) == {1, 2, 3, 4, 5}
    assert set(first.values_list("channel", flat=True)) == {"hall", "portal", "mobile", "hotline"}
    assert statistics.follow_ups()["missing"] == 0
    running = [row.follow_up for row in first.exclude(follow_up="")]
    assert {"examining", "mended", "set_aside"} <= {cases.case_brief(each).state for each in running}
    assert Rating.objects.get(round=2).grade == 4
    assert Service.objects.filter(late=True, round=1).exists()
    assert not Service.objects.filter(ended_at__gt=NOW).exists()

    before = Service.objects.count(), Rating.objects.count()
    assert hall.seed_hotline(NOW) == hall.seed_ratings(NOW) == 0
    assert (Service.objects.count(), Rating.objects.count()) == before


def test_a_moment_lies_on_a_working_day_before_now():
    assert moment(NOW, (0, 0.5)) == NOW - dt.timedelta(minutes=30)
    # 22 November 2026 is a Sunday: the working day before it is Friday.
    assert moment(NOW, (1, 9.5)).isoformat() == "2026-11-20T09:30:00+08:00"
    assert moment(NOW, (6, 0)).weekday() < 5
