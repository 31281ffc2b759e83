"""Two regulations in a real browser: a mandatory standard from a citizen's suggestion to the day it is in force, and a
government app from its need over two findings to its end.

Terms that the walk cannot wait for (the public's weeks to comment, the transition) end as if their day had come; the page
has shown that day before.
"""

from __future__ import annotations

import pytest
from browsing import act, text
from walking import (
    MARK,
    PDF,
    TODAY,
    after,
    apply_for,
    claim,
    due_after,
    faults,
    say_in_public,
    wait_to_see,
)

pytestmark = pytest.mark.browser


def test_what_a_citizen_suggests_becomes_a_standard_in_force(visit, hours):
    title, number = f"电动自行车充电场所{MARK}", f"GB 46{MARK}-2026"
    citizen, office, fire = (visit(name).page for name in ("applicant", "officer-standards", "officer-fire"))
    case = apply_for(citizen, "mandatory-standard", {
        "what": {"kind": "public", "title": title, "purpose": "health-safety", "general": "true", "urgent": "true"},
        "why": {"need": "充电场所火灾多发，试点证明统一要求可行。", "survey": "true", "international": "none"},
        "enforcement": {"supervisor_body": "消防救援机构", "sanction_basis": "《中华人民共和国消防法》第六十条"},
    })  # fmt: skip

    # The authority claims it, names the department that drafts, and lays the project open for seven days.
    claim(office, case)
    wrong = faults(office)
    office.locator(f"a[href='/cases/{case}/do/adopt']").click()
    wrong += faults(office)
    act(office, case, "adopt", {"to_department": "fire"})
    act(office, case, "publish_project", {"project_until": after(7)})
    assert f"截止 {after(7)}" in text(office)
    anyone = visit("objector", phone=True).page
    say_in_public(anyone, title, "comment", {"clause": "3.1", "opinion": "赞成立项"})
    hours.end(case, "project_comments", "close_project_comments")
    act(office, case, "approve_project", {"plan_number": f"2026{MARK}-Q-000"})
    assert "赞成立项" in text(office)

    # The drafting department lays the draft open; whoever chairs the review is none of those who drafted.
    claim(fire, case)
    act(fire, case, "publish_draft", {
        "all_mandatory": "true", "verifiable": "true", "no_drafters_named": "true", "comments_until": after(30), "draft": PDF,
    })  # fmt: skip
    say_in_public(anyone, f"征求意见稿：{title}", "comment", {"opinion": "建议明确过渡期"})
    hours.end(case, "comments", "close_comments")
    act(fire, case, "submit_review", {"handled": "采纳一条", "chair": "officer-industry2"})
    chair = visit("officer-industry2").page
    act(chair, case, "pass_review", {"minutes": "一致同意"})
    act(fire, case, "submit_approval", {"approval_draft": PDF})

    # Released: the text is owed within twenty days, the standard binds on its day and no earlier.
    act(office, case, "release", {"number": number, "in_force_on": after(180)})
    assert f"截止 {due_after(20)}" in text(office) and f"截止 {after(179)}" in text(office)
    act(office, case, "publish_text", {"address": "https://openstd.example.cn/46"})
    anyone.goto(f"/notices/?q={title}")
    assert "强制性国家标准公告" in text(anyone)
    anyone.goto("/registers/mandatory-standards/")
    assert number in text(anyone)
    hours.end(case, "transition", "enter_force")
    wait_to_see(citizen, f"/cases/{case}", "现行有效")
    assert not wrong, wrong


def test_an_app_is_filed_found_to_burden_people_mended_and_merged(visit, hours):
    name = f"宝安巡查通{MARK}"
    owner, bureau, second = (visit(each).page for each in ("officer-urban", "officer-data", "officer-data2"))
    case = apply_for(owner, "app-filing", {
        "what": {"name": name, "kind": "mini-program", "unit": "宝安区城管局", "level": "district", "users": "staff"},
        "why": {"purpose": "巡查员上报占道经营", "planned": "true", "overlaps": "false", "embeddable": "false",
                "shares_data": "true"},
    })  # fmt: skip

    # Needed, built, told once what lacks, complete; another officer than the one who saw the need admits it.
    claim(bureau, case)
    act(bureau, case, "approve_need")
    papers = {"app_version": "1.0", "tests": PDF, "operations": "专人运维"}
    act(owner, case, "file", papers)
    act(bureau, case, "ask", {"lacking": "等级保护测评报告"})
    act(owner, case, "supply", papers)
    act(bureau, case, "complete")
    assert bureau.locator(f"a[href='/cases/{case}/do/admit']").count() == 0
    reviewed = ("no_check_in", "no_ranking", "no_forced_login", "stable", "protected", "complaints_open")
    act(second, case, "admit", dict.fromkeys(reviewed, "true"))
    visitor = visit().page
    visitor.goto("/registers/government-apps/")
    assert name in text(visitor)

    # A month's figures: what asks people twice is found by the table, ordered to be mended, mended, looked at again.
    month = {"month": TODAY.strftime("%Y-%m"), "entitled": "1000", "active": "500", "same_purpose": "false", "asked_again": "4",
             "unfiled_change": "false", "forced": "false"}  # fmt: skip
    bureau.goto(f"/cases/{case}/do/monitor")
    wrong = faults(bureau)
    act(bureau, case, "monitor", month)
    assert "多头填报" in text(bureau)
    wrong += faults(bureau)
    act(bureau, case, "order_mending", {"order_text": "取消重复填报"})
    assert f"截止 {due_after(30)}" in text(bureau)
    act(owner, case, "mended", {"done_text": "改为自动带出"})
    act(bureau, case, "accept_mending")

    # The next month hardly anybody uses it: it is merged into another one, and the public reads so.
    act(bureau, case, "monitor", {**month, "active": "20", "asked_again": "0"})
    assert "过多过滥" in text(bureau)
    act(bureau, case, "order_merging", {"into_app": "i深圳", "order_text": "并入统一入口"})
    act(owner, case, "merged", {"done_text": "功能已迁移"})
    wait_to_see(visitor, f"/notices/?q={name}", "整合公告")
    assert not wrong, wrong
