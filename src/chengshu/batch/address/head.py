"""The head of an address: from 广东省 down to the street, by longest match and by what fits together."""

from __future__ import annotations

import re
from typing import NamedTuple

from chengshu.batch.address.gazetteer import (
    ABBREVIATIONS,
    COMMON,
    GENERIC,
    Division,
    Gazetteer,
    Names,
    short_name,
)
from chengshu.batch.address.text import D

State = tuple[str, ...]
"""The divisions that the words read so far can mean (gazetteer keys); empty before the first word."""

PROVINCE, CITY, DISTRICT, STREET = 1, 2, 4, 8
"""Bits of the mask that says which levels were written."""

# What may not follow a short form: 杭州 + 大厦 is a name, 朝阳 + 路 is a road.
_COMPOUND = re.compile(
    "(?:[东南西北中大小一二三四五六七八九十]{0,3}(?:路|街|大道|道|巷|弄|里|胡同|村|庄|社区|苑|园|站|湾|港|楼))"
    "|.(?:路|街|大道|巷)"
    "|镇|乡|屯|花园|花城|小区|家园|公寓|大厦|广场|中心|医院|大学|学院(?!.?路)|中学|小学|学校|幼儿园|银行|大酒店|酒店|宾馆|饭店|商场|市场|公司|"
    "集团|火车|汽车站|汽车[东西南北]|客运|机场|码头|公园|人家|名苑|大桥|高铁|地铁|轻轨|新城|州|区|县|市|省|旗|线|高速|立交|师范|职业|商会|日报|电视|"
    "妇幼|中医|人民医|人民公|儿童医|口腔医|体育|文化|图书|博物|剧院|影城|实验|第[一二三四五六七八九十]|股份|有限"
)
_LANDMARK = re.compile(
    f"[^{D}路街]{{0,4}}(?:广场|大厦|中心|公寓|花园|小区|家园|医院|学校|公司|酒店|宾馆|公园|商城|市场|大楼|会馆|国际)"
)
_ABBREVIATED = frozenset(name[0] for name in ABBREVIATIONS)
_ZONE_NEXT = re.compile(
    "(?:国家|经济|高新|技术|产业|工业|科技|生态)*(?:开发区|高新区|新区|园区|工业园|工业区|科技园|产业园)"
)
_ROAD_NEXT = re.compile(f"[^{D} ]{{2,6}}?(?:路|街|大道|巷|弄)")
_DISTRICT_END = re.compile("[区县市旗]")
_ROAD_OR_VILLAGE = re.compile(
    f"[^{D} ]{{2,6}}?(?:路|街|大道|巷|弄|社区|村)(?!口)|[{D}一二三四五六七八九十]+号?大街"
    f"|[^{D} ]{{0,5}}?(?:工业区|工业园)"
)
# Behind a short form these make the name of a hill, a lake, a bridge: 玉皇山, 白马湖.
_LANDFORM = frozenset("山湖河江桥寺庙塔岭港湾")
# A street that the gazetteer does not know: the shortest run that ends in its kind, and is no road's name.
_TOWN = re.compile(
    f"((?!城镇|乡镇|集镇)[^{D}A-Za-z路号巷弄 ()-]{{1,8}}?(?:街道办事处|街道办|街道|街办事处|街办|地区办事处|"
    "镇(?!中[路学心街]|政府|[东南西北]?[路街]|海区|江市|平县|宁县|海中|口)|"
    "(?<![城下回老])乡(?!村|镇|街道|政府|[东南西北]?[路街]|下)|苏木))(?!路(?!桥)|街|巷|弄|口|中学|小学|医院|卫生)"
)


_TELLING = frozenset("东西南北中上下前后内外新老一二三四五六七八九十")


def _one_letter_off(name: str, other: str) -> bool:
    """Tell whether two names of one length differ in a single letter that is no word of its own."""
    if len(name) != len(other) or name[-1] != other[-1]:
        return False
    differing = [pair for pair in zip(name, other, strict=True) if pair[0] != pair[1]]
    return len(differing) == 1 and not _TELLING & set(differing[0])


class Step(NamedTuple):
    """One word read: the divisions it leaves possible, whether in full form, its level, whether a repetition."""

    state: State
    full: bool
    level: int
    repeated: bool


