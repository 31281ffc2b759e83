"""A resident searches: everyday words, pinyin, initials, typing errors, situations; and is told when nothing fits."""

from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.contexts.hall import api as hall
from chengshu.contexts.hall.items import loading
from chengshu.contexts.hall.search.engine import Engine, item_doc
from chengshu.contexts.hall.search.index import Doc
from chengshu.contexts.identity import api as identity
from chengshu.kernel.strict_yaml import load_yaml
from hall_items.conftest import FOLDER, NOW


@pytest.fixture(scope="module")
def search():
    """The engine over the shipped items, as it is built from the files."""
    bodies = loading.load_items(FOLDER / "guangdong_sample.jsonl", {}) + loading.read_guides(
        FOLDER / "own.yaml"
    )
    engine = Engine.build([item_doc(body) for body in bodies])

    def titles(query, top=5):
        return [hit.doc.title for hit in engine.search(query, kinds=["item"], top=top).hits]

    titles.engine = engine
    return titles


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("护照", "办理及加注普通护照"),  # two characters
        ("hu zhao", "办理及加注普通护照"),  # pinyin, apart
        ("jiehundengji", "结婚登记预约"),  # pinyin, together
        ("jsz", "机动车驾驶证增加准驾车型"),  # initials
        ("结昏登记", "结婚登记预约"),  # homophone
        ("法律缓助", "法律援助"),  # another character
        ("護照", "办理及加注普通护照"),  # traditional characters
        ("结婚证弄丢了要补一本", "补领结婚证预约"),
        ("没钱请律师打官司怎么办", "法律援助"),
        ("老家房子装电梯", "既有住宅增设电梯工程"),
        ("被狗咬了去哪打针", "狂犬病暴露后医学处置门诊信息查询"),
        ("上班摔断了腿能赔多少", "伤残待遇申领"),
        ("开饭店要办哪些证", "开办餐饮店一件事"),
        ("孩子出生要办什么", "新生儿出生一件事"),
        ("产假有多少天", "生育休假核定"),
        ("公司不给陪产假", "生育休假投诉"),
        ("新买的房子怎么通电", "低压居民报装"),
    ],
)
def test_a_resident_finds_the_item_among_the_first_five(search, query, found):
    assert any(found in title for title in search(query)), search(query)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("孩子出生上户口", "出生登记（入户）"),
        ("宝宝出生医保", "新生儿参加居民医保"),
        ("开个小饭馆", "食品经营许可"),
    ],
)
def test_what_fits_is_not_said_to_be_missing(search, query, found):
    answer = search.engine.search(query, kinds=["item"], top=2)
    assert not answer.none and found in [hit.doc.title for hit in answer.hits]


@pytest.mark.parametrize("query", ["红烧肉怎么做", "今天运势怎么样", "火车票退票", "手机丢了怎么定位"])
def test_a_resident_is_told_that_nothing_fits(search, query):
    assert search.engine.search(query, kinds=["item"]).none


@pytest.mark.parametrize(
    "query",
    ["驾照丢了", "开个小饭馆", "想摆个小摊", "新房收楼", "护照快过期", "被狗咬了去哪打针", "落户积分怎么算"],
)
def test_what_is_plain_chinese_is_not_put_right(search, query):
    assert search.engine.search(query).corrected == ""


def test_a_resident_may_keep_to_what_was_typed(search, items):
    assert search.engine.search("结昏登记").corrected == "结婚登记"
    assert search.engine.search("结昏登记", literal=True).corrected == ""
    page = Client().get("/hall/search", {"q": "结昏登记", "kind": "item"}).content.decode()
    kept = "&amp;as=typed&amp;kind=item"
    assert "按“结婚登记”查找" in page and "仍按原文“结昏登记”查找" in page and kept in page
    typed = Client().get("/hall/search", {"q": "结昏登记", "as": "typed"}).content.decode()
    assert "按“" not in typed


def test_what_is_wanted_decides_between_twins(search):
    assert search("残疾证丢了")[0].endswith("挂失补办")
    assert search("残疾证到期要换")[0].endswith("换领")
    assert search("第一次办残疾证")[0].endswith("新办证申请")


ONE_THINGS = ("newborn", "marriage-and-birth", "open-a-restaurant", "after-death")


@pytest.fixture(scope="module")
def running():
    """The engine as an installation has it: items that run here know their pack, and the one-things stand beside them."""
    bodies = loading.load_items(FOLDER / "guangdong_sample.jsonl", {}) + loading.read_guides(
        FOLDER / "own.yaml"
    )
    links = {
        code: pack for pack, codes in load_yaml(FOLDER / "links.yaml")["packs"].items() for code in codes
    }
    packs = [Doc(kind="pack", id=pack, title=pack, fields={"name": pack}, meta={}) for pack in ONE_THINGS]
    return Engine.build([*(item_doc(body, links.get(body["code"], "")) for body in bodies), *packs])


