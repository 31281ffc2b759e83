"""The search engine as one object: documents in, ranked hits out. The same for pages, API and command line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from chengshu.contexts.hall.search import index as indexing
from chengshu.contexts.hall.search.analysis import bigrams, normalise, plain_words, words
from chengshu.contexts.hall.search.events import whole_event
from chengshu.contexts.hall.search.index import Doc, Index
from chengshu.contexts.hall.search.pinyin import Lexicon, make_table
from chengshu.contexts.hall.search.ranking import Ranker, spread
from chengshu.contexts.hall.search.reading import Reader, Reading
from chengshu.contexts.hall.search.thesaurus import Entry, Thesaurus, read_folder

# Below this likelihood nothing fits.
THRESHOLD = 0.52
# Among how many of the first one whose everyday name was said may show that something fits.
CALLED_AMONG = 3
# By how much the best score must rise when a query is put right; less where no document has what was typed.
GAIN, GAIN_UNKNOWN = 0.08, 0.02
SAME_GROUP = 3
# How far a one-thing stands above the best of the single matters that it covers.
AHEAD = 0.01


@dataclass(frozen=True, slots=True)
class Hit:
    """One document found, with its score."""

    doc: Doc
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found. ``none`` says that nothing fits; the hits are then the nearest there are."""

    query: str
    corrected: str
    hits: tuple[Hit, ...]
    none: bool
    total: int


class Engine:
    """An index with the thesaurus and the lexicon that go with it."""

    def __init__(self, index: Index, entries: Sequence[Entry], table: Mapping[str, Sequence[str]]) -> None:
        self.index = index
        self.entries, self.table = entries, table
        thesaurus = Thesaurus(entries)
        self.lexicon = Lexicon(lexicon_terms(index.documents, thesaurus), table)
        self.reader = Reader(index, thesaurus, self.lexicon)
        self.ranker = Ranker(index)
        self.kinds = np.array([doc.kind for doc in index.documents])
        self.groups = [str(doc.meta.get("group", "")) for doc in index.documents]
        self.running = running(index.documents)

    @classmethod
    def build(cls, documents: Sequence[Doc]) -> Engine:
        """Build an engine over documents."""
        return cls(indexing.build(documents), read_folder(), make_table())

    def save(self, path: Path, mark: str) -> None:
        """Write the engine as one file; ``mark`` says which state of the documents it shows."""
        entries = [[list(entry.say), list(entry.mean)] for entry in self.entries]
        self.index.save(path, {"mark": mark, "entries": entries, "table": dict(self.table)})

    @classmethod
    def load(cls, path: Path, mark: str) -> Engine | None:
        """Read an engine; None when there is none or it shows another state."""
        held = indexing.load(path)
        if held is None or held[1].get("mark") != mark:
            return None
        index, head = held
        entries = [Entry(tuple(say), tuple(mean)) for say, mean in head["entries"]]
        return cls(index, entries, head["table"])

    def read(self, query: str, *, literal: bool = False) -> Reading:
        """Return how a query is read; what was typed is put right only where that finds far better documents."""
        reading = self.reader.read(query[:200], literal=literal)
        if not reading.mended:
            return reading
        typed = self.reader.read(query[:200], mend=False)
        gain = self._best(reading) - self._best(typed)
        return (
            reading
            if gain >= (GAIN_UNKNOWN if self._strange(typed) > self._strange(reading) else GAIN)
            else typed
        )

    def _strange(self, reading: Reading) -> int:
        """Return how many pairs of characters of a reading no document has."""
        return sum(pair not in self.index.vocabulary for pair in bigrams(reading.corrected or reading.text))

    def _best(self, reading: Reading) -> float:
        """Return the score of the best document for a reading."""
        ranked = self.ranker.rank(reading) if reading.concepts else []
        return ranked[0][1] if ranked else 0.0

    def search(
        self, query: str, *, kinds: Collection[str] = (), top: int = 10, literal: bool = False
    ) -> Answer:
        """Return the best documents of the kinds asked for (all when none is named); ``literal``: just as typed."""
        reading = self.read(query, literal=literal)
        among = np.isin(self.kinds, list(kinds)) if kinds else None
        ranked = self.ranker.rank(reading, among) if reading.concepts else []
        first = self._covering(whole_event(reading), among)
        best = ranked[0][1] if ranked else 0.0
        ahead = [(doc, best + AHEAD * (len(first) - at)) for at, doc in enumerate(first)]
        others = [pair for pair in spread(ranked, self.groups, SAME_GROUP) if pair[0] not in first]
        hits = tuple(Hit(self.index.documents[doc], score) for doc, score in [*ahead, *others][:top])
        none = not first and not self._fits(ranked, reading)
        return Answer(query, reading.corrected, hits, none, len(first) + len(others))

    def _fits(self, ranked: Sequence[tuple[int, float]], reading: Reading) -> bool:
        """Tell whether the best document fits, or one close to it whose everyday name was said."""
        called = self.ranker.called(reading)
        asked = [*ranked[:1], *(pair for pair in ranked[1:CALLED_AMONG] if pair[0] in called)]
        return any(self.ranker.fits(doc, score, reading, doc in called) >= THRESHOLD for doc, score in asked)

    def _covering(self, pack: str, among: np.ndarray | None) -> list[int]:
        """Return the documents of a one-thing among those that may be found: where it is begun, then its guide."""
        return [doc for doc in self.running.get(pack, ()) if among is None or among[doc]]

    def suggest(self, typed: str, *, top: int = 8) -> list[str]:
        """Return terms and titles that go on from what was typed: Chinese, pinyin or initials."""
        text = normalise(typed)
        if not text:
            return []
        found: dict[str, float] = {}
        letters = text.replace(" ", "") if text.isascii() else ""
        for term, weight in self.lexicon.terms.items():
            rank = self._goes_on(term, text, letters) if len(term) > 1 else 0.0
            if rank:
                found[term] = rank + min(weight, 5.0) / 10
        best = sorted(found, key=lambda term: (-found[term], len(term)))[:top]
        if len(best) < 3:
            answer = self.search(typed, top=top)
            best += [] if answer.none else [hit.doc.title for hit in answer.hits]
        return list(dict.fromkeys(best))[:top]

    def _goes_on(self, term: str, text: str, letters: str) -> float:
        if letters:
            spelled = "".join(self.lexicon.table.get(char, [char])[0] for char in term)
            short = "".join(self.lexicon.table.get(char, [char])[0][:1] for char in term)
            return (
                2.0
                if short == letters
                else 1.0
                if spelled.startswith(letters) or short.startswith(letters)
                else 0.0
            )
        return 2.0 if term.startswith(text) else 1.0 if text in term else 0.0