class HeadReader:
    """Reads heads with one gazetteer; every step is remembered, so a district's files cost almost nothing."""

    def __init__(self, gazetteer: Gazetteer, home: str | None = None) -> None:
        self.gazetteer = gazetteer
        self.home = home
        self._entries = gazetteer.heads.entries
        self._lengths = gazetteer.heads.lengths
        # Names that begin a longer name: the letters behind them decide which one it is.
        self._longer = {
            name[:size] for name in self._entries for size in range(2, len(name))
        } & self._entries.keys()
        self._jumps: dict[str, tuple[State, int]] = {}
        self._jump_sizes: dict[str, tuple[int, ...]] = {}
        self._steps: dict[tuple[State, str], Step | None] = {}
        self._prefixes: dict[str, tuple[str, ...]] = {}
        self._scopes: dict[State, Names | None] = {}

    # -- divisions -----------------------------------------------------------------------------------------
    def read(self, text: str, start: int = 0, state: State = (), written: int = 0) -> tuple[int, State, int]:
        """Read divisions from ``start``; return where they end, what they can be and which levels were written."""
        if start or state:
            at, state, written, _ = self._words(text, start, state, written)
        else:
            known = 0
            for size in self._jump_sizes.get(text[:6], ()):
                jump = self._jumps.get(text[:size])
                if jump is not None and text[size : size + 1] != "场":
                    known, (state, written) = size, jump
                    break
            at, state, written, sure = self._words(text, known, state, written)
            if sure and at > known and at > 5:
                self._learn(text[:at], state, written)
        if not state and text[at : at + 1] in _ABBREVIATED:
            return self._abbreviation(text, at, state, written)
        return at, state, written

    def _learn(self, head: str, state: State, written: int) -> None:
        """Remember a whole head of full names: the next address that begins so jumps behind it."""
        if len(self._jumps) < 100_000:
            self._jumps[head] = (state, written)
            sizes = {*self._jump_sizes.get(head[:6], ()), len(head)}
            self._jump_sizes[head[:6]] = tuple(sorted(sizes, reverse=True))

    def _words(self, text: str, at: int, state: State, written: int) -> tuple[int, State, int, bool]:
        """Read word by word; the last answer tells whether no other end was possible for any word."""
        lengths, entries, steps = self._lengths, self._entries, self._steps
        sure = True
        while True:
            sizes = lengths.get(text[at : at + 2])
            if sizes is None:
                if at and text[at : at + 1] in (" ", "-"):
                    at += 1
                    continue
                return at, state, written, sure
            for size in sizes:
                name = text[at : at + size]
                if name not in entries:
                    continue
                end = at + len(name)  # a name is shorter than its slice at the end of the text
                key = (state, name)
                step = steps[key] if key in steps else self._step(state, name)
                if step is not None and self._holds(text, at, end, step, state):
                    sure = sure and step.full and name not in self._longer
                    state, at = step.state, end
                    written |= 1 << (step.level - 1)
                    break
            else:
                return at, state, written, sure

    def _abbreviation(self, text: str, at: int, state: State, written: int) -> tuple[int, State, int]:
        """Read 沪, 粤 and the like, which count only with a division of theirs behind them."""
        for size in (2, 1):
            code = ABBREVIATIONS.get(text[at : at + size])
            if code and len(text) > at + size:
                end, found, mask = self.read(text, at + size, (code + "0000",), written | PROVINCE)
                if end > at + size:
                    return end, found, mask
        return at, state, written

    def _step(self, state: State, name: str) -> Step | None:
        """Work out, once, what a word means after what was read."""
        keys = self._entries[name]
        full = [key for key in keys if (name, key) in self.gazetteer.full]
        short = [key for key in keys if key not in full]
        step = None
        for pool, is_full in ((full, True), (short, False)):
            step = self._choose(state, name, pool, is_full)
            if step is not None:
                break
        self._steps[state, name] = step
        return step

    def _choose(self, state: State, name: str, pool: list[str], full: bool) -> Step | None:
        if not pool:
            return None
        if not state:
            if name in GENERIC or name in self.gazetteer.mistaken:
                return None
            pool = [key for key in pool if key not in self.gazetteer.overseas or self._level(key) == 2]
            if not full:
                pool = [key for key in pool if self.gazetteer.by_key[key].until is None]
            return self._first(pool, full) if pool else None
        below = [b for b in pool if any(self._under(a, b) for a in state)]
        level = self._level
        if below and not self._said_again(name, state, below):
            best = self._current_first(below)
            if not full:
                best = [b for b in best if level(b) == min(map(level, best))]
            return Step(tuple(dict.fromkeys(best)), full, level(best[0]), False)
        same = [a for a in state if any(self._same_or_above(a, b) for b in pool)]
        became = [b for b in pool if any(self.gazetteer.by_key[a].successor == b for a in state)]
        if became:
            return Step(tuple(became), full, level(became[0]), False)
        if same:
            return Step(tuple(same), full, min(level(b) for b in pool), True)
        return None

    def _said_again(self, name: str, state: State, below: list[str]) -> bool:
        """Tell whether a name only repeats what was read: 临汾市…临汾市, though a former county had that name too."""
        by_key = self.gazetteer.by_key
        return any(by_key[a].name == name for a in state) and all(by_key[b].until for b in below)

    def _first(self, pool: list[str], full: bool) -> Step:
        pool = self._current_first(pool)
        top = min(map(self._level, pool))
        if top < 3 or not full:
            pool = [key for key in pool if self._level(key) == top]
        if self.home and len(pool) > 1:
            near = [key for key in pool if self._shares_home(key)]
            pool = near or pool
        return Step(tuple(pool), full, top, False)

    def _current_first(self, pool: list[str]) -> list[str]:
        """Prefer divisions in force to former ones; of those, one for each division they became."""
        by_key = self.gazetteer.by_key
        valid = [key for key in pool if by_key[key].until is None]
        if valid:
            return valid
        became: dict[str, str] = {}
        for key in pool:
            became[by_key[key].successor or key] = key
        return list(became.values())

    def _level(self, key: str) -> int:
        return self.gazetteer.by_key[key].level

    def _shares_home(self, key: str) -> bool:
        home = self.home or ""
        return any(home.startswith(prefix) or prefix.startswith(home) for prefix in self._prefix(key))

    def _prefix(self, key: str) -> tuple[str, ...]:
        """Return the code prefixes of a division: its own and that of what it became."""
        found = self._prefixes.get(key)
        if found is None:
            division = self.gazetteer.by_key[key]
            own = [division.prefix]
            if division.successor:
                own.append(self.gazetteer.current[division.successor].prefix)
            found = self._prefixes[key] = tuple(own)
        return found

    def _under(self, above: str, below: str) -> bool:
        if self._level(below) <= self._level(above):
            return False
        tops = self._prefix(above)
        return any(low.startswith(top) for low in self._prefix(below) for top in tops)

    def _same_or_above(self, known: str, again: str) -> bool:
        tops = self._prefix(again)
        return any(low.startswith(top) for low in self._prefix(known) for top in tops)

    def _holds(self, text: str, start: int, end: int, step: Step, before: State) -> bool:
        """Tell whether a word stands for itself here, and is not the start of a longer name."""
        following = text[end : end + 1]
        if step.full:
            market = following == "场" and text[end - 1] == "市"
            return not market or self.street_at(text, end, step.state)[0] > end + 1
        if following in ("", " ", "-", "("):
            return bool(before) or step.level < 3
        if self._division_follows(text, end, step.state):
            return True
        if self.street_at(text, end, step.state)[0] > end:
            return True
        if not before and self._is_street(text, start, end):
            return False
        if step.repeated or step.level == 1 or len(step.state) > 1 or _COMPOUND.match(text, end):
            return False
        return self._short_holds(text, end, step, before)

    def _is_street(self, text: str, start: int, end: int) -> bool:
        """Tell whether a street begins where a short form does: one of home's, or a longer one anywhere."""
        if self.home in self.gazetteer.by_key and self.street_at(text, start, (self.home or "",))[0] >= end:
            return True
        return self.street_at(text, start, ())[0] > end

    def _short_holds(self, text: str, end: int, step: Step, before: State) -> bool:
        name = short_name(self.gazetteer.by_key[step.state[0]].name)
        if name in COMMON:
            return bool(before) and (
                _ROAD_NEXT.match(text, end) is not None or _LANDMARK.match(text, end) is None
            )
        if step.level == 2 or before or name not in self.gazetteer.risky:
            return True
        return _ROAD_NEXT.match(text, end) is not None

    def _division_follows(self, text: str, at: int, state: State) -> bool:
        sizes = self._lengths.get(text[at : at + 2])
        if sizes is None:
            return False
        for size in sizes:
            name = text[at : at + size]
            if name in self._entries:
                key = (state, name)
                step = self._steps[key] if key in self._steps else self._step(state, name)
                if step is not None and self._holds(text, at, at + len(name), step, state):
                    return True
        return False

    def districts_later(self, text: str, start: int, state: State) -> tuple[int, int, State]:
        """Find the one district, written in full further on, that lies in a state; (0, 0, ()) if none or several."""
        found: dict[State, tuple[int, int]] = {}
        for kind in _DISTRICT_END.finditer(text, start):
            end = kind.end()
            for begin in range(max(start, end - 9), end - 1):
                name = text[begin:end]
                if name in self._entries and len(name) > 2 and name not in GENERIC:
                    key = (state, name)
                    step = self._steps[key] if key in self._steps else self._step(state, name)
                    if (
                        step is not None
                        and step.full
                        and not step.repeated
                        and step.level == 3
                        and len(step.state) == 1
                    ):
                        found.setdefault(step.state, (begin, end))
                        break
        if len(found) != 1:
            return 0, 0, ()
        ((district, (begin, end)),) = found.items()
        return begin, end, district

    def sister(self, name: str, state: State, other: State) -> bool:
        """Tell whether two readings, the second by a full name, are single districts of one city."""
        if len(state) != 1 or len(other) != 1:
            return False
        one, two = self._prefix(state[0])[0], self._prefix(other[0])[0]
        return name[-1] in "区县市旗" and len(one) == len(two) == 6 and one[:4] == two[:4] and one != two

    def certain(self, text: str, start: int, end: int, state: State) -> bool:
        """Tell whether divisions found inside a text are full names that mean one thing, not part of a name."""
        name = text[start:end]
        if len(name) < 3 or len(state) != 1 or name[-1] not in "省市区县旗州":
            return False
        return short_name(self.gazetteer.by_key[state[0]].name) not in COMMON

    def misspelt(self, name: str, state: State) -> State:
        """Return the one district of a city whose name differs from ``name`` in a single letter (梄霞区), or nothing.

        Letters that make a name of their own (东城, 西城; 城北新区) are no slips of the pen.
        """
        if len(name) < 3 or name.endswith(("新区", "开区", "园区")):
            return ()
        tops = [top for key in state for top in self._prefix(key)]
        found: dict[str, str] = {}
        for top in tops:
            for key, division in self.gazetteer.current.items():
                if division.level == 3 and key.startswith(top) and _one_letter_off(name, division.name):
                    found[key] = division.name
        return tuple(found) if len(found) == 1 else ()

    # -- streets -------------------------------------------------------------------------------------------
    def _scope(self, state: State) -> Names | None:
        """Return the streets that can follow a state, or None when it is a province or nothing."""
        names: Names | None = None if state else self.gazetteer.street_names
        prefixes: set[str] = set()
        for key in state:
            division = self.gazetteer.in_force(key)
            if division.code in self.gazetteer.areas:  # a new area has no streets of its own
                prefixes.add(division.code[:4] if division.code[4:6] == "00" else division.code[:6])
                continue
            prefixes.add(division.prefix)
            prefixes.update(self.gazetteer.split_into.get(self.gazetteer.by_key[key].code, ()))
        if prefixes and all(len(prefix) >= 4 or prefix in ("11", "12", "31", "50") for prefix in prefixes):
            names = self.gazetteer.streets_under(tuple(sorted(prefixes)))
        self._scopes[state] = names
        return names

    def street_at(self, text: str, at: int, state: State) -> tuple[int, tuple[str, ...]]:
        """Return where a street's name at ``at`` ends, and its codes; short forms count when nothing is appended."""
        names = self._scopes[state] if state in self._scopes else self._scope(state)
        if names is None:
            return at, ()
        sizes = names.lengths.get(text[at : at + 2])
        if sizes is None:
            return at, ()
        for size in sizes:
            name = text[at : at + size]
            codes = names.entries.get(name)
            if (
                codes is not None
                and (state or name not in GENERIC)
                and self._street_holds(text, at, at + len(name))
            ):
                return at + len(name), codes
        return at, ()

    def lone_street(self, text: str, at: int) -> tuple[int, tuple[str, ...]]:
        """Read a street's short form that few streets have, before a road, a village or a works: 下沙文渊路."""
        names = self.gazetteer.lone_streets
        for size in names.lengths.get(text[at : at + 2], ()):
            end = at + size
            codes = names.entries.get(text[at:end])
            if codes is None:
                continue
            if text[end : end + 1] in _LANDFORM or _COMPOUND.match(text, end) is not None:
                break  # the longest short form decides: 四季 is no street in 四季青市场
            if _ROAD_OR_VILLAGE.match(text, end) is not None:
                return end, codes
            break
        return at, ()

    @staticmethod
    def _street_holds(text: str, at: int, end: int) -> bool:
        following = text[end : end + 1]
        if text[end - 1] in "道镇乡处区木场办" and end - at > 2:
            return following not in ("路", "街", "巷") or text[end : end + 2] == "路桥"
        if following in ("", " ", "-", "("):
            return True
        if _COMPOUND.match(text, end) is not None or _ZONE_NEXT.match(text, end) is not None:
            return False
        return text[at:end] not in COMMON or _LANDMARK.match(text, end) is None

    def unknown_street(self, text: str, at: int, state: State) -> tuple[int, int, tuple[str, ...]]:
        """Return begin, end and codes of a street that does not stand at ``at`` or that no gazetteer lists."""
        found = _TOWN.match(text, at)
        if found is None:
            return at, at, ()
        end = found.end()
        for begin in range(at + 1, end - 2):
            stop, codes = self.street_at(text, begin, state)
            if stop == end and codes:
                return begin, end, codes
        return at, end, ()

    def division(self, key: str) -> Division:
        """Return the division in force behind a key."""
        return self.gazetteer.in_force(key)
