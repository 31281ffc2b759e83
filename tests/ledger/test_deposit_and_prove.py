"""An official's act is deposited, and anyone proves it."""

import hashlib

import pytest
from django.db import DatabaseError, connection, transaction
from independent_verifier import verify_export
from ledger_support import NOW, fill

from chengshu.contexts.ledger import api
from chengshu.contexts.ledger.domain import open_checkpoint
from chengshu.contexts.ledger.models import CheckpointRow, LeafRow
from chengshu.kernel.canonical import canonical_json
from chengshu.kernel.problems import Problem
from chengshu.kernel.signed_note import parse_verifier

pytestmark = pytest.mark.django_db(transaction=True)


def keys():
    return [parse_verifier(text) for text in api.log_keys()]


def test_a_deposit_is_a_salted_digest_and_nothing_else():
    leaf = api.deposit("case.event", "case:1", {"name": "张三"}, now=NOW)
    salt = bytes.fromhex(leaf.salt)
    assert leaf.digest == hashlib.sha256(salt + canonical_json({"name": "张三"})).hexdigest()
    row = LeafRow.objects.get(pk=leaf.id)
    assert "张三" not in repr(list(LeafRow.objects.values())) and leaf.salt not in repr(vars(row))
    assert row.position is None and api.receipt(leaf.id) is None


def test_a_deposit_goes_with_its_transaction():
    def act():
        with transaction.atomic():
            api.deposit("case.event", "case:1", {}, now=NOW)
            raise RuntimeError("the act fails")

    with pytest.raises(RuntimeError):
        act()
    assert api.entries_for("case:1") == [] and api.sequence(NOW) == 0


def test_a_receipt_verifies_by_itself():
    leaves = fill(300)
    for leaf in (leaves[0], leaves[255], leaves[256], leaves[299]):
        receipt = api.receipt(leaf.id)
        assert receipt.verify(keys()) == [api.status()["origin"]]
        assert leaf.digest in receipt.leaf and f"case:{receipt.position}" in receipt.leaf
        assert (
            receipt.as_text().startswith("c2sp.org/tlog-proof@v1\n")
            and receipt.checkpoint in receipt.as_text()
        )


def test_a_forged_receipt_does_not_verify():
    leaf = fill(10)[3]
    receipt = api.receipt(leaf.id)
    forged = api.Receipt(**{**receipt.to_dict(), "leaf": receipt.leaf.replace("case:3", "case:4")})
    with pytest.raises(Problem) as caught:
        forged.verify(keys())
    assert caught.value.code == "receipt-broken"
    with pytest.raises(Problem) as caught:
        receipt.verify([])
    assert caught.value.code == "receipt-unsigned"


@pytest.mark.parametrize(
    ("kind", "reference"), [("", "a"), ("a\nb", "a"), ("a", "x" * 201), ("a", ""), ("k" * 61, "a")]
)
def test_a_name_that_would_blur_a_leaf_is_refused(kind, reference):
    for deposit in (
        lambda: api.deposit(kind, reference, {}, now=NOW),
        lambda: api.deposit_many([api.Deposit(kind, reference, {})], now=NOW),
        lambda: api.append_many([api.Deposit(kind, reference, {})], now=NOW),
    ):
        with pytest.raises(Problem) as caught:
            deposit()
        assert caught.value.code == "leaf-name"
    assert not LeafRow.objects.exists()


def test_bulk_and_single_deposits_make_one_log(tmp_path):
    fill(3)
    many = api.deposit_many([api.Deposit("run", f"run:{n}", {"n": n}) for n in range(700)], now=NOW)
    bulk = api.append_many([api.Deposit("row", f"row:{n}", b'{"n":1}') for n in range(600)], now=NOW)
    assert api.sequence(NOW) == 700
    assert len({leaf.id for leaf in many + bulk}) == 1300
    assert api.receipt(bulk[-1].id).verify(keys()) and api.receipt(many[0].id).verify(keys())
    assert api.verify().ok and api.status()["size"] == 1303
    assert api.export(tmp_path / "out") == 1303
    size, names, texts = verify_export(tmp_path / "out")
    assert (size, names) == (1303, [api.status()["origin"]])
    assert {text.split(b"\n")[2] for text in texts} == {b"case.event", b"run", b"row"}
    assert api.kinds() == ["case.event", "row", "run"]


def test_a_large_batch_is_whole_or_not_at_all():
    deposits = [api.Deposit("row", f"row:{n}", {"n": n}) for n in range(9000)]
    leaves = api.append_many(deposits, now=NOW)
    api.sequence(NOW)
    assert len({leaf.id for leaf in leaves}) == 9000 and api.verify().ok and api.verify().size == 9000
    assert api.entry(leaves[8500].id).reference == "row:8500"

    def act():
        with transaction.atomic():
            api.deposit_many(deposits, now=NOW)
            raise RuntimeError("the act fails")

    with pytest.raises(RuntimeError):
        act()
    assert LeafRow.objects.count() == 9000


