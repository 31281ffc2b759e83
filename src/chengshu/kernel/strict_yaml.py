"""YAML 1.2 read strictly: line numbers kept; duplicate keys, aliases, tags and several documents refused.

libyaml cuts the text into events, in C, some twenty times as fast as a scanner in Python; what a plain scalar means is
YAML 1.2's core schema (no ``yes``, no sexagesimal numbers), asked of ruamel.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError as CoreSchemaError
from ruamel.yaml.nodes import ScalarNode
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from chengshu.kernel.problems import Problem, Where

MAX_BYTES = 2_000_000
MAX_DEPTH = 40
_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
# The parser in C where PyYAML was built with it, as its wheels are; the same events from the one in Python otherwise.
_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = YAML(typ="safe", pure=True)
_CORE.version = (1, 2)


class Mapped(dict[str, Any]):
    """A mapping that knows the line of each of its keys (from 1) and its own."""

    def __init__(self, *, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        # Set where a mapping was merged from several files: the file that this part came from.
        self.file = ""


class Listed(list[Any]):
    """A list that knows the line of each of its items (from 1) and its own."""

    def __init__(self, *, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def load_yaml(path: Path) -> Any:
    """Read one file; returns ``Mapped``, ``Listed`` or a scalar; raises ``Problem`` with file and line."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise Problem(
                "yaml-too-large",
                f"The file has {size} bytes; at most {MAX_BYTES} are read",
                where=Where(file=str(path)),
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise Problem("file-missing", "The file does not exist", where=Where(file=str(path))) from error
    except UnicodeDecodeError as error:
        raise Problem(
            "yaml-not-utf8",
            "The file is not UTF-8",
            where=Where(file=str(path)),
            remedy="save it as UTF-8",
        ) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str = "<text>") -> Any:
    """Read YAML from ``text``; ``name`` stands for the file in errors."""
    try:
        return _Builder(text, name).document()
    except yaml.MarkedYAMLError as error:
        raise _problem(
            "yaml-syntax", error.problem or "The file is not well-formed YAML", error, name
        ) from error
    except (yaml.YAMLError, CoreSchemaError, UnicodeEncodeError) as error:
        raise Problem("yaml-syntax", str(error), where=Where(file=name)) from error


class _Builder:
    """Builds plain values from the parser's events in one pass; what we do not allow is refused where it stands."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.events: Iterator[Event] = yaml.parse(text, Loader=_PARSER)

    def document(self) -> Any:
        """Return the value of the one document; an empty file is empty."""
        found: Any = None
        documents = 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                self._start(event, documents)
            elif isinstance(event, NodeEvent):
                found = self._node(event, 0)
        return found

    def _start(self, event: DocumentStartEvent, documents: int) -> None:
        if documents > 1:
            raise self._fault(event, "yaml-documents", "One file holds one document")
        if event.version or event.tags:
            raise self._fault(
                event, "yaml-directive", "Directives are not allowed", "leave the line with % out"
            )

    def _fault(self, event: Event, code: str, title: str, remedy: str = "") -> Problem:
        return Problem(code, title, where=Where(file=self.name, line=_line(event)), remedy=remedy)

    def _node(self, event: Event, depth: int) -> Any:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise self._fault(
                event,
                "yaml-alias",
                "Anchors and aliases are not allowed",
                "write the value out where it is used",
            )
        if getattr(event, "tag", None):
            raise self._fault(event, "yaml-tag", "Tags are not allowed")
        if depth > MAX_DEPTH:
            raise self._fault(event, "yaml-depth", f"Values are nested at most {MAX_DEPTH} deep")
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, depth)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, depth)
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        raise self._fault(event, "yaml-syntax", "A value is expected here")

    def _mapping(self, start: Event, depth: int) -> Mapped:
        mapped = Mapped(line=_line(start))
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, str):
                raise self._fault(event, "yaml-key", f"The key {key!r} is not text", "put it in quotes")
            if key in mapped:
                raise self._fault(event, "yaml-duplicate-key", f"The key {key!r} stands twice in one mapping")
            mapped[key] = self._node(next(self.events), depth + 1)
            mapped.lines[key] = _line(event)
        return mapped

    def _sequence(self, start: Event, depth: int) -> Listed:
        listed = Listed(line=_line(start))
        while not isinstance(event := next(self.events), SequenceEndEvent):
            listed.append(self._node(event, depth + 1))
            listed.lines.append(_line(event))
        return listed

    def _scalar(self, event: ScalarEvent) -> Any:
        text: str = event.value
        # Quoted and block scalars are texts.
        if event.style:
            return text
        try:
            return _meant(text)
        except ValueError as error:
            raise self._fault(event, "yaml-date", f"{text} is no day of the calendar") from error


@lru_cache(maxsize=8192)
def _meant(text: str) -> Any:
    """Return what a plain scalar means by the core schema; a day that is none raises ``ValueError``."""
    tag = _CORE.resolver.resolve(ScalarNode, text, (True, False))
    if str(tag) == "tag:yaml.org,2002:str":
        return text
    if _DATE.match(text):
        return dt.date.fromisoformat(text)
    return _plain(_CORE.constructor.construct_object(ScalarNode(tag, text), deep=True))


def _line(event: Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 0


def _problem(code: str, title: str, error: yaml.MarkedYAMLError, name: str) -> Problem:
    mark = error.problem_mark
    return Problem(code, title, where=Where(file=name, line=mark.line + 1 if mark else None))


def _plain(node: Any) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            # ruamel keeps how a scalar was written in subclasses; callers want the plain value.
            return kind(node)
    return node
