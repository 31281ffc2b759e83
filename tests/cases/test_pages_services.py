"""Applying for a pack in the browser without a script: sections, drafts, rows, files, check answers, receipt."""

from __future__ import annotations

import io
import re

import pytest
from django.test import Client
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Case, Draft, EvidenceFile
from chengshu.contexts.identity import api as identity
from tests_support.service_pack import write_service_pack

PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\n%%EOF\n"


@pytest.fixture
def service(district, tmp_path):
    """A district in which the pack may be applied for."""
    cases.load_pack_version(write_service_pack(tmp_path / "rich"), timezone.now())
    return district


def browser(account, **headers):
    client = Client(headers=headers)
    client.force_login(account)
    return client


def paper(name="申请书.pdf", content=PDF):
    file = io.BytesIO(content)
    file.name = name
    return file


@pytest.fixture
def draft(service):
    """A draft of the resident with nothing in it."""
    client = browser(service.resident)
    answer = client.post("/services/rich/start")
    return client, answer["Location"]


WHAT = {"title": "甲", "kind": "odd", "why_odd": "因为", "born": "2026-11-01", "drill": "false"}
MORE = {
    "items-count": "2",
    "items-0-name": "笔",
    "items-0-cost": "1,234.50",
    "items-1-name": "纸",
    "items-1-cost": "",
}


def filled(client, url):
    client.post(f"{url}/sections/what", WHAT)
    return client.post(f"{url}/sections/more", {**MORE, "papers": paper()})


def test_services_are_what_one_may_apply_for(service):
    page = browser(service.resident).get("/services/").content.decode()
    assert "富规程" in page and "试一试" in page and "网格核查" not in page
    start = browser(service.resident).get("/services/rich").content.decode()
    assert "开始填写" in start and "《富法》" in start and "怎么算的" in start


def test_an_application_goes_from_the_list_of_sections_to_a_receipt(draft, service):
    client, url = draft
    assert "未开始" in client.get(url).content.decode()
    onward = client.post(f"{url}/sections/what", WHAT)
    assert onward["Location"].endswith("/sections/more")
    done = client.post(f"{url}/sections/more", {**MORE, "papers": paper()})
    assert done["Location"] == f"{url}/check"
    check = client.get(done["Location"]).content.decode()
    for text in ("甲", "因为", "1,234.50 元", "申请书.pdf", "否", "修改"):
        assert text in check, text
    answer = client.post(f"{url}/check", follow=True)
    page = answer.content.decode()
    case = Case.objects.get(pack="rich")
    assert case.pk in page and "最迟" in page and "《富法》" in page
    assert EvidenceFile.objects.get(case=case).seq == 1 and not Draft.objects.exists()
    shown = client.get(f"/cases/{case.pk}").content.decode()
    for text in ("1,234.50 元", "申请书.pdf", "未查毒", "SHA-256", "办到哪里了", "各方都用足期限"):
        assert text in shown, text
    assert case.pk in client.get("/my/cases").content.decode()


def test_a_question_that_hangs_on_another_is_asked_only_then(draft):
    client, url = draft
    page = client.get(f"{url}/sections/what").content.decode()
    assert re.search(r'data-field="why_odd" hidden', page)
    refused = client.post(f"{url}/sections/what", {**WHAT, "why_odd": ""})
    assert refused.status_code == 422 and 'data-field="why_odd" hidden' not in refused.content.decode()
    assert client.post(f"{url}/sections/what", {**WHAT, "kind": "plain", "why_odd": ""}).status_code == 302


def test_what_was_typed_is_kept_right_or_wrong_also_by_itself(draft):
    client, url = draft
    script = {"HX-Request": "true"}
    answer = client.post(f"{url}/sections/what", {**WHAT, "born": "32.13.2026"}, headers=script)
    assert (
        answer["X-Asked"].split() and "why_odd" in answer["X-Asked"] and "已保存于" in answer.content.decode()
    )
    page = client.get(f"{url}/sections/what").content.decode()
    assert 'value="甲"' in page and 'value="32.13.2026"' in page
    assert "填了一部分" in client.get(url).content.decode()


def test_rows_come_and_go_without_a_script(draft):
    client, url = draft
    page = client.post(f"{url}/sections/more", {"items-count": "0", "rows": "items:add"}).content.decode()
    assert "第 1 行" in page and "error-summary" not in page
    rows = {**MORE, "rows": "items:drop:0"}
    page = client.post(f"{url}/sections/more", rows).content.decode()
    assert 'name="items-count" value="1"' in page and 'value="纸"' in page and 'value="笔"' not in page
    wrong = {"items-count": "1", "items-0-name": "", "items-0-cost": "x", "papers": paper()}
    page = client.post(f"{url}/sections/more", wrong).content.decode()
    assert "第 1 行“名目”" in page and "第 1 行“金额”" in page and 'id="id_items-0-cost_error"' in page


