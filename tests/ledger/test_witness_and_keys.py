"""A witness cosigns only one history; an operator changes the signing key."""

import base64
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from independent_verifier import verify_export
from ledger_support import NOW, fill, running_witness

from chengshu.contexts.ledger import api, keys, sequencer, witness_client
from chengshu.contexts.ledger.domain import open_checkpoint, parse_keys
from chengshu.contexts.ledger.models import CheckpointRow, KeyRow, Log
from chengshu.contexts.ledger.witness import Witness
from chengshu.kernel import merkle
from chengshu.kernel.problems import Problem
from chengshu.kernel.signed_note import Checkpoint, make_signer, parse_verifier, sign_note

LOG = make_signer("log.example", b"s" * 32)


def head(texts, signer=LOG, origin="log.example"):
    return str(sign_note(str(Checkpoint(origin, len(texts), merkle.root_of(leaves(texts)))), [signer]))


def leaves(texts):
    return [merkle.leaf_hash(text) for text in texts]


def body(old, texts, note=None):
    hashes = leaves(texts)
    proof = merkle.consistency_proof(
        old,
        len(texts),
        lambda level, index: merkle.complete_root(hashes[index << level : index + 1 << level]),
    )
    lines = "".join(base64.b64encode(node).decode() + "\n" for node in proof)
    return f"old {old}\n{lines}\n{note or head(texts)}"


@pytest.fixture
def witness(tmp_path):
    made = Witness(tmp_path / "w", name="witness.example", log_keys=(LOG.verifier,))
    yield made
    made.close()


TEXTS = [b"%d" % n for n in range(20)]


def test_it_cosigns_what_continues_the_last_head(witness):
    assert witness.add_checkpoint(body(0, TEXTS[:7]), 1000).status == 200
    answer = witness.add_checkpoint(body(7, TEXTS), 2000)
    assert answer.status == 200
    note = open_checkpoint(head(TEXTS))[0].with_signature(answer.body)
    assert note.signed_by([witness.signer.verifier]) == [(witness.signer.verifier, 2000)]


def test_it_never_signs_a_second_history(witness):
    witness.add_checkpoint(body(0, TEXTS[:7]), 1000)
    other = [b"x", *TEXTS[1:]]
    assert witness.add_checkpoint(body(7, other), 1001).status == 422
    assert witness.add_checkpoint(body(7, other[:7]), 1001).status == 409
    assert witness.add_checkpoint(body(0, other), 1001) == (409, "7\n", "text/x.tlog.size")
    assert witness.add_checkpoint(body(0, TEXTS[:5]), 1001).status == 409
    assert witness.last()[1].size == 7


def test_it_remembers_after_a_restart(tmp_path, witness):
    witness.add_checkpoint(body(0, TEXTS[:7]), 1000)
    with pytest.raises(Problem) as caught:
        Witness(tmp_path / "w")
    assert caught.value.code == "witness-running"
    witness.close()
    again = Witness(tmp_path / "w")
    assert again.signer == witness.signer
    assert again.add_checkpoint(body(0, TEXTS), 1001).status == 409
    again.close()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("old x\n\n" + head(TEXTS), 400),
        ("old 0\n!!\n\n" + head(TEXTS), 400),
        ("old 30\n\n" + head(TEXTS), 400),
        ("old 0\n\n" + head(TEXTS, make_signer("log.example", b"t" * 32)), 403),
        ("old 0\n\n" + head(TEXTS, make_signer("other", b"t" * 32), "other"), 404),
        ("old 0\n\n" + head(TEXTS).replace("\n20\n", "\n21\n"), 422),
    ],
)
def test_it_refuses_what_it_cannot_trust(witness, text, status):
    assert witness.add_checkpoint(text, 1000).status == status
    assert witness.last() is None


def test_it_drops_hashes_that_no_checkpoint_confirms(witness):
    witness.add_hashes(0, b"".join(leaves(TEXTS[:7])))
    witness.add_checkpoint(body(0, TEXTS[:7]), 1000)
    witness.add_hashes(7, b"z" * 32 * 13)
    assert witness.add_hashes(3, b"z" * 32) == (409, "20\n", "text/x.tlog.size")
    assert witness.add_checkpoint(body(7, TEXTS), 1001).status == 200
    assert witness.mirror.size == 7
    assert witness.add_hashes(7, b"z" * 31).status == 400


