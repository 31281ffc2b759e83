"""A form that needs a place asks for the address: the library offers, the person chooses, nobody has to know a code."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases.models import Draft
from chengshu.contexts.identity import api as identity
from chengshu.contexts.places.models import Division, Place
from chengshu.kernel.resources import shipped

STREET = {
    "province": "广东省", "city": "深圳市", "district": "宝安区", "street": "新安街道", "community": "上合社区",
    "community_code": "440306017019", "state": "active",
}  # fmt: skip
BUILDING, OTHER = "44030601701900001", "44030601701900002"
ROOM = f"{BUILDING}0002"
ROAD = "新安街道创业一路12号"
IN_FULL = "广东省深圳市宝安区新安街道上合社区创业一路12号"


@pytest.fixture
def library(db):
    """Two buildings, the first with twelve rooms."""
    Division.objects.create(code=STREET["community_code"], level="community", name="上合社区")
    for code, road, number in ((BUILDING, "创业一路", "12号"), (OTHER, "甲岸路", "25号")):
        Place.objects.create(place_code=code, building_code=code, road=road, number=number, **STREET)
    for n in range(1, 13):
        Place.objects.create(
            place_code=f"{BUILDING}{n:04}", building_code=BUILDING, road="创业一路", number="12号",
            room=str(300 + n), **STREET,
        )  # fmt: skip


@pytest.fixture
def client(library):
    identity.save_department("market", "市场监管", "Market regulation")
    cases.load_pack_version(shipped("packs", "cn", "business-licence"), timezone.now())
    browser = Client()
    browser.force_login(identity.save_account("me", display_name="欧阳娜", role="resident"))
    return browser


@pytest.fixture
def journey(client):
    """The question for the place, in the application for a licence."""
    client.post("/hall/apply/business-licence/begin")
    return client, "/hall/apply/business-licence/q/place_code"


def offered(page):
    return re.findall(r'<input type="radio" name="place_code" value="([^"]+)"', page)


def kept():
    row = Draft.objects.get()
    return cases.drafts.load(row.pk, identity.account_named("me")).values.get("place_code")


def test_an_address_is_typed_chosen_and_shown_and_the_code_is_kept(journey):
    client, url = journey
    page = client.get(url).content.decode()
    assert "place_code-address" in page and "htmx" in page and "经营场所地址" in page
    # A look judges nothing and keeps nothing.
    answer = client.post(url, {"place_code-address": ROAD, "rows": "place_code:look"})
    page = answer.content.decode()
    assert answer.status_code == 200 and "field-wrong" not in page and kept() is None
    codes = offered(page)
    assert codes[0] == BUILDING and ROOM in codes and len(codes) == 11 and codes[-1] == "-"
    assert f"{IN_FULL}302" in page
    answer = client.post(url, {"place_code-address": ROAD})
    assert answer.status_code == 422 and "选一个" in answer.content.decode() and kept() is None
    sent = {"place_code-address": ROAD, "place_code-for": ROAD, "place_code": ROOM}
    assert client.post(url, sent).status_code == 302 and kept() == ROOM
    check = client.get("/hall/apply/business-licence/check?stay=1").content.decode()
    assert f"{IN_FULL}302" in check and ROOM not in check
    again = client.get(url).content.decode()
    assert f'value="{IN_FULL}302"' in again and f'value="{ROOM}" checked' in again
    # What can be one place only is taken at once; an address typed anew is not the place chosen before.
    assert client.post(url, {**sent, "place_code-address": f"{ROAD}303"}).status_code == 302
    assert kept() == f"{BUILDING}0003"
    # What the library lacks is left to a person where the pack allows; a code that nobody was offered is not taken.
    lacking = {"place_code-address": "新安街道无此路9号", "place_code-for": "新安街道无此路9号"}
    answer = client.post(url, lacking)
    assert answer.status_code == 422 and offered(answer.content.decode()) == ["-"]
    invented = {**lacking, "place_code": "44030601701999999"}
    assert "地址库中没有这个地址" in client.post(url, invented).content.decode()
    assert client.post(url, {**lacking, "place_code": "-"}).status_code == 302 and kept() is None


def test_an_ordinary_form_offers_the_same_and_whoever_sends_the_code_may(client):
    draft = client.post("/services/business-licence/start")["Location"]
    url = f"{draft}/sections/place"
    sent = {"place_code-address": ROAD, "rows": "place_code:look"}
    looked = client.post(url, sent, headers={"HX-Request": "true"})
    assert len(offered(looked.content.decode())) == 11
    client.post(url, {"place_code-address": "甲岸路25号", "address": "别处", "later": "1"})
    assert kept() == OTHER
    check = client.get(f"{draft}/check").content.decode()
    assert "上合社区甲岸路25号" in check and OTHER not in check
    facts = {
        "kind": "individual", "shop_name": "宝安区小顾面馆", "lawful_name": True, "scope": ["catering"],
        "needs_approval": False, "place_code": ROOM, "address": "别处", "tenure": "leased", "capital": 100_00,
        "staff": 2, "applicant_name": "欧阳娜", "applicant_id": "11010519491231002X",
        "applicant_born_on": "1949-12-31", "phone": "13800138000",
    }  # fmt: skip
    now, me = timezone.now(), identity.account_named("me")
    case_id = cases.open_case("business-licence", facts, opened_by=me, idempotency_key="site", now=now)
    seen = {name: value for name, _, value in cases.case_view(case_id, me, now=now).facts}
    assert seen["place_code"] == f"{IN_FULL}302" and seen["address"] == "别处"
