"""Pinyin for search: syllables of characters, keys by which homophones and accents of the South meet, decoding. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

Table = Mapping[str, Sequence[str]]
_LATIN = re.compile(r"[a-z]+")
# What speakers of Cantonese, Hakka and many others type for one another.
_FUZZY = (
    (re.compile(r"^zh"), "z"),
    (re.compile(r"^ch"), "c"),
    (re.compile(r"^sh"), "s"),
    (re.compile(r"^n(?=[aeiouv])"), "l"),
    (re.compile(r"^hu(?=[aio])"), "f"),
    (re.compile(r"ing$"), "in"),
    (re.compile(r"eng$"), "en"),
    (re.compile(r"ang$"), "an"),
)


@cache
def make_table() -> dict[str, list[str]]:
    """Return the toneless readings, at most three, of each of some 21,000 Han characters."""
    from pypinyin.pinyin_dict import pinyin_dict

    table: dict[str, list[str]] = {}
    for point, readings in pinyin_dict.items():
        if 0x4E00 <= point <= 0x9FFF:
            plain = [_toneless(reading) for reading in readings.split(",")]
            table[chr(point)] = list(dict.fromkeys(plain))[:3]
    return table


def _toneless(reading: str) -> str:
    plain = unicodedata.normalize("NFD", reading.replace("ü", "v").replace("ǚ", "v").replace("ǜ", "v"))
    plain = plain.replace("ǘ", "v").replace("ǖ", "v")
    return "".join(char for char in plain if char.isascii())


def fuzzy(syllable: str) -> str:
    """Return the key under which syllables that are often confused meet."""
    for pattern, replacement in _FUZZY:
        syllable = pattern.sub(replacement, syllable)
    return syllable


def reading(text: str, table: Table) -> list[str]:
    """Return the most usual syllable of each character; characters without one stand for themselves."""
    return [table[char][0] if char in table else char for char in text]


def readings(text: str, table: Table, most: int = 4) -> list[tuple[str, ...]]:
    """Return the ways to read a text, the most usual first."""
    found: list[tuple[str, ...]] = [()]
    for char in text:
        options = table.get(char, [char])
        if len(found) * len(options) > most:
            options = options[:1]
        found = [(*head, option) for head in found for option in options]
    return found[:most]


def sound(text: str, table: Table, level: bool = True) -> str:
    """Return the key of how a text sounds; ``level`` brings accents of the South together."""
    return " ".join(fuzzy(syllable) if level else syllable for syllable in reading(text, table))


def initials(text: str, table: Table) -> str:
    """Return the first letters of the syllables."""
    return "".join(syllable[:1] for syllable in reading(text, table))


class Lexicon:
    """The terms of the index and the thesaurus by how they sound, by their letters and by their initials."""

    def __init__(self, terms: Mapping[str, float], table: Table) -> None:
        self.terms, self.table = dict(terms), table
        self.by_sound: dict[str, list[str]] = {}
        self.by_letters: dict[str, list[str]] = {}
        self.by_initials: dict[str, list[str]] = {}
        self.by_gap: dict[str, list[str]] = {}
        for term in sorted(terms, key=lambda term: -terms[term]):
            if not 1 < len(term) <= 10 or not all(char in table for char in term):
                continue
            self.by_sound.setdefault(sound(term, table), []).append(term)
            for read in readings(term, table):
                self.by_letters.setdefault("".join(read), []).append(term)
            self.by_initials.setdefault(initials(term, table), []).append(term)
            if 3 <= len(term) <= 6:
                for at in range(len(term)):
                    self.by_gap.setdefault(f"{term[:at]}*{term[at + 1 :]}", []).append(term)
        self.longest = max((len(letters) for letters in self.by_letters), default=0)
        self.syllables = frozenset(read for reads in table.values() for read in reads if len(read) > 1)
        self._single_characters()

    def _single_characters(self) -> None:
        """Let a syllable that no term begins or ends spell its most usual character: ``gai`` is 改."""
        usual: dict[str, float] = {}
        for term, weight in self.terms.items():
            for char in term:
                usual[char] = usual.get(char, 0.0) + weight
        for char in sorted(usual, key=lambda char: -usual[char]):
            for syllable in self.table.get(char, ())[:1]:
                known = self.by_letters.setdefault(syllable, [])
                if len(known) < 3:
                    known.append(char)
                    self.terms.setdefault(char, 0.0)

    def spells(self, letters: str) -> bool:
        """Tell whether letters are syllables one after the other."""
        ends = {0}
        for end in range(1, len(letters) + 1):
            if any(
                start in ends and letters[start:end] in self.syllables
                for start in range(max(0, end - 6), end)
            ):
                ends.add(end)
        return len(letters) in ends

    def decode(self, letters: str, most: int = 3) -> list[list[str]] | None:
        """Return the terms that a run of letters spells, each place with its best candidates; None if it spells none."""
        size = len(letters)
        best: list[tuple[float, int, list[str]] | None] = [None] * (size + 1)
        best[0] = (0.0, 0, [])
        for end in range(1, size + 1):
            for start in range(max(0, end - self.longest), end):
                before = best[start]
                terms = self.by_letters.get(letters[start:end]) if before else None
                if before is None or not terms:
                    continue
                # Fewer, longer terms win; among them the more frequent.
                alone = 6.0 if len(terms[0]) == 1 else 0.0
                cost = (
                    before[0] + 4.0 - min(math.log1p(self.terms[terms[0]]), 3.0) + 2.0 / (end - start) + alone
                )
                if best[end] is None or cost < best[end][0]:  # type: ignore[index]
                    best[end] = (cost, start, terms[:most])
        if best[size] is None:
            return None
        found: list[list[str]] = []
        at = size
        while at:
            _cost, start, terms = best[at]  # type: ignore[misc]
            found.append(terms)
            at = start
        return found[::-1]

    def abbreviated(self, letters: str, most: int = 4) -> list[str]:
        """Return the terms whose initials are these letters, the more frequent first."""
        return self.by_initials.get(letters, [])[:most] if 2 <= len(letters) <= 8 else []

    def sounding_like(self, text: str, level: bool = True) -> list[str]:
        """Return other terms that sound like this text; with ``level`` also as people from the South would say it."""
        same = [term for term in self.by_sound.get(sound(text, self.table), []) if term != text]
        if level:
            return same
        exactly = sound(text, self.table, level=False)
        return [term for term in same if sound(term, self.table, level=False) == exactly]

    def one_off(self, text: str) -> list[str]:
        """Return terms that differ from this text by one character."""
        found: dict[str, None] = {}
        for at in range(len(text)):
            for term in self.by_gap.get(f"{text[:at]}*{text[at + 1 :]}", ()):
                if term != text:
                    found[term] = None
        return list(found)


def latin_runs(text: str) -> Iterable[re.Match[str]]:
    """Return the runs of letters of a normalised text."""
    return _LATIN.finditer(text)
