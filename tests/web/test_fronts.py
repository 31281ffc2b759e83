"""The front page of each role, on an empty district and with something to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chengshu.contexts.identity import api as identity
from chengshu.contexts.operations.models import PageReport
from chengshu.contexts.subjects.models import CurrentSnapshot, Run, RunSource


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("", "一个闭环"),
        ("resident", "办事和数据，一处看清"),
        ("grid_worker", "今天没有要核查的"),
        ("steward", "还没有运行过"),
        ("officer", "市场监管局"),
        ("operator", "网格与人手"),
        ("clerk", "大厅窗口"),
    ],
)
def test_each_role_has_its_front_page_also_in_an_empty_district(browsers, role, said):
    assert said in browsers[role].get("/").content.decode()


def test_the_operator_is_led_to_what_they_connect(browsers):
    page = browsers["operator"].get("/").content.decode()
    for url in ("/systems/", "/account/tokens", "/hotline/keys", "/messages/deliveries", "/exports/trace"):
        assert f'href="{url}"' in page, url
        assert browsers["operator"].get(url).status_code == 200


def test_who_comes_for_the_first_time_may_search_at_once(browsers):
    for role in ("", "resident"):
        assert 'action="/hall/search"' in browsers[role].get("/").content.decode()


def published(number, **figures):
    run = Run.objects.create(
        run_id=f"r{number}", state=Run.State.PUBLISHED, started_at=timezone.now(), rows=1000, accepted=990, refused=10,
        facts={"subjects": {"person": 700, "firm": 53}, "conflicts": {"person": 41}}, **figures,
    )  # fmt: skip
    RunSource.objects.create(
        run=run, source="a.b", department="market", kind="firm", rows=1000, placed=800, addressed=900
    )
    CurrentSnapshot.objects.update_or_create(pk=1, defaults={"run": run, "published_at": timezone.now()})
    return run


def test_the_steward_meets_the_last_run_in_figures(browsers):
    published(1)
    page = browsers["steward"].get("/").content.decode()
    for figure in ("1,000", "990", ">10<", "99.0 %", "88.9 %", "753", ">41<"):
        assert figure in page, figure


def test_a_run_that_found_nothing_new_shows_the_figures_in_force(browsers):
    published(1)
    Run.objects.create(run_id="r2", state=Run.State.UNCHANGED, started_at=timezone.now())
    page = browsers["steward"].get("/").content.decode()
    assert "r2" in page and "无变化" in page and "1,000" in page


def test_the_worker_sees_for_whom_they_stand_in(browsers):
    colleague = identity.save_account("colleague", display_name="李四", role="grid_worker")
    today = timezone.localdate()
    identity.set_absence(
        colleague, identity.account_named("web-grid_worker"), today, today + timedelta(days=1)
    )
    page = browsers["grid_worker"].get("/").content.decode()
    assert "今天代班" in page and "李四" in page


def test_the_operator_sees_who_is_away_and_who_stands_in(browsers):
    today = timezone.localdate()
    worker = identity.account_named("web-grid_worker")
    identity.set_absence(worker, None, today, today)
    assert "无人代班" in browsers["operator"].get("/staffing").content.decode()


def test_the_operator_sees_how_many_reports_wait(browsers):
    PageReport.objects.create(text="x", at=timezone.now())
    assert "1 条错误报告待处理" in browsers["operator"].get("/").content.decode()


def test_the_menu_of_a_role_leads_only_where_the_role_may_go(browsers):
    import re

    for browser in browsers.values():
        page = browser.get("/").content.decode()
        for link in set(re.findall(r'href="(/[^"#]*)"', page.split("<main")[0])):
            assert browser.get(link, follow=True).status_code == 200, link


def test_pages_speak_english_when_asked(browsers):
    for role, said in {
        "": "One closed loop",
        "operator": "District operations",
        "officer": "Returns",
    }.items():
        page = browsers[role].get("/", headers={"Accept-Language": "en"}).content.decode()
        assert said in page
        assert '<html lang="en"' in page
