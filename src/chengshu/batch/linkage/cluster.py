"""Clusters that do not chain: average-link agglomeration under constraints.

Pairs are taken best first, and two clusters become one only if the mean evidence over **all** pairs between them
still speaks for it: a pair that was never compared counts a little against. So A=B and B=C do not make A=C when A
and C disagree. Two things hold whatever the evidence: people's decisions, and that a cluster holds at most one valid
code (resident ID, credit code), so twins, and flatmates of one name, stay two.

Ties are broken by node number, and nothing outside a connected component has a say in it: the same component always
falls into the same clusters. Not done: the best partition over all partitions (that is NP-hard); best first is the
usual approximation.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chengshu.batch.linkage.components import Ints, components

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """What the clustering holds to.

    ``bound``: least mean weight (log2 odds) that makes one of two clusters; ``unseen``: the weight of a pair that was
    not compared.
    """

    bound: float = 0.0
    unseen: float = -2.0


@dataclass
class Graph:
    """Nodes 0..count-1 with weighted edges (log2 odds; each pair once), codes (-1: none) and people's decisions.

    With ``side`` (a number for each node) two nodes of one side never meet: one-to-one linking of clean tables.
    """

    count: int
    left: Ints
    right: Ints
    weight: Floats
    code: Ints
    same: Sequence[tuple[int, int]] = ()
    different: Sequence[tuple[int, int]] = ()
    side: Ints | None = None
    broken: list[tuple[int, int]] = field(default_factory=list)


def clusters(graph: Graph, rules: Rules) -> Ints:
    """Return for each node the smallest node of its cluster.

    Decisions that contradict each other (same A-B, same B-C, different A-C) cannot all hold: the last 'same' that
    does not fit is left out and listed in ``graph.broken``.
    """
    strong = graph.weight >= rules.bound
    must = np.array(list(graph.same), dtype=np.int64).reshape(-1, 2)
    left = np.concatenate([graph.left[strong], must[:, 0]])
    right = np.concatenate([graph.right[strong], must[:, 1]])
    component = components(graph.count, left, right)
    result: Ints = component.copy()
    for nodes, edges in _contested(graph, component, rules.bound):
        for node, root in _Agglomeration(graph, rules, nodes, edges).run():
            result[node] = root
    return result


def _contested(graph: Graph, component: Ints, bound: float) -> Iterable[tuple[Ints, Ints]]:
    """Yield nodes and inner edges of the components that are not plainly one: all pairs strong, one code, no ban."""
    inner = component[graph.left] == component[graph.right]
    edges = np.flatnonzero(inner)
    edges = edges[np.argsort(component[graph.left[edges]], kind="stable")]
    size = np.bincount(component, minlength=graph.count)
    seen = np.bincount(component[graph.left[edges]], minlength=graph.count)
    weakest = np.full(graph.count, np.inf)
    np.minimum.at(weakest, component[graph.left[edges]], graph.weight[edges])
    coded = np.flatnonzero(graph.code >= 0)
    # One number for each (component, code): sorting numbers is ten times as fast as sorting rows.
    room = np.int64(graph.code.max(initial=0) + 1)
    held = np.unique(component[coded] * room + graph.code[coded])
    codes = np.bincount(held // room, minlength=graph.count)
    plain = (seen == size * (size - 1) // 2) & (weakest >= bound) & (codes <= 1)
    for a, b in graph.different:
        plain[component[a]] = plain[component[b]] = False
    if graph.side is not None:
        plain &= size <= 2
    roots = np.flatnonzero((size > 1) & ~plain)
    members = np.argsort(component, kind="stable")
    starts = np.searchsorted(component[members], roots, "left")
    ends = np.searchsorted(component[members], roots, "right")
    edge_root = component[graph.left[edges]]
    first, last = np.searchsorted(edge_root, roots, "left"), np.searchsorted(edge_root, roots, "right")
    for index in range(len(roots)):
        yield members[starts[index] : ends[index]], edges[first[index] : last[index]]


class _Agglomeration:
    """One component, merged best pair first."""

    def __init__(self, graph: Graph, rules: Rules, nodes: Ints, edges: Ints) -> None:
        self.graph, self.rules = graph, rules
        self.members: dict[int, list[int]] = {int(node): [int(node)] for node in nodes}
        self.home: dict[int, int] = {node: node for node in self.members}
        self.codes = {node: {int(graph.code[node])} - {-1} for node in self.members}
        sided = graph.side is not None
        self.sides = {node: {int(graph.side[node])} if sided else set() for node in self.members}  # type: ignore
        # near[a][b] = (sum of weights, number of pairs seen) between clusters a and b
        self.near: dict[int, dict[int, tuple[float, int]]] = {node: {} for node in self.members}
        for edge in edges:
            a, b, weight = int(graph.left[edge]), int(graph.right[edge]), float(graph.weight[edge])
            total, seen = self.near[a].get(b, (0.0, 0))
            self.near[a][b] = self.near[b][a] = (total + weight, seen + 1)
        self.banned: dict[int, set[int]] = {node: set() for node in self.members}
        for a, b in graph.different:
            if a in self.home and b in self.home:
                self.banned[a].add(b)
                self.banned[b].add(a)

    def run(self) -> Iterable[tuple[int, int]]:
        """Merge and return each node with the smallest node of its cluster."""
        for a, b in self.graph.same:
            if a in self.home and b in self.home and self.home[a] != self.home[b]:
                if self._forbidden(self.home[a], self.home[b], decided=True):
                    self.graph.broken.append((a, b))
                else:
                    self._merge(self.home[a], self.home[b])
        self._merge_by_weight()
        return [(node, min(group)) for group in self.members.values() for node in group]

    def _merge_by_weight(self) -> None:
        heap = [
            (-self._mean(a, b), a, b)
            for a, others in self.near.items()
            for b in others
            if a < b and self._mean(a, b) >= self.rules.bound
        ]
        heapq.heapify(heap)
        while heap:
            cost, a, b = heapq.heappop(heap)
            if a not in self.members or b not in self.near[a] or -cost != self._mean(a, b):
                continue  # one of the two has grown since: its new mean stands in the heap as well
            if self._forbidden(a, b):
                continue
            kept = self._merge(a, b)
            for other in self.near[kept]:
                mean = self._mean(kept, other)
                if mean >= self.rules.bound:
                    heapq.heappush(heap, (-mean, min(kept, other), max(kept, other)))

    def _mean(self, a: int, b: int) -> float:
        total, seen = self.near[a][b]
        pairs = len(self.members[a]) * len(self.members[b])
        return (total + (pairs - seen) * self.rules.unseen) / pairs

    def _forbidden(self, a: int, b: int, *, decided: bool = False) -> bool:
        if self.banned[a] & set(self.members[b]) or self.banned[b] & set(self.members[a]):
            return True
        if decided:
            return False
        if self.sides[a] & self.sides[b]:
            return True
        return len(self.codes[a] | self.codes[b]) > 1 and not self._settled(a, b)

    def _settled(self, a: int, b: int) -> bool:
        # A person joined two codes before: more records of either code may come to them.
        return self.codes[a] <= self.codes[b] or self.codes[b] <= self.codes[a]

    def _merge(self, a: int, b: int) -> int:
        kept, gone = (a, b) if a < b else (b, a)
        for node in self.members[gone]:
            self.home[node] = kept
        self.members[kept] += self.members.pop(gone)
        self.codes[kept] |= self.codes.pop(gone)
        self.sides[kept] |= self.sides.pop(gone)
        self.banned[kept] |= self.banned.pop(gone)
        for other, (total, seen) in self.near.pop(gone).items():
            del self.near[other][gone]
            if other == kept:
                continue
            before, counted = self.near[kept].get(other, (0.0, 0))
            self.near[kept][other] = self.near[other][kept] = (before + total, counted + seen)
        return kept
