"""The engineer groups records: components and clusters held against brute force, and the cases that must not chain."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chengshu.batch.linkage.cluster import Graph, Rules, clusters
from chengshu.batch.linkage.components import components

edges = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=24)
weighted = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(-8, 8)), max_size=20)


def by_flooding(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    label = list(range(count))
    for start in range(count):
        reached, frontier = {start}, [start]
        while frontier:
            node = frontier.pop()
            for a, b in pairs:
                for one, other in ((a, b), (b, a)):
                    if one == node and other not in reached:
                        reached.add(other)
                        frontier.append(other)
        label[start] = min(reached)
    return label


@settings(max_examples=200, deadline=None)
@given(edges)
def test_components_are_those_that_flooding_finds(pairs):
    left = np.array([a for a, _ in pairs], dtype=np.int64)
    right = np.array([b for _, b in pairs], dtype=np.int64)
    assert components(12, left, right).tolist() == by_flooding(12, pairs)


def test_components_of_a_long_chain_are_one():
    count = 200_000
    shuffled = np.random.default_rng(3).permutation(count)
    assert not components(count, shuffled[:-1], shuffled[1:]).any()


def by_plain_agglomeration(count, weights, codes, different, rules):
    """The same rule, written without heaps, dictionaries of means or short cuts."""
    groups = [frozenset([node]) for node in range(count)]
    weight = {frozenset(pair): w for pair, w in weights.items()}

    def mean(a, b):
        return sum(weight.get(frozenset((x, y)), rules.unseen) for x in a for y in b) / (len(a) * len(b))

    def seen(a, b):
        return any(frozenset((x, y)) in weight for x in a for y in b)

    def allowed(a, b):
        held = {codes[x] for x in a | b} - {-1}
        return len(held) <= 1 and not any(frozenset((x, y)) in different for x in a for y in b)

    while True:
        found = [
            (-mean(a, b), *sorted((min(a), min(b))), a, b)
            for a, b in itertools.combinations(groups, 2)
            if seen(a, b) and allowed(a, b) and mean(a, b) >= rules.bound
        ]
        if not found:
            break
        *_, a, b = min(found, key=lambda one: one[:3])
        groups = [group for group in groups if group not in (a, b)] + [a | b]
    return [min(next(group for group in groups if node in group)) for node in range(count)]


@settings(max_examples=300, deadline=None)
@given(weighted, st.lists(st.sampled_from([-1, -1, -1, 0, 1]), min_size=9, max_size=9), edges)
def test_clusters_are_those_of_plain_agglomeration(rows, codes, bans):
    weights = {(min(a, b), max(a, b)): float(w) for a, b, w in rows if a != b}
    banned = {frozenset((a, b)) for a, b in bans[:3] if a != b and max(a, b) < 9}
    rules = Rules(bound=0.0, unseen=-2.0)
    graph = Graph(
        count=9,
        left=np.array([a for a, _ in weights], dtype=np.int64),
        right=np.array([b for _, b in weights], dtype=np.int64),
        weight=np.array(list(weights.values())),
        code=np.array(codes, dtype=np.int64),
        different=[tuple(sorted(pair)) for pair in banned],
    )
    expected = by_plain_agglomeration(9, weights, codes, banned, rules)
    assert clusters(graph, rules).tolist() == expected


def graph_of(count, rows, **more):
    return Graph(
        count=count,
        left=np.array([row[0] for row in rows], dtype=np.int64),
        right=np.array([row[1] for row in rows], dtype=np.int64),
        weight=np.array([float(row[2]) for row in rows]),
        code=more.pop("code", np.full(count, -1)),
        **more,
    )


def test_a_chain_of_weak_links_does_not_become_one():
    chain = [(node, node + 1, 3) for node in range(9)]
    assert len(set(clusters(graph_of(10, chain), Rules(unseen=-4.0)).tolist())) > 3


def test_two_valid_codes_never_meet_however_strong_the_links():
    label = clusters(graph_of(3, [(0, 1, 20), (1, 2, 19)], code=np.array([7, -1, 8])), Rules())
    assert label.tolist() == [0, 0, 2]


def test_people_join_what_the_evidence_keeps_apart():
    graph = graph_of(3, [(0, 1, -9)], code=np.array([7, 8, -1]), same=[(0, 1)])
    assert clusters(graph, Rules()).tolist() == [0, 0, 2]


def test_people_part_what_the_evidence_joins():
    graph = graph_of(3, [(0, 1, 30), (1, 2, 30), (0, 2, 30)], different=[(0, 2)])
    label = clusters(graph, Rules())
    assert label[0] != label[2]


def test_decisions_that_contradict_each_other_are_reported():
    graph = graph_of(3, [], same=[(0, 1), (1, 2)], different=[(0, 2)])
    label = clusters(graph, Rules())
    assert label[0] != label[2]
    assert graph.broken == [(1, 2)]


def test_one_to_one_linking_takes_the_better_of_two():
    graph = graph_of(3, [(0, 1, 5), (0, 2, 6)], side=np.array([0, 1, 1]))
    assert clusters(graph, Rules()).tolist() == [0, 1, 0]
