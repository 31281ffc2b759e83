"""Pages of the office: one command for many cases, supervision, payments, versions of packs, the list as a file."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, PaymentOrder
from chengshu.contexts.certificates.models import Register, RegisterEntry
from chengshu.contexts.identity import api as identity
from tests_support.casework import CELL, firm_facts
from tests_support.service_pack import write_service_pack


def browser(account):
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def three(district):
    """Three cases of today in the worker's cell; one of them cannot be counted like the others."""
    now = timezone.now() - dt.timedelta(minutes=5)
    return [
        cases.open_case(
            "grid-verification",
            firm_facts(subject_label=f"第{n}家公司"),
            cell_code=CELL,
            idempotency_key=f"b{n}",
            now=now,
        )
        for n in range(3)
    ]


def test_one_step_is_taken_in_many_cases_and_each_refusal_says_why(district, three):
    client = browser(district.worker)
    page = client.post("/cases/bulk", {"case": three}).content.decode()
    assert "所选 3 件" in page and "cannot_verify" in page
    assert (
        "核实无误" not in page.split("办哪一步")[1].split("所选办件")[0]
    )  # it takes a photo, and values of its own case
    form = client.post("/cases/bulk", {"case": three, "command": "cannot_verify"})
    key = re.search(r'name="key" value="(\w+)"', form.content.decode())[1]
    cases.command(
        three[1], "correct", {"corrected": "西乡街道1号"}, actor=district.worker, expected_version=None,
        idempotency_key=None, now=timezone.now(),
    )  # fmt: skip
    sent = {"case": [three[0], three[2]], "command": "cannot_verify", "key": key, "version": "0"}
    wrong = client.post("/cases/bulk", sent)
    assert wrong.status_code == 422 and "请填写这一项" in wrong.content.decode()
    stale = {f"version-{three[2]}": "7", "reason": "nobody-home"}
    done = client.post("/cases/bulk", sent | stale).content.decode()
    assert done.count("已办</span>") == 1 and "刚刚被别人处理过" in done
    assert (
        Case.objects.get(pk=three[0]).state == "second_visit" and Case.objects.get(pk=three[2]).version == 1
    )
    mixed = client.post("/cases/bulk", {"case": [three[0], three[1]]}).content.decode()
    assert "没有共同的步骤" in mixed


def test_the_list_is_narrowed_by_state(district, three):
    client = browser(district.worker)
    assert "第1家公司" in client.get("/cases/?pack=grid-verification&state=to_visit").content.decode()
    assert "没有符合条件" in client.get("/cases/?pack=grid-verification&state=overdue").content.decode()


def test_the_supervisor_sees_what_is_late_and_what_was_withdrawn_on_which_ground(district, three):
    cases.system_command(three[0], "withdraw", {"run_id": "r2"}, idempotency_key="w", now=timezone.now())
    Case.objects.filter(pk=three[1]).update(due_at=timezone.now() - dt.timedelta(days=3))
    operator = browser(district.operator)
    page = operator.get("/supervision/").content.decode()
    assert (
        "kind=overdue&amp;pack=grid-verification" in page and "撤回和撤销的依据" in page and "第十条" in page
    )
    late = operator.get("/supervision/cases?kind=overdue").content.decode()
    assert "第1家公司" in late and "第0家公司" not in late and "已超期" in late
    gone = operator.get(
        "/supervision/cases?kind=withdrawn&pack=grid-verification&article=house:10"
    ).content.decode()
    assert "第0家公司" in gone and "第十条" in gone


# As many packs as ship are loaded; lists hold cases of several, some late, some ended by the end of a child case.
PAGES = {
    "operator": [
        "/", "/staffing", "/cases/", "/cases/?view=all", "/cases/?view=all&pack=grid-verification",
        "/cases/hand-over", "/cases/failed-jobs",
        "/cases/packs", "/cases/packs/grid-verification", "/cases/payments", "/cases/notices", "/supervision/",
        "/supervision/cases?kind=open", "/supervision/cases?kind=ended", "/supervision/cases?kind=withdrawn&article=house:10",
        "/reports", "/hall/statistics", "/hall/ratings/",
    ],
    "officer": [
        "/", "/cases/", "/cases/?view=unclaimed&light=red", "/certificates/issued/", "/registers/",
        "/registers/data-ip/", "/hall/ratings/department", "/hall/statistics",
    ],
    "worker": ["/cases/"],
}  # fmt: skip


@pytest.fixture
def busy(district, three):
    """More than one page of cases of three packs, late ones and ended ones among them."""
    now = timezone.now()
    openings = [cases.Opening(firm_facts(), f"m{n}", cell_code=CELL) for n in range(40)]
    made = list(cases.open_many("grid-verification", openings, now=now).case_ids.values())
    Case.objects.filter(pk__in=made[:15]).update(due_at=now - dt.timedelta(days=1))
    for case_id in made[20:35]:
        cases.system_command(case_id, "withdraw", {"run_id": "r2"}, idempotency_key="w", now=now)
    for number in range(12):
        view = cases.command(
            made[number], "report", {"finding": "unlicensed", "description": "x"}, actor=district.worker, now=now,
            expected_version=None, idempotency_key=None,
        )  # fmt: skip
        child = view.children[0].case_id
        for name, data in (("accept", {}), ("result", {"result": "unfounded", "result_text": "x"})):
            cases.take_step(child, name, data, actor=district.officer, idempotency_key=name, now=now)
    while cases.run_jobs(now):
        pass
    Register.objects.create(code="data-ip", title_zh="数据知识产权", title_en="Data IP")
    today = now.date()
    RegisterEntry.objects.bulk_create(
        RegisterEntry(
            register="data-ip", number=n, key=f"k{n}", title=f"数据集{n}", search="", fields="[]", case_id=made[n],
            department="market", valid_from=today, entered_at=now, leaf_id=0,
        )
        for n in range(1, 31)
    )  # fmt: skip
    return made


