"""Data intellectual property in a real browser: from the form over an objection of the public to a verified certificate.

Each step is taken by the one whose work it is, on the pages they have. Only the ten working days of the public notice are
not waited for: the end of that term is reported as if its day had come.
"""

from __future__ import annotations

import hashlib
import os
import re

import pytest
from browsing import act, fill, opened, text
from walking import PDF

pytestmark = pytest.mark.browser
# A register takes a data set once: each walk brings one of its own.
DIGEST = hashlib.sha256(os.urandom(16)).hexdigest()
SECTIONS = [
    {"applicant_kind": "firm", "applicant": "宝安示例数据有限公司", "applicant_id": "91110108MA01EXAM0X",
     "phone": "13800000000", "basis_of_right": "law"},
    {"joint": "false", "commissioned": "no", "agent": "false"},
    {"name": "路段拥堵指数数据集合", "industry": "i", "scenario": "判断路段拥堵", "undisclosed": "true"},
    {"origin": "own", "source": "自有设备采集", "formed_on": "2026-08-31", "source_proof": PDF},
    {"records": "120000", "update_frequency": "daily", "algorithm": "按路段聚合", "personal_data": "false",
     "public_data": "false"},
    {"evidence_kind": "here", "data_digest": DIGEST, "sample": PDF},
    {"dispute_state": "undisputed", "withdrawn_before": "false", "truthful": "true"},
]  # fmt: skip


def apply_for_registration(page):
    page.goto("/services/")
    page.get_by_role("link", name="数据知识产权登记", exact=True).click()
    page.get_by_role("link", name="改用分栏表单").click()
    assert "今天提交，最迟" in text(page)
    page.get_by_role("button", name="开始填写").click()
    page.get_by_role("link", name="申请人", exact=True).click()
    for answers in SECTIONS:
        fill(page, answers)
        if "records" in answers:
            page.get_by_role("button", name="加一行").click()
            fill(page, {"structure-0-field": "road_id", "structure-0-format": "text"})
        page.get_by_role("button", name="保存并继续").click()
    assert page.url.endswith("/check") and "路段拥堵指数数据集合" in text(page)
    page.get_by_role("button", name="确认并提交").click()
    assert "已收到您的申请" in text(page) and "最迟" in text(page) and "第八条" in text(page)
    return page.url.rsplit("/", 1)[1]


def test_a_data_set_is_registered_over_an_objection_and_its_certificate_verified(visit, hours):
    # 1. The applicant fills in seven sections, each saved as one types, and gets a receipt with what is due by when.
    applicant = visit("applicant").page
    case = apply_for_registration(applicant)

    # 2. The officer claims it from the list, checks it and opens the public notice.
    officer = visit("officer-ip").page
    officer.goto("/cases/")
    officer.keyboard.press("j")
    assert officer.locator("[data-row][data-active]").count() == 1
    officer.goto(f"/cases/{case}")
    officer.get_by_role("button", name="领取").click()
    act(officer, case, "pass")

    # 3. Somebody objects on the public notice, with evidence; the case file stays closed to them.
    public = visit("objector", phone=True).page
    public.goto("/notices/")
    public.get_by_role("link", name="路段拥堵指数数据集合").first.click()
    public.locator(".open-form > summary").click()
    fill(
        public,
        {
            "objector": "梁辉",
            "objection_ground": "ownership",
            "objection": "这是我的数据",
            "objection_proof": PDF,
        },
        "object-",
    )
    public.locator(".public-command form .actions button").click()
    assert "已收到：提出异议" in text(public)
    objection = re.search(r"回执号 (C\w+)", text(public))[1]
    assert public.request.get(f"/cases/{case}").status == 404

    # 4. The objection is a case with a clock of its own: forwarded, answered, forwarded back, supplemented, decided.
    act(officer, objection, "forward")
    act(applicant, objection, "answer", {"answer": "由我方采集", "answer_proof": PDF})
    act(officer, objection, "forward_answer")
    act(public, objection, "supplement", {"supplement": "没有更多", "supplement_proof": PDF})
    act(officer, objection, "decide", {"holds": "false", "decision_text": "证据不足"})

    opened(officer, f"/cases/{case}", lambda: "收到异议处理结果" in text(officer))

    # 5. The notice ends; a second officer approves: nobody decides on what they checked themselves.
    hours.end(case, "notice", "notice_over")
    opened(officer, f"/cases/{case}", lambda: "异议处理 ·" not in text(officer))
    assert officer.locator(f"a[href='/cases/{case}/do/approve']").count() == 0
    officer.get_by_role("link", name="转交").click()
    officer.locator("select[name=account]").select_option(label="高明（知识产权审查）")
    fill(officer, {"reason": "由审查岗核准"})
    officer.locator("main form .actions button").click()
    assert "已转交给高明" in text(officer)
    second = visit("officer-ip2").page
    act(second, case, "approve")

    # 6. The applicant has the certificate on the case's page; anyone verifies it by its number.
    applicant.goto(f"/cases/{case}")
    applicant.locator("main a[href*='/certificates/']").first.click()
    number = re.search(r"/certificates/([^/?#]+)", applicant.url)[1]
    visitor = visit().page
    visitor.goto("/verify/")
    visitor.locator("textarea[name=text]").fill(number)
    visitor.get_by_role("button", name="核验").click()
    assert "有效" in text(visitor)
    visitor.goto("/registers/data-ip/")
    assert "路段拥堵指数数据集合" in text(visitor)
