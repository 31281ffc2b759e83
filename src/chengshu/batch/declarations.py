"""Declared sources: what each department delivers, how its columns map to data elements, and who is believed.

``sources/<department>/<table>.yaml`` declares one table; ``catalogue/authority.yaml`` orders, for each data
element, the sources that are believed (the first that has a value wins). Both are read strictly: an unknown
key, a wrong type or a missing key is refused with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chengshu.kernel.problems import Problem, Where
from chengshu.kernel.strict_yaml import Listed, Mapped, load_yaml

KINDS = ("person", "firm", "premises", "facility")
DATUMS = ("WGS-84", "GCJ-02")
DELIVERIES = ("full", "delta")
FORMATS = ("resident_id", "credit_code", "phone", "date", "number", "integer", "division_code")
SEVERITIES = ("refuse", "warn")
# Each rule with the keys it needs and those it may have; `rule` and `severity` are understood.
RULES: dict[str, tuple[set[str], set[str]]] = {
    "required": ({"columns"}, set()),
    "format": ({"column", "format"}, set()),
    "not_after_today": ({"column"}, set()),
    "not_before": ({"column", "than"}, set()),
    "one_of": ({"column", "values"}, set()),
    "range": ({"column"}, {"min", "max"}),
    "unique": ({"columns"}, set()),
    "length": ({"column", "max"}, {"min"}),
}
_SOURCE_KEYS = {
    "source", "department", "title", "kind", "file", "sql", "sheet", "encoding", "datum", "key", "updated",
    "delivery", "deleted_flag", "columns", "rules", "purpose", "ignore", "whole",
}  # fmt: skip
_SOURCE_NEEDED = {"source", "department", "title", "kind", "key", "columns", "purpose"}
_NAME = re.compile(r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9_-]*$")


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a delivered table and the data element it carries."""

    name: str
    element: str
    required: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One quality rule. ``severity`` refuse keeps the row out; warn lets it in and counts it."""

    rule: str
    columns: tuple[str, ...]
    severity: str = "refuse"
    format: str | None = None
    values: tuple[str, ...] = ()
    than: str | None = None
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Sql:
    """A table read by a query from a database."""

    url: str
    query: str


@dataclass(frozen=True, slots=True)
class Source:
    """One declared table of one department."""

    name: str
    department: str
    title: Text
    kind: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    purpose: Text
    file: str | None = None
    sql: Sql | None = None
    sheet: str | None = None
    encoding: str = "auto"
    datum: str | None = None
    updated: str | None = None
    delivery: str = "full"
    deleted_flag: tuple[str, str] | None = None
    rules: tuple[Rule, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    # The elements that it is the whole list of: whoever it does not name is not on it.
    whole: tuple[str, ...] = ()
    path: str = ""

    def element_columns(self) -> dict[str, str]:
        """Return data element → column name."""
        return {column.element: column.name for column in self.columns}

    def known_columns(self) -> set[str]:
        """Return every column name the declaration speaks of, aliases included."""
        names = {name for column in self.columns for name in (column.name, *column.aliases)}
        names |= set(self.key) | set(self.ignore)
        if self.updated:
            names.add(self.updated)
        if self.deleted_flag:
            names.add(self.deleted_flag[0])
        return names

    def required_columns(self) -> list[str]:
        """Return the columns without which a delivery cannot be read at all."""
        needed = [*self.key, *(column.name for column in self.columns if column.required)]
        return list(dict.fromkeys(needed))


@dataclass(frozen=True, slots=True)
class Declarations:
    """All declared sources by name, and for each element the sources in order of authority."""

    sources: Mapping[str, Source]
    authority: Mapping[str, tuple[str, ...]]

    def of_kind(self, kind: str) -> list[Source]:
        """Return the sources of one kind, by name."""
        return [source for _, source in sorted(self.sources.items()) if source.kind == kind]


def load_source(path: Path) -> Source:
    """Read one source declaration; raises ``Problem`` with file and line."""
    return _Reader(str(path)).source(load_yaml(path))


def load_authority(path: Path) -> dict[str, tuple[str, ...]]:
    """Read ``authority.yaml``: element → sources, the most authoritative first."""
    reader = _Reader(str(path))
    top = reader.mapping(load_yaml(path), 1)
    authority: dict[str, tuple[str, ...]] = {}
    for element, value in top.items():
        line = top.lines[element]
        if isinstance(value, Mapped):  # the long form gives the ground beside the list
            reader.keys(value, {"sources"}, {"sources", "cite", "note"})
            value = value["sources"]
        names = reader.texts(value, line, element)
        for name in names:
            if not _NAME.match(name):
                raise reader.wrong(line, f"'{name}' is not a source name", "write it as department.table")
        authority[element] = tuple(names)
    return authority


def load_declarations(directory: Path, authority: Path | None = None) -> Declarations:
    """Read every ``*.yaml`` under ``directory`` as a source, and the authority file.

    ``authority`` defaults to ``authority.yaml`` in ``directory`` or ``catalogue/authority.yaml`` beside it;
    without one, sources of a kind are believed in the order of their names.
    """
    paths = sorted(path for path in directory.rglob("*.yaml") if path.name != "authority.yaml")
    sources: dict[str, Source] = {}
    for path in paths:
        source = load_source(path)
        if source.name in sources:
            raise Problem(
                "source-duplicate",
                f"The source {source.name} is declared twice",
                where=Where(file=str(path)),
                remedy=f"it is also declared in {sources[source.name].path}; remove one",
            )
        sources[source.name] = source
    found = authority or _find_authority(directory)
    return Declarations(sources, _complete_authority(sources, load_authority(found) if found else {}))


def _find_authority(directory: Path) -> Path | None:
    for path in (directory / "authority.yaml", directory.parent / "catalogue" / "authority.yaml"):
        if path.is_file():
            return path
    return None


def _complete_authority(
    sources: Mapping[str, Source], declared: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Append to each list the sources that carry the element unnamed: no value is without a rank."""
    carriers: dict[str, list[str]] = {}
    for name in sorted(sources):
        for column in sources[name].columns:
            carriers.setdefault(column.element, []).append(name)
    complete: dict[str, tuple[str, ...]] = {}
    for element in sorted({*carriers, *declared}):
        ordered = [*declared.get(element, ()), *carriers.get(element, [])]
        complete[element] = tuple(dict.fromkeys(ordered))
    return complete