def test_no_list_of_the_office_asks_the_database_more_than_fifteen_times(district, busy):
    asked = {}
    for who, paths in PAGES.items():
        client = browser(getattr(district, who))
        for path in paths:
            assert client.get(path).status_code == 200, path
            with CaptureQueriesContext(connection) as captured:
                client.get(path)
            asked[who, path] = len(captured)
    assert {page: number for page, number in asked.items() if number > 15} == {}


def questions(client, path):
    assert client.get(path).status_code == 200, path
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return len(captured)


def test_the_page_of_a_case_asks_no_more_for_eight_children_than_for_two(district, three):
    now, asked = timezone.now(), {}
    for parent, many in zip(three, (2, 8), strict=False):
        ended = set()
        for number in range(many):
            view = cases.command(
                parent, "report", {"finding": "unlicensed", "description": "x"}, actor=district.worker, now=now,
                expected_version=None, idempotency_key=f"r{number}",
            )  # fmt: skip
            (child,) = {each.case_id for each in view.children} - ended
            ended.add(child)
            for name, data in (("accept", {}), ("result", {"result": "unfounded", "result_text": "x"})):
                cases.take_step(child, name, data, actor=district.officer, idempotency_key=name, now=now)
            while cases.run_jobs(now):
                pass
        page = browser(district.worker).get(f"/cases/{parent}").content.decode()
        assert page.count("无证无照") >= many
        for who in ("worker", "operator"):
            asked[who, many] = questions(browser(getattr(district, who)), f"/cases/{parent}")
        asked["officer", many] = questions(browser(district.officer), f"/cases/{child}")
    summary = cases.load_summary(now)
    assert (summary["open"], summary["dead_jobs"], summary["unowned"]) == (3, 0, 0)
    assert all(asked[who, 2] == asked[who, 8] <= 15 for who in ("worker", "operator", "officer")), asked


def test_the_grid_staff_page_asks_no_more_when_many_are_away(district):
    operator, today = browser(district.operator), timezone.localdate()
    before = questions(operator, "/staffing"), questions(operator, "/")
    for number in range(6):
        away = identity.save_account(f"g{number}", display_name=f"网格员{number}", role="grid_worker")
        identity.set_absence(away, district.colleague if number % 2 else None, today, today)
    assert (questions(operator, "/staffing"), questions(operator, "/")) == before
    assert "代班：黄丽" in operator.get("/staffing").content.decode()


def test_finance_notes_a_payment_once_and_other_departments_have_no_such_page(district, three):
    identity.save_department("finance", "财政局", "Finance")
    clerk = identity.save_account("fin", display_name="钱会计", role="officer", department="finance")
    order = PaymentOrder.objects.create(
        case_id=three[0], key="k", direction="out", amount=123456, payee="示例收款人", purpose="补贴",
        ordered_at=timezone.now(),
    )  # fmt: skip
    client = browser(clerk)
    assert "1,234.56" in client.get("/cases/payments").content.decode()
    refused = client.post(f"/cases/payments/{order.pk}/settle", {"how": "paid"}, follow=True).content.decode()
    assert "请填写支付凭证号" in refused
    done = client.post(
        f"/cases/payments/{order.pk}/settle", {"how": "paid", "reference": "YH-1"}, follow=True
    )
    assert "已登记支付" in done.content.decode() and PaymentOrder.objects.get().state == "paid"
    assert browser(district.officer).get("/cases/payments").status_code == 404


def test_versions_are_compared_and_live_cases_moved_after_a_dry_run(district, tmp_path):
    now = timezone.now()
    cases.load_pack_version(write_service_pack(tmp_path / "one"), now)
    case_id = cases.open_case(
        "rich",
        {"title": "甲", "kind": "plain", "papers": ["0" * 64]},
        opened_by=district.resident,
        idempotency_key="m",
        now=now,
    )
    folder = write_service_pack(tmp_path / "two", "1.1.0")
    states = (folder / "states.yaml").read_text()
    (folder / "states.yaml").write_text(states.replace("    not_who: [opened]\n", ""))
    cases.load_pack_version(folder, now)
    visitor = Client()
    page = visitor.get("/cases/packs/rich/versions").content.decode()
    assert "1.1.0" in page and "修改" in page and "回避" in page
    assert "这是以前的版本" in visitor.get("/cases/packs/rich?version=1.0.0").content.decode()
    operator = browser(district.operator)
    dry = operator.get("/cases/packs/rich/migrate").content.decode()
    assert (
        "可以转换" in dry and "合适" in dry and Case.objects.get(pk=case_id).pack_version.version == "1.0.0"
    )
    assert operator.post("/cases/packs/rich/migrate", {"reason": ""}).status_code == 422
    done = operator.post("/cases/packs/rich/migrate", {"reason": "放宽"}).content.decode()
    assert "已转换" in done and Case.objects.get(pk=case_id).pack_version.version == "1.1.0"