def test_it_speaks_http(tmp_path):
    with running_witness(tmp_path / "w", log_keys=(LOG.verifier,)) as (witness, address):
        with urllib.request.urlopen(f"{address}/key") as answer:
            assert answer.read().decode().strip() == str(witness.signer.verifier)
        for path, data, status in (
            ("/none", None, 404), ("/checkpoint", None, 404), ("/none", b"x", 404), ("/add-checkpoint", b"\xff", 400),
            ("/rotate", b"x", 400), ("/add-checkpoint", b"", 413),
        ):  # fmt: skip
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(urllib.request.Request(address + path, data=data))
            assert caught.value.code == status
            caught.value.close()


@pytest.mark.django_db(transaction=True)
def test_a_server_has_its_checkpoints_cosigned(tmp_path, own_var, monkeypatch):
    fill(5)
    with running_witness(tmp_path / "w", log_file=own_var / "ledger/keys.txt") as (witness, address):
        monkeypatch.setenv("CHENGSHU_WITNESS", address)
        api.sequence(NOW)
        assert api.status()["cosigned_by"] == [witness.signer.name]
        fill(700, start=5)
        assert witness.last()[1].size == 705 and witness.mirror.size == 705
        report = api.verify()
        assert report.ok and any(line.startswith("cosigned by witness.local/") for line in report.trust)
        api.export(tmp_path / "out")
        assert len(verify_export(tmp_path / "out")[1]) == 2
    # The witness is away: the log goes on, and is cosigned again when it returns.
    fill(3, start=705)
    assert api.status()["cosigned_by"] == [] and api.verify().ok


@pytest.mark.django_db(transaction=True)
def test_a_witness_refuses_a_log_that_was_set_back(tmp_path, own_var):
    fill(5)
    with running_witness(tmp_path / "w", log_file=own_var / "ledger/keys.txt") as (witness, address):
        api.add_witness(address)
        fill(5, start=5)
        log = Log.objects.get(pk=1)
        other = merkle.root_of(leaves(TEXTS[:12]))
        signer = keys.load_signer(keys.log_keys()[0].verifier)
        note = str(sign_note(str(Checkpoint(log.origin, 12, other)), [signer]))
        assert witness.add_checkpoint(f"old 10\n\n{note}", 1000).status == 422


@pytest.mark.django_db(transaction=True)
def test_a_witness_with_another_key_does_not_count_until_it_is_pinned(tmp_path, own_var, monkeypatch):
    fill(5)
    with running_witness(tmp_path / "w", log_file=own_var / "ledger/keys.txt") as (old, address):
        api.add_witness(address)
        api.sequence(NOW)
        assert api.status()["cosigned_by"] == [old.signer.name]
    with running_witness(tmp_path / "w2", log_file=own_var / "ledger/keys.txt") as (other, second):
        (pinned,) = api.witnesses()
        path = own_var / "keys/witnesses.txt"
        path.write_text(f"{pinned.verifier} {second}\n")
        fill(5, start=5)
        assert api.status()["cosigned_by"] == []
        api.add_witness(second)
        monkeypatch.setattr(witness_client, "_rest_until", {})
        api.sequence(NOW)
        assert api.status()["cosigned_by"] == [other.signer.name]
        assert [known.url for known in api.witnesses()] == ["-", second]
    report = api.verify()
    assert report.ok and any("agrees with cosigned checkpoints" in line for line in report.trust)


@pytest.mark.django_db(transaction=True)
def test_a_witness_of_an_sm3_log(tmp_path, own_var, monkeypatch):
    monkeypatch.setenv("CHENGSHU_LOG_SUITE", "sm3")
    fill(5)
    options = {"log_file": own_var / "ledger/keys.txt", "suite": merkle.SUITES["sm3"]}
    with running_witness(tmp_path / "w", **options) as (witness, address):
        api.add_witness(address)
        fill(5, start=5)
        assert witness.last()[1].size == 10 and api.status()["cosigned_by"]
    assert api.verify(against=[tmp_path / "w"]).ok


