"""An official reads when a term ends, and how that was reached."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengshu.kernel.lights import Light, amber_from, remaining
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import LEGAL_ZONE, Stop, Term, Unit, due, legal_day, parse_term
from chengshu.kernel.workdays import official_calendar

CALENDAR = official_calendar()


def at(day, hour=9):
    return dt.datetime.combine(day, dt.time(hour), LEGAL_ZONE)


def ends(text, start, stops=()):
    return due(parse_term(text), start, CALENDAR, stops).on


# start, term, due date: each worked out by hand from the Civil Code, Arts. 200-203, and the official notices.
GOLDEN = [
    ("2023-09-28", "3 workdays", "2023-10-09"),
    ("2024-02-08", "5 workdays", "2024-02-21"),  # 9, 18 (adjusted Sunday), 19, 20, 21; off: 10-17
    ("2026-01-15", "1 day", "2026-01-16"),
    ("2026-01-15", "2 days", "2026-01-19"),  # the 17th is a Saturday
    ("2026-01-31", "1 month", "2026-02-28"),  # no 31st; Saturday the 28th is an adjusted workday
    ("2024-01-31", "1 month", "2024-02-29"),  # leap year
    ("2024-02-29", "1 year", "2025-02-28"),
    ("2025-07-01", "3 months", "2025-10-09"),  # 1 October is a day off, as are those up to the 8th
    ("2025-03-10", "1 month", "2025-04-10"),
    ("2026-06-30", "6 months", "2026-12-30"),
]


@pytest.mark.parametrize(("start", "term", "expected"), GOLDEN)
def test_a_term_ends_on_the_day_the_law_says(start, term, expected):
    assert str(ends(term, dt.date.fromisoformat(start))) == expected


def test_the_last_day_ends_at_midnight_in_china():
    result = due(parse_term("3 workdays"), at(dt.date(2023, 9, 28)), CALENDAR)
    assert result.at == dt.datetime(2023, 10, 9, 16, tzinfo=dt.UTC)
    assert not result.passed(result.at - dt.timedelta(microseconds=1))
    assert result.passed(result.at)


def test_an_instant_belongs_to_its_day_in_china():
    assert legal_day(dt.datetime(2026, 5, 5, 16, tzinfo=dt.UTC)) == dt.date(2026, 5, 6)
    late = dt.datetime(2023, 9, 27, 16, tzinfo=dt.UTC)
    assert ends("3 workdays", late) == dt.date(2023, 10, 9)


def test_hours_run_from_the_minute_and_through_days_off():
    start = dt.datetime(2026, 10, 1, 1, 30, tzinfo=dt.UTC)
    assert due(parse_term("24 hours"), start, CALENDAR).at == start + dt.timedelta(hours=24)


def test_at_once_is_due_the_same_day():
    assert ends("at once", dt.date(2026, 10, 1)) == dt.date(2026, 10, 1)


def test_the_arithmetic_is_written_out():
    result = due(parse_term("3 workdays"), dt.date(2023, 9, 28), CALENDAR)
    assert result.arithmetic_en == (
        "2023-09-28 + 3 workdays = 2023-10-09; the first day is not counted; "
        "days off 2023-09-29–2023-10-06; adjusted workdays 2023-10-07–2023-10-08"
    )
    assert result.arithmetic_zh.startswith("2023-09-28 + 3个工作日 = 2023-10-09；首日不计")


def test_a_term_into_an_unpublished_year_is_provisional():
    result = due(parse_term("10 workdays"), dt.date(2026, 12, 24), CALENDAR)
    assert result.provisional and "provisional" in result.arithmetic_en
    assert not due(parse_term("2 workdays"), dt.date(2026, 12, 24), CALENDAR).provisional
    assert due(parse_term("3 months"), dt.date(2026, 11, 20), CALENDAR).provisional


def test_days_in_which_the_clock_stands_do_not_count():
    monday = dt.date(2026, 3, 2)
    plain = ends("5 workdays", monday)
    assert plain == dt.date(2026, 3, 9)
    stop = Stop(at(dt.date(2026, 3, 3)), at(dt.date(2026, 3, 5)))
    assert ends("5 workdays", monday, [stop]) == dt.date(2026, 3, 11)
    same_day = Stop(at(dt.date(2026, 3, 3), 9), at(dt.date(2026, 3, 3), 17))
    assert ends("5 workdays", monday, [same_day]) == plain
    assert ends("5 workdays", monday, [stop, stop]) == dt.date(2026, 3, 11)


def test_a_stop_lengthens_months_by_its_days():
    stop = Stop(at(dt.date(2026, 3, 10)), at(dt.date(2026, 3, 20)))
    assert ends("1 month", dt.date(2026, 3, 2), [stop]) == dt.date(
        2026, 4, 13
    )  # 2 April + 10 = Sunday the 12th


def test_hours_do_not_run_while_the_clock_stands():
    start = at(dt.date(2026, 3, 2))
    stop = Stop(start + dt.timedelta(hours=2), start + dt.timedelta(hours=5))
    inside = Stop(start + dt.timedelta(hours=3), start + dt.timedelta(hours=4))
    result = due(parse_term("24 hours"), start, CALENDAR, [inside, stop])
    assert result.at == start + dt.timedelta(hours=27)


def test_a_standing_clock_has_no_due_date():
    result = due(
        parse_term("5 workdays"), at(dt.date(2026, 3, 2)), CALENDAR, [Stop(at(dt.date(2026, 3, 4)), None)]
    )
    assert result.on is None and result.at is None and not result.passed(at(dt.date(2099, 1, 1)))
    assert "stands since 2026-03-04" in result.arithmetic_en
    assert remaining(result, now=at(dt.date(2026, 3, 9)), calendar=CALENDAR).light is Light.PAUSED


@given(
    st.dates(dt.date(2004, 1, 2), dt.date(2025, 6, 30)),
    st.sampled_from([Unit.WORKDAYS, Unit.DAYS, Unit.MONTHS]),
    st.integers(1, 12),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_a_longer_term_and_a_stop_never_end_earlier(day, unit, amount, offset, length):
    term = Term(amount, unit)
    plain = due(term, day, CALENDAR)
    assert CALENDAR.is_workday(plain.on) and plain.on > day
    longer = due(Term(amount + 1, unit), day, CALENDAR)
    assert longer.on >= plain.on
    start = at(day + dt.timedelta(days=offset))
    stopped = due(term, day, CALENDAR, [Stop(start, start + dt.timedelta(days=length))])
    assert stopped.on >= plain.on


@given(
    st.builds(Term, st.integers(1, 100), st.sampled_from([unit for unit in Unit if unit is not Unit.AT_ONCE]))
)
def test_a_term_reads_back_in_both_languages(term):
    assert parse_term(str(term)) == term
    assert parse_term(term.in_chinese()) == term


@pytest.mark.parametrize(
    "text", ["", "10", "0 days", "-1 days", "ten days", "10 fortnights", "9999 years", "１ day x"]
)
def test_what_is_no_term_is_refused(text):
    with pytest.raises(Problem) as caught:
        parse_term(text)
    assert caught.value.code == "term-form"


def test_a_light_turns_amber_and_then_red():
    result = due(parse_term("5 workdays"), at(dt.date(2026, 3, 2)), CALENDAR)  # due Monday the 9th
    lights = {
        day: remaining(result, now=at(dt.date(2026, 3, day)), calendar=CALENDAR, amber=Term(2, Unit.WORKDAYS))
        for day in range(2, 12)
    }
    assert [lights[day].light.value for day in (2, 5, 6, 9, 10)] == [
        "green",
        "green",
        "amber",
        "amber",
        "red",
    ]
    assert lights[2].workdays == 5 and lights[9].workdays == 0 and lights[11].workdays == -2
    assert amber_from(result, CALENDAR, Term(24, Unit.HOURS)) == result.at - dt.timedelta(hours=24)
    assert {light.sign for light in Light} == {"●", "▲", "■", "‖"}


def test_a_time_without_a_zone_starts_no_term():
    with pytest.raises(ValueError):
        due(parse_term("1 day"), dt.datetime(2026, 1, 1), CALENDAR)
