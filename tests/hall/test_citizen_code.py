"""A citizen code: read by enrolled devices without a network, for a minute, once; by nobody else, ever."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import pytest
import segno
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.contexts.hall.citizen_code import codec, device, store
from chengshu.contexts.hall.citizen_code.models import CodeDevice, CodeReplay, CodeUse
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.site.cli.code import app

NOW = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
WHO = "P000000002Z"
GROUP, KEY = X25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
SIGNERS = [codec.Signer(KEY.public_key(), NOW - dt.timedelta(days=9), NOW + dt.timedelta(days=9))]


def made(at=NOW, name="张晓明", who=WHO):
    return codec.make(who, name, KEY, GROUP.public_key(), at)


def seconds(number):
    return dt.timedelta(seconds=number)


@pytest.fixture
def enrolled(db):
    """A device that an operator has enrolled and that has synchronised once."""

    def enrol(code="hall-3", days=30, now=NOW):
        held = device.new_device(code)
        row = store.enrol(
            held.request("3 号窗口"),
            department="data-bureau",
            place="新安街道大厅",
            days=days,
            by="op",
            now=now,
        )
        device.take_bundle(held, store.sync(device.told(held, now), now))
        return held, row

    return enrol


@settings(max_examples=150, deadline=None)
@given(offset=st.integers(-4000, 4000))
def test_a_code_holds_from_half_a_minute_before_to_a_minute_and_a_half_after(offset):
    refused = None
    try:
        codec.check_time(NOW, NOW + seconds(offset))
    except codec.CodeRefusal as refusal:
        refused = refusal.code
    assert refused == ("early" if offset < -30 else "over" if offset > 90 else None)


@settings(max_examples=60, deadline=None)
@given(name=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40))
def test_whatever_the_name_every_code_has_the_same_size_and_opens(name):
    text = made(name=name)
    assert len(text) == 248 and set(text) <= set(codec.ALPHABET)
    said = codec.open_code(text, [GROUP], SIGNERS)
    assert name.startswith(said.name) and said.subject_id == WHO and said.at == NOW


@given(content=st.binary(max_size=80))
def test_base45_gives_back_what_was_put_in(content):
    assert codec.from_base45(codec.base45(content)) == content


@settings(max_examples=80, deadline=None)
@given(place=st.integers(0, 247), other=st.sampled_from(codec.ALPHABET))
def test_a_code_with_one_other_character_is_refused(place, other):
    text = made()
    # The highest bit of the point is noise: the same code may be written in two ways.
    changed = text[:place] + other + text[place + 1 :]
    try:
        said = codec.open_code(changed, [GROUP], SIGNERS)
    except codec.CodeRefusal:
        return
    assert said.subject_id == WHO and (changed == text or place in (45, 46, 47))


def test_it_fits_a_modest_picture():
    assert segno.make(made(), error="m").version <= 10


def test_a_stranger_sees_chance_and_cannot_tell_two_codes_of_one_person_from_those_of_two():
    def sealed(number, who, name):
        return [codec.from_base45(made(NOW, name, who)) for _ in range(number)]

    mine, others = sealed(300, WHO, "张晓明"), sealed(300, "P000000003X", "王五")
    assert len(set(mine)) == 300 and {len(each) for each in mine + others} == {165}
    # No place of it prefers any value, first byte and last alike; a fixed byte would stand out at once.
    for place in range(165):
        assert max(Counter(each[place] for each in mine + others).values()) < 16
    shared = max(sum(a == b for a, b in zip(mine[0], each, strict=True)) for each in mine[1:])
    strange = max(sum(a == b for a, b in zip(mine[0], each, strict=True)) for each in others)
    assert abs(shared - strange) <= 4 and shared < 12
    with pytest.raises(codec.CodeRefusal, match="unreadable"):
        codec.open_code(made(), [X25519PrivateKey.generate()], SIGNERS)


def test_whoever_knows_the_devices_key_still_signs_nothing():
    forged = codec.make(WHO, "冒名", ec.generate_private_key(ec.SECP256R1()), GROUP.public_key(), NOW)
    with pytest.raises(codec.CodeRefusal, match="forged"):
        codec.open_code(forged, [GROUP], SIGNERS)
    # What one group's device has opened cannot be sealed anew for another group.
    other = X25519PrivateKey.generate()
    moved = bytearray(codec.from_base45(made()))
    moved[31] &= 0x7F
    content = codec._SUITE.decrypt(bytes(moved), GROUP, info=codec.INFO)
    again = codec.base45(bytes(codec._SUITE.encrypt(content, other.public_key(), info=codec.INFO)))
    with pytest.raises(codec.CodeRefusal, match="forged"):
        codec.open_code(again, [other], SIGNERS)


def test_an_enrolled_device_reads_it_without_a_network_and_once(enrolled, django_assert_num_queries):
    held, _ = enrolled()
    text = store.make_code(WHO, "张晓明", NOW)
    with django_assert_num_queries(0):
        assert device.verify(held, text, NOW + seconds(20)).subject_id == WHO
        with pytest.raises(codec.CodeRefusal, match="seen"):
            device.verify(held, text, NOW + seconds(30))
        with pytest.raises(codec.CodeRefusal, match="unreadable"):
            device.verify(held, "HELLO WORLD", NOW)


def test_a_copy_shown_at_two_windows_is_found_at_the_next_sync(enrolled, client):
    one, _ = enrolled("hall-1")
    two, _ = enrolled("hall-2")
    text = store.make_code(WHO, "张晓明", NOW)
    for held in (one, two):
        assert device.verify(held, text, NOW + seconds(10)).name == "张晓明"
    later = NOW + dt.timedelta(minutes=20)
    device.take_bundle(one, store.sync(device.told(one, later), later))
    assert not CodeReplay.objects.exists()
    store.sync(device.told(two, later), later)
    replay = CodeReplay.objects.get()
    assert (replay.first.device.code, replay.second.device.code) == ("hall-1", "hall-2")
    # The same log told again, after a torn connection, changes nothing.
    store.sync(device.told(two, later), later)
    assert CodeUse.objects.count() == 2 and CodeReplay.objects.count() == 1
    device.forget(one, one.bundle)
    assert one.log == []
    assert [use.twice for use in store.uses_of(WHO, {})] == [True, True]


def test_a_revoked_device_reads_no_code_made_afterwards_the_others_do_once_they_synchronise(enrolled):
    lost, _ = enrolled("lost")
    kept, _ = enrolled("kept")
    assert device.verify(lost, store.make_code(WHO, "张晓明", NOW), NOW)
    later = NOW + dt.timedelta(minutes=1)
    store.revoke("lost", by="op", now=later)
    text = store.make_code(WHO, "张晓明", later)
    with pytest.raises(codec.CodeRefusal, match="unreadable"):
        device.verify(lost, text, later)
    with pytest.raises(Problem) as refused:
        store.sync(device.told(lost, later), later)
    assert refused.value.code == "device-over"
    device.take_bundle(kept, store.sync(device.told(kept, later), later))
    assert device.verify(kept, text, later).name == "张晓明"


def test_a_weekly_change_of_keys_needs_no_network_on_that_day(enrolled):
    held, _ = enrolled()
    first = store.current_epoch(NOW).pk
    eve = NOW + dt.timedelta(days=6, hours=20)
    device.take_bundle(held, store.sync(device.told(held, eve), eve))
    after = NOW + dt.timedelta(days=8)
    assert store.current_epoch(after).pk != first
    assert device.verify(held, store.make_code(WHO, "张晓明", after), after).subject_id == WHO


def test_a_device_that_was_not_heard_of_for_days_or_whose_time_is_over_reads_nothing(enrolled):
    held, row = enrolled(days=2)
    at = NOW + dt.timedelta(days=2, minutes=1)
    with pytest.raises(codec.CodeRefusal, match="device-over"):
        device.verify(held, store.make_code(WHO, "张晓明", at), at)
    with pytest.raises(Problem):
        store.bundle(row, at)


def test_a_bundle_opens_on_its_own_device_alone_and_a_log_must_be_signed_by_it(enrolled):
    one, row = enrolled("hall-1")
    two, _ = enrolled("hall-2")
    with pytest.raises(Problem, match="not for this device"):
        device.take_bundle(two, store.bundle(row, NOW))
    two.code = "hall-1"
    with pytest.raises(Problem) as refused:
        store.sync(device.told(two, NOW), NOW)
    assert refused.value.code == "device-log"
    with pytest.raises(Problem):
        store.sync(device.told(one, NOW - dt.timedelta(hours=1)), NOW)
    assert "private" not in json.dumps(list(CodeDevice.objects.values()), default=str)


def test_a_clerk_on_the_network_reads_it_and_a_copy_is_refused_at_once(enrolled):
    clerk = identity.save_account("clerk-1", display_name="窗口", role="clerk")
    text = store.make_code(WHO, "张晓明", NOW)
    assert store.read_at_window(text, clerk, NOW + seconds(5)) == (WHO, "张晓明")
    with pytest.raises(Problem) as again:
        store.read_at_window(text, clerk, NOW + seconds(9))
    assert again.value.code == "code-seen"
    with pytest.raises(Problem) as late:
        store.read_at_window(store.make_code(WHO, "张晓明", NOW), clerk, NOW + seconds(91))
    assert late.value.code == "code-over"


def test_of_two_readings_at_the_same_moment_one_counts_and_the_other_is_kept_as_a_replay(
    enrolled, monkeypatch
):
    clerk = identity.save_account("clerk-1", display_name="窗口", role="clerk")
    _held, row = enrolled()
    text = store.make_code(WHO, "张晓明", NOW)
    written, number = store._noted, []

    def meanwhile(*said, **more):
        if not number:
            number.append(said[0])
            store.note_use(said[0], WHO, NOW, NOW, device=row, department="data-bureau")
        return written(*said, **more)

    # The clerk's look found nothing; a device's log comes in before the clerk's own line is written.
    monkeypatch.setattr(store, "_noted", meanwhile)
    with pytest.raises(Problem) as second:
        store.read_at_window(text, clerk, NOW + seconds(5))
    assert second.value.code == "code-seen"
    replay = CodeReplay.objects.get(number=number[0])
    assert (replay.first.device, replay.second.clerk) == (row, "clerk-1")


def test_what_a_device_read_while_it_might_is_told_after_its_time_was_over_and_by_a_revoked_one_never(
    enrolled,
):
    held, row = enrolled(days=2)
    lost, _ = enrolled("hall-4", days=9)
    at = NOW + dt.timedelta(days=1, hours=23)
    for each in (held, lost):
        device.verify(each, store.make_code(WHO, "张晓明", at), at)
    store.revoke("hall-4", by="op", now=at)
    late = NOW + dt.timedelta(days=2, minutes=5)
    for each in (held, lost):
        with pytest.raises(Problem) as refused:
            store.sync(device.told(each, late), late)
        assert refused.value.code == "device-over"
    assert [use.device for use in CodeUse.objects.all()] == [row]


def test_a_device_whose_code_could_stand_in_no_address_is_not_enrolled(enrolled):
    for code in ("三号窗", "a" * 41, "a/b", "-", ""):
        with pytest.raises(Problem) as refused:
            enrolled(code)
        assert refused.value.code == "device-request"


def test_a_log_with_anything_but_numbers_of_codes_is_refused(enrolled):
    held, _row = enrolled()
    for wrong in ("", "\0" * 24, "zz" * 12, "00" * 11):
        held.log = [{"number": wrong, "subject_id": WHO, "at": NOW.isoformat()}]
        with pytest.raises(Problem) as refused:
            store.sync(device.told(held, NOW), NOW)
        assert refused.value.code == "device-log"


def test_on_the_command_line_a_device_is_made_enrolled_synchronised_over_http_and_reads(
    tmp_path, live_server, db
):
    runner, file = CliRunner(), tmp_path / "device.json"
    identity.save_department("data-bureau", "政数局", "Data")
    printed = runner.invoke(app, ["device", str(file), "--code", "hall-9", "--name", "9 号窗口"]).output
    assert file.stat().st_mode & 0o077 == 0 and '"d"' not in printed
    done = runner.invoke(app, ["enrol", printed, "--department", "data-bureau", "--place", "大厅"])
    assert done.exit_code == 0, done.output
    assert (
        "reads codes until"
        in runner.invoke(app, ["sync", "--device", str(file), "--url", live_server.url]).output
    )
    text = store.make_code(WHO, "张晓明", dt.datetime.now(dt.UTC))
    good = runner.invoke(app, ["verify", text, "--device", str(file), "--json"])
    assert good.exit_code == 0 and json.loads(good.output)["subject_id"] == WHO
    again = runner.invoke(app, ["verify", "--device", str(file)], input=text + "\n")
    assert again.exit_code == 1 and "just used" in again.output
    assert runner.invoke(app, ["sync", "--device", str(file), "--url", live_server.url]).exit_code == 0
    assert CodeUse.objects.get().device.code == "hall-9" and device.load(file).log == []
    assert runner.invoke(app, ["revoke", "hall-9"]).exit_code == 0
    file.chmod(0o644)
    with pytest.raises(Problem, match="Others may read"):
        device.load(file)


def test_a_resident_shows_it_an_operator_keeps_the_devices_nobody_else_may(
    client, db, django_assert_max_num_queries
):
    identity.save_department("data-bureau", "政数局", "Data")
    resident = identity.save_account("re", display_name="张晓明", role="resident", subject_id=WHO)
    operator = identity.save_account("op", display_name="刘伟", role="operator")
    client.force_login(resident)
    client.get("/my/code")
    with django_assert_max_num_queries(15):
        page = client.get("/my/code")
    assert (
        page.status_code == 200
        and "<svg" in page.content.decode()
        and "no-store" in page.headers["Cache-Control"]
    )
    assert "张晓明" not in page.content.decode().split("code-picture")[1].split("</section>")[0]
    first, second = (client.get("/my/code/fresh").content for _ in range(2))
    assert first != second
    assert client.get("/code-devices/").status_code == 403
    client.force_login(operator)
    assert client.get("/my/code").status_code == 403
    held = device.new_device("hall-5")
    said = {
        "request": json.dumps(held.request("5 号窗口")),
        "department": "data-bureau",
        "place": "大厅",
        "days": 90,
    }
    assert client.post("/code-devices/", said).status_code == 302
    assert client.post("/code-devices/", said).status_code == 422
    assert client.post("/code-devices/", said | {"request": "x"}).status_code == 422
    with django_assert_max_num_queries(15):
        assert "等待首次同步" in client.get("/code-devices/").content.decode()
    client.post("/code-devices/hall-5/revoke")
    assert "已停用" in client.get("/code-devices/").content.decode()
