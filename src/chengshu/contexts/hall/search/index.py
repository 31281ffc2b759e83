"""The inverted index: documents with weighted fields become postings of impacts (BM25F), kept in numpy arrays. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from chengshu.contexts.hall.search.analysis import index_tokens, normalise

# Weight and strength of the length normalisation of each field.
FIELDS: dict[str, tuple[float, float]] = {
    "name": (4.0, 0.3),
    "alias": (3.0, 0.3),
    "group": (1.2, 0.3),
    "department": (0.8, 0.3),
    "facets": (0.3, 0.0),
    "materials": (0.5, 0.7),
    "text": (0.45, 0.75),
}
K1 = 1.6
FORMAT = 3


@dataclass(frozen=True, slots=True)
class Doc:
    """What can be found: its kind (item, pack, policy), its id there, a title and the texts of its fields."""

    kind: str
    id: str
    title: str
    fields: Mapping[str, str]
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Index:
    """Postings by token: ``starts[t]:starts[t + 1]`` of ``docs`` and ``impacts``; impacts lie between 0 and 1."""

    documents: list[Doc]
    vocabulary: dict[str, int]
    starts: np.ndarray
    docs: np.ndarray
    impacts: np.ndarray
    idf: np.ndarray
    # Token counts of the names alone, for how much of a name a query covers.
    name_tokens: list[dict[str, float]]

    @property
    def size(self) -> int:
        """Number of documents."""
        return len(self.documents)

    def posting(self, token: str) -> tuple[np.ndarray, np.ndarray, float] | None:
        """Return documents, impacts and idf of a token; None when no document holds it."""
        at = self.vocabulary.get(token)
        if at is None:
            return None
        span = slice(self.starts[at], self.starts[at + 1])
        return self.docs[span], self.impacts[span], float(self.idf[at])

    def save(self, path: Path, meta: Mapping[str, Any]) -> None:
        """Write the index as one file, whole or not at all."""
        head = {
            "format": FORMAT,
            "documents": [
                {
                    "kind": doc.kind,
                    "id": doc.id,
                    "title": doc.title,
                    "fields": dict(doc.fields),
                    "meta": dict(doc.meta),
                }
                for doc in self.documents
            ],
            "tokens": list(self.vocabulary),
            **meta,
        }
        part = path.with_name(f".{path.name}.part.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            part,
            head=np.frombuffer(orjson.dumps(head), dtype=np.uint8),
            starts=self.starts,
            docs=self.docs,
            impacts=self.impacts,
            idf=self.idf,
        )
        part.replace(path)


def load(path: Path) -> tuple[Index, dict[str, Any]] | None:
    """Read an index; None when there is none or it was written by another version of this program."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as held:
        head = orjson.loads(held["head"].tobytes())
        if head.get("format") != FORMAT:
            return None
        documents = [Doc(**row) for row in head.pop("documents")]
        vocabulary = {token: at for at, token in enumerate(head.pop("tokens"))}
        index = Index(
            documents,
            vocabulary,
            held["starts"],
            held["docs"],
            held["impacts"],
            held["idf"],
            _name_tokens(documents, vocabulary, held["idf"]),
        )
    return index, head


def build(documents: Sequence[Doc]) -> Index:
    """Build the index of documents."""
    counts: list[dict[str, Counter[str]]] = []
    lengths: dict[str, list[int]] = {name: [] for name in FIELDS}
    for doc in documents:
        by_field = {}
        for name in FIELDS:
            text = normalise(doc.fields.get(name, ""))
            if text:
                by_field[name] = Counter(index_tokens(text))
                lengths[name].append(sum(by_field[name].values()))
        counts.append(by_field)
    average = {name: (sum(found) / len(found) if found else 1.0) for name, found in lengths.items()}
    postings: dict[str, list[tuple[int, float]]] = {}
    for number, by_field in enumerate(counts):
        for token, weight in _weights(by_field, average).items():
            postings.setdefault(token, []).append((number, weight / (K1 + weight)))
    vocabulary = {token: at for at, token in enumerate(postings)}
    sizes = np.array([len(found) for found in postings.values()], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    flat = [pair for found in postings.values() for pair in found]
    number = max(len(documents), 1)
    idf = np.log1p((number - sizes + 0.5) / (sizes + 0.5)).astype(np.float32)
    return Index(
        list(documents),
        vocabulary,
        starts,
        np.array([doc for doc, _ in flat], dtype=np.int32),
        np.array([impact for _, impact in flat], dtype=np.float32),
        idf,
        _name_tokens(documents, vocabulary, idf),
    )


def _weights(by_field: Mapping[str, Counter[str]], average: Mapping[str, float]) -> dict[str, float]:
    """Return the weighted, length-normalised frequency of each token over the fields of one document."""
    found: dict[str, float] = {}
    for name, counter in by_field.items():
        weight, strength = FIELDS[name]
        norm = 1 - strength + strength * sum(counter.values()) / average[name]
        for token, times in counter.items():
            found[token] = found.get(token, 0.0) + weight * times / norm
    return found


def _name_tokens(
    documents: Iterable[Doc], vocabulary: Mapping[str, int], idf: np.ndarray
) -> list[dict[str, float]]:
    """Return the tokens of each name with their idf."""
    found = []
    for doc in documents:
        text = normalise(doc.fields.get("name", ""))
        tokens = {token for token in index_tokens(text) if len(token) > 1}
        found.append({token: float(idf[vocabulary[token]]) for token in tokens})
    return found
