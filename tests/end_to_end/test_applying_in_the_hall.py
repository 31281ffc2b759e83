"""A resident applies in the hall on a phone: question by question, checked by axe at both widths; the newborn one-thing too."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path

import pytest
from browsing import DESK, PHONE, opened
from test_every_page import SMALL

from tests_support import axe

pytestmark = pytest.mark.browser
CHILD = "440306202605010036"
ANSWERS = {
    "child_name": "周小满", "child_id": CHILD, "born_on": "2026-05-01", "registered_here": "true",
    "birth_proof": "register", "relation": "mother", "payee": "周小满", "bank_account": "6222000011112222",
    "applicant_name": "周敏", "applicant_id": "440306199001010022", "applicant_born_on": "1990-01-01",
    "phone": "13800138000", "sex": "female", "record_number": "R-1", "carrier": "electronic",
    "native_place": "广东省深圳市",
}  # fmt: skip


def looked_at(page, name):
    """Keep a picture where one is asked for; no axe violation, no small control, at either width."""
    wrong = []
    for size, width in (("phone", PHONE), ("desk", DESK)):
        page.set_viewport_size(width)
        if folder := os.environ.get("CHENGSHU_PICTURES"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{folder}/{name}-{size}.png", full_page=True)
        wrong += [
            f"{name} at {size}: {each['id']}: {node['html'][:160]}"
            for each in axe.violations(page)
            for node in each["nodes"]
        ]
        wrong += [f"{name} at {size} too small: {each}" for each in page.evaluate(SMALL)]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append(f"{name} at {size} is wider than the screen")
    page.set_viewport_size(PHONE)
    return wrong


def answer(page):
    """Answer the question on the page by keyboard and mouse as anyone would."""
    name = page.url.split("/q/")[1].split("?")[0]
    radios = page.locator(f'main input[type=radio][name="{name}"]')
    ticks = page.locator(f'main input[type=checkbox][name="{name}"]')
    if ticks.count():
        for number in range(ticks.count()):
            ticks.nth(number).check()
    elif radios.count():
        wanted = page.locator(f'main input[type=radio][name="{name}"][value="{ANSWERS.get(name, "")}"]')
        (wanted if wanted.count() else radios).first.check()
    elif page.locator(f'main select[name="{name}"]').count():
        page.locator(f'main select[name="{name}"]').select_option(index=1)
    elif name in ANSWERS:
        page.locator(f'main [name="{name}"]').fill(ANSWERS[name])
    elif page.locator(f'main [name="{name}"]').get_attribute("type") == "date":
        page.locator(f'main [name="{name}"]').fill("2026-05-01")
    elif page.locator(".optional").count() == 0:
        page.locator(f'main [name="{name}"]').fill("1")
    page.get_by_role("button", name="保存并继续").click()
    return name


def walked(page, pack, pictures=True):
    """Go from the start page to the page of answers; returns what was asked and what was wrong on the way."""
    wrong, asked = [], []
    page.goto(f"/hall/apply/{pack}/")
    wrong += looked_at(page, f"{pack}-start")
    page.get_by_role("button", name=re.compile("^(开始|接着填)$")).click()
    if page.url.endswith("/data"):
        wrong += looked_at(page, f"{pack}-data")
        if page.locator("input[name=allow]").count():
            page.locator("input[name=allow][value=yes]").check()
        page.get_by_role("button", name="继续").click()
    for _ in range(60):
        if "/q/" not in page.url:
            break
        if len(asked) in (0, 4):
            wrong += looked_at(page, f"{pack}-q{len(asked)}")
        asked.append(answer(page))
    return asked, wrong


def sent(page, pack):
    """Declare and send from the page of answers, and go on to the course of things; returns what was wrong on the way."""
    for box in page.locator("main form.declare input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name="确认并提交").click()
    assert "/done/" in page.url, page.locator("main").inner_text()[:1500]
    wrong = looked_at(page, f"{pack}-done")
    page.get_by_role("link", name="看进度和结果").click()
    return wrong + looked_at(page, f"{pack}-progress")


def opened_package(page, name):
    """Open the papers of what was decided while one waited, and take them along; returns what was wrong on the page."""
    page.get_by_role("link", name="打开结果材料包").click()
    wrong = looked_at(page, name)
    download = page.get_by_role("link", name="全部下载")
    # The jobs make and seal the papers meanwhile, and give way to everything else on the machine.
    opened(page, page.url, lambda: download.count() == 1, seconds=90)
    body = page.request.get(download.get_attribute("href")).body()
    names = zipfile.ZipFile(io.BytesIO(body)).namelist()
    assert "list.json" in names and any(each.endswith(".pdf") for each in names)
    return wrong


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_subsidy_that_no_record_bears_out_goes_to_a_person(visit, script):
    page = visit("applicant", phone=True, java_script_enabled=script).page
    if not script:
        page.goto("/hall/apply/childbirth-subsidy/")
        page.get_by_role("button", name=re.compile("^(开始|接着填)$")).click()
        page.goto("/hall/apply/childbirth-subsidy/tasks")
        assert "还剩什么" in page.content()
        return
    asked, wrong = walked(page, "childbirth-subsidy")
    assert page.url.endswith("/check")
    wrong += looked_at(page, "childbirth-subsidy-check")
    # Nothing declared: told at the box.
    page.get_by_role("button", name="确认并提交").click()
    assert page.locator(".error-summary").count() == 1
    wrong += sent(page, "childbirth-subsidy")
    # No record says that the applicant has a child in their household: a person decides, and until then there is no result.
    assert "审核" in page.locator("main").inner_text()
    assert not page.get_by_role("link", name="打开结果材料包").count()
    assert not wrong, "\n".join(wrong)
    assert len(asked) <= 12


def test_a_newborn_is_one_application_with_a_line_for_each_part(visit):
    page = visit("resident", phone=True).page
    asked, wrong = walked(page, "newborn")
    assert page.url.endswith("/check"), (page.url, asked, page.locator("main").inner_text()[:800])
    wrong += looked_at(page, "newborn-check")
    wrong += sent(page, "newborn")
    assert page.locator(".part-line").count() >= 3
    wrong += opened_package(page, "newborn-package")
    assert not wrong, "\n".join(wrong)