def test_a_checkpoint_of_each_time_is_looked_at(monkeypatch):
    monkeypatch.setattr(api, "HISTORY", 3)
    for number in range(12):
        fill(1, start=number)
    sizes = [open_checkpoint(note)[1].size for note in api._history()]
    assert sizes == sorted(sizes) and sizes[-3:] == [10, 11, 12] and 1 in sizes and len(sizes) < 9


def test_entries_are_found_by_reference_and_kind():
    fill(12)
    fill(2, kind="personal-read", start=100)
    assert [entry.reference for entry in api.entries_for("case:3")] == ["case:3"]
    assert {entry.reference for entry in api.find_entries(reference="case:1")} == {
        "case:1", "case:10", "case:11", "case:100", "case:101"}  # fmt: skip
    assert len(api.find_entries(kind="personal-read")) == 2
    page = api.find_entries(number=5)
    assert len(page) == 5 and page[0].id > page[-1].id
    assert api.find_entries(number=5, before=page[-1].id)[0].id == page[-1].id - 1


def test_the_key_is_made_at_first_start_for_its_owner_only(own_var):
    fill(1)
    (key,) = (own_var / "keys").glob("ledger-*.key")
    assert key.stat().st_mode & 0o077 == 0
    key.chmod(0o644)
    api.deposit("a", "b", {}, now=NOW)
    with pytest.raises(Problem) as caught:
        api.sequence(NOW)
    assert caught.value.code == "ledger-key-open"
    key.chmod(0o600)
    api.sequence(NOW)
    assert CheckpointRow.objects.filter(note="").count() == 0 and api.verify().ok


def test_a_lost_key_is_named(own_var):
    fill(1)
    for key in (own_var / "keys").glob("ledger-*.key"):
        key.unlink()
    api.deposit("a", "b", {}, now=NOW)
    with pytest.raises(Problem) as caught:
        api.sequence(NOW)
    assert caught.value.code == "ledger-key-missing"


def test_sm3_is_the_second_suite(monkeypatch, tmp_path):
    monkeypatch.setenv("CHENGSHU_LOG_SUITE", "sm3")
    leaf = fill(300)[7]
    assert api.status()["suite"] == "sm3" and api.verify().ok
    assert api.receipt(leaf.id).verify(keys())
    api.export(tmp_path / "out")
    assert verify_export(tmp_path / "out", "sm3")[0] == 300
    assert api.verify_files(tmp_path / "out").ok


def test_lost_tiles_are_written_again(own_var):
    leaf = fill(600)[5]
    (own_var / "ledger/tile/0/001").unlink()
    report = api.verify()
    assert {finding.code for finding in report.findings} == {"tile"} and "256" in report.findings[0].text
    api.repair(NOW)
    assert api.verify().ok and api.receipt(leaf.id).verify(keys())


def test_nothing_is_signed_over_a_changed_history():
    fill(10)
    LeafRow.objects.filter(position=4).update(reference="case:99")
    with pytest.raises(Problem) as caught:
        api.repair(NOW)
    assert caught.value.code == "ledger-broken"


def test_a_crash_between_commit_and_signature_is_made_up_for(monkeypatch, own_var):
    from chengshu.contexts.ledger import sequencer

    fill(10)
    for number in range(3):
        api.deposit("a", f"crash:{number}", {}, now=NOW)
        with monkeypatch.context() as patch:
            patch.setattr(sequencer, "publish", lambda *args: (_ for _ in ()).throw(OSError("killed")))
            with pytest.raises(OSError):
                api.sequence(NOW)
    assert api.status() | {"checkpoint_size": 10, "size": 13} == api.status()
    assert api.sequence(NOW) == 0
    assert api.status()["checkpoint_size"] == 13 and api.verify().ok


def test_a_database_older_than_its_files_signs_nothing(own_var):
    fill(10)
    from chengshu.contexts.ledger.models import Log

    before = Log.objects.values().get()
    fill(5, start=10)
    LeafRow.objects.filter(position__gte=10).delete()
    CheckpointRow.objects.filter(size__gt=10).delete()
    Log.objects.update(**{name: before[name] for name in ("size", "root", "frontier")})
    api.deposit("a", "b", {}, now=NOW)
    with pytest.raises(Problem) as caught:
        api.sequence(NOW)
    assert caught.value.code == "ledger-rolled-back"


def test_an_idle_clock_only_reads(django_assert_max_num_queries):
    fill(3)
    with django_assert_max_num_queries(6) as seen:
        assert api.sequence(NOW) == 0
    assert all(query["sql"].lstrip().upper().startswith("SELECT") for query in seen.captured_queries)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the branch straight to SQLite's driver")
def test_a_database_that_refuses_is_djangos_error_on_every_path():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER full BEFORE INSERT ON ledger_leaf BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    many = [api.Deposit("row", f"row:{n}", {}) for n in range(5000)]
    try:
        for act in (
            lambda: api.deposit("a", "b", {}, now=NOW),
            lambda: api.deposit_many(many[:3], now=NOW),
            lambda: api.append_many(many, now=NOW),
        ):
            with pytest.raises(DatabaseError, match="disk full"):
                act()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER full")
    assert not LeafRow.objects.exists() and api.status()["size"] == 0
