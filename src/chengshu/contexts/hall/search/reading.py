"""Reads a query: what it speaks of, concept by concept, and what each may be called in the documents. Pure.

A concept is one thing the query speaks of: a saying of the thesaurus, a word, a mistyped word put right. Its
alternatives are what documents may call it, each with its strength.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from chengshu.contexts.hall.search.analysis import (
    PLAIN,
    STOP,
    bigrams,
    is_word,
    normalise,
    query_tokens,
    tagged,
    without_fillers,
    word_list,
)
from chengshu.contexts.hall.search.index import Index
from chengshu.contexts.hall.search.intents import is_intent, wanted
from chengshu.contexts.hall.search.pinyin import Lexicon, latin_runs
from chengshu.contexts.hall.search.thesaurus import Match, Thesaurus

LITERAL, MEANT, GUESSED, SOUNDS = 1.0, 0.95, 0.85, 0.75
MOST_CONCEPTS = 18
MOST_ALTERNATIVES = 14
# How much a word tells by its part of speech; what is not here tells nothing (pronouns, numbers, particles …).
TELLS = {
    "n": 1.0,
    "v": 0.6,
    "a": 0.5,
    "i": 0.8,
    "j": 1.0,
    "l": 0.7,
    "b": 0.6,
    "z": 0.4,
    "x": 1.0,
    "s": 0.5,
    "t": 0.2,
}
# Words that tell too little to be looked for by themselves.
VAGUE = frozenset(word_list("vague"))
# A place narrows little; a verb or a saying of one character may mean many things.
TELLS_PLACE, TELLS_ONE_VERB, TELLS_ONE_SAID = 0.25, 0.3, 0.6
# 停了业 is 停业: particles of aspect stand inside verbs.
_ASPECT = re.compile(r"(?<=[\u4e00-\u9fff])[了过着](?=[\u4e00-\u9fff])")
# Up to how many characters a query is no sentence; how many words a mistyped term falls into at most.
SHORT, SENTENCE, MOST_PIECES = 10, 14, 5
# What is wanted done tells less than what with: 驾照丢了 speaks of 驾照.
SHARE_INTENT = 0.6
UNKNOWN = 0.5
KNOWN_SHARE = 0.6


@dataclass(slots=True)
class Concept:
    """One thing the query speaks of."""

    said: str
    alternatives: list[tuple[str, float]]
    tells: float = 1.0
    importance: float = 0.0
    from_thesaurus: bool = False
    # No document knows any of its alternatives.
    absent: bool = False


@dataclass(slots=True)
class Reading:
    """How a query was read."""

    text: str
    corrected: str
    plain: str
    concepts: list[Concept] = field(default_factory=list)
    intents: frozenset[str] = frozenset()
    # Something mistyped was put right.
    mended: bool = False


class Reader:
    """Reads queries with the help of the thesaurus, the lexicon and the neighbours of words."""

    def __init__(
        self,
        index: Index,
        thesaurus: Thesaurus,
        lexicon: Lexicon,
        neighbours: Callable[[str], Sequence[tuple[str, float]]] = lambda word: (),
    ) -> None:
        self.index, self.thesaurus, self.lexicon, self.neighbours = index, thesaurus, lexicon, neighbours
        self.highest = float(index.idf.max()) if len(index.idf) else 1.0

    def read(self, query: str, *, mend: bool = True, literal: bool = False) -> Reading:
        """Return the concepts of a query; without ``mend`` nothing mistyped is put right, ``literal`` takes letters as such."""
        text = normalise(query)
        extra: list[Concept] = []
        spelled = text if literal else self._spelled(text, extra)
        corrected = self._mended(spelled) if mend and not literal else spelled
        plain = without_fillers(corrected)
        found = (self._concepts(plain) + extra)[:MOST_CONCEPTS]
        matters = [concept for concept in found if not is_intent(concept.said)]
        for concept in found:
            concept.importance = self._importance(concept)
            if matters and is_intent(concept.said):
                concept.importance *= SHARE_INTENT
        return Reading(
            text,
            corrected if corrected != text else "",
            plain,
            found,
            wanted(corrected),
            corrected != spelled,
        )

    # --- spelled in letters -------------------------------------------------------------------------------------

    def _spelled(self, text: str, extra: list[Concept]) -> str:
        """Return the query with runs of letters read as pinyin, or as initials, where they spell what we know."""
        text = self._joined(text)
        parts, at = [], 0
        for run in latin_runs(text):
            parts.append(text[at : run.start()])
            parts.append(self._run(run.group(), extra))
            at = run.end()
        return "".join([*parts, text[at:]])

    def _joined(self, text: str) -> str:
        """Return the query with syllables written apart brought together: ``jie hun zheng``."""
        found: list[str] = []
        for part in text.split(" "):
            if found and self._syllable(part) and self._syllables(found[-1]):
                found[-1] += part
            else:
                found.append(part)
        return " ".join(found)

    def _syllable(self, part: str) -> bool:
        return part in self.lexicon.syllables

    def _syllables(self, part: str) -> bool:
        return part.isascii() and part.isalpha() and self.lexicon.spells(part)

    def _run(self, letters: str, extra: list[Concept]) -> str:
        if letters in self.index.vocabulary or len(letters) < 2:
            return letters
        terms, short = self.lexicon.decode(letters), self.lexicon.abbreviated(letters)
        if terms and not (short and len(letters) <= 4 and len(terms) > 1):
            extra += [
                Concept("".join(best[:1]), [(term, GUESSED) for term in best])
                for best in terms
                if len(best) > 1
            ]
            return "".join(best[0] for best in terms)
        if short:
            extra.append(Concept(letters, [(term, GUESSED) for term in short]))
            return short[0]
        return letters

    # --- mistyped -----------------------------------------------------------------------------------------------

    def _mended(self, text: str) -> str:
        """Return the query with mistyped terms put right: homophones first, then terms that differ by one character.

        Words of the dictionary and plain characters stay as they are; only a longer stretch that sounds exactly like a
        term may hold some (律师正遗矢). Whether the reading is any better for it, the engine decides.
        """
        for _round in range(3):
            found = self._first_better(text)
            if found is None:
                return text
            start, end, better = found
            text = text[:start] + better + text[end:]
        return text

    def _first_better(self, text: str) -> tuple[int, int, str] | None:
        pieces = [(start, end) for start, end, _word, _tag in self._placed(text)]
        spans = [
            pieces[first:last]
            for first in range(len(pieces))
            for last in range(first + 1, min(first + MOST_PIECES, len(pieces)) + 1)
            if all(one[1] == two[0] for one, two in pairwise(pieces[first:last]))
        ]
        spans.sort(key=lambda span: span[0][0] - span[-1][1])
        for span in spans:
            start, end = span[0][0], span[-1][1]
            part = text[start:end]
            if not (4 if len(text) > SENTENCE else 2) <= len(part) <= 8 or self._known(part):
                continue
            words = [text[one:two] for one, two in span]
            better = self._better(part, words, whole=len(text) <= SHORT)
            if better:
                return start, end, better
        return None

    def _known(self, part: str) -> bool:
        return part.isascii() or part in self.lexicon.terms or is_word(part)

    def _better(self, part: str, words: Sequence[str], whole: bool) -> str:
        """Return what a stretch of words was meant to be; empty when it may stand."""
        fixed = self._fixed(words)
        for term in self.lexicon.sounding_like(part, level=False):
            changed = _changed(part, term)
            if not fixed & changed or (
                len(part) >= 4 and all(any(self._strange(part, at)) for at in changed)
            ):
                return term
        if len(part) < 3:
            return ""
        for term in self.lexicon.sounding_like(part):
            changed = _changed(part, term)
            if not fixed & changed and all(any(self._strange(part, at)) for at in changed):
                return term
        alone = self._alone(words)
        for term in self.lexicon.one_off(part) if whole else ():
            changed = _changed(part, term)
            if not (fixed | alone) & changed and all(all(self._strange(part, at)) for at in changed):
                return term
        return ""

    def _fixed(self, words: Sequence[str]) -> set[int]:
        """Return the places of a stretch that hold words, or plain characters."""
        fixed: set[int] = set()
        at = 0
        for word in words:
            known = word in STOP or word in VAGUE or (len(word) > 1 and self._known(word))
            fixed.update(at + place for place, char in enumerate(word) if known or char in PLAIN)
            at += len(word)
        return fixed

    def _alone(self, words: Sequence[str]) -> set[int]:
        """Return the places of a stretch that hold words of one character."""
        starts = accumulate(map(len, words), initial=0)
        return {at for at, word in zip(starts, words, strict=False) if len(word) == 1}

    def _strange(self, part: str, at: int) -> list[bool]:
        """Tell for each neighbour of a place in a stretch whether no document has the two side by side."""
        return [pair not in self.index.vocabulary for pair in bigrams(part[max(at - 1, 0) : at + 2])]

    # --- concepts -----------------------------------------------------------------------------------------------

    def _concepts(self, plain: str) -> list[Concept]:
        words = self._placed(plain)
        edges = {edge for start, end, _word, _tag in words for edge in (start, end)}
        matches = [match for match in self.thesaurus.matches(plain) if self._fits(match, edges)]
        matches += self._inside_verbs(plain, matches)
        concepts = [self._of_match(match) for match in matches]
        covered = {at for match in matches if not match.gapped for at in range(match.start, match.end)}
        for start, end, word, tag in words:
            tells = self._tells(word, tag)
            if tells and not covered.issuperset(range(start, end)):
                concepts.append(Concept(word, [(word, LITERAL), *self._near(word)], tells))
        return concepts

    def _tells(self, word: str, tag: str) -> float:
        if word in STOP or word in VAGUE:
            return 0.0
        if tag == "ns":
            return TELLS_PLACE
        if tag.startswith("v") and len(word) == 1:
            return TELLS_ONE_VERB
        return TELLS.get(tag[:1], 0.0)

    def _inside_verbs(self, plain: str, matches: Sequence[Match]) -> list[Match]:
        """Return the sayings that appear when particles of aspect are taken out."""
        without = _ASPECT.sub("", plain)
        if without == plain:
            return []
        said = {match.said for match in matches}
        edges = {edge for start, end, _word, _tag in self._placed(without) for edge in (start, end)}
        found = [match for match in self.thesaurus.matches(without) if self._fits(match, edges)]
        return [
            replace(match, gapped=True)
            for match in found
            if match.said not in said and match.said not in plain
        ]

    def _near(self, word: str) -> list[tuple[str, float]]:
        """Return what else a word may mean: words that sound the same when nobody writes it, and its neighbours."""
        near: list[tuple[str, float]] = []
        if not any(self.index.posting(token) for token in query_tokens(word)):
            near = [(term, SOUNDS) for term in self.lexicon.sounding_like(word, level=False)[:2]]
            near += [(mean, SOUNDS) for mean in self.thesaurus.beginning(word)]
        return near + [pair for pair in self.neighbours(word) if pair[0] != word]

    def _placed(self, plain: str) -> list[tuple[int, int, str, str]]:
        """Return the words with where they stand."""
        found, at = [], 0
        for word, tag in tagged(plain):
            at = plain.index(word, at)
            found.append((at, at + len(word), word, tag))
            at += len(word)
        return found

    def _fits(self, match: Match, edges: set[int]) -> bool:
        """Tell whether a saying stands there as such: a short one must not begin in one word and end in another."""
        if match.gapped or len(match.said) >= 4:
            return True
        whole = match.start in edges and match.end in edges
        if len(match.said) == 1:
            return whole
        return whole or not any(match.start < edge < match.end for edge in edges)

    def _of_match(self, match: Match) -> Concept:
        means = [(mean, MEANT) for mean in match.means[:MOST_ALTERNATIVES]]
        literal = [] if match.gapped else [(match.said, LITERAL)]
        tells = TELLS_ONE_SAID if len(match.said) == 1 else 1.0
        return Concept(match.said, literal + means, tells, from_thesaurus=True)

    def _importance(self, concept: Concept) -> float:
        """Return how much a concept tells: the rarest thing it may be called.

        What the thesaurus knows and no document speaks of tells most: then the matter itself is not here.
        """
        best = max((weight * self._rarity(text) for text, weight in concept.alternatives), default=0.0)
        if best:
            return concept.tells * max(best / self.highest, 0.05)
        concept.absent = True
        return (
            concept.tells
            if concept.from_thesaurus
            else concept.tells * UNKNOWN * min(len(concept.said), 3) / 3
        )

    def _rarity(self, text: str) -> float:
        """Return the idf of the rarest token of a text; 0 when the documents do not know most of it."""
        tokens = query_tokens(text)
        known = [found[2] for token in tokens if (found := self.index.posting(token))]
        return max(known) if known and len(known) >= KNOWN_SHARE * len(tokens) else 0.0


def _changed(old: str, new: str) -> set[int]:
    """Return the places at which two texts of one length differ."""
    return {at for at, (one, two) in enumerate(zip(old, new, strict=True)) if one != two}
