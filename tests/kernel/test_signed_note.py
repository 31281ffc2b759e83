"""An auditor reads signed notes of any transparency log."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengshu.kernel.problems import Problem
from chengshu.kernel.signed_note import (
    COSIGNATURE,
    Checkpoint,
    make_signer,
    parse_checkpoint,
    parse_note,
    parse_signer,
    parse_verifier,
    sign_note,
)

# The published example of the note format (golang.org/x/mod/sumdb/note).
KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = (
    TEXT
    + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_example_is_made_and_read():
    signer = parse_signer(KEY)
    assert str(signer.verifier) == VERIFIER and signer.export() == KEY
    assert str(sign_note(TEXT, [signer])) == SIGNED
    note = parse_note(SIGNED)
    assert note.signed_by([parse_verifier(VERIFIER)]) == [(signer.verifier, 0)]
    assert "AYEK" not in repr(signer)


def test_a_changed_text_is_found():
    changed = parse_note(SIGNED.replace("answer", "anzwer"))
    with pytest.raises(Problem) as caught:
        changed.signed_by([parse_verifier(VERIFIER)])
    assert caught.value.code == "note-signature"


def test_a_witness_cosigns_with_its_time():
    log, witness = make_signer("log", os.urandom(32)), make_signer("w", os.urandom(32), COSIGNATURE)
    head = str(Checkpoint("log.example", 7, b"r" * 32))
    note = sign_note(head, [log]).with_signature(witness.sign(head, 1_700_000_000))
    again = parse_note(str(note))
    assert again.signed_by([log.verifier, witness.verifier]) == [
        (log.verifier, 0),
        (witness.verifier, 1_700_000_000),
    ]
    stranger = make_signer("w", os.urandom(32), COSIGNATURE)
    assert again.signed_by([stranger.verifier]) == []


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back(size, root):
    checkpoint = Checkpoint("chengshu.example/baoan", size, root)
    assert parse_checkpoint(str(checkpoint)) == checkpoint


@pytest.mark.parametrize(
    "text",
    ["", "a\n", "a\n\nb\n", "a\n\n— x\n", "a\n\n— x !!!\n", "a\n\n— x QUJD\n", "a\n\n— x QUJDREVG", "a\n\n"],
)
def test_what_is_no_note_is_refused(text):
    with pytest.raises(Problem):
        parse_note(text)


@pytest.mark.parametrize(
    "text", ["", "o\n-1\nAAAA\n", "o\n01\nAAAA\n", "o\n1\nAAAA\n", "o\n1\n***\n", "\n1\nAAAA\n"]
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(Problem):
        parse_checkpoint(text)


@pytest.mark.parametrize("text", ["x", "a+b", VERIFIER.replace("c74f", "c74e"), "a+00000000+AAAA"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(Problem):
        parse_verifier(text)
    with pytest.raises(Problem):
        parse_signer(text)
    with pytest.raises(ValueError):
        make_signer("with space", b"x" * 32)
