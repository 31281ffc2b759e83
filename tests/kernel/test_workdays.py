"""An official counts workdays by the official calendar."""

import datetime as dt

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengshu.kernel.problems import Problem
from chengshu.kernel.workdays import Calendar, CalendarYear, load_calendar, official_calendar

DAYS = st.dates(dt.date(2004, 1, 1), dt.date(2026, 12, 31))


@given(DAYS)
def test_a_day_is_worked_when_the_official_notice_says_so(day):
    assert official_calendar().is_workday(day) == chinese_calendar.is_workday(day)


@given(DAYS, st.integers(0, 60))
def test_counting_forward_and_back_meet(day, number):
    calendar = official_calendar()
    counted = calendar.add_workdays(day, number)
    assert calendar.workdays_between(day, counted.day) == number
    if number:
        assert calendar.is_workday(counted.day)
        assert calendar.workdays_between(counted.day, day) == -number


@given(DAYS)
def test_the_next_workday_is_the_first_one_from_that_day(day):
    calendar = official_calendar()
    reached = calendar.next_workday(day)
    assert calendar.is_workday(reached) and reached >= day
    assert calendar.workdays_between(day - dt.timedelta(days=1), reached) == 1


def test_national_day_2023_with_its_adjusted_weekend():
    counted = official_calendar().add_workdays(dt.date(2023, 9, 28), 3)
    assert counted.day == dt.date(2023, 10, 9)
    assert not counted.provisional
    assert counted.adjusted == (dt.date(2023, 10, 7), dt.date(2023, 10, 8))
    assert counted.days_off == tuple(dt.date(2023, 9, 29) + dt.timedelta(days=n) for n in range(8))


def test_a_year_without_a_notice_counts_weekends_and_says_so():
    counted = official_calendar().add_workdays(dt.date(2026, 12, 30), 5)
    assert counted.provisional
    assert counted.day == dt.date(2027, 1, 6)
    assert Calendar().is_workday(dt.date(2026, 10, 1))


def test_an_operator_loads_next_year(tmp_path):
    file = tmp_path / "2027.yaml"
    file.write_text(
        "year: 2027\nreference: notice of 2026\nlast_checked: 2026-11-21\n"
        "days_off: [2027-01-01, 2027-02-05/2027-02-11]\ndays_on: [2027-02-14]\n",
        encoding="utf-8",
    )
    calendar = official_calendar().with_years([load_calendar(file)])
    assert not calendar.is_workday(dt.date(2027, 2, 8))
    assert calendar.is_adjusted(dt.date(2027, 2, 14))
    counted = calendar.add_workdays(dt.date(2026, 12, 30), 2)
    assert (counted.day, counted.provisional) == (dt.date(2027, 1, 4), False)
    assert "notice of 2026" in calendar.years[2027].reference


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("- 1\n", "calendar-form", 1),
        (
            "year: 2027\nreference: r\nlast_checked: x\ndays_off: []\ndays_on: []\nmore: 1\n",
            "calendar-key",
            6,
        ),
        ("year: 2027\nreference: r\nlast_checked: x\ndays_off: []\n", "calendar-key", 1),
        ("year: x\nreference: r\nlast_checked: x\ndays_off: []\ndays_on: []\n", "calendar-year", 1),
        ("year: 2027\nreference: r\nlast_checked: x\ndays_off:\n- 2027-13-01\ndays_on: []\n", "yaml-date", 5),
        ("year: 2027\nreference: r\nlast_checked: x\ndays_off:\n- May\ndays_on: []\n", "calendar-day", 5),
        ("year: 2027\nreference: r\nlast_checked: x\ndays_off: 3\ndays_on: []\n", "calendar-day", 4),
        (
            "year: 2027\nreference: r\nlast_checked: x\ndays_off: [2026-01-01]\ndays_on: []\n",
            "calendar-day",
            4,
        ),
        (
            "year: 2027\nreference: r\nlast_checked: x\ndays_off: [2027-02-03/2027-02-01]\ndays_on: []\n",
            "calendar-day",
            4,
        ),
    ],
)
def test_a_wrong_calendar_is_refused_with_its_line(tmp_path, text, code, line):
    file = tmp_path / "year.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Problem) as caught:
        load_calendar(file)
    assert caught.value.code == code
    assert caught.value.where.line == line


def test_a_day_cannot_be_off_and_worked():
    day = frozenset([dt.date(2027, 1, 1)])
    with pytest.raises(ValueError):
        CalendarYear(2027, day, day, "r")
