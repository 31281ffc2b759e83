"""Reads a query into concepts, each with what it may be called, and scores every document by how well it answers them. Pure.

A concept is one thing the query speaks of: a saying of the thesaurus, a word, a correction of a mistyped one. Its
alternatives are ORed (the best counts), the concepts are ANDed softly (each counts by how much it tells). So ten
synonyms weigh no more than one word, and a document that answers all of a query beats one that answers half of it
twice. Scores lie between 0 and about 1.3 and are comparable between queries: below a threshold nothing fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from chengshu.contexts.hall.search.analysis import (
    STOP,
    is_word,
    normalise,
    plain_words,
    query_tokens,
    without_fillers,
)
from chengshu.contexts.hall.search.index import Index
from chengshu.contexts.hall.search.intents import EXCLUSIVE, offered, wanted
from chengshu.contexts.hall.search.pinyin import Lexicon, latin_runs
from chengshu.contexts.hall.search.thesaurus import Match, Thesaurus

# Tuned on benchmarks/queries/items-dev.jsonl; docs/decisions/0013 says what each is worth.
LITERAL, MEANT, GUESSED = 1.0, 0.95, 0.85
SHARPNESS = 1.25
SHARE_CONCEPTS, SHARE_LITERAL, SHARE_NAME = 0.72, 0.28, 0.26
CANDIDATES = 160
MOST_CONCEPTS = 14
MOST_ALTERNATIVES = 14
INTENT_MET, INTENT_AGAINST, LOOKUP_UNASKED, SPECIAL_UNASKED = 0.07, 0.07, 0.05, 0.03
# A concept without any word that the documents know: how much it counts against every document.
UNKNOWN = 0.55


@dataclass(slots=True)
class Concept:
    """One thing the query speaks of."""

    said: str
    alternatives: list[tuple[str, float]]
    importance: float = 0.0


@dataclass(slots=True)
class Reading:
    """How a query was read."""

    text: str
    corrected: str
    concepts: list[Concept] = field(default_factory=list)
    intents: frozenset[str] = frozenset()


class Reader:
    """Reads queries with the help of the thesaurus and the lexicon."""

    def __init__(self, index: Index, thesaurus: Thesaurus, lexicon: Lexicon) -> None:
        self.index, self.thesaurus, self.lexicon = index, thesaurus, lexicon
        self.highest = float(index.idf.max()) if len(index.idf) else 1.0

    def read(self, query: str) -> Reading:
        """Return the concepts of a query."""
        text = normalise(query)
        extra: list[Concept] = []
        spelled = self._spelled(text, extra)
        corrected = self._corrected(spelled)
        plain = without_fillers(corrected)
        reading = Reading(text, corrected if corrected != text else "", intents=wanted(corrected))
        found = self._concepts(plain) + extra
        for concept in found[:MOST_CONCEPTS]:
            concept.importance = self._importance(concept)
        reading.concepts = found[:MOST_CONCEPTS]
        return reading

    def _spelled(self, text: str, extra: list[Concept]) -> str:
        """Return the query with runs of letters read as pinyin, or as initials, where they spell what we know."""
        parts, at = [], 0
        for run in latin_runs(text):
            letters = run.group()
            parts.append(text[at : run.start()])
            at = run.end()
            if letters in self.index.vocabulary or len(letters) < 2:
                parts.append(letters)
                continue
            terms = self.lexicon.decode(letters)
            short = self.lexicon.abbreviated(letters)
            if terms and not (short and len(letters) <= 4):
                parts.append("".join(best[0] for best in terms))
                for best in terms:
                    if len(best) > 1:
                        extra.append(Concept(letters, [(term, GUESSED) for term in best]))
            elif short:
                parts.append(short[0])
                extra.append(Concept(letters, [(term, GUESSED) for term in short]))
            else:
                parts.append(letters)
        parts.append(text[at:])
        return "".join(parts)

    def _corrected(self, text: str) -> str:
        """Return the query with mistyped terms put right: homophones first, then terms that differ by one character."""
        for length in (6, 5, 4, 3, 2):
            for start in range(len(text) - length + 1):
                part = text[start : start + length]
                if " " in part or not part.isalpha() or part.isascii() or self._known(part):
                    continue
                better = self._better(part)
                if better:
                    text = text[:start] + better + text[start + length :]
        return text

    def _known(self, part: str) -> bool:
        return part in self.lexicon.terms or is_word(part)

    def _better(self, part: str) -> str:
        heard = self.lexicon.sounding_like(part)
        if heard and (len(part) > 2 or not self._pieces_known(part)):
            return heard[0]
        if len(part) >= 4 and not self._pieces_known(part):
            near = self.lexicon.one_off(part)
            return near[0] if near else ""
        return ""

    def _pieces_known(self, part: str) -> bool:
        """Tell whether a stretch falls into words that are known: then it is no mistyped term."""
        return all(len(word) > 1 or word in STOP for word in plain_words(part)) or (
            len(part) == 2 and part in self.index.vocabulary
        )

    def _concepts(self, plain: str) -> list[Concept]:
        matches = self.thesaurus.matches(plain)
        concepts = [self._of_match(match, plain) for match in matches]
        covered = [False] * len(plain)
        for match in matches:
            for at in range(match.start, match.end):
                covered[at] = True
        at = 0
        for word in plain_words(plain):
            at = plain.index(word, at)
            inside = all(covered[at : at + len(word)])
            at += len(word)
            if inside or word in STOP:
                continue
            concepts.append(Concept(word, [(word, LITERAL)]))
        return concepts

    def _of_match(self, match: Match, plain: str) -> Concept:
        means = [(mean, MEANT) for mean in match.means[:MOST_ALTERNATIVES]]
        return Concept(match.said, ([] if match.gapped else [(match.said, LITERAL)]) + means)

    def _importance(self, concept: Concept) -> float:
        """Return how much a concept tells: the rarest thing it may be called; little when nobody calls it that."""
        best = 0.0
        for text, weight in concept.alternatives:
            known = [self.index.posting(token) for token in query_tokens(text)]
            best = max([best, *(weight * found[2] for found in known if found)])
        return max(best / self.highest, 0.05) if best else UNKNOWN * min(len(concept.said), 3) / 3


class Ranker:
    """Scores the documents of an index for a reading."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.offered = [offered(normalise(doc.title)) for doc in index.documents]

    def coverage(self, text: str) -> np.ndarray:
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
                np.maximum(best, strength * self.coverage(text) ** SHARPNESS, out=best)
            total += concept.importance * best
            weight += concept.importance
        if weight:
            total /= weight
        literal = self.coverage(without_fillers(reading.corrected or reading.text))
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
        told = self._told(reading)
        ranked = [
            (int(doc), float(first[doc]) + self._second(int(doc), told, reading))
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
        for token in query_tokens(reading.corrected or reading.text):
            told[token] = 1.0
        return told

    def _second(self, doc: int, told: dict[str, float], reading: Reading) -> float:
        """Return what the name tells beyond the words: how much of it was asked for, and whether the intents agree."""
        tokens = self.index.name_tokens[doc]
        mass = sum(tokens.values())
        covered = sum(weight * told.get(token, 0.0) for token, weight in tokens.items())
        score = SHARE_NAME * covered / mass if mass else 0.0
        return score + self._intent(self.offered[doc], reading.intents)

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