@pytest.mark.parametrize(
    ("query", "pack"),
    [
        ("孩子出生要办什么", "newborn"),
        ("刚生了宝宝，要办哪些手续？", "newborn"),
        ("haizi chusheng", "newborn"),
        ("开饭店", "open-a-restaurant"),
        ("想开个小饭馆", "open-a-restaurant"),
        ("结婚生孩子", "marriage-and-birth"),
        ("人去世了要办什么", "after-death"),
        ("老人走了要办哪些手续", "after-death"),
    ],
)
def test_an_event_in_life_leads_to_the_one_thing_first(running, query, pack):
    found = running.search(query)
    assert (found.hits[0].doc.kind, found.hits[0].doc.id) == ("pack", pack) and not found.none
    # Its guide follows, and leads where only items are asked for.
    guide = running.search(query, kinds=["item"]).hits[0].doc
    assert guide.meta["pack"] == pack == found.hits[1].doc.meta["pack"]
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    "query", ["去世公证", "孩子出生上户口", "开饭店消防检查", "老人去世遗产", "结婚登记", "生育补贴"]
)
def test_who_names_one_matter_of_an_event_gets_that_matter(running, query):
    hits = running.search(query).hits
    assert hits[0].doc.id not in ONE_THINGS and hits[0].doc.meta.get("pack") not in ONE_THINGS


@pytest.mark.parametrize("query", ["低保怎么申请", "家里困难没钱生活", "五保老人", "临时救助", "dibao"])
def test_who_is_in_need_finds_assistance(running, query):
    hits = running.search(query, kinds=["item"]).hits
    assert "social-assistance" in [hit.doc.meta.get("pack") for hit in hits[:3]]


def test_suggestions_go_on_from_what_is_typed(search, items):
    assert any("驾驶证" in text or "驾照" in text for text in search.engine.suggest("jiash"))
    page = Client().get("/hall/suggest", {"q": "结婚"}).content.decode()
    assert "/hall/search?q=" in page and "结婚" in page


def test_the_page_works_without_a_script_and_says_what_it_read(items):
    page = Client().get("/hall/search", {"q": "hu zhao"}).content.decode()
    assert "按“护照”查找" in page and "办理及加注普通护照" in page
    assert "没有找到对得上的事项" in Client().get("/hall/search", {"q": "红烧肉怎么做"}).content.decode()
    assert Client().get("/hall/search", {"q": " "}).status_code == 302


def test_the_page_the_call_and_the_command_rank_alike(items):
    called = Client().get("/api/v1/search", {"q": "驾照换证", "kind": "item"}).json()
    assert [hit["name"] for hit in called["hits"]] == [
        hit.doc.title for hit in hall.search_engine(NOW).search("驾照换证", kinds=["item"]).hits
    ]


def test_own_matters_are_found_by_their_owner_alone(items, monkeypatch):
    from chengshu.contexts.hall.search import sources

    owner = identity.save_account("owner", display_name="甲", role="resident")
    other = identity.save_account("other", display_name="乙", role="resident")
    mine = Doc(
        "case",
        "K1",
        "食品经营许可：甲的面馆",
        {"name": "食品经营许可：甲的面馆"},
        {"title": "食品经营许可：甲的面馆"},
    )
    monkeypatch.setattr(sources, "own_docs", lambda account, now: [mine] if account.pk == owner.pk else [])
    pages = []
    for account in (owner, other):
        browser = Client()
        browser.force_login(account)
        pages.append(browser.get("/hall/search", {"q": "我的食品许可"}).content.decode())
    assert "甲的面馆" in pages[0] and "甲的面馆" not in pages[1]


def test_the_index_is_kept_as_a_file_and_made_anew_when_items_change(items):
    from chengshu.contexts.hall.search import service

    engine = hall.search_engine(NOW)
    path = service.index_path()
    assert path.is_file()
    kept = Engine.load(path, service._mark(NOW))
    assert [hit.doc.id for hit in kept.search("护照").hits] == [
        hit.doc.id for hit in engine.search("护照").hits
    ]
    assert Engine.load(path, "another state") is None


small = Engine.build(
    [
        Doc("item", "1", "结婚登记预约", {"name": "结婚登记预约"}),
        Doc("item", "2", "护照", {"name": "办理普通护照"}),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80) | st.text(alphabet="结婚护照办理怎么abcxyz 123，。?", max_size=60))
def test_any_query_is_answered(query):
    answer = small.search(query)
    assert len(answer.hits) <= 2
    assert all(hit.score == hit.score for hit in answer.hits)
    assert answer.hits or answer.none
