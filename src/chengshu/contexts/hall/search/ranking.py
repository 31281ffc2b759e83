"""Scores every document by how well it answers what a query speaks of. Pure.

The alternatives of a concept are ORed (the best counts), the concepts are ANDed softly (each counts by how much it
tells). So ten synonyms weigh no more than one word, and a document that answers all of a query beats one that answers
half of it twice. Scores lie between 0 and about 1.3 and are comparable between queries: below a threshold nothing fits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from chengshu.contexts.hall.search.analysis import normalise, plain_words, query_tokens
from chengshu.contexts.hall.search.index import Index
from chengshu.contexts.hall.search.intents import EXCLUSIVE, offered
from chengshu.contexts.hall.search.reading import Concept, Reading

# Tuned on benchmarks/queries/items-dev.jsonl; docs/decisions/0013 says what each is worth.
SHARPNESS = 1.25
SHARE_CONCEPTS, SHARE_LITERAL, SHARE_NAME = 0.72, 0.28, 0.26
CANDIDATES = 100
REMEMBERED = 600
# Weights of ``fits``: constant, score, answered, absent, name, said.
FITS = (-14.64, 5.82, 6.81, -4.11, 1.14, 5.20)
# What it counts that a document's everyday name was said: in the score, and for whether it fits.
CALLED, CALLED_FITS = 0.1, 2.5
INTENT_MET, INTENT_AGAINST, LOOKUP_UNASKED, SPECIAL_UNASKED = 0.07, 0.07, 0.05, 0.03


class Ranker:
    """Scores the documents of an index for a reading."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.offered = [offered(normalise(doc.title)) for doc in index.documents]
        self.aliases = _aliases(index)
        # The same names come up in query after query.
        self.coverage = lru_cache(maxsize=REMEMBERED)(self._coverage)
        self.answer = lru_cache(maxsize=REMEMBERED)(self._answer)

    def _answer(self, text: str) -> np.ndarray:
        """Return how well each document answers a text: half of it held is worth less than half."""
        return self.coverage(text) ** SHARPNESS

    def _coverage(self, text: str) -> np.ndarray:
        """Return for each document how much of a text it holds, between 0 and 1."""
        scores = np.zeros(self.index.size, dtype=np.float32)
        mass = 0.0
        for token in query_tokens(text):
            found = self.index.posting(token)
            if found is None:
                mass += 3.0
                continue
            docs, impacts, idf = found
            scores[docs] += idf * impacts
            mass += idf
        return scores / mass if mass else scores

    def score(self, reading: Reading) -> np.ndarray:
        """Return the first score of every document: concepts and the literal text."""
        total = np.zeros(self.index.size, dtype=np.float32)
        weight = 0.0
        for concept in reading.concepts:
            best = np.zeros(self.index.size, dtype=np.float32)
            for text, strength in concept.alternatives:
                np.maximum(best, strength * self.answer(text), out=best)
            total += concept.importance * best
            weight += concept.importance
        if weight:
            total /= weight
        literal = self.coverage(reading.plain)
        return SHARE_CONCEPTS * total + SHARE_LITERAL * literal

    def rank(self, reading: Reading, among: np.ndarray | None = None) -> list[tuple[int, float]]:
        """Return the best documents with their scores, best first; ``among`` is a mask of those that may be found."""
        first = self.score(reading)
        if among is not None:
            first = np.where(among, first, 0.0)
        count = min(CANDIDATES, self.index.size)
        if not count:
            return []
        best = np.argpartition(-first, count - 1)[:count]
        told, called = self._told(reading), self.called(reading)
        ranked = [
            (
                int(doc),
                float(first[doc]) + self._second(int(doc), told, reading) + CALLED * (int(doc) in called),
            )
            for doc in best
            if first[doc] > 0
        ]
        ranked.sort(key=lambda pair: (-pair[1], len(self.index.documents[pair[0]].title), pair[0]))
        return ranked

    def _told(self, reading: Reading) -> dict[str, float]:
        """Return the tokens that the query and its alternatives hold, each with its strength."""
        told: dict[str, float] = {}
        for concept in reading.concepts:
            for text, strength in concept.alternatives:
                for token in query_tokens(text):
                    told[token] = max(told.get(token, 0.0), strength)
        for token in query_tokens(reading.plain):
            told[token] = 1.0
        return told

    def called(self, reading: Reading) -> frozenset[int]:
        """Return the documents of which an everyday name stands in the query, its words perhaps apart."""
        return frozenset(
            doc
            for name, docs in self.aliases.items()
            if all(word in reading.plain for word in name)
            for doc in docs
        )

    def _second(self, doc: int, told: dict[str, float], reading: Reading) -> float:
        """Return what the name tells beyond the words: how much of it was asked for, and whether the intents agree."""
        return SHARE_NAME * self._of_name(doc, told) + self._intent(self.offered[doc], reading.intents)

    def _intent(self, has: frozenset[str], wants: frozenset[str]) -> float:
        score = 0.0
        for intent in wants & has:
            score += INTENT_MET if intent != "look" else INTENT_MET / 2
        exclusive = [intent for intent in EXCLUSIVE if intent in wants]
        if exclusive and not any(intent in has for intent in exclusive):
            score -= INTENT_AGAINST if any(intent in has for intent in EXCLUSIVE) else INTENT_AGAINST / 3
        if "look" in has and not wants & {"look", "progress", "verify", "exam"}:
            score -= LOOKUP_UNASKED
        if "progress" in has and "progress" not in wants:
            score -= LOOKUP_UNASKED
        for intent in ("complain", "award", "ask", "download", "book", "notary"):
            if intent in has and intent not in wants:
                score -= SPECIAL_UNASKED
        return score

    def fits(self, doc: int, score: float, reading: Reading, called: bool) -> float:
        """Return how likely it is that a query whose best document is this one has an answer here at all.

        A logistic model over five figures: the score, how far the document answers what the query speaks of, how much
        of it no document knows, how much of the name was asked for, how much was said. ``called``: its everyday name was.
        """
        mass = sum(concept.importance for concept in reading.concepts) or 1.0
        answered = sum(concept.importance * self._answers(doc, concept) for concept in reading.concepts)
        absent = sum(concept.importance for concept in reading.concepts if concept.absent)
        name = self._of_name(doc, self._told(reading))
        said = math.log1p(min(len(reading.concepts), 9))
        figures = (1.0, score, answered / mass, absent / mass, name, said)
        told = sum(weight * value for weight, value in zip(FITS, figures, strict=True))
        return 1 / (1 + math.exp(-told - CALLED_FITS * called))

    def _answers(self, doc: int, concept: Concept) -> float:
        covered = [strength * float(self.coverage(text)[doc]) for text, strength in concept.alternatives]
        return min(max(covered, default=0.0) / 0.5, 1.0)

    def _of_name(self, doc: int, told: dict[str, float]) -> float:
        """Return how much of a document's name was asked for, between 0 and 1."""
        tokens = self.index.name_tokens[doc]
        mass = sum(tokens.values())
        return sum(weight * told.get(token, 0.0) for token, weight in tokens.items()) / mass if mass else 0.0


def _aliases(index: Index) -> dict[tuple[str, ...], list[int]]:
    """Return the everyday names of three characters and more as their words, with the documents that have them."""
    found: dict[tuple[str, ...], list[int]] = {}
    for number, doc in enumerate(index.documents):
        for alias in doc.fields.get("alias", "").split():
            name = tuple(plain_words(normalise(alias)))
            if len("".join(name)) >= 3 and not "".join(name).isascii():
                found.setdefault(name, []).append(number)
    return found


def spread(
    ranked: Sequence[tuple[int, float]], groups: Sequence[str], most: int
) -> Iterable[tuple[int, float]]:
    """Yield the ranked documents, those past the ``most``-th of one group later by the gap they have to it."""
    seen: dict[str, int] = {}
    later: list[tuple[int, float]] = []
    for doc, score in ranked:
        group = groups[doc]
        seen[group] = seen.get(group, 0) + 1
        if group and seen[group] > most:
            later.append((doc, score))
        else:
            yield doc, score
    yield from later
