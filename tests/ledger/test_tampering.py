"""An auditor finds what an intruder did to the ledger, and which row it was."""

import shutil

import pytest
from ledger_support import NOW, fill, running_witness

from chengshu.contexts.ledger import api, keys, sequencer
from chengshu.contexts.ledger.domain import open_checkpoint
from chengshu.contexts.ledger.models import CheckpointRow, LeafRow, Log
from chengshu.kernel import merkle
from chengshu.kernel.signed_note import Checkpoint, sign_note

pytestmark = pytest.mark.django_db(transaction=True)


def found(**options):
    report = api.verify(**options)
    assert not report.ok
    return {(finding.code, finding.position) for finding in report.findings}, report


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"digest": "0" * 64}, "digest"),
        ({"kind": "case.other"}, "kind"),
        ({"reference": "case:7777"}, "reference"),
        ({"at": 1}, "time"),
    ],
)
def test_a_changed_row_is_named(change, what):
    fill(600)
    LeafRow.objects.filter(position=300).update(**change)
    codes, report = found()
    assert ("changed", 300) in codes
    (named,) = [finding for finding in report.findings if finding.position == 300]
    assert what in named.text and named.leaf_id == LeafRow.objects.get(position=300).id


def test_a_changed_id_is_named():
    fill(20)
    LeafRow.objects.filter(position=7).update(id=9999)
    codes, report = found()
    assert ("changed", 7) in codes and "id" in report.findings[0].text


def test_a_missing_row_is_named_with_what_it_was():
    fill(600)
    LeafRow.objects.filter(position=300).delete()
    codes, report = found()
    assert codes == {("missing", 300)}
    assert "case.event of case:300" in report.findings[0].text


def test_exchanged_rows_are_named():
    fill(50)
    first, second = LeafRow.objects.get(position=10), LeafRow.objects.get(position=20)
    LeafRow.objects.filter(pk=first.pk).update(position=None)
    LeafRow.objects.filter(pk=second.pk).update(position=10)
    LeafRow.objects.filter(pk=first.pk).update(position=20)
    codes, report = found()
    assert {("reordered", 10), ("reordered", 20)} <= codes
    assert "signed as row 20" in report.findings[0].text


def test_rows_cut_off_at_the_end_are_named():
    fill(300)
    LeafRow.objects.filter(position__gte=297).delete()
    assert found()[0] == {("missing", 297), ("missing", 298), ("missing", 299)}


def test_a_row_put_in_is_named():
    fill(10)
    LeafRow.objects.create(position=10, kind="case.event", reference="case:forged", digest="0" * 64, at=1)
    codes, report = found()
    assert codes == {("extra", 10)} and report.findings[0].reference == "case:forged"


def test_a_changed_tile_is_found(own_var):
    fill(600)
    tile = own_var / "ledger/tile/0/001"
    data = bytearray(tile.read_bytes())
    data[5 * 32] ^= 1
    tile.write_bytes(data)
    codes, report = found()
    assert ("changed", 261) in codes and "its tile" in report.findings[0].text


def test_a_changed_upper_tile_is_found(own_var):
    fill(600)
    (tile,) = (own_var / "ledger/tile/1/000.p").iterdir()
    tile.write_bytes(b"x" * 64)
    assert ("tile", None) in found()[0]


def test_a_checkpoint_signed_by_another_key_is_found(own_var):
    fill(10)
    path = own_var / "ledger/checkpoint"
    head = open_checkpoint(path.read_text())[1]
    from chengshu.kernel.signed_note import make_signer

    path.write_text(str(sign_note(str(head), [make_signer(head.origin, b"k" * 32)])))
    assert ("signature", None) in found()[0]
    path.write_text(api.checkpoint().replace("\n10\n", "\n11\n"))
    assert ("signature", None) in found()[0]


def rewrite(position, **change):
    """What a thief of database, files and signing key does: change a row and make everything fit again."""
    LeafRow.objects.filter(position=position).update(**change)
    forge(Log.objects.get(pk=1).size)


def forge(size):
    """Rebuild head, tiles and all checkpoints over the first ``size`` rows and sign them with the stolen
    key.
    """
    LeafRow.objects.filter(position__gte=size).delete()
    CheckpointRow.objects.filter(size__gt=size).delete()
    log = Log.objects.get(pk=1)
    texts = [entry.text.encode() for entry in reversed(api.find_entries(number=10_000))]
    hashes = [merkle.leaf_hash(text) for text in texts]
    frontier = merkle.Frontier()
    frontier.extend(hashes)
    log.size, log.root = frontier.size, frontier.root().hex()
    log.frontier = [node.hex() for node in frontier.hashes]
    log.save()
    shutil.rmtree(keys.ledger_folder() / "tile")
    sequencer.tile_store(log).append(0, hashes, texts)
    signer = keys.load_signer(keys.log_keys()[-1].verifier)
    for row in CheckpointRow.objects.all():
        root = merkle.root_of(hashes[: row.size])
        row.root, row.note = root.hex(), str(sign_note(str(Checkpoint(log.origin, row.size, root)), [signer]))
        row.save()
    (keys.ledger_folder() / "checkpoint").write_text(CheckpointRow.objects.get(size=size).note)


