"""A key stands once in a register; the public searches it and sees its history."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases import refusals
from chengshu.contexts.certificates import api, registers
from chengshu.contexts.certificates.models import RegisterKey
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import Actor
from tests_support.casework import CELL, firm_facts
from tests_support.engine_pack import OPINION, PERMIT, write_pack

R = {"register": "data-ip"}
ENTRY = {
    **R, "key": "sha256:abc", "title": "停车泊位数据集", "valid_from": dt.date(2026, 11, 23),
    "valid_to": dt.date(2029, 11, 22), "fields": {"holder": "示例公司", "industry": "交通"},
}  # fmt: skip


@pytest.fixture
def other(opened, step):
    return cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="finding:2", now=step.now
    )


def close(case_id, now):
    from chengshu.contexts.cases.models import Case

    Case.objects.filter(pk=case_id).update(closed_at=now)


def test_a_second_case_cannot_take_a_key_while_the_first_is_open(step, opened, other):
    step(opened, "reserve_key", **R, key="sha256:abc")
    step(opened, "reserve_key", **R, key=" sha256:abc ")
    with pytest.raises(Problem) as refused:
        step(other, "reserve_key", **R, key="sha256:abc")
    assert refused.value.code == "register-taken"


def test_a_key_is_free_again_when_its_case_ends_without_an_entry(step, opened, other):
    step(opened, "reserve_key", **R, key="sha256:abc")
    close(opened, step.now)
    step(other, "reserve_key", **R, key="sha256:abc")
    assert RegisterKey.objects.get().case_id == other


def test_a_kept_key_stays_taken_after_its_case_until_the_grant_is_undone(step, opened, other):
    step(opened, "reserve_key", **R, key="child")
    step(opened, "keep_key", **R)
    close(opened, step.now)
    with pytest.raises(Problem, match="只能办一次") as refused:
        step(other, "reserve_key", **R, key="child")
    # The system asks: it is told no number.
    assert opened not in str(refused.value) and "case" not in refused.value.extra
    step(opened, "release_key", **R)
    step(other, "reserve_key", **R, key="child")
    assert RegisterKey.objects.get().case_id == other


def test_what_was_granted_can_be_had_again_when_its_certificate_is_revoked(step, certificate, other):
    step(certificate.case_id, "reserve_key", **R, key="child")
    step(certificate.case_id, "keep_key", **R)
    step(certificate.case_id, "revoke_certificate", type="data-ip", reason="错发")
    assert not RegisterKey.objects.exists()


def test_only_who_may_see_the_earlier_case_is_told_its_number(step, opened, other, district):
    step(opened, "reserve_key", **R, key="child")
    for account, told in ((district.worker, True), (district.resident, False)):
        request = step.request(other, "reserve_key", {**R, "key": "child"})
        request = dataclasses.replace(request, actor=Actor(str(account.pk), account.display_name))
        with pytest.raises(Problem) as refused:
            registers.reserve_key(request)
        assert (refused.value.extra.get("case") == opened) is told
        assert (opened in refusals.in_words(refused.value)) is told


def test_nothing_is_kept_that_was_not_reserved(step, opened):
    with pytest.raises(Problem, match="没有占用"):
        step(opened, "keep_key", **R)


def test_an_entry_holds_its_key_after_the_case_and_frees_it_when_closed(step, opened, other):
    step(opened, "register_entry", **ENTRY)
    close(opened, step.now)
    with pytest.raises(Problem, match="同样的登记"):
        step(other, "register_entry", **ENTRY)
    step(opened, "close_entry", **R, how="cancelled", reason="权利人申请")
    assert step(other, "register_entry", **ENTRY)["number"] == 2
    assert [api.entry_state(row, dt.date(2026, 12, 1)) for row in api.entries("data-ip")] == [
        "active",
        "cancelled",
    ]


def test_an_entry_is_changed_and_says_what_was_before(step, opened):
    step(opened, "register_entry", **ENTRY)
    step(opened, "update_entry", **R, holder="受让公司", valid_to=dt.date(2032, 11, 22))
    row = api.entry("data-ip", 1)
    assert api.entries("data-ip", text="受让").count() == 1
    assert api.entries("data-ip", text="示例").count() == 0
    assert row.events.last().kind == "update" and "示例公司" in row.events.last().changes
    assert api.entry_state(row, dt.date(2033, 1, 1)) == "expired"


def test_money_stands_in_yuan_on_the_page_and_in_a_column_that_says_so(step, opened, tmp_path, client):
    cases.load_pack_version(write_pack(tmp_path / "opinion", OPINION), step.now)
    cases.load_pack_version(write_pack(tmp_path / "permit", PERMIT), step.now)
    paid = cases.open_case("permit", {"title": "甲"}, idempotency_key="p", now=step.now)
    step(paid, "register_entry", **{**ENTRY, "fields": {"fee": 123456, "points": 3}})
    page = client.get("/registers/data-ip/1").content.decode()
    assert "1,234.56 元" in page and "123456" not in page
    assert (
        "1,234.56 yuan"
        in client.get("/registers/data-ip/1", headers={"Accept-Language": "en"}).content.decode()
    )
    head, row = (line.split(",") for line in list(api.register_csv("data-ip", dt.date(2026, 12, 1)))[:2])
    held = dict(zip(head, row, strict=True))
    assert [held[name] for name in head if "元" in name] == ["1234.56"] and "3" in row


def test_a_case_without_an_entry_cannot_change_one(step, opened, other):
    step(opened, "register_entry", **ENTRY)
    with pytest.raises(Problem, match="没有有效的登记"):
        step(other, "update_entry", **R, title="别人的")


def test_the_public_searches_and_takes_the_register_away(step, opened, client):
    step(opened, "register_entry", **(ENTRY | {"title": "=HYPERLINK(1)"}))
    assert "有效登记" in client.get("/registers/").content.decode()
    page = client.get("/registers/data-ip/", {"q": "交通"}).content.decode()
    assert "HYPERLINK" in page
    assert "没有符合条件" in client.get("/registers/data-ip/", {"q": "不存在"}).content.decode()
    assert "示例公司" in client.get("/registers/data-ip/1").content.decode()
    csv = b"".join(client.get("/registers/data-ip/export.csv").streaming_content).decode()
    assert "'=HYPERLINK" in csv and "示例公司" in csv
    assert client.get("/registers/none/").status_code == 404
    body = client.get("/api/v1/registers/data-ip/entries", {"q": "交通"}).json()
    assert body["total"] == 1 and body["items"][0]["fields"][0]["value"]["zh"] == "示例公司"
