"""Staff look at the map, a zone, a cell and a building; the operator changes the grid by pages; REST answers alike."""

import pytest

from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.contexts.places import counts
from chengshu.contexts.places.models import Place

from .conftest import NOW, ON


@pytest.fixture
def signed_in(client, district):
    def sign_in(name):
        client.force_login(identity.account_named(name))
        return client

    return sign_in


def text(answer):
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode()


def busiest():
    return max(places.cells(), key=lambda cell: cell.residents)


def test_the_map_lists_every_zone_for_those_who_cannot_see_it(signed_in):
    page = text(signed_in("steward").get("/places/map"))
    assert page.count('href="/places/zones/') == 86
    assert "示意" in page


def test_the_map_is_coloured_by_the_count_that_was_chosen(signed_in):
    page = text(signed_in("worker").get("/places/map?show=rented_homes"))
    assert 'data-show="rented_homes"' in page
    assert 'data-show="password"' not in text(signed_in("worker").get("/places/map?show=password"))


def test_a_zone_leads_to_its_cells_and_a_cell_to_its_buildings(signed_in):
    client, cell = signed_in("worker"), busiest()
    assert f"/places/cells/{cell.code}" in text(client.get(f"/places/zones/{cell.zone}"))
    page = text(client.get(f"/places/cells/{cell.code}"))
    first = Place.objects.filter(cell_code=cell.code, room=None).order_by("place_code").first()
    assert f"/places/buildings/{first.place_code}" in page
    assert "责任网格员" in page and "非实际边界" in page
    building = text(client.get(f"/places/buildings/{first.place_code}"))
    assert first.place_code in building


def test_a_count_of_a_cell_that_ended_at_its_limit_says_so(signed_in, monkeypatch):
    client, cell, asked = signed_in("worker"), busiest(), []
    monkeypatch.setattr(counts, "_KINDS", {})
    places.register_counts(
        "test", lambda cells: (asked.append(cells), {cell.code: 7})[1], zh="测试", en="Test", most=7
    )
    assert "每个网格最多数到 7" in text(client.get("/places/map?show=test"))
    assert "每个网格最多数到" not in text(client.get("/places/map?show=rented_homes"))
    assert ">7+<" in text(client.get(f"/places/zones/{cell.zone}"))
    assert ">7+<" in text(client.get(f"/places/cells/{cell.code}"))
    assert asked[0] is None and cell.code in asked[2] and asked[3] == [cell.code], (
        "no more is counted than shown"
    )


def test_what_does_not_exist_is_not_found(signed_in):
    client = signed_in("operator")
    for path in ("zones/Z0", "cells/Z0-001", "buildings/0", "cells/Z0-001/split", "proposals/999"):
        assert client.get(f"/places/{path}").status_code == 404


def test_residents_do_not_see_the_grid(signed_in):
    assert signed_in("resident").get("/places/map").status_code == 403


def test_a_grid_worker_cannot_change_the_grid(signed_in):
    assert signed_in("worker").post(f"/places/cells/{busiest().code}/split", {"parts": 2}).status_code == 403


def test_the_operator_splits_a_cell_and_sees_its_history(signed_in):
    client, cell = signed_in("operator"), busiest()
    asked = client.post(f"/places/cells/{cell.code}/split", {"parts": 2, "reason": ""})
    assert asked.status_code == 200 and places.cell(cell.code).in_force, "a reason is asked for"
    answer = client.post(f"/places/cells/{cell.code}/split", {"parts": 2, "reason": "人多"}, follow=True)
    assert "人多" in text(answer)
    old = text(client.get(f"/places/cells/{cell.code}"))
    assert "失效" in old and all(code in old for code in places.current_cells(cell.code))


def test_the_operator_merges_what_was_split(signed_in):
    client, cell = signed_in("operator"), busiest()
    made = places.split_cell(cell.code, 2, actor=identity.account_named("operator"), on=ON, now=NOW)
    client.post("/places/grid/merge", {"cells": " ".join(made), "reason": "复原"})
    assert len(places.current_cells(cell.code)) == 1


def test_cells_that_cannot_be_merged_are_refused_with_the_reason(signed_in):
    codes = " ".join(cell.code for cell in places.cells()[:2])
    answer = signed_in("operator").post("/places/grid/merge", {"cells": codes, "reason": "x"})
    assert answer.status_code == 400 and "片区" in answer.content.decode()


def test_the_operator_puts_someone_in_charge_of_a_cell_without_anyone(signed_in):
    client, worker = signed_in("operator"), identity.account_named("worker")
    cell = busiest().code
    for charge in places.charges_of_cell(cell, ON):
        places.end_post(identity.account(charge.account_id), cell, on=ON, actor=None, now=NOW)
    assert cell in text(client.get("/places/grid"))
    client.post(
        f"/places/cells/{cell}/charge", {"account": worker.pk, "post": "main", "first_day": "2026-11-01"}
    )
    assert places.people_in_charge(cell, ON) == [worker.pk]


def test_a_proposed_address_is_taken_in_by_another_person(signed_in):
    number = places.propose_address(
        "宝安区新安街道宝民社区新开路88号",
        actor=identity.account_named("worker"),
        now=NOW,
        idempotency_key="k",
    )
    client = signed_in("steward")
    assert "新开路" in text(client.get("/places/proposals"))
    page = text(client.get(f"/places/proposals/{number}"))
    assert 'value="新开路"' in page and 'value="440306017001" selected' in page
    client.post(
        f"/places/proposals/{number}",
        {"confirm": "1", "community_code": "440306017001", "road": "新开路", "number": "88号"},
    )
    found = Place.objects.get(road="新开路")
    assert (found.province, found.street, found.community) == ("广东省", "新安街道", "宝民社区")
    assert found.place_code in text(client.get("/places/proposals?state=confirmed")) or places.proposal(
        number
    )


def test_a_proposed_address_is_refused_with_a_reason(signed_in):
    number = places.propose_address(
        "不存在路1号", actor=identity.account_named("worker"), now=NOW, idempotency_key="k"
    )
    signed_in("operator").post(f"/places/proposals/{number}", {"refuse": "1", "refuse-note": "查无此路"})
    assert places.proposal(number).state == "refused"


def test_an_address_is_matched_against_the_library_as_it_is_now(district):
    row = Place.objects.exclude(room=None).filter(estate__isnull=False, road__isnull=False).first()
    view = places.place(row.place_code)
    assert places.home_code() == "440306"
    assert places.match_address(view.text) == row.place_code
    assert places.match_address("北京市海淀区中关村大街1号") is None
    places.retire_address(row.place_code, actor=identity.account_named("operator"), on=ON, now=NOW)
    assert places.match_address(view.text) != row.place_code


def test_the_rest_calls_answer_like_the_pages(signed_in):
    client, cell = signed_in("steward"), busiest()
    zones = client.get("/api/v1/places/zones").json()
    assert len(zones["features"]) == 86
    inside = client.get(f"/api/v1/places/zones/{cell.zone}/cells").json()
    assert cell.code in [feature["properties"]["code"] for feature in inside["features"]]
    one = client.get(f"/api/v1/places/cells/{cell.code}").json()
    assert one["residents"] == cell.residents and one["people"][0]["post"] == "main"
    row = Place.objects.filter(cell_code=cell.code).first()
    located = client.get(f"/api/v1/places/locate?lon={row.lon}&lat={row.lat}").json()
    assert located["cell"] == cell.code
    assert client.get("/api/v1/places/cells/Z0-000").status_code == 404


def test_the_rest_calls_are_closed_to_visitors(client, district):
    assert client.get("/api/v1/places/zones").status_code == 401
