from __future__ import annotations

from datetime import timedelta

import pytest
from identity_people import NOW

from chengshu.contexts.identity import api
from chengshu.contexts.identity.domain import PURPOSES, PURPOSES_OF_ROLE
from chengshu.contexts.identity.models import PersonalRead
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.canonical import salted_digest
from chengshu.kernel.problems import Problem

SUBJECT = "P0000000017"


def test_a_read_is_on_record_with_who_when_and_why(people):
    api.record_read(people["steward"], SUBJECT, "stewardship", ["person.phone", "person.name"], NOW)
    (read,), total = api.reads_of(SUBJECT)
    assert total == 1
    assert (read.actor_name, read.purpose, read.at) == ("某steward", "stewardship", NOW)
    assert read.elements == ("person.name", "person.phone")


def test_a_read_is_bound_to_the_ledger(people):
    read = api.record_read(people["officer"], SUBJECT, "correction-review", ["person.name"], NOW)
    assert read.department == "市场监管局"
    assert read.leaf_id
    assert len(ledger.entries_for(f"read:{read.id}")) == 1


def test_the_person_can_prove_a_read_against_the_ledger(people):
    read = api.record_read(people["steward"], SUBJECT, "stewardship", ["person.name"], NOW)
    ledger.sequence(NOW)
    proof = api.read_proof(SUBJECT, read.id)
    entry = ledger.entry(read.leaf_id)
    assert entry.digest == salted_digest(proof["read"], bytes.fromhex(proof["salt"]))
    assert proof["receipt"]["checkpoint"] == ledger.checkpoint()
    assert api.read_proof("P0000000025", read.id) is None


def test_a_read_without_elements_or_with_an_unknown_purpose_is_refused(people):
    with pytest.raises(Problem):
        api.record_read(people["steward"], SUBJECT, "stewardship", [], NOW)
    with pytest.raises(Problem):
        api.record_read(people["steward"], SUBJECT, "curiosity", ["person.name"], NOW)
    assert not PersonalRead.objects.exists()


@pytest.mark.parametrize("role", api.ALL_ROLES)
@pytest.mark.parametrize("purpose", sorted(set(PURPOSES) - {"acting"}))
def test_each_role_has_its_purposes_and_no_other(people, role, purpose):
    subject = SUBJECT if purpose == "own-data" else "P0000000025"
    if purpose in PURPOSES_OF_ROLE[role]:
        api.record_read(people[role], subject, purpose, ["person.name"], NOW)
        assert PersonalRead.objects.count() == 1
    else:
        with pytest.raises(Problem) as caught:
            api.record_read(people[role], subject, purpose, ["person.name"], NOW)
        assert caught.value.status == 403
        assert not PersonalRead.objects.exists()


def test_a_resident_reads_nobody_elses_data(people):
    with pytest.raises(Problem) as caught:
        api.record_read(people["resident"], "P0000000025", "own-data", ["person.name"], NOW)
    assert caught.value.code == "not-your-data"


def test_looking_at_ones_own_data_is_recorded_once_a_day(people):
    for hours in (0, 1, 23, 25):
        api.record_read(
            people["resident"], SUBJECT, "own-data", ["person.name"], NOW + timedelta(hours=hours)
        )
    assert PersonalRead.objects.count() == 2


def test_reads_follow_a_subject_that_was_merged(people):
    api.record_read(people["steward"], SUBJECT, "stewardship", ["person.name"], NOW)
    api.follow_merge(SUBJECT, "P0000000033")
    assert api.reads_of("P0000000033")[1] == 1 and api.reads_of(SUBJECT)[1] == 0
    assert api.account(people["resident"].pk).subject_id == "P0000000033"


def test_a_read_and_a_mandate_are_proved_after_their_subject_was_merged_twice(people):
    read = api.record_read(people["steward"], SUBJECT, "stewardship", ["person.name"], NOW)
    agent = api.save_account("agent", display_name="李明", role="resident")
    terms = api.Terms((), True, NOW.date(), NOW.date() + timedelta(days=9))
    row = api.mandates.offer(
        api.Principal(SUBJECT, "某resident"), agent, terms, by=people["resident"], now=NOW
    )
    ledger.sequence(NOW)
    for old, new in ((SUBJECT, "P0000000033"), ("P0000000033", "P0000000041")):
        api.follow_merge(old, new)
    proof = api.read_proof("P0000000041", read.id)
    assert ledger.entry(read.leaf_id).digest == salted_digest(proof["read"], bytes.fromhex(proof["salt"]))
    (act,) = api.mandates.proof(row.pk, api.account(people["resident"].pk))
    leaf = row.events.get().leaf_id
    assert ledger.entry(leaf).digest == salted_digest(act["mandate"], bytes.fromhex(act["salt"]))


def test_the_newest_read_comes_first_and_pages_do_not_overlap(people):
    for minute in range(5):
        api.record_read(
            people["steward"], SUBJECT, "stewardship", ["person.name"], NOW + timedelta(minutes=minute)
        )
    first, total = api.reads_of(SUBJECT, limit=2)
    second, _ = api.reads_of(SUBJECT, offset=2, limit=2)
    assert total == 5
    assert [read.at for read in first] > [read.at for read in second]


@pytest.mark.parametrize(
    ("element", "value", "shown"),
    [
        ("person.name", "欧阳娜娜", "欧阳**"),
        ("person.birth_date", "1985-03-02", "1985-**-**"),
        ("person.place_code", "440306001012000171203", "440306001012*********"),
        ("firm.name", "深圳市宝安某某有限公司", "深圳市宝安某某有限公司"),
        ("person.name", "", ""),
    ],
)
def test_personal_values_are_masked_by_default(element, value, shown):
    assert api.mask(element, value) == shown


def test_no_masked_value_gives_the_number_away():
    for element in ("person.resident_id", "person.phone", "premises.owner_id"):
        value = "440306198503021234"
        assert "19850302" not in api.mask(element, value)
        assert api.mask(element, value) != value