def running(documents: Sequence[Doc]) -> dict[str, list[int]]:
    """Return for each pack its documents: the service itself before the item that it runs."""
    found: dict[str, list[int]] = {}
    for at, doc in enumerate(documents):
        pack = doc.id if doc.kind == "pack" else str(doc.meta.get("pack") or "") if doc.kind == "item" else ""
        if pack:
            found.setdefault(pack, []).append(at)
    return {pack: sorted(at, key=lambda each: documents[each].kind != "pack") for pack, at in found.items()}


def lexicon_terms(documents: Sequence[Doc], thesaurus: Thesaurus) -> dict[str, float]:
    """Return the terms that may be meant by a mistyped or spelled-out query, each with how usual it is."""
    terms: dict[str, float] = {}

    def add(text: str, weight: float) -> None:
        if 2 <= len(text) <= 10:
            terms[text] = terms.get(text, 0.0) + weight

    for doc in documents:
        for field in ("name", "alias", "group"):
            text = normalise(doc.fields.get(field, ""))
            whole = plain_words(text)
            for word in whole:
                add(word, 1.0)
            for word in {*words(text)}.difference(whole):
                add(word, 0.5)
            for one, two in pairwise(whole):
                if len(one) > 1 and len(two) > 1:
                    add(one + two, 0.3)
            for part in text.split():
                add(part, 0.5)
    _add_sayings(thesaurus, add)
    return terms


def _add_sayings(thesaurus: Thesaurus, add: Callable[[str, float], None]) -> None:
    for said in thesaurus.sayings():
        add(said, 2.0)
    for entry in thesaurus.entries:
        for mean in entry.mean:
            add(normalise(mean), 1.0)


def item_doc(body: Mapping[str, Any], pack: str = "") -> Doc:
    """Return an item as a document; ``pack``: by which it runs here."""
    others = [body["catalogue_name"], body["matter_name"]]
    group = " ".join(dict.fromkeys(text for text in others if text and text != body["name"]))
    scenario = body["scenario"] if body["scenario"] not in body["name"] else ""
    return Doc(
        kind="item",
        id=body["code"],
        title=body["name"],
        fields={
            "name": f"{body['name']} {scenario}".strip(),
            "alias": " ".join(body["aliases"]),
            "group": group,
            "department": body["department_name"],
            "facets": " ".join([*body["themes"], *body["audiences"]]),
            "materials": " ".join(body["materials"]),
            "text": body["conditions"][:1500],
        },
        meta={
            "group": body["catalogue_code"] or body["name"],
            "department": body["department_name"],
            "pack": pack,
            "title": {"zh": body["name"], "en": body.get("name_en") or ""},
        },
    )
