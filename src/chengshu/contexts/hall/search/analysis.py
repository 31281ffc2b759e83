"""Cuts text into what is indexed: words, character bigrams, single characters, Latin tokens. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_LATIN = re.compile(r"[a-z0-9]+")
_RUNS = re.compile(r"[\u4e00-\u9fff]+|[a-z0-9]+")
_WORDS = Path(__file__).parent / "words"


def word_list(name: str) -> list[str]:
    """Return the words of one of the lists beside this module."""
    lines = (_WORDS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


# Words that carry no matter: dropped from queries, they count nothing.
STOP = frozenset(word_list("stop"))
# Characters that carry grammar or a plain meaning by themselves: never put right.
PLAIN = frozenset("".join(word_list("plain")))
# What people say around a matter; the longest is taken first.
FILLERS = sorted(word_list("fillers"), key=len, reverse=True)
_FILLER = re.compile("|".join(map(re.escape, FILLERS)))


@lru_cache(maxsize=1)
def _cutter() -> Any:
    """Return the cutter; its dictionary takes a fifth of a second, which who never searches does not wait for."""
    import rjieba

    return rjieba.Jieba() if hasattr(rjieba, "Jieba") else rjieba


def normalise(text: str) -> str:
    """Return text in one width and case, with a blank for everything that is neither Han, Latin letter nor digit."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return " ".join(_RUNS.findall(plain))


def without_fillers(text: str) -> str:
    """Return a normalised query without what people say around the matter; unchanged when nothing else is left."""
    rest = " ".join(_FILLER.sub(" ", text).split())
    return rest or text


def words(text: str) -> list[str]:
    """Return the words of a normalised text, without those that carry nothing."""
    found = []
    for run in _RUNS.findall(text):
        if _LATIN.fullmatch(run):
            found.append(run)
            continue
        found += [word for word in _cutter().cut_for_search(run) if word not in STOP]
    return found


def plain_words(text: str) -> list[str]:
    """Return the words of a normalised text one after the other, none inside another, stop words included."""
    found: list[str] = []
    for run in _RUNS.findall(text):
        found += [run] if _LATIN.fullmatch(run) else list(_cutter().cut(run))
    return found


def tagged(text: str) -> list[tuple[str, str]]:
    """Return the words of a normalised text with their parts of speech (``x`` for Latin runs)."""
    found: list[tuple[str, str]] = []
    for run in _RUNS.findall(text):
        found += (
            [(run, "x")]
            if _LATIN.fullmatch(run)
            else [(str(word), str(tag)) for word, tag in _cutter().tag(run)]
        )
    return found


def bigrams(text: str) -> list[str]:
    """Return the pairs of neighbouring Han characters of a normalised text."""
    return [run[at : at + 2] for run in _HAN.findall(text) for at in range(len(run) - 1)]


def tokens(text: str) -> list[str]:
    """Return what a normalised text is indexed by: bigrams, longer words, Latin tokens; one character by itself."""
    found = bigrams(text)
    found += [word for word in words(text) if len(word) > 2 or _LATIN.fullmatch(word)]
    found += [run for run in _HAN.findall(text) if len(run) == 1]
    return found


def index_tokens(text: str) -> list[str]:
    """Return what a document's text is indexed by: as ``tokens``, and its single characters."""
    return tokens(text) + [char for run in _HAN.findall(text) if len(run) > 1 for char in run]


@lru_cache(maxsize=20_000)
def query_tokens(text: str) -> tuple[str, ...]:
    """Return the tokens of a query part; a lone content word of one character is looked up as such."""
    found = tokens(text)
    found += [
        word for word in plain_words(text) if len(word) == 1 and _HAN.fullmatch(word) and word not in STOP
    ]
    return tuple(dict.fromkeys(found))


def is_word(text: str) -> bool:
    """Tell whether the dictionary of the word cutter knows a word."""
    return bool(_cutter().has_word(text))


def han_runs(text: str) -> Iterable[str]:
    """Return the stretches of Han characters."""
    return _HAN.findall(text)
