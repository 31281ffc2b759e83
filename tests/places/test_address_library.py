"""The address library: proposals are decided by people, codes are for life, nothing is lost by a change."""

import polars as pl
import pytest

from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.places import api as places
from chengshu.contexts.places.models import Place
from chengshu.kernel.problems import Problem

from .conftest import NOW, ON


@pytest.fixture
def proposed(worker):
    return places.propose_address(
        "广东省深圳市宝安区新安街道宝民社区新开路88号", reason="现场新建", case_id="c1",
        point=(113.893, 22.565), actor=worker, now=NOW, idempotency_key="c1-1",
    )  # fmt: skip


def room():
    return places.place(Place.objects.exclude(room=None).order_by("place_code").first().place_code)


def slots_of(number):
    return places.suggested_slots(number, home="440306")


def test_a_proposal_made_twice_is_one(worker, proposed):
    again = places.propose_address("x", actor=worker, now=NOW, idempotency_key="c1-1")
    assert again == proposed and len(places.proposals(state="open")) == 1


def test_a_proposal_with_a_point_knows_its_cell(proposed):
    assert places.proposal(proposed).cell_code == places.locate(113.893, 22.565).cell


def test_a_confirmed_proposal_gets_a_code_in_its_community(operator, proposed):
    code = places.confirm_address(
        proposed, slots_of(proposed), community_code="440306017001", actor=operator, on=ON, now=NOW
    )
    assert code.startswith("440306017001") and len(code) == 17
    view = places.place(code)
    assert view.slots["road"] == "新开路" and view.slots["number"] == "88号" and view.state == "active"
    assert places.proposal(proposed).place_code == code
    assert places.place_history(code)[0].kind == "confirmed"
    assert ledger.entries_for(f"place:{code}")


def test_nobody_decides_their_own_proposal(worker, proposed):
    with pytest.raises(Problem) as refused:
        places.confirm_address(
            proposed, {"road": "新开路"}, community_code="440306017001", actor=worker, on=ON, now=NOW
        )
    assert refused.value.status == 403
    assert not Place.objects.filter(road="新开路").exists()


def test_an_address_that_is_already_there_is_not_taken_in_twice(operator, proposed):
    known = places.place(Place.objects.filter(room=None).first().place_code)
    with pytest.raises(Problem) as refused:
        places.confirm_address(
            proposed, known.slots, community_code=known.community_code, actor=operator, on=ON, now=NOW
        )
    assert refused.value.code == "address-known"


def test_a_refusal_needs_a_reason_and_ends_the_proposal(operator, proposed):
    with pytest.raises(Problem):
        places.refuse_address(proposed, note=" ", actor=operator, now=NOW)
    places.refuse_address(proposed, note="地址已存在", actor=operator, now=NOW)
    with pytest.raises(Problem) as late:
        places.refuse_address(proposed, note="再次", actor=operator, now=NOW)
    assert late.value.status == 409


def test_a_split_room_stays_readable_and_leads_to_its_parts(operator):
    old = room()
    made = places.split_address(
        old.place_code, [{"room": "101A"}, {"room": "101B"}], actor=operator, on=ON, now=NOW
    )
    assert places.place(old.place_code).state == "retired"
    assert places.current_places(old.place_code) == sorted(made)
    assert [places.place(code).slots["room"] for code in made] == ["101A", "101B"]
    assert len({*made, old.place_code}) == 3


def test_merged_rooms_lead_to_the_whole(operator):
    first = room()
    second = places.rooms_of_building(first.building_code)[1]
    whole = places.merge_addresses(
        [first.place_code, second.place_code], {"room": "101-102"}, actor=operator, on=ON, now=NOW
    )
    for old in (first, second):
        assert places.current_places(old.place_code) == [whole]
    assert places.place(whole).slots["room"] == "101-102"


def test_a_retired_building_takes_its_rooms_with_it(operator):
    building = room().building_code
    places.retire_address(building, actor=operator, on=ON, now=NOW, reason="拆除")
    assert {view.state for view in places.rooms_of_building(building)} == {"retired"}
    with pytest.raises(Problem):
        places.retire_address(building, actor=operator, on=ON, now=NOW)


def test_an_unknown_replacement_is_refused_and_nothing_changes(operator):
    old = room()
    with pytest.raises(Problem):
        places.retire_address(old.place_code, replaced_by=["nowhere"], actor=operator, on=ON, now=NOW)
    assert places.place(old.place_code).state == "active"


def test_the_exported_library_is_what_was_loaded(district, generated, tmp_path):
    path = tmp_path / "library.parquet"
    assert places.export_library(path) == district["addresses"]
    loaded = pl.read_parquet(generated / "library" / "library.parquet").sort("place_code")
    assert pl.read_parquet(path).equals(loaded)


def test_a_code_is_not_given_twice_even_after_its_address_ended(operator, proposed, worker):
    code = places.confirm_address(
        proposed, slots_of(proposed), community_code="440306017001", actor=operator, on=ON, now=NOW
    )
    places.retire_address(code, actor=operator, on=ON, now=NOW)
    other = places.propose_address("新安街道宝民社区新开路90号", actor=worker, now=NOW, idempotency_key="c2")
    again = places.confirm_address(
        other,
        {"road": "新开路", "number": "90号"},
        community_code="440306017001",
        actor=operator,
        on=ON,
        now=NOW,
    )
    assert again > code


def test_a_worker_of_another_role_is_still_a_person_of_record(operator, proposed):
    places.refuse_address(proposed, note="重复", actor=operator, now=NOW)
    assert identity.account_named("operator").pk == operator.pk
    assert places.proposal(proposed).decision_note == "重复"