def test_a_file_is_added_to_the_draft_refused_with_its_reason_and_taken_out(draft, settings):
    client, url = draft
    page = client.post(f"{url}/sections/more", {"papers": paper("x.exe", b"MZ")})
    assert page.status_code == 422 and "不是可以读取的照片" in page.content.decode()
    settings.VIRUS_SCAN = 'python3 -c \'import sys; sys.exit(b"VIRUS" in open(sys.argv[1], "rb").read())\''
    page = client.post(f"{url}/sections/more", {"papers": paper("x.pdf", PDF + b"VIRUS")})
    assert "查毒发现" in page.content.decode()
    client.post(f"{url}/sections/more", {"papers": paper()})
    page = client.get(f"{url}/sections/more").content.decode()
    digest = re.search(r'name="drop_file" value="(\w{64})"', page)[1]
    client.post(f"{url}/sections/more", {"drop_file": digest})
    assert "drop_file" not in client.get(f"{url}/sections/more").content.decode()


def test_nothing_is_submitted_that_is_not_sound(draft):
    client, url = draft
    client.post(f"{url}/sections/what", {**WHAT, "born": "2126-01-01"})
    page = client.get(f"{url}/check").content.decode()
    assert "确认并提交" not in page and f"{url}/sections/more?back=check#id_papers" in page
    assert client.post(f"{url}/check").status_code == 422 and not Case.objects.filter(pack="rich").exists()
    filled(client, url)
    client.post(f"{url}/sections/what", {**WHAT, "born": "2126-01-01"})
    page = client.post(f"{url}/check")
    assert page.status_code == 422 and "日期不能晚于今天" in page.content.decode()


def test_a_draft_is_nobody_elses_business_and_comes_back_when_deleted_by_mistake(draft, service):
    client, url = draft
    number = url.rsplit("/", 1)[1]
    assert browser(service.officer).get(url).status_code == 404
    client.post(f"{url}/delete")
    assert client.get(url).status_code == 404
    page = client.get("/services/drafts/").content.decode()
    assert "最近删除" in page and f"/services/drafts/{number}/restore" in page
    client.post(f"{url}/restore")
    assert client.get(url).status_code == 200


def test_the_officer_reviews_with_grounds_and_remarks_that_the_applicant_never_sees(draft, service):
    client, url = draft
    filled(client, url)
    client.post(f"{url}/check")
    case = Case.objects.get(pack="rich")
    assert case.department == "market"
    officer = browser(service.officer)
    page = officer.get(f"/cases/{case.pk}").content.decode()
    assert "领取" in page and "内部备注" in page
    officer.post(f"/cases/{case.pk}/claim")
    officer.post(f"/cases/{case.pk}/comment", {"text": "材料看起来不齐"})
    assert "材料看起来不齐" in officer.get(f"/cases/{case.pk}").content.decode()
    mine = client.get(f"/cases/{case.pk}").content.decode()
    assert "材料看起来不齐" not in mine and "内部备注" not in mine
    form = officer.get(f"/cases/{case.pk}/do/review").content.decode()
    assert "迟（" in form and "《富法》" in form
    asked = officer.post(f"/cases/{case.pk}/do/review", {"verdict": "bad"}, headers={"HX-Request": "true"})
    assert asked.status_code == 204 and "reasons" in asked["X-Asked"]
    sent = {
        "version": re.search(r'name="version" value="(\d+)"', form)[1],
        "key": "k1", "verdict": "bad", "reasons": ["late", "untrue"],
    }  # fmt: skip
    assert officer.post(f"/cases/{case.pk}/do/review", sent).status_code == 302
    assert Case.objects.get(pk=case.pk).outcome == "bad"
    mine = client.get(f"/cases/{case.pk}").content.decode()
    assert "迟" in mine and "《富法》" in mine


def test_the_public_objects_on_a_page_that_only_draws_the_panel(draft, service, rf):
    from django.contrib.messages.storage.fallback import FallbackStorage

    client, url = draft
    filled(client, url)
    client.post(f"{url}/check")
    case = Case.objects.get(pack="rich")

    def sent(account, data=None):
        request = rf.post("/notices/1", data) if data else rf.get("/notices/1")
        request.user, request.session = account, {}
        request._messages = FallbackStorage(request)
        return cases.public_panel(request, case.pk, back="/notices/1")

    panel = sent(service.stranger)
    command, form = panel.commands[0]
    key = form["key"].value()
    answer = sent(service.stranger, {"public_command": "note", "note-key": key, "note-version": "1"})
    assert answer.wrong and "why" in answer.commands[0][1].errors
    data = {
        "public_command": "note",
        "note-key": key,
        "note-version": "1",
        "note-why": "抄我的",
        "note-proof": paper(),
    }
    taken = sent(service.stranger, data)
    assert taken.status_code == 302 and EvidenceFile.objects.filter(case=case).count() == 2
    assert browser(service.stranger).get(f"/cases/{case.pk}").status_code == 404
    assert identity.account(service.stranger.pk) is not None and command.name == "note"