@pytest.mark.django_db(transaction=True)
def test_a_new_key_is_announced_by_the_log_itself(tmp_path, own_var):
    leaf = fill(5)[0]
    before = api.receipt(leaf.id)
    verifier, position = api.rotate_key(NOW)
    assert position == 5 and [
        key.verifier.name for key in parse_keys((own_var / "ledger/keys.txt").read_text())
    ]
    fill(4, start=5)
    note, checkpoint = open_checkpoint(api.checkpoint())
    assert checkpoint.size == 10 and note.signed_by([parse_verifier(verifier)])
    old = parse_verifier(api.log_keys()[0])
    assert not note.signed_by([old]) and before.verify([old])
    assert api.verify().ok and len(list((own_var / "keys").glob("ledger-*.key"))) == 2
    api.export(tmp_path / "out")
    assert api.verify_files(tmp_path / "out").ok and verify_export(tmp_path / "out")[0] == 10
    api.rotate_key(NOW)
    fill(1, start=20)
    assert api.verify().ok


@pytest.mark.django_db(transaction=True)
def test_a_key_that_was_never_announced_is_found(own_var):
    fill(5)
    size = Log.objects.get(pk=1).size
    keys.record_key(keys.make_key(api.status()["origin"]), size, None, NOW)
    fill(5, start=5)
    assert {finding.code for finding in api.verify().findings} == {"key"}


@pytest.mark.django_db(transaction=True)
def test_a_witness_follows_an_announced_key_and_no_other(tmp_path, own_var):
    fill(5)
    with running_witness(tmp_path / "w", log_file=own_var / "ledger/keys.txt") as (witness, address):
        api.add_witness(address)
        api.sequence(NOW)
        api.rotate_key(NOW)
        fill(5, start=5)  # the witness never saw the old key's last checkpoint: it is shown that first
        assert witness.last()[1].size == 11 and len(witness.log_keys) == 2
        assert api.status()["cosigned_by"]
        forged = make_signer(api.status()["origin"], b"f" * 32)
        assert witness.rotate(f"{base64.b64encode(b'x').decode()}\n0\n").status == 400
        text = f"chengshu-leaf/1\n1\nledger.key\n{forged.verifier}\n1\n{'0' * 64}".encode()
        assert witness.rotate(f"{base64.b64encode(text).decode()}\n0\n").status == 422
        assert len(witness.log_keys) == 2


@pytest.mark.django_db(transaction=True)
def test_a_rotation_needs_the_old_key(own_var):
    fill(2)
    for key in (own_var / "keys").glob("ledger-*.key"):
        key.unlink()
    with pytest.raises(Problem) as caught:
        api.rotate_key(NOW)
    assert caught.value.code == "ledger-key-missing" and KeyRow.objects.count() == 1


def test_the_witness_is_a_process_of_its_own(tmp_path):
    command = [
        sys.executable,
        "-m",
        "chengshu.site.cli",
        "ledger",
        "witness",
        "--dir",
        str(tmp_path / "w"),
        "--port",
        "0",
    ]
    program = "from chengshu.site.cli import main; main()"
    command = [sys.executable, "-c", program, *command[3:], "--log-key", str(LOG.verifier)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address, verifier = process.stdout.readline().split()
        with urllib.request.urlopen(
            urllib.request.Request(f"{address}/add-checkpoint", data=body(0, TEXTS).encode())
        ) as answer:
            line = answer.read().decode()
        note = open_checkpoint(head(TEXTS))[0].with_signature(line)
        assert note.signed_by([parse_verifier(verifier)])
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.mark.django_db(transaction=True)
def test_only_signed_sizes_count_for_the_published_head():
    fill(3)
    CheckpointRow.objects.create(size=99, root="0" * 64, at=NOW)
    assert open_checkpoint(sequencer.latest_note())[1].size == 3
