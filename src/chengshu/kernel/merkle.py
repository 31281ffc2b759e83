"""The Merkle tree of RFC 6962: hashes, a frontier to append to, inclusion and consistency proofs, their
checks.

Two hash suites: SHA-256, which the rest of the world verifies, and SM3 (GB/T 32905). A node is named by its
level and index: node (0, n) is leaf n, node (l, i) the root over leaves i·2^l … (i+1)·2^l - 1. Proofs read
nodes through a function, so that they come from tiles, from a database or from memory alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

LEAF, NODE = b"\x00", b"\x01"
ReadNode = Callable[[int, int], bytes]
"""Returns the hash of node (level, index); the node is always one of a complete subtree."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A hash function; ``new`` makes a hashlib object."""

    name: str
    new: Callable[[bytes], Any]
    empty: bytes


def _sm3(data: bytes) -> Any:
    return hashlib.new("sm3", data)


SHA256 = Suite("sha256", hashlib.sha256, hashlib.sha256(b"").digest())
SUITES = {"sha256": SHA256}
if "sm3" in hashlib.algorithms_available:
    SUITES["sm3"] = Suite("sm3", _sm3, _sm3(b"").digest())


def leaf_hash(data: bytes, suite: Suite = SHA256) -> bytes:
    """Return the hash of a leaf's data."""
    digest: bytes = suite.new(LEAF + data).digest()
    return digest


def leaf_hashes(texts: Iterable[bytes], suite: Suite = SHA256) -> list[bytes]:
    """Return the hashes of many leaves; each text must already begin with ``LEAF``."""
    new = suite.new
    return [new(text).digest() for text in texts]


def node_hash(left: bytes, right: bytes, suite: Suite = SHA256) -> bytes:
    """Return the hash of the node above ``left`` and ``right``."""
    digest: bytes = suite.new(NODE + left + right).digest()
    return digest


def parents(hashes: Sequence[bytes], suite: Suite = SHA256) -> list[bytes]:
    """Return the nodes above an even number of neighbours."""
    new, pair = suite.new, iter(hashes)
    return [new(NODE + left + right).digest() for left, right in zip(pair, pair, strict=True)]


@dataclass(slots=True)
class Frontier:
    """The roots of a tree's complete subtrees, largest first: all that appending needs."""

    suite: Suite = SHA256
    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size.bit_count() != len(self.hashes):
            raise ValueError(f"a tree of {self.size} leaves has {self.size.bit_count()} complete subtrees")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        carry, size, new = leaf, self.size, self.suite.new
        while size & 1:
            carry = new(NODE + self.hashes.pop() + carry).digest()
            size >>= 1
        self.hashes.append(carry)
        self.size += 1

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add many leaf hashes; whole subtrees are folded level by level."""
        done, total = 0, len(leaves)
        while done < total:
            height = _aligned_height(self.size, total - done)
            if height < 3:
                self.append(leaves[done])
                done += 1
                continue
            block = list(leaves[done : done + (1 << height)])
            self.append_subtree(complete_root(block, self.suite), height)
            done += 1 << height

    def append_subtree(self, root: bytes, height: int) -> None:
        """Add the complete subtree of 2^height leaves that has ``root``; the size must be a multiple of
        that.
        """
        if self.size & (1 << height) - 1:
            raise ValueError(f"a subtree of {1 << height} leaves does not fit behind {self.size}")
        carry, rest = root, self.size >> height
        while rest & 1:
            carry = node_hash(self.hashes.pop(), carry, self.suite)
            rest >>= 1
        self.hashes.append(carry)
        self.size += 1 << height

    def root(self) -> bytes:
        """Return the tree head; of the empty tree, the hash of nothing."""
        if not self.hashes:
            return self.suite.empty
        head = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            head = node_hash(left, head, self.suite)
        return head

    def copy(self) -> Frontier:
        """Return an independent copy."""
        return Frontier(self.suite, self.size, list(self.hashes))


def complete_root(leaves: Sequence[bytes], suite: Suite = SHA256) -> bytes:
    """Return the root of 2^k leaf hashes."""
    while len(leaves) > 1:
        leaves = parents(leaves, suite)
    return leaves[0]


def root_of(leaves: Sequence[bytes], suite: Suite = SHA256) -> bytes:
    """Return the tree head over ``leaves``."""
    frontier = Frontier(suite)
    frontier.extend(leaves)
    return frontier.root()


def range_root(first: int, last: int, read: ReadNode, suite: Suite = SHA256) -> bytes:
    """Return MTH over leaves ``first`` … ``last`` - 1; ``first`` is aligned as RFC 6962 splits trees."""
    nodes = complete_nodes(first, last)
    head = read(*nodes[-1])
    for level, index in reversed(nodes[:-1]):
        head = node_hash(read(level, index), head, suite)
    return head


def complete_nodes(first: int, last: int) -> list[tuple[int, int]]:
    """Return the complete subtrees, as (level, index), whose leaves are ``first`` … ``last`` - 1."""
    if not 0 <= first < last:
        raise ValueError(f"there are no leaves from {first} to {last}")
    nodes = []
    while first < last:
        height = _aligned_height(first, last - first)
        nodes.append((height, first >> height))
        first += 1 << height
    return nodes


def inclusion_proof(index: int, size: int, read: ReadNode, suite: Suite = SHA256) -> list[bytes]:
    """Return the audit path of leaf ``index`` in the tree of ``size`` leaves (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    first, last, path = 0, size, []
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append((middle, last))
            last = middle
        else:
            path.append((first, middle))
            first = middle
    return [range_root(start, end, read, suite) for start, end in reversed(path)]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes, suite: Suite = SHA256
) -> bool:
    """Return whether ``proof`` leads from leaf hash ``leaf`` at ``index`` to ``root`` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, head = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            head = node_hash(sibling, head, suite)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            head = node_hash(head, sibling, suite)
        node, last = node >> 1, last >> 1
    return last == 0 and head == root


def consistency_proof(old: int, new: int, read: ReadNode, suite: Suite = SHA256) -> list[bytes]:
    """Return the proof that the tree of ``new`` leaves begins with that of ``old`` (RFC 6962, 2.1.2)."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not begin with one of {old}")
    if old in (0, new):
        return []
    first, last, whole, path = 0, new, True, []
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            path.append((middle, last))
            last = middle
        else:
            path.append((first, middle))
            first, whole = middle, False
    if not whole:
        path.append((first, last))
    return [range_root(start, end, read, suite) for start, end in reversed(path)]


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes], suite: Suite = SHA256
) -> bool:
    """Return whether ``proof`` shows that the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == suite.empty
    if old > new:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    return _walk_consistency(path, node, last, suite) == (old_root, new_root)


def _walk_consistency(
    path: Sequence[bytes], node: int, last: int, suite: Suite
) -> tuple[bytes, bytes] | None:
    old_head = new_head = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old_head = node_hash(sibling, old_head, suite)
            new_head = node_hash(sibling, new_head, suite)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_head = node_hash(new_head, sibling, suite)
        node, last = node >> 1, last >> 1
    return (old_head, new_head) if last == 0 else None


def _split(width: int) -> int:
    """Return the largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1


def _aligned_height(first: int, width: int) -> int:
    """Return the height of the largest complete subtree that starts at leaf ``first`` within ``width``
    leaves.
    """
    height = width.bit_length() - 1
    return min(height, (first & -first).bit_length() - 1) if first else height
