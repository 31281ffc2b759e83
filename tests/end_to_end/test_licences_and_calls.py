"""Two regulations in a real browser: a museum licenses an image, and a call for 5G factories ends in a list.

Terms that the walk cannot wait for end as if their day had come. Six reviews of two applications are needed; each kind of
step is taken in the browser once, the rest by the same commands without a page.
"""

from __future__ import annotations

import re

import pytest
from browsing import act, fill, text
from walking import (
    MARK,
    PDF,
    after,
    apply_for,
    claim,
    faults,
    find_task,
    say_in_public,
    wait_to_see,
)

pytestmark = pytest.mark.browser
CODE = "91350100M000100Y43"


def test_an_image_is_offered_licensed_by_another_hand_sampled_disputed_and_archived(visit, hours):
    title, contract = f"青花缠枝莲纹盘{MARK}", f"SQ-{MARK}"
    curator, director, firm = (
        visit(each).page for each in ("officer-culture", "officer-culture2", "applicant")
    )
    case = apply_for(curator, "museum-licensing", {
        "what": {"title": title, "right": "copyright", "respectful": "true", "no_objects": "true", "social_first": "true",
                 "title_clear": "true", "title_proof": "本馆拍摄，著作权归本馆。"},
        "how": {"mode": "direct", "nature": "sole", "uses": "文具、家居纺织品图案"},
    })  # fmt: skip

    # Whoever proposed it does not approve it; the offer is public, and a firm applies on it.
    curator.goto(f"/cases/{case}")
    assert curator.locator(f"a[href='/cases/{case}/do/approve_content']").count() == 0
    claim(director, case)
    wrong = faults(director)
    act(director, case, "approve_content")
    act(director, case, "publish_offer", {"offer_until": after(15)})
    assert f"截止 {after(15)}" in text(director)
    say_in_public(
        firm, title, "apply", {"firm": "福州示例文创有限公司", "credit_code": CODE, "plan": "开发文具系列"}
    )
    hours.end(case, "offer", "close_offer")
    act(director, case, "select", {
        "licensee": "applicant", "licensee_name": "福州示例文创有限公司", "licensee_code": CODE, "no_conflict": "true",
        "reasons": "方案成熟",
    })  # fmt: skip
    act(
        director,
        case,
        "agree",
        {"fee": "50000", "payment": "签约后三十日内一次付清", "outputs_owner": "shared"},
    )

    # Whoever chose the firm does not sign, and gives the case back; the contract stands in the register for all to see.
    assert director.locator(f"a[href='/cases/{case}/do/sign']").count() == 0
    director.get_by_role("link", name="退回").click()
    fill(director, {"reason": "选定人不签约"})
    director.locator("main form .actions button").click()
    curator.goto(f"/cases/{case}/do/sign")
    wrong += faults(curator)
    act(curator, case, "sign", {
        "contract_number": contract, "subject": "数字影像一件", "scope": "中国境内，文具", "nature_agreed": "sole",
        "starts_on": after(0), "ends_on": after(365), "dispute_way": "arbitration", "breach_rule": "终止授权", "contract": PDF,
    })  # fmt: skip
    assert f"截止 {after(365)}" in text(curator) and "50,000.00 元" in text(curator)
    visitor = visit().page
    visitor.goto("/registers/museum-licences/")
    assert title in text(visitor) and "福州示例文创有限公司" in text(visitor)

    # The firm shows a sample, reports, disputes; the museum answers each, ends it early and puts the file away.
    act(firm, case, "submit_sample", {"product": "缠枝莲笔记本"})
    act(director, case, "pass_sample")
    act(firm, case, "report", {"period": "2026年下半年", "sales": "120000"})
    act(firm, case, "dispute", {"claim": "提成计算有误"})
    act(director, case, "settle", {"settlement": "重新计算", "goes_on": "true"})
    act(director, case, "end_early", {"reason_text": "双方同意"})
    act(director, case, "archive", {"file_number": contract})
    wait_to_see(firm, f"/cases/{case}", "已归档")
    visitor.reload()
    assert "已注销" in text(visitor)
    assert not wrong, wrong


def entry(name, **more):
    """What a firm says in its application for a production line."""
    return {
        "name": name, "firm": "宝安示例塑胶有限公司", "credit_code": CODE, "category": "line", "connected": "true",
        "collected": "true", "secured": "true", "plan": "产线设备联网", "recommended_by": "新安街道办事处", **more,
    }  # fmt: skip