class _Reader:
    """Reads one file's tree into typed values; every complaint names file and line."""

    def __init__(self, file: str) -> None:
        self.file = file

    def wrong(self, line: int | None, title: str, remedy: str = "") -> Problem:
        """Make the ``Problem`` for this file."""
        return Problem("source-declaration", title, where=Where(file=self.file, line=line), remedy=remedy)

    def mapping(self, value: Any, line: int) -> Mapped:
        """Return ``value`` as a mapping or complain."""
        if not isinstance(value, Mapped):
            raise self.wrong(line, "A mapping is expected here")
        return value

    def keys(self, value: Mapped, needed: Iterable[str], allowed: Iterable[str]) -> None:
        """Refuse unknown keys and missing ones."""
        allowed = set(allowed)
        for key in value:
            if key not in allowed:
                raise self.wrong(
                    value.lines[key],
                    f"The key '{key}' is not known here",
                    f"known: {', '.join(sorted(allowed))}",
                )
        for key in sorted(needed):
            if key not in value:
                raise self.wrong(value.line, f"The key '{key}' is missing")

    def text(self, value: Any, line: int, what: str) -> str:
        """Return ``value`` as non-empty text."""
        if not isinstance(value, str) or not value:
            raise self.wrong(line, f"'{what}' must be text", "put it in quotes if it looks like a number")
        return value

    def texts(self, value: Any, line: int, what: str) -> list[str]:
        """Return ``value`` as a list of texts; one text counts as a list of one."""
        if isinstance(value, str):
            return [self.text(value, line, what)]
        if not isinstance(value, Listed) or not value:
            raise self.wrong(line, f"'{what}' must be a list of texts")
        return [self.text(item, number, what) for item, number in zip(value, value.lines, strict=True)]

    def choice(self, value: Any, line: int, what: str, among: tuple[str, ...]) -> str:
        """Return ``value`` when it is one of ``among``."""
        text = self.text(value, line, what)
        if text not in among:
            raise self.wrong(line, f"'{what}' cannot be '{text}'", f"one of: {', '.join(among)}")
        return text

    def both(self, value: Any, line: int, what: str) -> Text:
        """Return ``{zh, en}``."""
        tree = self.mapping(value, line)
        self.keys(tree, {"zh", "en"}, {"zh", "en", "cite"})
        return Text(*(self.text(tree[key], tree.lines[key], f"{what}.{key}") for key in ("zh", "en")))

    def source(self, value: Any) -> Source:
        """Read a whole source declaration."""
        top = self.mapping(value, 1)
        self.keys(top, _SOURCE_NEEDED, _SOURCE_KEYS)
        name = self.text(top["source"], top.lines["source"], "source")
        if not _NAME.match(name):
            raise self.wrong(
                top.lines["source"], f"'{name}' is not a source name", "write it as department.table"
            )
        if ("file" in top) == ("sql" in top):
            raise self.wrong(top.line, "A source has either 'file' or 'sql'")
        kind = self.choice(top["kind"], top.lines["kind"], "kind", KINDS)
        source = Source(
            name=name,
            department=self.text(top["department"], top.lines["department"], "department"),
            title=self.both(top["title"], top.lines["title"], "title"),
            kind=kind,
            key=tuple(self.texts(top["key"], top.lines["key"], "key")),
            columns=self._columns(top["columns"], top.lines["columns"], kind),
            purpose=self.both(top["purpose"], top.lines["purpose"], "purpose"),
            sql=self._sql(top),
            delivery=self._option(top, "delivery", DELIVERIES) or "full",
            datum=self._option(top, "datum", DATUMS),
            deleted_flag=self._deleted_flag(top),
            rules=self._rules(top),
            ignore=self._ignore(top),
            whole=self._optional_texts(top, "whole"),
            path=self.file,
            **{
                key: self.text(top[key], top.lines[key], key)
                for key in ("file", "sheet", "encoding", "updated")
                if key in top
            },
        )
        self._check(source, top)
        return source

    def _option(self, top: Mapped, key: str, among: tuple[str, ...]) -> str | None:
        return self.choice(top[key], top.lines[key], key, among) if key in top else None

    def _optional_texts(self, tree: Mapped, key: str) -> tuple[str, ...]:
        return tuple(self.texts(tree[key], tree.lines[key], key)) if key in tree else ()

    def _columns(self, value: Any, line: int, kind: str) -> tuple[Column, ...]:
        tree = self.mapping(value, line)
        columns = []
        for name, item in tree.items():
            spec = self.mapping(item, tree.lines[name])
            self.keys(spec, {"element"}, {"element", "required", "aliases"})
            element = self.text(spec["element"], spec.lines["element"], "element")
            if not element.startswith(f"{kind}."):
                raise self.wrong(
                    spec.lines["element"],
                    f"'{element}' does not describe a {kind}",
                    f"elements of it begin '{kind}.'",
                )
            required = spec.get("required", False)
            if not isinstance(required, bool):
                raise self.wrong(spec.lines["required"], "'required' is true or false")
            aliases = (
                self.texts(spec["aliases"], spec.lines["aliases"], "aliases") if "aliases" in spec else []
            )
            columns.append(Column(name, element, required, tuple(aliases)))
        return tuple(columns)

    def _sql(self, top: Mapped) -> Sql | None:
        if "sql" not in top:
            return None
        tree = self.mapping(top["sql"], top.lines["sql"])
        self.keys(tree, {"url", "query"}, {"url", "query"})
        return Sql(*(self.text(tree[key], tree.lines[key], key) for key in ("url", "query")))

    def _deleted_flag(self, top: Mapped) -> tuple[str, str] | None:
        if "deleted_flag" not in top:
            return None
        tree = self.mapping(top["deleted_flag"], top.lines["deleted_flag"])
        self.keys(tree, {"column", "value"}, {"column", "value"})
        return (
            self.text(tree["column"], tree.lines["column"], "column"),
            self.text(tree["value"], tree.lines["value"], "value"),
        )

    def _ignore(self, top: Mapped) -> dict[str, str]:
        if "ignore" not in top:
            return {}
        tree = self.mapping(top["ignore"], top.lines["ignore"])
        return {name: self.text(why, tree.lines[name], name) for name, why in tree.items()}

    def _rules(self, top: Mapped) -> tuple[Rule, ...]:
        if "rules" not in top:
            return ()
        rules = top["rules"]
        if not isinstance(rules, Listed):
            raise self.wrong(top.lines["rules"], "'rules' must be a list")
        return tuple(self._rule(item, line) for item, line in zip(rules, rules.lines, strict=True))

    def _rule(self, value: Any, line: int) -> Rule:
        tree = self.mapping(value, line)
        if "rule" not in tree:
            raise self.wrong(line, "The key 'rule' is missing")
        name = self.choice(tree["rule"], tree.lines["rule"], "rule", tuple(RULES))
        needed, optional = RULES[name]
        self.keys(tree, {"rule", *needed}, {"rule", "severity", *needed, *optional})
        key = "columns" if "columns" in tree else "column"
        return Rule(
            rule=name,
            columns=tuple(self.texts(tree[key], tree.lines[key], key)),
            severity=self._option(tree, "severity", SEVERITIES) or "refuse",
            format=self._option(tree, "format", FORMATS),
            values=tuple(self.texts(tree["values"], tree.lines["values"], "values"))
            if "values" in tree
            else (),
            than=self.text(tree["than"], tree.lines["than"], "than") if "than" in tree else None,
            min=self._number(tree, "min"),
            max=self._number(tree, "max"),
        )

    def _number(self, tree: Mapped, key: str) -> float | None:
        if key not in tree:
            return None
        value = tree[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(tree.lines[key], f"'{key}' must be a number")
        return float(value)

    def _check(self, source: Source, top: Mapped) -> None:
        """Check what no single key shows: names that rules and columns use must exist, and only once."""
        if not source.name.startswith(f"{source.department}."):
            raise self.wrong(top.lines["source"], f"'{source.name}' does not begin with its department")
        elements = [column.element for column in source.columns]
        twice = next((element for element in elements if elements.count(element) > 1), None)
        if twice:
            raise self.wrong(top.lines["columns"], f"Two columns carry {twice}")
        strange = next((element for element in source.whole if element not in elements), None)
        if strange:
            raise self.wrong(
                top.lines["whole"], f"No column carries {strange}, of which it is to be the whole list"
            )
        known = source.known_columns()
        for number, rule in zip(getattr(top.get("rules"), "lines", []), source.rules, strict=True):
            for name in (*rule.columns, *((rule.than,) if rule.than else ())):
                if name not in known:
                    raise self.wrong(number, f"The rule speaks of '{name}', which is not a declared column")
        placed = {f"{source.kind}.longitude", f"{source.kind}.latitude"} & set(elements)
        if placed and source.datum is None:
            raise self.wrong(top.line, "A source with coordinates must say its 'datum'", "WGS-84 or GCJ-02")
