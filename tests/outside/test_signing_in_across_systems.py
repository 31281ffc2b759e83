"""Signed in at one place, a person is known at the next: other programs with openid-client, two installations, a browser."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect
from sites import PASSWORD, Site, free_port, relying_system

from tests_support import axe

pytestmark = pytest.mark.browser
ZHOU = {"username": "zhou", "display_name": "周敏", "role": "officer"}
WU = {"username": "wu", "display_name": "吴刚", "role": "officer"}


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """An empty district: two installations begin from it."""
    empty = Site(tmp_path_factory.mktemp("ground") / "var", "127.0.0.1", 0)
    empty.found([])
    return empty.var


@pytest.fixture(scope="module")
def province(tmp_path_factory, node, ground):
    """The installation that others sign in through."""
    site = Site(tmp_path_factory.mktemp("province") / "var", "127.0.0.1", free_port())
    site.found([ZHOU], ground)
    site.serve()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def systems(province):
    """Two other systems, A and B."""
    ports = [free_port(), free_port()]
    scopes = ["openid profile department offline_access", "openid profile"]
    running = [
        relying_system(province, name, port, scope)
        for name, port, scope in zip(["甲系统", "乙系统"], ports, scopes, strict=True)
    ]
    yield [f"http://127.0.0.1:{port}" for port in ports]
    for process in running:
        process.terminate()
        process.wait(20)


@pytest.fixture
def page(chromium):
    context = chromium.new_context(locale="zh-CN")
    yield context.new_page()
    context.close()


def sign_in(page, name="zhou"):
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()


def violations(page):
    return [each["id"] for each in axe.violations(page)]


def shown(page):
    return json.loads(page.locator("body").inner_text())


def test_openid_client_signs_in_and_the_next_system_knows_the_person_without_a_second_sign_in(
    page, province, systems
):
    first, second = systems
    page.goto(f"{first}/login")
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("甲系统")
    assert violations(page) == []
    page.get_by_role("button", name="同意并登录").click()
    page.wait_for_url(f"{first}/")
    one = shown(page)
    assert one["person"]["name"] == "周敏" and one["person"]["department"] == "market"
    assert one["claims"]["amr"] == ["pwd"] and one["refreshable"]

    page.goto(f"{second}/login")  # B: no password any more, only the question what B may know
    expect(page.get_by_role("heading", level=1)).to_contain_text("乙系统")
    page.get_by_role("button", name="同意并登录").click()
    page.wait_for_url(f"{second}/")
    two = shown(page)
    assert two["person"]["name"] == "周敏" and "department" not in two["person"]
    assert two["person"]["sub"] != one["person"]["sub"] and not two["refreshable"]

    page.goto(f"{second}/login?prompt=none")  # and the next time not even that
    page.wait_for_url(f"{second}/")
    assert shown(page)["person"]["sub"] == two["person"]["sub"]

    page.goto(f"{first}/refresh")
    refreshed = shown(page)
    assert refreshed["fresh"]["sub"] == one["person"]["sub"]
    assert refreshed["reused"] == "invalid_grant" and refreshed["after"] == "void"

    page.goto(f"{province.url}/account/apps")
    expect(page.get_by_role("row", name=re.compile("乙系统"))).to_be_visible()
    page.goto(f"{second}/logout")
    page.wait_for_url(f"{second}/bye**")
    page.goto(f"{second}/login?prompt=none")
    assert shown(page)["error"] == "login_required"


def test_what_the_person_refuses_the_system_does_not_get(page, province, systems):
    page.goto(f"{systems[1]}/login?prompt=consent")
    sign_in(page)
    page.get_by_role("button", name="不同意，返回").click()
    page.wait_for_url(f"{systems[1]}/back**")
    assert shown(page)["error"] == "access_denied"


@pytest.fixture(scope="module")
def district(province, tmp_path_factory, ground):
    """Another installation, whose people may come in through the first."""
    site = Site(tmp_path_factory.mktemp("district") / "var", "localhost", free_port())
    made = province.command(
        "oidc", "client", "add", "某区平台", "--purpose", "登录某区平台", "--scope", "profile",
        "--redirect", f"{site.url}/sign-in/outside/province/back", "--json",
    )  # fmt: skip
    site.more["PROVINCE_SECRET"] = made["client_secret"]
    site.found([{**ZHOU, "username": "zhoumin"}, WU], ground)
    (site.var / "providers.yaml").write_text(
        "providers:\n"
        "  - code: province\n"
        "    title: {zh: 省平台, en: Province}\n"
        f"    issuer: {province.url}\n"
        f"    client_id: {made['client_id']}\n"
        "    secret: PROVINCE_SECRET\n"
        "    scopes: [openid, profile]\n"
        "    roles: [officer]\n"
        "    match:\n"
        "      - {claim: name, verified: always, element: staff.name}\n",
        encoding="utf-8",
    )
    site.serve()
    yield site
    site.stop()


def come_in_from_outside(page, district, province, *, first_time):
    page.goto(f"{district.url}/sign-in")
    page.get_by_role("button", name="省平台").click()
    page.wait_for_url(f"{province.url}/**")
    sign_in(page)
    if first_time:
        page.get_by_role("button", name="同意并登录").click()
    page.wait_for_url(f"{district.url}/**")


def test_someone_comes_in_from_an_outside_provider_after_linking_it_themselves(page, district, province):
    come_in_from_outside(page, district, province, first_time=True)
    sign_in(page, "wu")  # somebody else's account: the verified name does not agree
    page.get_by_role("button", name="都是我本人，关联").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("不一致")
    page.context.clear_cookies()

    come_in_from_outside(page, district, province, first_time=False)
    sign_in(page, "zhoumin")
    expect(page.get_by_role("heading", level=1)).to_contain_text("关联起来")
    assert violations(page) == []
    page.get_by_role("button", name="都是我本人，关联").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("其他平台的身份")
    page.context.clear_cookies()

    come_in_from_outside(page, district, province, first_time=False)
    page.goto(f"{district.url}/account")
    expect(page.locator("main")).to_contain_text("zhoumin")
    page.goto(f"{district.url}/account/identities")
    page.get_by_role("button", name="取消关联").click()
    expect(page.locator("main")).to_contain_text("未关联")


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(page, district):
    answer = page.goto(f"{district.url}/sign-in/outside/province/back?code=x&state=y")
    assert answer.status == 400
