"""Staff try an address, search the library, and change it with its history; REST answers alike."""

import json

import pytest

from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.contexts.places.models import Place


@pytest.fixture
def signed_in(client, district):
    def sign_in(name):
        client.force_login(identity.account_named(name))
        return client

    return sign_in


def text(answer):
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode()


def a_room():
    return Place.objects.exclude(room=None).exclude(number=None).order_by("place_code").first()


def written(row):
    return places.place(row.place_code).text


def test_an_address_is_read_and_matched_on_the_page(signed_in):
    row = a_room()
    page = text(signed_in("worker").get("/places/", {"q": written(row)}))
    assert row.place_code in page and "读出的部分" in page and "房间" in page


def test_what_was_completed_is_marked_as_such(signed_in):
    row = a_room()
    short = written(row).replace("广东省深圳市", "")
    assert "推定" in text(signed_in("worker").get("/places/", {"q": short}))


def test_a_number_that_the_road_lacks_is_refused_with_what_lies_near(signed_in):
    row = Place.objects.filter(room=None, estate=None).exclude(road=None).order_by("place_code").first()
    asked = f"宝安区{row.street}{row.community}{row.road}7777号"
    page = text(signed_in("steward").get("/places/", {"q": asked}))
    assert "不认" in page and "没有这个门牌号" in page and "机器不认" in page
    assert row.place_code in page


def test_rubbish_on_the_page_is_answered_not_failed(signed_in):
    client = signed_in("worker")
    for asked in ("???", "<script>alert(1)</script>", "无", "号" * 300):
        assert "<script>alert" not in text(client.get("/places/", {"q": asked}))


def test_the_library_is_searched_by_words_and_by_code(signed_in):
    client, row = signed_in("steward"), a_room()
    page = text(client.get("/places/", {"find": f"{row.community} {row.number}"}))
    assert row.building_code in page
    assert row.place_code in text(client.get("/places/", {"find": row.building_code}))
    assert "地址库中没有" in text(client.get("/places/", {"find": "不存在的名字"}))


def test_a_steward_splits_a_room_and_the_old_code_leads_to_the_new_ones(signed_in):
    client, row = signed_in("steward"), a_room()
    asked = written(row)
    answer = client.post(
        f"/places/addresses/{row.place_code}/split",
        {"rooms": f"{row.room}A {row.room}B", "reason": "隔成两户"},
        follow=True,
    )
    page = text(answer)
    assert "此地址已停用" in page and f"{row.room}A" in page
    assert "隔成两户" in text(client.get("/places/changes"))
    tried = text(client.get("/places/", {"q": asked}))
    assert "不止一处符合" in tried


def test_a_steward_merges_rooms_and_retires_a_house(signed_in):
    client, row = signed_in("steward"), a_room()
    other = Place.objects.filter(building_code=row.building_code).exclude(room=None).order_by("place_code")[1]
    page = text(
        client.post(
            f"/places/addresses/{row.place_code}/merge",
            {"others": other.place_code, "room": f"{row.room}-{other.room}", "reason": "打通"},
            follow=True,
        )
    )
    assert f"{row.room}-{other.room}" in page
    text(client.post(f"/places/addresses/{row.building_code}/retire", {"reason": "已拆除"}, follow=True))
    assert Place.objects.get(pk=row.building_code).state == "retired"


def test_a_grid_worker_looks_but_does_not_change(signed_in):
    client, row = signed_in("worker"), a_room()
    assert client.post(f"/places/addresses/{row.place_code}/retire", {"reason": "x"}).status_code == 403
    assert "停用地址" not in text(client.get(f"/places/buildings/{row.building_code}"))


def post(client, path, body):
    return client.post(f"/api/v1/addresses/{path}", json.dumps(body), content_type="application/json")


def test_the_api_parses_matches_and_shows_a_place(signed_in):
    client, row = signed_in("steward"), a_room()
    parsed = post(client, "parse", {"texts": [written(row), ""]}).json()
    assert parsed[0]["community"] == row.community and parsed[1]["error"]
    matched = post(client, "match", {"texts": [written(row), "不存在路1号"]}).json()
    assert [each["place_code"] for each in matched] == [row.place_code, None]
    assert matched[1]["reason"] == "not_found"
    shown = client.get(f"/api/v1/addresses/library/{row.place_code}").json()
    assert shown["parts"]["room"] == row.room and shown["became"] == [row.place_code]
    assert client.get("/api/v1/addresses/library/0").status_code == 404
    verdict = post(client, "compare", {"left": "创业一路12号", "right": "创业1路十二号"}).json()
    assert verdict["verdict"] == "exact"


def test_the_api_keeps_to_its_limits(signed_in):
    client = signed_in("steward")
    assert post(client, "parse", {"texts": ["创业一路"] * 1001}).status_code == 422
    assert post(client, "match", {"texts": []}).status_code == 422
    assert post(client, "parse", {"texts": ["路" * 301]}).status_code == 422