def test_a_stolen_key_does_not_help_against_a_checkpoint_kept_elsewhere(tmp_path):
    fill(200)
    kept = tmp_path / "kept.txt"
    kept.write_text(api.checkpoint())
    fill(100, start=200)
    rewrite(150, reference="case:9999")
    assert api.verify().ok  # inside the host nothing tells: this is why one keeps checkpoints elsewhere
    codes, report = found(against=[kept])
    assert ("rewritten", 0) in codes and "from 0 to 199" in report.findings[0].text


def test_a_row_rewritten_after_the_kept_checkpoint_needs_a_later_one(tmp_path):
    fill(200)
    kept = tmp_path / "kept.txt"
    kept.write_text(api.checkpoint())
    fill(100, start=200)
    rewrite(250, reference="case:9999")
    report = api.verify(against=[kept])
    assert report.ok and any("agrees with kept.txt: 200 leaves" in line for line in report.trust)


def test_a_log_rolled_back_with_the_stolen_key_is_found(tmp_path):
    fill(200)
    kept = tmp_path / "kept.txt"
    fill(100, start=200)
    kept.write_text(api.checkpoint())
    forge(200)
    assert api.verify().ok
    codes, report = found(against=[kept])
    assert codes == {("cut-off", 200)} and "rows 200 to 299" in report.findings[0].text


def test_a_foreign_checkpoint_is_no_evidence(tmp_path):
    fill(20)
    from chengshu.kernel.signed_note import make_signer

    stranger = tmp_path / "kept.txt"
    stranger.write_text(
        str(sign_note(str(Checkpoint("other.log", 5, b"r" * 32)), [make_signer("other.log", b"k" * 32)]))
    )
    assert ("outside", None) in found(against=[stranger])[0]


def witnessed(tmp_path):
    """A log of 300 entries with a witness that cosigned at 100, 200 and 300 and then went away."""
    fill(100)
    with running_witness(tmp_path / "w", log_file=keys.ledger_folder() / "keys.txt") as (_, address):
        api.add_witness(address)
        api.sequence(NOW)
        fill(100, start=100)
        fill(100, start=200)
    assert api.status()["cosigned_by"]
    return tmp_path / "w"


def test_a_witness_names_the_row_rewritten_with_the_stolen_key(tmp_path):
    folder = witnessed(tmp_path)
    assert api.verify(against=[folder]).ok
    rewrite(150, reference="case:9999")
    codes, report = found(against=[folder])
    assert ("rewritten", 100) in codes and ("changed", 150) in codes
    (named,) = [finding for finding in report.findings if finding.position == 150]
    assert named.reference == "case:9999"


def test_a_witness_names_rows_exchanged_with_the_stolen_key(tmp_path):
    folder = witnessed(tmp_path)
    first, second = LeafRow.objects.get(position=110), LeafRow.objects.get(position=120)
    for row, position in ((first, None), (second, 110), (first, 120)):
        LeafRow.objects.filter(pk=row.pk).update(position=position)
    log_rows = LeafRow.objects.order_by("position")
    for position, row in enumerate(list(log_rows)):
        assert row.position == position
    rewrite_in_order()
    codes, _ = found(against=[folder])
    assert {("reordered", 110), ("reordered", 120)} <= codes


def rewrite_in_order():
    log = Log.objects.get(pk=1)
    texts = [
        api.entry(leaf_id).text.encode()
        for leaf_id in LeafRow.objects.order_by("position").values_list("id", flat=True)
    ]
    hashes = [merkle.leaf_hash(text) for text in texts]
    shutil.rmtree(keys.ledger_folder() / "tile")
    sequencer.tile_store(log).append(0, hashes, texts)
    root = merkle.root_of(hashes)
    signer = keys.load_signer(keys.log_keys()[-1].verifier)
    note = str(sign_note(str(Checkpoint(log.origin, log.size, root)), [signer]))
    CheckpointRow.objects.filter(size=log.size).update(note=note)
    (keys.ledger_folder() / "checkpoint").write_text(note)


def test_cosigned_checkpoints_on_file_find_a_rewritten_row(tmp_path):
    witnessed(tmp_path)
    kept = {row.size: row.note for row in CheckpointRow.objects.all()}
    rewrite(150, reference="case:9999")
    for size, note in kept.items():
        CheckpointRow.objects.filter(size=size).update(
            note=note
        )  # the thief left the table of checkpoints alone
    codes, _ = found()
    assert ("rewritten", 100) in codes


def test_a_log_cut_back_is_found_by_the_witness(tmp_path):
    folder = witnessed(tmp_path)
    forge(200)
    assert ("cut-off", 200) in found(against=[folder])[0]


def test_an_export_is_verified_by_its_files_alone(tmp_path):
    folder = witnessed(tmp_path)
    api.export(tmp_path / "out")
    report = api.verify_files(tmp_path / "out", against=[folder])
    assert report.ok and report.size == 300
    bundle = tmp_path / "out/tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(b"case:17\n", b"case:71\n"))
    report = api.verify_files(tmp_path / "out")
    assert [(finding.code, finding.position) for finding in report.findings if finding.position] == [
        ("changed", 17)
    ]


def test_many_changed_rows_do_not_flood_the_report():
    fill(1500)
    LeafRow.objects.update(at=5)
    report = api.verify()
    assert len(report.findings) < 1100 and any(finding.code == "more" for finding in report.findings)
