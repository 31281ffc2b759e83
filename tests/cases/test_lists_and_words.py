"""An officer finds work in a long list: by light, by words, by page, with few statements however long it is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases import lists, words
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger.api import Sql

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
PACK = Path(__file__).parents[2] / "benchmarks" / "packs" / "five-steps"
NAMES = ("示例商贸有限公司", "新安电子厂", "海滨餐饮店", "宝安五金（集团）公司", "ＡＢＣ科技")


@pytest.fixture
def officer(db):
    identity.save_department("market", "市场监管局", "Market Supervision")
    cases.load_pack_version(PACK, NOW)
    return identity.save_account("o", display_name="周敏", role="officer", department="market")


@pytest.fixture
def opened(officer):
    """Sixty cases of the department, one a day."""
    ids = []
    for number in range(60):
        facts = {"department": "market", "subject_label": f"{NAMES[number % 5]}{number:02}", "amount": 1}
        when = NOW - dt.timedelta(days=60 - number)
        ids.append(
            cases.open_case(
                "five-steps",
                facts,
                opened_by=officer,
                department="market",
                idempotency_key=f"k{number}",
                now=when,
            )
        )
    return ids


def ids_of(page):
    return [row.case_id for row in page.rows]


def test_pages_follow_each_other_by_number_and_by_key(officer, opened):
    by_number = [
        case for page in (1, 2, 3) for case in ids_of(cases.tasks_for(officer, now=NOW, page=page, size=20))
    ]
    assert by_number == opened
    by_key, after = [], ""
    for _ in range(3):
        page = cases.tasks_for(officer, now=NOW, size=20, after=after)
        by_key, after = by_key + ids_of(page), page.last
    assert by_key == opened
    assert cases.tasks_for(officer, now=NOW, size=20, after=after).rows == []
    assert [row.case_id for row in cases.all_tasks(officer, now=NOW, filters=cases.Filters())] == opened


def test_lights_add_up_and_each_light_lists_what_it_counts(officer, opened):
    page = cases.tasks_for(officer, now=NOW, size=100)
    assert sum(page.counts.values()) == page.total == 60 and not page.more
    assert all(page.counts.values())
    for colour, number in page.counts.items():
        some = cases.tasks_for(officer, now=NOW, size=100, filters=cases.Filters(light=colour))
        assert len(some.rows) == some.total == number
        assert {row.light.colour for row in some.rows} == {colour}


def test_what_is_more_than_anybody_counts_is_said_to_be_more(officer, opened, client, monkeypatch):
    late = cases.tasks_for(officer, now=timezone.now()).counts["red"]
    assert 40 < late < 60
    client.force_login(officer)
    page = client.get("/cases/").content.decode()
    assert "共 60 件" in page and f'<span class="number">{late}</span>' in page
    monkeypatch.setattr(lists, "MOST", 40)
    monkeypatch.setattr(lists, "LEAST", 40)
    page = client.get("/cases/").content.decode()
    assert "共 40+ 件" in page and '<span class="number">40+</span>' in page


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("商贸", 12),
        ("电子", 12),
        ("abc", 12),
        ("集团", 12),
        ("贸", 12),
        ("滨餐", 12),
        ("餐滨", 0),
        ("厂01", 1),
    ],
)
def test_any_part_of_a_name_finds_it_before_and_after_it_was_indexed(officer, opened, text, number, indexed):
    if indexed:
        assert words.index_words() == 60 and words.index_words() == 0
    page = cases.tasks_for(officer, now=NOW, size=100, filters=cases.Filters(text=text))
    assert page.total == len(page.rows) == number


def test_a_case_number_finds_its_case(officer, opened):
    words.index_words()
    found = cases.tasks_for(officer, now=NOW, filters=cases.Filters(text=opened[7].lower()))
    assert ids_of(found) == [opened[7]]


def test_a_word_that_stands_everywhere_is_found_by_walking_the_list(officer, opened, monkeypatch):
    words.index_words()
    monkeypatch.setattr(words, "MOST", 5)
    page = cases.tasks_for(officer, now=NOW, size=5, filters=cases.Filters(text="公司"))
    assert page.total == 24 and ids_of(page) == [opened[0], opened[3], opened[5], opened[8], opened[10]]


def test_filters_and_signs_of_patterns_are_taken_as_they_are(officer, opened):
    asked = cases.Filters(pack="five-steps", text="%")
    assert cases.tasks_for(officer, now=NOW, filters=asked).total == 0
    assert cases.tasks_for(officer, now=NOW, filters=cases.Filters(pack="other")).total == 0
    assert cases.tasks_for(officer, now=NOW, filters=cases.Filters(pack="five-steps")).total == 60


def test_a_list_takes_at_most_twelve_statements(officer, opened, monkeypatch):
    words.index_words()
    plain, run = [], Sql.run

    def counted(self, statement, values=()):
        plain.append(statement)
        return run(self, statement, values)

    monkeypatch.setattr(Sql, "run", counted)
    for asked in (
        cases.Filters(),
        cases.Filters(text="商贸"),
        cases.Filters(light="red"),
        cases.Filters(text="公"),
    ):
        plain.clear()
        with CaptureQueriesContext(connection) as by_orm:
            cases.tasks_for(officer, now=NOW, filters=asked)
        assert 2 < len(plain) + len(by_orm) <= 12, (asked, plain, by_orm.captured_queries)
