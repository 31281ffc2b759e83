"""From the words of a head to certain divisions: what is unambiguous is completed, the rest stays empty."""

from __future__ import annotations

from typing import NamedTuple

from chengshu.batch.address.gazetteer import MUNICIPALITIES, Division, Gazetteer
from chengshu.batch.address.head import CITY, DISTRICT, PROVINCE, STREET, State


class Divisions(NamedTuple):
    """Province, city, district and street by name, the deepest certain code, and what was inferred."""

    province: str | None
    city: str | None
    district: str | None
    street: str | None
    code: str | None
    inferred: tuple[str, ...]
    renamed: tuple[str, ...] = ()


_LEVELS = ("province", "city", "district", "street")
_BITS = (PROVINCE, CITY, DISTRICT, STREET)


class Resolver:
    """Resolves heads with one gazetteer and remembers each answer.

    Without a day, names stay as they were written if they ever were official, the code is the one in force
    and ``renamed`` tells today's names. With a day (``dated``), names are those of that day.
    """

    def __init__(self, gazetteer: Gazetteer, home: str | None = None, *, dated: bool = False) -> None:
        self.gazetteer = gazetteer
        self.dated = dated
        self.home = gazetteer.current.get(home) if home else None
        self._known: dict[tuple[State, str | None, tuple[str, ...], int], Divisions] = {}

    def resolve(self, state: State, street: str | None, codes: tuple[str, ...], written: int) -> Divisions:
        """Return the divisions that the words can only mean."""
        key = (state, street, codes, written)
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 500_000:
                self._known.clear()
            found = self._known[key] = self._resolve(state, street, codes, written)
        return found

    def _resolve(self, state: State, street: str | None, codes: tuple[str, ...], written: int) -> Divisions:
        gazetteer = self.gazetteer
        heads = list({d.code: d for d in map(gazetteer.in_force, state)}.values())
        streets = self._fitting([gazetteer.current[c] for c in codes], heads)
        if len(state) == 1 and street:
            moved = self._after_split(gazetteer.by_key[state[0]], street, codes)
            if moved is not None:
                return self._one(moved, gazetteer.by_key[state[0]], street, written)
        if not heads and self.home is not None:
            heads, streets = self._at_home(streets)
        before = gazetteer.by_key[state[0]] if len(heads) == 1 and state else None
        if len(streets) == 1:
            return self._one(streets[0], before, street, written)
        if len(heads) == 1:
            return self._one(heads[0], before, street, written)
        return self._common(streets if streets and not heads else heads, street, written)

    def _after_split(self, old: Division, street: str, codes: tuple[str, ...]) -> Division | None:
        """Return where a street is now whose district was divided since (余杭区临平街道 → 临平区)."""
        gazetteer = self.gazetteer
        for code in codes:
            if gazetteer.splits.get((old.code, gazetteer.current[code].name), "-") == code[:6]:
                return gazetteer.current[code]
        for name in (street, street[:-1] + "街道", street + "街道"):
            now = gazetteer.splits.get((old.code, name))
            if now is not None:
                return gazetteer.current[now]
        return None

    @staticmethod
    def _fitting(streets: list[Division], heads: list[Division]) -> list[Division]:
        if not heads:
            return streets
        prefixes = tuple(head.prefix for head in heads)
        return [street for street in streets if street.code.startswith(prefixes)]

    def _at_home(self, streets: list[Division]) -> tuple[list[Division], list[Division]]:
        """Complete an address that names no division from the district its file belongs to."""
        home = self.home
        if home is None or (len(streets) == 1 and not streets[0].code.startswith(home.code[:4])):
            return [], streets
        near = [s for s in streets if s.code.startswith(home.prefix)]
        near = near or [s for s in streets if s.code.startswith(home.code[:4])]
        if near:
            return [], near
        return ([], streets) if streets else ([home], [])

    def _one(
        self, division: Division, before: Division | None, street: str | None, written: int
    ) -> Divisions:
        """Answer with one division: ``before`` is how it was written, if that was a former name."""
        now = [*self.gazetteer.chain(division), street]
        if division.level == 4:
            official = self.gazetteer.official[division.code]
            now[3] = street if street in official else division.name
        names = list(now)
        corrected: set[str] = set()
        if before is not None and not division.code.startswith(before.code):
            then = self.gazetteer.chain(before)
            changed = [i for i in range(before.level) if then[i] and then[i] != now[i]]
            if self.dated:
                corrected.update(_LEVELS[i] for i in changed)
            else:
                names[:3] = [then[i] if i < before.level else now[i] for i in range(3)]
        if street and names[3] and street[-1] in "道镇乡" and street[-1] != names[3][-1]:
            corrected.add("street")
        if division.code[:2] in MUNICIPALITIES and written & (PROVINCE | CITY):
            written |= PROVINCE | CITY
        inferred = tuple(
            level
            for level, name, bit in zip(_LEVELS, names, _BITS, strict=True)
            if name and (not written & bit or level in corrected)
        )
        differs = [i for i in range(3) if now[i] and names[i] and now[i] != names[i]]
        renamed = tuple(f"{_LEVELS[i]}={now[i]}" for i in differs)
        return Divisions(names[0], names[1], names[2], names[3], _public(division.code), inferred, renamed)

    def _common(self, divisions: list[Division], street: str | None, written: int) -> Divisions:
        """Return what all candidates share, and the district's name when they share that too."""
        if not divisions:
            return Divisions(None, None, None, street, None, ())
        chains = [self.gazetteer.chain(d) for d in divisions]
        names = [chains[0][i] if len({chain[i] for chain in chains}) == 1 else None for i in range(3)]
        known = [d for d in (self._shared(divisions, width) for width in (4, 2)) if d is not None]
        inferred = tuple(
            level
            for level, name, bit in zip(_LEVELS, names, _BITS, strict=False)
            if name and not written & bit
        )
        return Divisions(names[0], names[1], names[2], street, known[0].code if known else None, inferred)

    def _shared(self, divisions: list[Division], width: int) -> Division | None:
        """Return the city (4) or province (2) that all divisions lie in."""
        starts = {d.code[:width] for d in divisions}
        return self.gazetteer.current.get(starts.pop().ljust(6, "0")) if len(starts) == 1 else None


def _public(code: str) -> str:
    """Return the code to give away; of a division without one of its own, that of the district or province."""
    return code[:6] if not code.isdigit() else code
