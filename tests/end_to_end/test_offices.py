"""Two more regulations through the pages of the officers: a data-security incident, and public data put to use.

Standards and apps, licences and calls have walks of their own; here forms, lists and buttons carry a case to its end.
"""

from __future__ import annotations

import re

import pytest
from browsing import act, text
from walking import MARK, PDF, TODAY, after, apply_for, say_in_public

pytestmark = pytest.mark.browser


def test_a_major_incident_goes_from_the_processor_over_both_levels_to_its_summary(visit):
    firm, office, district = (visit(name).page for name in ("applicant", "officer-industry", "operator"))
    case = apply_for(firm, "data-security-incident", {
        "what": {"drill": "true", "happened": "true", "title": f"数据外传{MARK}", "unit": "示例制造有限公司",
                 "contact": "安全负责人", "noticed_on": TODAY.isoformat(),
                 "description": "监测发现数据外传", "first_measures": "已切断外联"},
        "extent": {"sector": "industry", "data_class": "important", "threat": "serious", "production_harm": "none"},
        "numbers": {"loss": "1234.50", "people": "0", "sensitive_people": "0", "other_harm": "none"},
    })  # fmt: skip
    act(firm, case, "report", {"course": "9时发现，9时20分切断"})

    # The office finds it in its list by the keys, which can be read up and turned off; a drill is marked as one.
    office.goto(f"/cases/?q={MARK}")
    office.keyboard.press("?")
    assert office.get_by_text("不用单键快捷键").is_visible()
    office.get_by_label("不用单键快捷键").check()
    office.keyboard.press("j")
    assert office.locator("[data-row][data-active]").count() == 0
    office.reload()
    office.locator("details.keys summary").click()
    office.get_by_label("不用单键快捷键").uncheck()
    office.locator("h1").click()
    office.keyboard.press("j")
    office.keyboard.press("Enter")
    office.wait_for_url(f"**/cases/{case}")
    assert "演练" in text(office) and "1,234.50 元" in text(office)
    act(office, case, "assess", {"assessed": "major", "assessment": "情况属实"})

    act(firm, case, "progress", {"situation": "已控制", "measures": "恢复备份", "restored": "true"})
    act(district, case, "close", {"closing": "已恢复"})
    said = ("cause", "full_course", "responsibility", "impact", "lessons", "improvements")
    act(firm, case, "summarise", dict.fromkeys(said, "已查明"))
    act(office, case, "accept_summary")
    firm.goto(f"/cases/{case}")
    assert firm.locator("main a[href*='/do/']").count() == 0


def test_public_data_is_registered_disputed_and_its_operation_proposed(visit):
    unit, office, _second = (
        visit(name).page for name in ("officer-industry", "officer-data", "officer-data2")
    )
    name = f"停车泊位{MARK}"
    case = apply_for(unit, "public-data-resource", {
        "resource": {"name": name, "catalogue_code": f"440306-{MARK}", "holder": "工业和信息化局",
                     "description": "公共停车场泊位数", "source_system": "停车管理系统", "update_frequency": "real-time"},
        "safety": {"class_grade": "general", "personal_data": "false", "confidential": "false"},
        "use": {"in_use": "true", "conditions": "仅限停车诱导"},
    })  # fmt: skip
    act(office, case, "register")

    # Anyone doubts it on the public notice; the unit answers.
    public = visit("objector", phone=True).page
    say_in_public(public, name, "dispute", {"disputed": "泊位数不符"})
    act(unit, case, "answer", {"answer_text": "已更正", "corrected": "true"})

    # The office proposes the authorisation: a case of its own, which another officer decides.
    act(office, case, "authorise", {
        "operator_name": "示例数据运营有限公司", "operator_code": "91440300MA5EXAMP0X", "operator_account": "applicant",
        "manager_name": "政务服务和数据管理局", "manager_code": "11440306MB2EXAM00Y", "mode": "by-field", "fields": ["transport"],
        "grant_conditions": "仅限停车诱导", "model": "自主运营", "term_end": after(300),
        "exit_plan": "期满删除", "safety_duty": "等保三级", "decision_paper": PDF,
    })  # fmt: skip
    links = office.eval_on_selector_all("main a", "all => all.map(each => each.getAttribute('href'))")
    assert any(re.fullmatch(r"/cases/C\w+", at or "") and not at.endswith(case) for at in links)
