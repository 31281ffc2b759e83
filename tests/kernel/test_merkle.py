"""An auditor proves what stands in a log."""

import hashlib

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.kernel import merkle

# The reference tree of the Certificate Transparency tests (RFC 6962): eight leaves and the roots of its prefixes.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SUITES = [merkle.SUITES[name] for name in sorted(merkle.SUITES)]


def reader(hashes, suite=merkle.SHA256):
    return lambda level, index: merkle.complete_root(list(hashes[index << level : index + 1 << level]), suite)


def slow_root(texts, new=hashlib.sha256):
    """RFC 6962, 2.1, word for word."""
    if not texts:
        return new(b"").digest()
    if len(texts) == 1:
        return new(b"\0" + texts[0]).digest()
    k = 1
    while k * 2 < len(texts):
        k *= 2
    return new(b"\1" + slow_root(texts[:k], new) + slow_root(texts[k:], new)).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_of_the_reference_tree(size):
    hashes = [merkle.leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert merkle.root_of(hashes).hex() == ROOTS[size - 1]


def test_proofs_of_the_reference_tree():
    hashes = [merkle.leaf_hash(leaf) for leaf in LEAVES]
    proof = merkle.inclusion_proof(5, 8, reader(hashes))
    assert [node.hex()[:16] for node in proof] == ["bc1a0643b12e4d2d", "ca854ea128ed050b", "d37ee418976dd957"]
    proof = merkle.consistency_proof(6, 8, reader(hashes))
    assert [node.hex()[:16] for node in proof] == ["0ebc5d3437fbe2db", "ca854ea128ed050b", "d37ee418976dd957"]


def test_the_empty_tree_hashes_nothing():
    assert merkle.Frontier().root() == hashlib.sha256(b"").digest()


@given(st.lists(st.binary(max_size=8), max_size=70), st.sampled_from(SUITES))
def test_every_way_to_the_root_agrees(texts, suite):
    hashes = [merkle.leaf_hash(text, suite) for text in texts]
    one_by_one, cut = merkle.Frontier(suite), merkle.Frontier(suite)
    for leaf in hashes:
        one_by_one.append(leaf)
    cut.extend(hashes[: len(hashes) // 3])
    cut.extend(hashes[len(hashes) // 3 :])
    expected = slow_root(texts, lambda data: hashlib.new(suite.name, data))
    assert merkle.root_of(hashes, suite) == one_by_one.root() == cut.root() == expected
    assert one_by_one.hashes == cut.hashes


@settings(deadline=None)
@given(st.integers(1, 90), st.data(), st.sampled_from(SUITES))
def test_a_leaf_is_proved_and_a_wrong_one_is_not(size, data, suite):
    hashes = [merkle.leaf_hash(b"%d" % n, suite) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    root = merkle.root_of(hashes, suite)
    proof = merkle.inclusion_proof(index, size, reader(hashes, suite), suite)
    assert merkle.verify_inclusion(hashes[index], index, size, proof, root, suite)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"x", suite), index, size, proof, root, suite)
    assert not merkle.verify_inclusion(hashes[index], index, size, [*proof, root], root, suite)
    assert not merkle.verify_inclusion(hashes[index], size, size, proof, root, suite)
    if proof:
        assert not merkle.verify_inclusion(hashes[index], index, size, proof[:-1], root, suite)
        other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
        assert not merkle.verify_inclusion(hashes[index], other, size, proof, root, suite)


@settings(deadline=None)
@given(st.integers(0, 90), st.integers(0, 90))
def test_a_log_that_grew_is_consistent_and_a_rewritten_one_is_not(first, second):
    old, new = sorted((first, second))
    hashes = [merkle.leaf_hash(b"%d" % n) for n in range(new)]
    before, after = merkle.root_of(hashes[:old]), merkle.root_of(hashes)
    proof = merkle.consistency_proof(old, new, reader(hashes))
    assert merkle.verify_consistency(old, new, before, after, proof)
    if old:
        rewritten = merkle.root_of([merkle.leaf_hash(b"x"), *hashes[1:old]])
        assert not merkle.verify_consistency(old, new, rewritten, after, proof)
    if proof:
        assert not merkle.verify_consistency(old, new, before, after, proof[:-1])
        assert not merkle.verify_consistency(old, new, before, after, [*proof, after])
        assert not merkle.verify_consistency(new, old, after, before, proof)


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=40), st.data())
def test_another_implementation_agrees(texts, data):
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    for text in texts:
        oracle.append_entry(text)
    hashes = [merkle.leaf_hash(text) for text in texts]
    assert oracle.get_root() == merkle.root_of(hashes)
    index = data.draw(st.integers(0, len(texts) - 1))
    path = oracle.prove_inclusion(index + 1).path
    siblings = [node for node in path if node != hashes[index]]
    ours = merkle.inclusion_proof(index, len(texts), reader(hashes))
    assert set(ours) == set(siblings) or len(set(hashes)) < len(hashes)


def test_a_frontier_fits_its_size():
    with pytest.raises(ValueError):
        merkle.Frontier(merkle.SHA256, 3, [b"x" * 32])


def test_sm3_is_a_suite_of_its_own():
    assert merkle.SUITES["sm3"].new(b"abc").hexdigest() == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # GB/T 32905, example 1
    )
