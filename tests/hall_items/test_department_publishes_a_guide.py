"""A department writes its guides: draft, preview, publish, withdraw; the public reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chengshu.contexts.hall.items import guides, loading
from chengshu.contexts.hall.items.forms import GuideForm, initial_of
from chengshu.contexts.hall.items.models import Item, ItemVersion

FOOD = "440306-market-0002"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def form_of(item, **changes):
    data = initial_of(item.body) | changes
    shown = {
        name: "\n".join(value) if isinstance(value, list) and name != "audiences" else value
        for name, value in data.items()
        if value is not None and value is not False
    }
    assert GuideForm(shown).is_valid(), GuideForm(shown).errors
    return shown


def test_an_officer_changes_previews_and_publishes(items, market):
    item = Item.objects.get(pk=FOOD)
    edit = market.post(f"/hall/items/guides/{FOOD}/edit", form_of(item, fee="每证十元"))
    assert edit.url == f"/hall/items/guides/{FOOD}/preview"
    assert "每证十元" in market.get(edit.url).content.decode()
    assert "每证十元" not in Client().get(f"/hall/items/{FOOD}").content.decode()
    published = market.post(f"/hall/items/guides/{FOOD}/publish", {"version": item.version})
    assert published.status_code == 302
    assert "每证十元" in Client().get(f"/hall/items/{FOOD}").content.decode()
    version = ItemVersion.objects.get(item=FOOD, number=2)
    assert [change["element"] for change in version.diff] == ["fee"]
    assert version.made_by == "market-officer" and version.leaf_id
    history = market.get(f"/hall/items/guides/{FOOD}/").content.decode()
    assert "第 2 版" in history and f"/ledger/entries/{version.leaf_id}" in history


def test_two_officers_do_not_overwrite_each_other(items, market):
    item = Item.objects.get(pk=FOOD)
    market.post(f"/hall/items/guides/{FOOD}/edit", form_of(item, fee="每证十元"))
    assert market.post(f"/hall/items/guides/{FOOD}/publish", {"version": 0}).status_code == 409
    assert Item.objects.get(pk=FOOD).version == item.version


def test_a_draft_does_not_overwrite_what_was_loaded_meanwhile(items, market):
    item = Item.objects.get(pk=FOOD)
    market.post(f"/hall/items/guides/{FOOD}/edit", form_of(item, fee="每证十元"))
    loading.load([{**item.body, "visits": 0, "result": "电子许可证"}], now=NOW, source="new.jsonl")
    page = market.get(f"/hall/items/guides/{FOOD}/preview").content.decode()
    assert "还不能发布" in page and f"guides/{FOOD}/publish" not in page
    refused = market.post(
        f"/hall/items/guides/{FOOD}/publish", {"version": 2}, headers={"Accept": "text/html"}
    )
    assert refused.status_code == 409 and "会盖掉新的内容" in refused.content.decode()
    assert Item.objects.get(pk=FOOD).body["result"] == "电子许可证"
    # The form lies over the newer version and keeps what the officer changed; once it is saved it can be published.
    page = market.get(f"/hall/items/guides/{FOOD}/edit")
    text = page.content.decode()
    assert "修改期间有了第 2 版" in text and "电子许可证" in text
    body, newer = guides.to_edit(Item.objects.get(pk=FOOD))
    assert (body["fee"], body["visits"]) == ("每证十元", 0) and not any(each.both for each in newer)
    values = form_of(SimpleNamespace(body=body))
    seen = {
        "version": "2",
        "draft": re.search(r'name="draft" value="([^"]+)"', text)[1].replace("&#x2B;", "+"),
    }
    assert market.post(f"/hall/items/guides/{FOOD}/edit", values | seen).status_code == 302
    assert market.post(f"/hall/items/guides/{FOOD}/publish", {"version": 2}).status_code == 302
    now = Item.objects.get(pk=FOOD)
    assert (now.version, now.body["fee"], now.body["result"]) == (3, "每证十元", "电子许可证")


def test_a_form_that_was_open_while_a_newer_version_came_is_kept_and_not_published(items, market):
    item = Item.objects.get(pk=FOOD)
    loading.load([{**item.body, "fee": "免费"}], now=NOW, source="new.jsonl")
    market.post(
        f"/hall/items/guides/{FOOD}/edit", form_of(item, fee="每证十元") | {"version": "1", "draft": ""}
    )
    assert market.post(f"/hall/items/guides/{FOOD}/publish", {"version": 2}).status_code == 409
    assert "两边都改过" in market.get(f"/hall/items/guides/{FOOD}/edit").content.decode()
    # Nor does a colleague's form replace a draft that was saved after it was opened, unasked.
    late = market.post(
        f"/hall/items/guides/{FOOD}/edit", form_of(item, fee="五元") | {"version": "2", "draft": ""}
    )
    assert late.status_code == 422 and "同事刚刚保存了" in late.content.decode()


def test_another_department_does_not_find_the_guide(items, police):
    for page in ("", "edit", "preview"):
        assert police.get(f"/hall/items/guides/{FOOD}/{page}").status_code == 404
    assert (
        police.post(f"/hall/items/guides/{FOOD}/withdraw", {"version": 1, "reason": "x"}).status_code == 404
    )


def test_a_withdrawn_guide_is_gone_for_the_public_and_comes_back(items, market):
    assert market.post(f"/hall/items/guides/{FOOD}/withdraw", {"version": 1, "reason": ""}).status_code == 422
    market.post(f"/hall/items/guides/{FOOD}/withdraw", {"version": 1, "reason": "正在修订"})
    assert Client().get(f"/hall/items/{FOOD}").status_code == 404
    assert FOOD not in Client().get("/api/v1/search", {"q": "食品经营许可"}).content.decode()
    market.post(f"/hall/items/guides/{FOOD}/publish", {"version": 2})
    assert Client().get(f"/hall/items/{FOOD}").status_code == 200


def test_a_new_guide_is_public_only_when_published(items, market):
    values = form_of(
        Item.objects.get(pk=FOOD), name="食品摊贩登记", legal_basis="《广东省食品安全条例》第四十条"
    )
    made = market.post("/hall/items/guides/new", values)
    code = made.url.split("/")[-2]
    assert Client().get(f"/hall/items/{code}").status_code == 404
    market.post(f"/hall/items/guides/{code}/publish", {"version": 1})
    assert "第四十条" in Client().get(f"/hall/items/{code}").content.decode()


def test_a_promise_longer_than_the_law_is_refused_at_its_field(items, market):
    item = Item.objects.get(pk=FOOD)
    data = form_of(item)
    answer = market.post(f"/hall/items/guides/{FOOD}/edit", data | {"promised_days": 40})
    assert answer.status_code == 422
    assert "承诺时限不能长于法定时限" in answer.content.decode()


def test_a_mobile_number_is_kept_and_never_shown(items):
    item = Item.objects.get(pk=FOOD)
    item.body["consult_phones"] = ["0755-12345678", "13800138000"]
    item.save()
    page = Client().get(f"/hall/items/{FOOD}").content.decode()
    assert "0755-12345678" in page and "13800138000" not in page
    assert "13800138000" not in Client().get(f"/api/v1/items/{FOOD}").content.decode()
    assert "13800138000" not in b"".join(Client().get("/hall/items/export.csv").streaming_content).decode()


def test_items_are_listed_by_filter_and_exported(items):
    page = Client().get("/hall/items/", {"theme": "结婚", "how": "here"}).content.decode()
    assert "结婚登记" in page and "食品经营许可" not in page
    rows = b"".join(Client().get("/hall/items/export.csv", {"how": "here"}).streaming_content).decode()
    assert rows.count("\n") == Item.objects.exclude(pack="").count() + 1
    listed = Client().get("/api/v1/items", {"how": "here"}).json()
    assert listed["total"] == Item.objects.exclude(pack="").count()
    assert Client().get("/api/v1/items/nothing").status_code == 404


def test_pages_of_items_ask_the_database_little(items, market):
    for browser, address in (
        (Client(), "/hall/"),
        (Client(), "/hall/search?q=护照"),
        (Client(), "/hall/items/"),
        (Client(), f"/hall/items/{FOOD}"),
        (market, "/hall/items/guides/"),
        (market, f"/hall/items/guides/{FOOD}/"),
        (market, f"/hall/items/guides/{FOOD}/edit"),
    ):
        browser.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(address).status_code == 200
        assert len(asked) <= 15, address


def test_the_first_visit_of_the_hall_is_light(items):
    from chengshu.kernel.resources import _PACKAGE

    page = Client().get("/hall/")
    static = _PACKAGE / "site" / "static"
    parts = ["css/chengshu.css", "js/chengshu.js", "vendor/htmx.min.js"]
    assert len(page.content) + sum((static / part).stat().st_size for part in parts) <= 200_000
    assert 'role="search"' in page.content.decode()
