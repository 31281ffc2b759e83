"""The layman's thesaurus: what people say, and what it is called in the items. Data in ``thesaurus/*.yaml``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from chengshu.contexts.hall.search.analysis import normalise
from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import load_yaml

FOLDER = Path(__file__).parent / "thesaurus"
LONGEST = 12


class Entry(NamedTuple):
    """One line of the thesaurus: any of ``say`` may mean any of ``mean``. A blank inside a saying is a gap."""

    say: tuple[str, ...]
    mean: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A saying found in a query: where, and what it may mean. ``gapped`` ones cover no stretch."""

    start: int
    end: int
    said: str
    means: tuple[str, ...]
    gapped: bool = False


@cache
def read_folder(folder: Path = FOLDER) -> list[Entry]:
    """Read every file of the folder; raises ``Problem`` with file and line for an entry that is none."""
    entries = []
    for path in sorted(folder.glob("*.yaml")):
        for row in load_yaml(path):
            if not isinstance(row, dict) or set(row) != {"say", "mean"}:
                raise Problem(
                    "thesaurus-entry",
                    "An entry has say and mean",
                    where=Where(path.name, getattr(row, "line", None)),
                )
            entries.append(Entry(tuple(map(str, row["say"])), tuple(map(str, row["mean"]))))
    return entries


class Thesaurus:
    """Finds the sayings of a query."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.exact: dict[str, list[str]] = {}
        self.gapped: dict[str, list[tuple[tuple[str, ...], list[str]]]] = {}
        for entry in entries:
            means = [mean for each in entry.mean if (mean := normalise(each))]
            for said in entry.say:
                parts = tuple(normalise(said).split())
                if len(parts) == 1:
                    known = self.exact.setdefault(parts[0], [])
                    known += [mean for mean in means if mean not in known]
                elif parts:
                    self.gapped.setdefault(parts[0], []).append((parts, means))
        self._by_start: dict[str, list[str]] = {}
        for said in self.exact:
            self._by_start.setdefault(said[:2], []).append(said)
        self.longest = min(max(map(len, self.exact), default=0), LONGEST)

    def sayings(self) -> Iterator[str]:
        """Return every saying without gaps."""
        return iter(self.exact)

    def beginning(self, word: str) -> list[str]:
        """Return what sayings mean that go on from a word by a character or two: 五保 is 五保户."""
        found: dict[str, None] = {}
        for said in self._by_start.get(word[:2], ()):
            if said.startswith(word) and 0 < len(said) - len(word) <= 2:
                found.update(dict.fromkeys(self.exact[said]))
        return list(found)[:6] if len(word) > 1 else []

    def matches(self, text: str) -> list[Match]:
        """Return the sayings in a normalised query; one inside a longer one is left out."""
        found: list[Match] = []
        for start in range(len(text)):
            for end in range(min(len(text), start + self.longest), start, -1):
                said = text[start:end]
                if said in self.exact:
                    found.append(Match(start, end, said, tuple(self.exact[said])))
                    break
        found = [
            one
            for one in found
            if not any(
                other is not one
                and other.start <= one.start
                and one.end <= other.end
                and (other.end - other.start) > (one.end - one.start)
                for other in found
            )
        ]
        return found + self._gapped(text)

    def _gapped(self, text: str) -> list[Match]:
        found = []
        for first, rows in self.gapped.items():
            if first not in text:
                continue
            for parts, means in rows:
                if all(part in text for part in parts):
                    found.append(Match(0, 0, " ".join(parts), tuple(means), gapped=True))
        return found