def test_the_better_of_two_lines_is_listed_over_an_objection(visit, hours):
    title, first_line, second_line = f"5G工厂征集{MARK}", f"注塑产线{MARK}", f"装配产线{MARK}"
    office, head = visit("officer-industry").page, visit("officer-industry2").page
    call = apply_for(
        office, "5g-factory", {"call": {"title": title, "purpose": "应用成效明显，可以推广", "quota": "1"}}
    )
    act(head, call, "publish", {"apply_until": after(20)})
    wrong = faults(head)
    firm, rival = visit("applicant").page, visit("objector", phone=True).page
    say_in_public(firm, f"征集：{title}", "apply", entry(first_line))
    application = re.search(r"回执号 (C\w+)", text(firm))[1]
    say_in_public(rival, f"征集：{title}", "apply", entry(second_line))
    other = re.search(r"回执号 (C\w+)", text(rival))[1]

    # One lacks something and mends it once; the form lists the grounds on which it might be rejected.
    act(office, other, "ask", {"lacking": "推荐意见原件"})
    act(rival, other, "mend", {"plan_mended": "产线设备联网，附推荐意见"})
    office.goto(f"/cases/{other}/do/reject")
    assert "不符合申报条件" in text(office) and "第三条" in text(office)

    # Three experts: one declares and scores, one steps aside and is replaced; what was seen once comes without a page.
    act(office, application, "accept", {"experts": "officer-data\nofficer-data2\nofficer-health2"})
    wrong += faults(office)
    expert, kin = visit("officer-data").page, visit("officer-data2").page
    own, relative = find_task(expert, first_line), find_task(kin, first_line)
    act(expert, own, "declare_none")
    expert.goto(f"/cases/{own}/do/score")
    wrong += faults(expert)
    act(expert, own, "score", {"innovation": "20", "effect": "30", "spread": "20", "opinion": "数据真实"})
    act(kin, relative, "recuse", {"conflict": "kin"})
    wait_to_see(office, f"/cases/{application}", "需要更换")
    act(office, application, "replace_expert", {"expert": "officer-market2"})
    for who in ("officer-health2", "officer-market2"):
        hours.take_on(application, who, "declare_none")
        hours.take_on(application, who, "score", innovation=20, effect=32, spread=18, opinion="可行")
    act(head, application, "check_site", {"as_described": "true", "findings": "设备在用"})
    wait_to_see(office, f"/cases/{application}", "评审完成")
    act(office, application, "finish")
    experts = ["officer-data", "officer-data2", "officer-health2"]
    hours.take(other, "officer-industry", "accept", experts=experts)
    for who in experts:
        hours.take_on(other, who, "declare_none")
        hours.take_on(other, who, "score", innovation=28, effect=36, spread=26, opinion="成效突出")
    hours.take(other, "officer-industry2", "check_site", as_described=True, findings="设备在用")
    wait_to_see(office, f"/cases/{other}", "评审完成")
    hours.take(other, "officer-industry", "finish")

    # The window closes, the ranking is shown to the public for five working days, and somebody objects.
    hours.end(call, "window", "close")
    wait_to_see(office, f"/cases/{call}", "排序并公示")
    act(office, call, "rank")
    visitor = visit("resident", phone=True).page
    say_in_public(
        visitor, f"拟列入名单公示：{title}", "object", {"project": second_line, "objection": "产线尚未投产"}
    )
    shown = text(visitor)
    assert second_line in shown and first_line not in shown and "产线级" in shown and "申报人" not in shown
    act(head, call, "answer", {"project": second_line, "result": "dismissed", "answer": "核查属实，已投产"})
    hours.end(call, "notice", "notice_over")

    # Whoever ranked does not confirm, and reads why; the listed one is followed up until it is removed.
    office.goto(f"/cases/{call}")
    assert office.get_by_text("要由另一个人办理").filter(has_text="确定名单").is_visible()
    # What was shown to the public stands in the form already, by name and not by number.
    head.goto(f"/cases/{call}/do/confirm")
    wrong += faults(head)
    assert head.locator("[name=final-0-name]").input_value() == second_line and "梁辉" in text(head)
    act(head, call, "confirm")
    wait_to_see(visitor, "/registers/listed-projects/", second_line)
    rival.goto("/my/cases")
    listed = rival.locator("main a", has_text=second_line).first.get_attribute("href").rsplit("/", 1)[1]
    act(rival, listed, "report", {"progress": "运行正常"})
    act(office, listed, "ask_mending", {"defects": "补充能耗数据"})
    act(rival, listed, "mended", {"progress": "已补充"})
    act(office, listed, "remove", {"ground": "stopped", "reason_text": "产线已停用"})
    wait_to_see(visitor, f"/notices/?q={second_line}", second_line)
    assert not wrong, wrong
