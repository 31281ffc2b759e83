"""Find the library names that a written name can stand for: itself, its short form, a slip of one character."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from chengshu.batch.address.normalise import name_core
from chengshu.batch.address.similarity import TELLING, slip, sound_key

# What a way of writing costs against the exact name; the reasons stand in docs/explanation/matching.md.
SHORT, KIN, AFFIX, SOUND, LOOK, LENGTH, OTHER = 0.03, 0.10, 0.06, 0.06, 0.10, 0.14, 0.30
# Words by which people call any estate, village or park, whatever its official word is.
_EVERYDAY = frozenset(("", "小区", "村", "工业园", "园", "园区"))
_SLIPS = {"sound": SOUND, "look": LOOK, "other": OTHER}
_MAX = 12

_LANE = re.compile(r"\d+[巷街路]$")

Found = list[tuple[int, float]]


@dataclass(slots=True)
class NameIndex:
    """The names of a library by exact key, core, sound and one-character patterns; answers are remembered."""

    names: list[str]
    _ids: dict[str, int] = field(default_factory=dict)
    _cores: dict[str, list[int]] = field(default_factory=dict)
    _sounds: dict[str, list[int]] = field(default_factory=dict)
    _patterns: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _shorter: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _known: dict[str, Found] = field(default_factory=dict)
    _ready: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for index, name in enumerate(self.names):
            self._ids[name] = index
            self._cores.setdefault(name_core(name), []).append(index)

    def add(self, name: str) -> None:
        """Put one more name on file; only before the first search."""
        if name not in self._ids:
            self._ids[name] = len(self.names)
            self._cores.setdefault(name_core(name), []).append(len(self.names))
            self.names.append(name)

    def exact(self, name: str) -> int | None:
        """Return the number of the name that is written exactly so."""
        return self._ids.get(name)

    def everyday(self, name: str) -> bool:
        """Say whether the name ends in a word by which people call any estate (小区, 村, or none at all)."""
        return self._everyday(name, name_core(name))

    def find(self, name: str) -> Found:
        """Return (name number, cost) of the library names that ``name`` can stand for, cheapest first."""
        found = self._known.get(name)
        if found is None:
            best: dict[int, float] = {}
            for index, cost in self._search(name):
                best[index] = min(cost, best.get(index, 1.0))
            found = sorted(best.items(), key=lambda item: (item[1], item[0]))[:_MAX]
            if len(self._known) < 2_000_000:
                self._known[name] = found
        return found

    def _search(self, name: str) -> Iterator[tuple[int, float]]:
        """Try the cheap explanations first; a costlier one is tried only when none before it holds."""
        core = name_core(name)
        exact = self._ids.get(name)
        if exact is not None:
            yield exact, 0.0
        if core in self._cores and (exact is None or self._everyday(name, core)):
            # 海华小区 can be what people call 海华花园, also where another 海华小区 is on file.
            yield from ((index, self._kin(name, core, index)) for index in self._cores[core])
            return
        if exact is not None:
            return
        part = self._part(name)
        if part is not None:
            yield part, AFFIX
            return
        if len(core) < 2:
            return
        self._prepare()
        if len(core) > 2:
            for index in self._sounds.get(sound_key(core), ()):
                yield index, SOUND + self._kin(name, core, index)
        yield from self._one_character(name)
        if core != name:
            for index, cost in self._one_character(core):
                yield index, cost + self._kin(name, core, index)

    @staticmethod
    def _everyday(name: str, core: str) -> bool:
        return name[len(core) :] in _EVERYDAY

    def _kin(self, name: str, core: str, index: int) -> float:
        """What it costs that only the cores agree: nothing more if the general words agree as well."""
        word = name[len(core) :]
        known = self.names[index]
        if word == known[len(name_core(known)) :]:
            return 0.0
        return SHORT if word in _EVERYDAY else KIN

    def _part(self, name: str) -> int | None:
        """The longest known name at the end or the start of ``name``; what is left over must not tell places apart."""
        size = len(name)
        for length in range(size - 1, 2, -1):
            tail = self._ids.get(name[size - length :])
            if tail is not None and name[size - length - 1] not in TELLING:
                return tail
            head = self._ids.get(name[:length])
            if head is not None and name[length] not in TELLING:
                return head
        lane = _LANE.search(name)
        if lane and lane.start() and name[lane.start() - 1] not in TELLING:
            return self._ids.get(lane[0])
        return None

    def _prepare(self) -> None:
        with self._lock:  # a web server asks from several threads
            if not self._ready:
                self._fill()
                self._ready = True

    def _fill(self) -> None:
        for index, name in enumerate(self.names):
            core = name_core(name)
            self._sounds.setdefault(sound_key(core), []).append(index)
            for form in {name, core}:
                for at in range(len(form)):
                    self._patterns.setdefault(form[:at] + "*" + form[at + 1 :], []).append((index, at))
                    if len(form) > 3:
                        self._shorter.setdefault(form[:at] + form[at + 1 :], []).append((index, at))

    def _one_character(self, form: str) -> Iterator[tuple[int, float]]:
        for at, character in enumerate(form):
            for index, where in self._patterns.get(form[:at] + "*" + form[at + 1 :], ()):
                known = self._form(index, len(form))
                kind = slip(character, known[where]) if known else None
                if kind == "sound" or (kind and len(form) > 2):
                    yield index, _SLIPS[kind]
        if len(form) < 3:
            return
        for index, where in self._shorter.get(form, ()):  # one character left out
            known = self._form(index, len(form) + 1)
            if known and known[where] not in TELLING:
                yield index, LENGTH
        if len(form) > 3:
            for at, character in enumerate(form):  # one character too many
                extra = self._ids.get(form[:at] + form[at + 1 :])
                if extra is not None and character not in TELLING:
                    yield extra, LENGTH

    def _form(self, index: int, length: int) -> str | None:
        name = self.names[index]
        if len(name) == length:
            return name
        core = name_core(name)
        return core if len(core) == length else None


def name_index(columns: Iterable[list[str | None]]) -> NameIndex:
    """Build the index over all names of several columns."""
    names = sorted({name for column in columns for name in column if name})
    return NameIndex(names)
