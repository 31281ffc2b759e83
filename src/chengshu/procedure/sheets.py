"""Reading strictly: each mapping of a pack file says which keys it has; what is wrong is collected, with its line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import Listed, Mapped, parse_yaml
from chengshu.kernel.terms import Term, parse_term
from chengshu.procedure.expressions import Expression, compile_expression
from chengshu.procedure.syntax import SyntaxFault
from chengshu.procedure.types import Type
from chengshu.procedure.typing_rules import TypeFault

NAME = re.compile(r"^[a-z][a-z0-9_-]{0,49}$")
# No expression names a pack, so its id may begin with a digit: 5g-factory.
PACK_ID = re.compile(r"^[a-z0-9][a-z0-9_-]{0,49}$")


@lru_cache(maxsize=512)
def parsed(text: str, name: str) -> Any:
    """Read YAML once for the same text: checking a pack again after a change reads only what changed."""
    return parse_yaml(text, name)


class Faults(list[Problem]):
    """What is wrong with a pack, in the order in which it was found."""

    def add(
        self, code: str, title: str, file: str, line: int | None, *, detail: str = "", remedy: str = ""
    ) -> None:
        """Note one fault."""
        where = Where(file=file, line=line)
        self.append(Problem(code, title, detail=detail, remedy=remedy, where=where, status=422))


class Sheet:
    """One mapping of a pack file. Asking for a value checks its type; ``close`` refuses the keys nobody asked for."""

    def __init__(self, faults: Faults, file: str, data: Any, line: int = 1) -> None:
        self.faults, self.file = faults, file
        if not isinstance(data, Mapped):
            faults.add("pack-value", "A mapping is expected here", file, line, detail=f"found {_kind(data)}")
            data = Mapped(line=line)
        self.data: Mapped = data
        if data.file:
            self.file = data.file
        self.line: int = data.line
        self.asked: set[str] = set()

    def at(self, key: str) -> int:
        """Return the line of a key, or of the mapping where it is missing."""
        return self.data.lines.get(key, self.line)

    def fault(self, code: str, title: str, key: str = "", *, detail: str = "", remedy: str = "") -> None:
        """Note a fault at a key."""
        self.faults.add(code, title, self.file, self.at(key), detail=detail, remedy=remedy)

    def get(self, key: str, required: bool = False) -> Any:
        """Return the raw value of a key."""
        self.asked.add(key)
        if required and self.data.get(key) is None:
            self.fault("pack-key-missing", f"The key {key!r} is missing", remedy=f"add '{key}:' here")
        return self.data.get(key)

    def close(self) -> None:
        """Refuse the keys that nobody asked for."""
        for key in self.data:
            if key not in self.asked:
                self.fault(
                    "pack-key-unknown",
                    f"The key {key!r} is not known here",
                    key,
                    remedy=f"known: {', '.join(sorted(self.asked))}",
                )

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default the key is required."""
        value = self.get(key, default is None)
        if value is None:
            return default or ""
        if not isinstance(value, str) or not value.strip():
            self.fault("pack-value", f"{key!r} is a text", key, detail=f"found {_kind(value)}")
            return default or ""
        return value

    def name(self, key: str, default: str | None = None, pattern: re.Pattern[str] = NAME) -> str:
        """Return an identifier: lower case letters, digits, - and _."""
        value = self.text(key, default)
        if value and not pattern.match(value):
            self.fault(
                "pack-name", f"{value!r} is no name", key, remedy="use lower case letters, digits, - and _"
            )
        return value

    def word(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Return one of the allowed words."""
        value = self.text(key, default)
        if value not in allowed and (value or default is None):
            self.fault(
                "pack-value", f"{key!r} is one of {', '.join(allowed)}", key, detail=f"found {value!r}"
            )
            return allowed[0]
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            self.fault("pack-value", f"{key!r} is true or false", key, detail=f"found {value!r}")
            return default
        return default if value is None else value

    def number(self, key: str, default: int, low: int, high: int) -> int:
        """Return a whole number between two bounds."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fault("pack-value", f"{key!r} is a whole number from {low} to {high}", key)
            return default
        return value

    def date(self, key: str, required: bool = True) -> dt.date | None:
        """Return a day."""
        value = self.get(key, required)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                value = dt.date.fromisoformat(value)
            except ValueError:
                value = ""
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            self.fault("pack-value", f"{key!r} is a day like 2026-01-31", key)
            return None
        return value

    def day(self, key: str) -> dt.date:
        """Return a required day; a wrong one is noted and replaced, so that reading goes on."""
        return self.date(key) or dt.date.min

    def words(self, key: str, required: bool = False) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.get(key, required)
        if value is None:
            return ()
        if not isinstance(value, Listed) or not all(isinstance(item, str) for item in value):
            self.fault("pack-value", f"{key!r} is a list of names", key, detail=f"found {_kind(value)}")
            return ()
        if len(set(value)) != len(value):
            self.fault("pack-value", f"{key!r} names something twice", key)
        return tuple(value)

    def term(self, key: str, default: str | None = None) -> Term:
        """Return a term such as 5 workdays."""
        text = self.text(key, default) or "1 workday"
        try:
            return parse_term(text)
        except Problem as problem:
            self.fault(problem.code, problem.title, key, remedy=problem.remedy)
            return parse_term("1 workday")

    def expression(
        self, key: str, known: Mapping[str, Type], wanted: Type | None = None
    ) -> Expression | None:
        """Return a checked expression, or ``None`` when the key is absent or wrong."""
        value = self.get(key)
        if value is None:
            return None
        return self.compile(value, key, known, wanted)

    def expressions(self, key: str, known: Mapping[str, Type]) -> dict[str, Expression]:
        """Return the checked expressions of a mapping, by name; those that are wrong are noted and left out."""
        inner = self.sheet(key)
        found = {}
        for name in inner.data if inner is not None else ():
            value = inner.expression(name, known) if inner is not None else None
            if value is not None:
                found[name] = value
        return found

    def compile(
        self, value: Any, key: str, known: Mapping[str, Type], wanted: Type | None
    ) -> Expression | None:
        """Check one expression; booleans and whole numbers may stand as YAML has them."""
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int):
            value = str(value)
        if not isinstance(value, str):
            self.fault("pack-value", f"{key!r} is an expression", key, detail=f"found {_kind(value)}")
            return None
        try:
            return compile_expression(value, known, wanted)
        except SyntaxFault as fault:
            self.fault(
                "expression-syntax", "The expression cannot be read", key, detail=f"{value[:80]}: {fault}"
            )
        except TypeFault as fault:
            self.fault(
                "expression-type", "The expression makes no sense", key, detail=f"{value[:80]}: {fault}"
            )
        return None

    def sheet(self, key: str, required: bool = False) -> Sheet | None:
        """Return a nested mapping."""
        value = self.get(key, required)
        return None if value is None else Sheet(self.faults, self.file, value, self.at(key))

    def named(self, key: str, required: bool = False) -> Iterator[tuple[str, Sheet]]:
        """Yield the entries of a mapping of name → mapping."""
        inner = self.sheet(key, required)
        if inner is not None:
            yield from inner.entries()

    def entries(self) -> Iterator[tuple[str, Sheet]]:
        """Yield the entries of this mapping, each a mapping itself; names are checked."""
        for name, value in self.data.items():
            self.asked.add(name)
            if not NAME.match(name):
                self.fault(
                    "pack-name",
                    f"{name!r} is no name",
                    name,
                    remedy="use lower case letters, digits, - and _",
                )
            yield (
                name,
                Sheet(
                    self.faults,
                    self.file,
                    Mapped(line=self.at(name)) if value is None else value,
                    self.at(name),
                ),
            )

    def listed(self, key: str, required: bool = False) -> Iterator[Sheet]:
        """Yield the mappings of a list."""
        value = self.get(key, required)
        if value is None:
            return
        if not isinstance(value, Listed):
            self.fault("pack-value", f"{key!r} is a list", key, detail=f"found {_kind(value)}")
            return
        for index, item in enumerate(value):
            yield Sheet(self.faults, self.file, item, value.lines[index])


def _kind(value: Any) -> str:
    if isinstance(value, Mapped):
        return "a mapping"
    if isinstance(value, Listed):
        return "a list"
    return "nothing" if value is None else f"{value!r}"[:60]
